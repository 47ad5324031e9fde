cimport cython
from libc.stdint cimport int64_t, uint64_t
from osmia.maps.wake cimport wake
from osmia.raw cimport copy, ld16, ld32, ld64, load64, lock, st16, st32, st64, store64, unlock

cdef enum:
    LOCK = 0, SIZE = 8, HEAD = 16, TAIL = 24, LOST = 32, UNREPORTED = 40, WAKER = 48, DATA = 64
    RECORD_HEADER = 8, LOST_RECORD = 24, MAX_SAMPLE = 65523
    PERF_RECORD_LOST = 2, PERF_RECORD_SAMPLE = 9
    ENTRIES_WORD = 96, VALUES_WORD = 104

cdef int64_t ENOSPC, E2BIG, ENOENT, EOPNOTSUPP

cpdef uint64_t room_for(uint64_t size)
cpdef prepare(uint64_t ring, uint64_t size, uint64_t waker)
cdef uint64_t record_size(uint64_t size) noexcept nogil
@cython.locals(ring=uint64_t)
cdef int64_t output(
    uint64_t handle, uint64_t index, uint64_t cpu, uint64_t data, uint64_t size, uint64_t more, uint64_t more_size
) noexcept nogil
@cython.locals(missed=uint64_t, length=uint64_t, head=uint64_t, at=uint64_t)
cdef int64_t add_sample(uint64_t ring, uint64_t data, uint64_t size, uint64_t more, uint64_t more_size) noexcept nogil
@cython.locals(at=uint64_t)
cdef uint64_t begin(uint64_t ring, uint64_t position, uint64_t kind, uint64_t length) noexcept nogil
@cython.locals(tail=uint64_t, record=uint64_t)
cdef uint64_t next_sample(uint64_t ring) noexcept nogil
cdef void release(uint64_t ring, uint64_t sample) noexcept nogil
@cython.locals(at=uint64_t, end=uint64_t, count=uint64_t, record=uint64_t)
cdef uint64_t waiting(uint64_t ring) noexcept nogil
