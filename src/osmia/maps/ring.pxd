cimport cython
from libc.stdint cimport int64_t, uint64_t
from osmia.maps.wake cimport wake
from osmia.raw cimport copy, ld32, ld64, load32, load64, lock, st32, st64, store64, xchg32, unlock

cdef enum:
    LOCK = 0, MASK = 8, WAKER = 16, PAGE = 4096, CONSUMER = 4096, PRODUCER = 8192, PENDING = 8200, DATA = 12288
    PAGE_SHIFT = 12, HEADER = 8, MAX_RECORD = 0x3FFFFFFF
    BUSY = 0x80000000, DISCARD = 0x40000000, LENGTH = 0x3FFFFFFF, NO_WAKEUP = 1, FORCE_WAKEUP = 2

cdef int64_t EINVAL, EAGAIN

# Helpers pass the ring, word `values` of the map's handle; the data of a record is the `sample`.
cpdef uint64_t room_for(uint64_t size)
cpdef prepare(uint64_t ring, uint64_t size)
cdef uint64_t step_over(uint64_t length) noexcept nogil
@cython.locals(sample=uint64_t)
cdef uint64_t reserve(uint64_t ring, uint64_t size) noexcept nogil
@cython.locals(mask=uint64_t, start=uint64_t, pending=uint64_t, end=uint64_t, at=uint64_t, record=uint64_t)
cdef uint64_t reserve_locked(uint64_t ring, uint64_t size, uint64_t length) noexcept nogil
@cython.locals(head=uint64_t)
cdef uint64_t oldest_busy(uint64_t ring, uint64_t pending, uint64_t end, uint64_t mask) noexcept nogil
@cython.locals(record=uint64_t)
cdef uint64_t ring_of(uint64_t sample) noexcept nogil
@cython.locals(ring=uint64_t, record=uint64_t, reading=uint64_t)
cdef int64_t commit(uint64_t sample, uint64_t flags, uint64_t discard) noexcept nogil
@cython.locals(sample=uint64_t)
cdef int64_t output(uint64_t ring, uint64_t data, uint64_t size, uint64_t flags) noexcept nogil
cdef uint64_t query(uint64_t ring, uint64_t what) noexcept nogil
cdef uint64_t length_of(uint64_t sample) noexcept nogil
@cython.locals(record=uint64_t)
cdef uint64_t is_open(uint64_t ring, uint64_t sample) noexcept nogil
@cython.locals(mask=uint64_t, at=uint64_t, end=uint64_t, found=uint64_t, head=uint64_t)
cdef uint64_t open_at(uint64_t ring, uint64_t record) noexcept nogil
@cython.locals(mask=uint64_t, at=uint64_t, record=uint64_t, head=uint64_t)
cdef uint64_t next_record(uint64_t ring) noexcept nogil
cdef void release(uint64_t ring, uint64_t sample) noexcept nogil
@cython.locals(mask=uint64_t, at=uint64_t, end=uint64_t, count=uint64_t, head=uint64_t)
cdef uint64_t waiting(uint64_t ring) noexcept nogil
