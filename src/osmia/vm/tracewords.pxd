cimport cython
from libc.stdint cimport uint64_t
from osmia.raw cimport copy, ld64, lock, st64, unlock
from osmia.vm.hostwords cimport TASK_COMM, TASK_PID, step_clock

cdef extern from *:
    """
    #include <stdlib.h>
    #define osmia_resized(block, used, room) ((uint64_t) realloc((void *) (block), room))
    #define osmia_dropped(block) free((void *) (block))
    """
    uint64_t resized "osmia_resized"(uint64_t block, uint64_t used, uint64_t room) noexcept nogil
    void dropped "osmia_dropped"(uint64_t block) noexcept nogil

cdef enum:  # the words of a trace; T_HEAD is RECORD.size
    T_LOCK = 0, T_USED = 8, T_ROOM = 16, T_FLAGS = 24, T_RECORDS = 32, T_SIZE = 40, T_HEAD = 64

cdef uint64_t MOST_ROOM

@cython.locals(size=uint64_t, used=uint64_t, at=uint64_t, fits=uint64_t)
cdef uint64_t add_line(
    uint64_t host, uint64_t trace, uint64_t task, uint64_t cpu, uint64_t text, uint64_t length
) noexcept nogil
@cython.locals(room=uint64_t, block=uint64_t)
cdef uint64_t grown(uint64_t trace, uint64_t used) noexcept nogil
@cython.locals(block=uint64_t, used=uint64_t, room=uint64_t)
cdef void move_out(uint64_t trace, uint64_t other) noexcept nogil
