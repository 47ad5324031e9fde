cimport cython
from libc.stdint cimport int64_t, uint64_t
from osmia.maps.base cimport Map
from osmia.raw cimport copy, fill, ld64, lock, st64, unlock

cdef enum:
    LOCK = 0, OLDEST = 8, COUNT = 16, VALUES = 32
    NOEXIST = 1, EXIST = 2

cdef int64_t EINVAL, ENOENT, E2BIG

cdef class Queue(Map):
    cdef public uint64_t ring, stride, newest_first
    cdef object _slab
    @cython.locals(at=uint64_t)
    cdef uint64_t slot(self, uint64_t position) noexcept nogil
    @cython.locals(bad=int64_t)
    cdef int64_t push_elem(self, uint64_t value, uint64_t flags) noexcept nogil
    cdef int64_t push_locked(self, uint64_t value, uint64_t flags) noexcept nogil
    @cython.locals(at=uint64_t)
    cdef void drop_oldest(self) noexcept nogil
    @cython.locals(count=uint64_t)
    cdef int64_t hand_out(self, uint64_t out, uint64_t remove) noexcept nogil
    @cython.locals(count=uint64_t, at=uint64_t)
    cdef uint64_t copy_all(self, uint64_t out, uint64_t limit) noexcept nogil
    cdef int64_t pop_elem(self, uint64_t out) noexcept nogil
    cdef int64_t peek_elem(self, uint64_t out) noexcept nogil
    cdef int64_t put_elem(self, uint64_t key, uint64_t value, uint64_t flags, uint64_t cpu) noexcept nogil
    cdef int64_t drop_elem(self, uint64_t key) noexcept nogil
    cdef int64_t next_elem(self, uint64_t key, uint64_t out) noexcept nogil

cdef class Stack(Queue):
    pass
