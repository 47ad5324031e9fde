cimport cython
from libc.stdint cimport uint64_t
from osmia.raw cimport add64, ld64, st64

cpdef enum:  # byte offsets of a host's words
    HOST_NOW = 0, HOST_TICK = 8, HOST_TAI = 16, HOST_JIFFIES = 24, HOST_RNG = 32, HOST_CPUS = 40, HOST_CPU = 48, HOST_TASK = 56
    HOST_SOFTIRQ = 64, HOST_IFINDEX = 72, HOST_FLAGS = 80, HOST_REDIRECTED = 88, HOST_TRACE = 96, HOST_SIZE = 104

cpdef enum:  # and of a task's
    TASK_PID = 0, TASK_TGID = 8, TASK_UID = 16, TASK_GID = 24, TASK_STRUCT = 32, TASK_COMM = 40
    TASK_SIZE = 56, COMM_LEN = 16

cdef uint64_t M64, GAMMA, MIX_1, MIX_2, NSEC_PER_JIFFY

@cython.locals(tick=uint64_t, now=uint64_t)
cdef uint64_t step_clock(uint64_t host) noexcept nogil
cdef uint64_t jiffies_of(uint64_t host) noexcept nogil
@cython.locals(x=uint64_t)
cdef uint64_t random_64(uint64_t host) noexcept nogil
