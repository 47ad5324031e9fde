cimport cython
from libc.stdint cimport int64_t, uint32_t, uint64_t
from osmia.maps.evict cimport Nodes
from osmia.maps.hash cimport Hash, PercpuHash, hash_key
from osmia.raw cimport copy, fill, ld32, st64

cdef class LruHash(Hash):
    cdef public object lru
    cdef public Nodes nodes
    cpdef uint64_t node_of(self, uint64_t element)

cdef class LruPercpuHash(PercpuHash):
    cdef public object lru
    cdef public Nodes nodes
    @cython.locals(node=int64_t, hashed=uint64_t, old=uint64_t, bad=int64_t)
    cpdef int64_t element_for(self, uint64_t key, uint64_t flags, uint32_t cpu)
