cimport cython
from libc.stdint cimport int32_t, uint32_t, uint64_t
from osmia.verifier.bt cimport Backtrack
from osmia.verifier.consts cimport (
    INSN_F_DST_REG_STACK, INSN_F_FRAMENO_MASK, INSN_F_SPI_MASK, INSN_F_SPI_SHIFT, INSN_F_SRC_REG_STACK,
    INSN_F_STACK_ACCESS, MAX_CALL_FRAMES
)
from osmia.verifier.env cimport Env, Subprog
from osmia.verifier.insn cimport VInsn
from osmia.verifier.lines cimport verbose_insn
from osmia.verifier.state cimport HistoryEntry

cdef enum:
    ARGS = 0x3E
    TAIL_CALL = 12
    STORE = 16
    JUMP = 32
    NOTHING = 33
    ASK = 34

cpdef bytearray back_kinds(Env env)
@cython.locals(kind=uint32_t, opcode=uint32_t)
cpdef uint32_t _back_kind(VInsn insn) noexcept
@cython.locals(insn=VInsn, bt=Backtrack, kind=uint32_t, opcode=uint32_t)
cpdef bint backtrack_insn(Env env, int32_t idx, int32_t subseq_idx, HistoryEntry hist) except -1
@cython.locals(opcode=uint32_t)
cdef void _back_alu(Backtrack bt, VInsn insn) noexcept
cdef void _back_load(Backtrack bt, uint32_t dst, HistoryEntry hist) noexcept
@cython.locals(spi=uint32_t, fr=uint32_t)
cdef bint _back_store(Backtrack bt, VInsn insn, HistoryEntry hist) except -1
@cython.locals(linked=uint64_t, flags=uint32_t)
cdef void _back_cond(Backtrack bt, VInsn insn, HistoryEntry hist) noexcept
@cython.locals(wanted=bint, rest=uint64_t, i=uint32_t)
cpdef void bt_sync_linked_regs(Backtrack bt, uint64_t linked) noexcept
@cython.locals(bt=Backtrack, number=int32_t, callee=Subprog)
cdef bint _back_call(Env env, VInsn insn, int32_t idx, int32_t subseq_idx) except -1
@cython.locals(caller=uint32_t, i=uint32_t)
cdef void _leave_callee(Backtrack bt, bint pass_args) noexcept
@cython.locals(bt=Backtrack, called=bint, subseq=VInsn, before=VInsn, i=uint32_t)
cdef int _back_exit(Env env, int32_t subseq_idx) except -1
@cython.locals(bt=Backtrack)
cdef int _enter_callee(Env env) except -1
@cython.locals(bt=Backtrack)
cdef int _refuse_regs(Env env, str where, uint32_t mask) except -1
@cython.locals(bt=Backtrack)
cdef int _refuse_slots(Env env, str where) except -1
