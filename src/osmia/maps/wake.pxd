from libc.stdint cimport uint64_t
from osmia.raw cimport add64, cas64, ld64, load64, st64, xchg64

cdef extern from *:
    """
    #include <stdint.h>
    #include <unistd.h>
    static inline void osmia_kick(uint64_t fd) {
        uint64_t one = 1;
        long done = write((int) fd, &one, sizeof one);
        (void) done;  /* full already, or the reader is gone */
    }
    """
    void kick "osmia_kick"(uint64_t fd) noexcept nogil

cdef enum:
    FD = 0, MOOD = 8, COUNT = 16
    AWAKE = 0, ASLEEP = 1, WATCHED = 2

cdef void wake(uint64_t w) noexcept nogil
cdef void fall_asleep(uint64_t w) noexcept nogil
