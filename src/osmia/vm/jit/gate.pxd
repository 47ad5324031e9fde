cimport cython
from libc.stdint cimport uint64_t
from osmia.memory cimport window
from osmia.raw cimport call6, call7, fill, ld8, ld16, ld32, ld64, load64, st64
from osmia.vm.packetstate cimport legacy_load
from osmia.vm.run cimport in_frames, in_packet
from osmia.vm.runwords cimport (
    F_PYTHON, R_CALL, R_CPU, R_CTX, R_DEPTH, R_FAULT, R_FLOOR, R_FUEL, R_HOST, R_MACHINE, R_MEMORY, R_PACKET, R_PC, R_PYTHON,
    R_ROOM, R_SCRATCH1, R_SCRATCH2, R_SPAN, R_SPAN2, R_STACK, R_STOP, R_TAIL_CALLS, R_USED,
)
from osmia.words cimport s32, word

cdef enum:  # ops.py; words of a map's handle; what tail remembers
    TAIL_CALLS = 33, H_MAX_ENTRIES = 96, H_VALUES = 104, T_ROWS = 16, T_ROW = 24, T_COUNT = 64

cdef uint64_t python(uint64_t run, uint64_t row, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5) noexcept with gil
cdef uint64_t helper(uint64_t run, uint64_t number, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5) noexcept with gil
@cython.locals(M64=uint64_t)
cdef uint64_t packet(uint64_t run, uint64_t row, uint64_t offset) noexcept nogil
@cython.locals(M32=uint64_t, known=uint64_t, done=uint64_t, index=uint64_t, number=uint64_t, at=uint64_t)
cdef uint64_t tail(uint64_t run, uint64_t row, uint64_t table, uint64_t slot) noexcept nogil
cdef uint64_t find_tail(uint64_t run, uint64_t row, uint64_t table, uint64_t slot) noexcept with gil
cdef uint64_t elsewhere(uint64_t run, uint64_t pointer, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5) noexcept with gil
cdef uint64_t refill(uint64_t run) noexcept with gil
cdef uint64_t relax(uint64_t run) noexcept with gil
cdef uint64_t failed(uint64_t run, object error) noexcept
@cython.locals(room=uint64_t, inside=uint64_t)
cdef uint64_t probe(uint64_t run, uint64_t address, uint64_t size) noexcept nogil
@cython.locals(used=uint64_t, at=uint64_t)
cpdef void prepare(uint64_t run, uint64_t fuel, uint64_t cpu, uint64_t ctx, uint64_t packet, uint64_t host, uint64_t call, uint64_t python, uint64_t machine) noexcept
@cython.locals(r0=uint64_t)
cpdef uint64_t enter(uint64_t function, uint64_t run, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
@cython.locals(r0=uint64_t)
cpdef uint64_t enter_at(uint64_t function, uint64_t run, uint64_t pointer, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
