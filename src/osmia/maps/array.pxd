cimport cython
from libc.stdint cimport int64_t, uint64_t
from osmia.maps.base cimport Map
from osmia.raw cimport ld32, ld64, st32, st64

cdef int64_t EINVAL, ENOENT, EEXIST, E2BIG
cdef uint64_t F_LOCK

@cython.locals(index=uint64_t)
cdef int64_t index_after(uint64_t key, uint64_t out, uint64_t max_entries) noexcept nogil

cdef class Array(Map):
    cdef public uint64_t stride, base, copies
    cdef public object _slab
    @cython.locals(index=uint64_t)
    cdef uint64_t find_elem(self, uint64_t key, uint64_t cpu) noexcept nogil
    @cython.locals(bad=int64_t)
    cdef int64_t put_elem(self, uint64_t key, uint64_t value, uint64_t flags, uint64_t cpu) noexcept nogil
    cdef int64_t refuses(self, uint64_t index, uint64_t flags) noexcept nogil
    cdef int64_t drop_elem(self, uint64_t key) noexcept nogil
    cdef int64_t next_elem(self, uint64_t key, uint64_t out) noexcept nogil
    @cython.locals(index=uint64_t)
    cdef uint64_t each_elem(self, uint64_t cursor, uint64_t cpu) noexcept nogil

cdef class PercpuArray(Array):
    @cython.locals(index=uint64_t)
    cdef uint64_t find_elem(self, uint64_t key, uint64_t cpu) noexcept nogil
    @cython.locals(bad=int64_t)
    cdef int64_t put_elem(self, uint64_t key, uint64_t value, uint64_t flags, uint64_t cpu) noexcept nogil
