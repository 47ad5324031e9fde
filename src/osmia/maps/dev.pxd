cimport cython
from libc.stdint cimport int64_t, uint64_t
from osmia.maps.array cimport Array
from osmia.maps.hash cimport Hash
from osmia.raw cimport add64, ld32, ld64, load64, xchg64

cdef int64_t EINVAL, EEXIST, E2BIG

cdef class DevMap(Array):
    cdef public uint64_t count
    cdef object _count
    @cython.locals(index=uint64_t)
    cdef uint64_t find_elem(self, uint64_t key, uint64_t cpu) noexcept nogil
    @cython.locals(index=uint64_t, target=uint64_t)
    cdef int64_t put_elem(self, uint64_t key, uint64_t value, uint64_t flags, uint64_t cpu) noexcept nogil
    @cython.locals(M64=uint64_t, old=uint64_t)
    cdef void exchange(self, uint64_t index, uint64_t target) noexcept nogil
    @cython.locals(index=uint64_t)
    cdef int64_t drop_elem(self, uint64_t key) noexcept nogil

cdef class DevMapHash(Hash):
    cdef int64_t put_elem(self, uint64_t key, uint64_t value, uint64_t flags, uint64_t cpu) noexcept nogil
