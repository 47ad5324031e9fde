cimport cython
from libc.stdint cimport uint64_t
from osmia.memory cimport window
from osmia.raw cimport call6, call7, ld8, ld16, ld32, ld64, st64
from osmia.vm.run cimport in_frames, in_packet
from osmia.vm.runwords cimport F_PYTHON, R_FAULT, R_MEMORY, R_PACKET, R_SCRATCH1, R_SCRATCH2
from osmia.words cimport word

cdef uint64_t python(uint64_t run, uint64_t row, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5) noexcept with gil
cdef uint64_t helper(uint64_t run, uint64_t number, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5) noexcept with gil
cdef uint64_t packet(uint64_t run, uint64_t row, uint64_t offset) noexcept with gil
cdef uint64_t tail(uint64_t run, uint64_t row, uint64_t table, uint64_t slot) noexcept with gil
cdef uint64_t elsewhere(uint64_t run, uint64_t pointer, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5) noexcept with gil
cdef uint64_t refill(uint64_t run) noexcept with gil
cdef uint64_t relax(uint64_t run) noexcept with gil
cdef uint64_t failed(uint64_t run, object error) noexcept
@cython.locals(room=uint64_t, inside=uint64_t)
cdef uint64_t probe(uint64_t run, uint64_t address, uint64_t size) noexcept nogil
@cython.locals(r0=uint64_t)
cpdef uint64_t enter(uint64_t function, uint64_t run, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
@cython.locals(r0=uint64_t)
cpdef uint64_t enter_at(uint64_t function, uint64_t run, uint64_t pointer, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
