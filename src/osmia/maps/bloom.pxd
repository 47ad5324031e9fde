cimport cython
from libc.stdint cimport int64_t, uint64_t
from osmia.maps.base cimport Map
from osmia.raw cimport ld8, ld64, or64

cdef int64_t EINVAL, ENOENT, EOPNOTSUPP

@cython.locals(M32=uint64_t)
cdef uint64_t rotated(uint64_t word, uint64_t by) noexcept nogil
@cython.locals(word=uint64_t, shift=uint64_t)
cdef uint64_t word_at(uint64_t key, uint64_t at, uint64_t size) noexcept nogil
@cython.locals(M32=uint64_t, start=uint64_t, a=uint64_t, b=uint64_t, c=uint64_t, at=uint64_t)
cdef uint64_t jenkins(uint64_t key, uint64_t size, uint64_t seed) noexcept nogil

cdef class BloomFilter(Map):
    cdef public uint64_t hashes, mask, bits
    cdef object _slab
    @cython.locals(one=uint64_t, seed=uint64_t, bit=uint64_t)
    cdef int64_t push_elem(self, uint64_t value, uint64_t flags) noexcept nogil
    @cython.locals(seed=uint64_t, bit=uint64_t)
    cdef int64_t peek_elem(self, uint64_t out) noexcept nogil
    cdef int64_t pop_elem(self, uint64_t out) noexcept nogil
    cdef int64_t put_elem(self, uint64_t key, uint64_t value, uint64_t flags, uint64_t cpu) noexcept nogil
    cdef int64_t drop_elem(self, uint64_t key) noexcept nogil
    cdef int64_t next_elem(self, uint64_t key, uint64_t out) noexcept nogil
