cimport cython
from libc.stdint cimport int64_t, uint64_t
from osmia.maps.array cimport index_after
from osmia.maps.base cimport Map
from osmia.maps.hash cimport Hash
from osmia.raw cimport ld32, ld64, load64, store64

cdef class Slots(Map):
    cdef public uint64_t slots, shown
    cdef object _words
    @cython.locals(index=uint64_t)
    cdef uint64_t find_elem(self, uint64_t key, uint64_t cpu) noexcept nogil
    cdef int64_t next_elem(self, uint64_t key, uint64_t out) noexcept nogil

cdef class HandleHash(Hash):
    @cython.locals(element=uint64_t)
    cdef uint64_t find_elem(self, uint64_t key, uint64_t cpu) noexcept nogil
