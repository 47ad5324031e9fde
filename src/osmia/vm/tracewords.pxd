cimport cython
from libc.stdint cimport uint64_t
from osmia.raw cimport copy, ld64, lock, st64, unlock
from osmia.vm.hostwords cimport TASK_COMM, TASK_PID, step_clock

cdef enum:  # the words of a trace; T_HEAD is RECORD.size
    T_LOCK = 0, T_USED = 8, T_ROOM = 16, T_FLAGS = 24, T_RECORDS = 32, T_HEAD = 64

@cython.locals(size=uint64_t, at=uint64_t, fits=uint64_t)
cdef uint64_t add_line(
    uint64_t host, uint64_t trace, uint64_t task, uint64_t cpu, uint64_t text, uint64_t length
) noexcept nogil
@cython.locals(size=uint64_t)
cdef uint64_t move_out(uint64_t trace, uint64_t out) noexcept nogil
