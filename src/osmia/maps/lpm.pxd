from libc.stdint cimport int64_t, uint64_t
from osmia.maps.base cimport Map
from osmia.maps.trie cimport NODES, find, step
from osmia.maps.trieedit cimport drop, put

cdef int64_t EINVAL

cdef class LpmTrie(Map):
    cdef public uint64_t trie, stride, room
    cdef object _slab
    cdef uint64_t find_elem(self, uint64_t key, uint64_t cpu) noexcept nogil
    cdef int64_t put_elem(self, uint64_t key, uint64_t value, uint64_t flags, uint64_t cpu) noexcept nogil
    cdef int64_t drop_elem(self, uint64_t key) noexcept nogil
    cdef int64_t next_elem(self, uint64_t key, uint64_t out) noexcept nogil

cdef uint64_t find_prefix(LpmTrie m, uint64_t key, uint64_t cpu, uint64_t c, uint64_t d) noexcept nogil
