cimport cython
from libc.stdint cimport int64_t, uint32_t, uint64_t
from osmia.maps.base cimport Map
from osmia.raw cimport ld32, st32

@cython.locals(index=uint64_t)
cpdef int64_t next_index(uint64_t key, uint64_t out, uint64_t max_entries)

cdef class Array(Map):
    cdef public uint64_t stride, base, copies
    cdef public object _slab
    @cython.locals(index=uint64_t)
    cpdef uint64_t lookup(self, uint64_t key, uint32_t cpu)
    @cython.locals(bad=int64_t)
    cpdef int64_t update(self, uint64_t key, uint64_t value, uint64_t flags, uint32_t cpu)
    cpdef int64_t refuses(self, uint64_t index, uint64_t flags)
    cpdef int64_t delete(self, uint64_t key)
    cpdef int64_t next_key(self, uint64_t key, uint64_t out)

cdef class PercpuArray(Array):
    @cython.locals(index=uint64_t)
    cpdef uint64_t lookup(self, uint64_t key, uint32_t cpu)
    @cython.locals(bad=int64_t)
    cpdef int64_t update(self, uint64_t key, uint64_t value, uint64_t flags, uint32_t cpu)
