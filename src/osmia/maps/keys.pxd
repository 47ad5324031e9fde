cimport cython
from libc.stdint cimport uint64_t
from osmia.raw cimport ld8, ld32, ld64

@cython.locals(h=uint64_t, at=uint64_t, mix=uint64_t, M32=uint64_t, M64=uint64_t)
cdef uint64_t hash_of(uint64_t key, uint64_t size) noexcept nogil
@cython.locals(at=uint64_t)
cdef bint same(uint64_t a, uint64_t b, uint64_t size) noexcept nogil
