cimport cython
from libc.stdint cimport int64_t, uint64_t
from osmia.memory cimport Memory, Region
from osmia.raw cimport (
    add32, add64, and32, and64, call6, cas32, cas64, fill, ld8, ld16, ld32, ld64, or32, or64, st8, st16, st32, st64,
    xchg32, xchg64, xor32, xor64,
)
from osmia.vm.native cimport NativeRow, operand, registers, row_at
from osmia.vm.packetstate cimport legacy_load
from osmia.vm.packetwords cimport P_END, P_META, P_START, P_VERSION
from osmia.vm.run cimport Run
from osmia.vm.runwords cimport F_STOPPED, R_CALL, R_CPU, R_CTX, R_FAULT, R_FUEL, R_HOST, R_PACKET, R_PYTHON, R_ROOM, R_STOP
from osmia.words cimport (
    arsh32, arsh64, div, mod, s32, s64, sdiv32, sdiv64, smod32, smod64, swap16, swap32, swap64, sx8, sx16, sx32, word
)

cdef enum:  # vm/ops.py, number by number
    MOV64, ADD64, SUB64, MUL64, DIV64, SDIV64, MOD64, SMOD64, OR64, AND64, XOR64, LSH64, RSH64, ARSH64, NEG64
    MOV32, ADD32, SUB32, MUL32, DIV32, SDIV32, MOD32, SMOD32, OR32, AND32, XOR32, LSH32, RSH32, ARSH32, NEG32
    SX8_64, SX16_64, SX32_64, SX8_32, SX16_32, CUT16, CUT32, SWAP16, SWAP32, SWAP64
    JEQ64, JNE64, JGT64, JGE64, JLT64, JLE64, JSGT64, JSGE64, JSLT64, JSLE64, JSET64
    JEQ32, JNE32, JGT32, JGE32, JLT32, JLE32, JSGT32, JSGE32, JSLT32, JSLE32, JSET32
    LDX8, LDX16, LDX32, LDX64, LDSX8, LDSX16, LDSX32, ST8, ST16, ST32, ST64, ATOMIC32, ATOMIC64
    WIDE, LDABS, LDIND, JA, MAY_GOTO, HELPER, LOCAL, CALLX, TAIL, EXIT, BEYOND, FAST
    MOV_ADD, MOV_MOV, ADD_MOV, ADD_ADD, ADD_JNE, ADD_JLT, ADD_JGT, AND_JEQ, LSH_RSH, LDX8_JNE, LDX16_JNE, LDX32_JNE

cdef enum:  # the limits there
    FRAMES = 8, FRAME_SIZE = 512, FRAME_STRIDE = 1024, MAY_GOTO_LOOPS = 8388608, RECORD = 64, SLICE = 1048576, TAIL_CALLS = 33
    ALL_FRAMES = 239
    IMM = 15, STEP = 24

cdef class StackRegion(Region):
    pass

@cython.final
cdef class Interp:
    cdef public Memory memory
    cdef public bint checked
    cdef public object stack, env, tracer, kept
    cdef public Run block
    cdef uint64_t _run, _state, _version
    cdef public Region frames
    cdef public list codes
    cdef public tuple registers
    cdef public uint64_t base, spent, budget
    cdef public Py_ssize_t current
    cdef public uint64_t file
    cdef list _tables, _bodies, _plain
    cdef dict _handed
    cdef object _records, _registers, _still
    cdef uint64_t _saved, _room, _used, _low, _span, _low2, _span2, _granted
    cdef bint _writable, _writable2
    cdef int64_t _next, _floor
    cdef Py_ssize_t _tail_calls

    @cython.locals(
        M32=uint64_t, M64=uint64_t, regs="uint64_t *", row="NativeRow *", code=list, bottom=int64_t, loops=uint64_t, fuel=int64_t, pc=int64_t, at=uint64_t,
        op=uint64_t, dst=uint64_t, a=uint64_t, b=uint64_t, jump=int64_t, number=Py_ssize_t
    )
    cpdef uint64_t run(
        self, int64_t index, int64_t slot, int64_t depth, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5
    ) except? 0xDEAD
    @cython.locals(r0=uint64_t)
    cdef uint64_t _runs(
        self, int64_t times, int64_t index, int64_t slot, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5
    ) except? 0xDEAD
    cdef int _rewind(self) except -1
    cdef uint64_t _open(self, int64_t depth) except 0
    @cython.locals(record=uint64_t, i=uint64_t)
    cdef int64_t _enter(self, int64_t depth, int64_t index, uint64_t pc, uint64_t loops, uint64_t *regs) except -1
    @cython.locals(at=uint64_t, M64=uint64_t)
    cdef inline bint _ok(self, uint64_t address, uint64_t size, bint write) noexcept
    @cython.locals(at=uint64_t, M64=uint64_t, low=uint64_t, span=uint64_t, end=uint64_t, writable=bint, region=Region)
    cdef int _admit(self, uint64_t address, uint64_t size, bint write) except -1
    @cython.locals(at=uint64_t, value=uint64_t, state=uint64_t)
    cdef int _prepare(self, object env) except -1
    cdef int _after(self) except -1
    cdef int _follow(self) except -1
    cpdef _forget(self)
    cdef int _suspend(self, int64_t depth, int64_t fuel) except -1
    cdef int _resume(self, int64_t depth, uint64_t stamp) except -1
    @cython.locals(depth=int64_t, stamp=uint64_t)
    cdef uint64_t _helper(
        self, int64_t index, uint64_t number, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5
    ) except? 0xDEAD
    @cython.locals(target=int64_t)
    cdef int64_t _tail(self, uint64_t table, uint64_t slot, int64_t depth) except? -2
    cdef int64_t _packet(self, uint64_t offset, uint64_t size) noexcept
    cdef tuple _kept(self)
    @cython.locals(regs="uint64_t *", number=Py_ssize_t)
    cdef int _restore(self, tuple kept) except -1
    cdef int64_t _begin(self, int64_t index) except -1
    cdef int64_t _slot(self, int64_t index, int64_t pc) except? -1
    cdef int64_t _slot_in(self, int64_t index, uint64_t pointer) except -1
    cdef uint64_t _refill(self, int64_t index, int64_t pc, uint64_t *regs) except 0
    @cython.locals(slot=int64_t)
    cdef int _trace(self, int64_t index, int64_t pc, uint64_t *regs) except -1
    cdef int _failed(self, object error, int64_t slot, uint64_t *regs) except -1

cdef tuple listed(uint64_t *regs)
@cython.locals(op=uint64_t)
cdef uint64_t fetch64(uint64_t address, uint64_t kind, uint64_t value, uint64_t expected) noexcept nogil
@cython.locals(op=uint64_t)
cdef uint64_t fetch32(uint64_t address, uint64_t kind, uint64_t value, uint64_t expected) noexcept nogil
