cimport cython
from libc.stdint cimport uint64_t
from osmia.raw cimport add64, cas64, ld32, ld64, load32, load64, st32, st64, store32

cdef enum:  # words of a pool; words of an element's header
    FREE = 0, USED = 64, COUNT = 128, ELEMENTS = 192, STRIDE = 200, CAPACITY = 208, LIMIT = 216, POOL_SIZE = 224
    HASH = 8, NUMBER = 12, HEADER = 16, LIVE = 0x80000000

cdef uint64_t element_at(uint64_t pool, uint64_t number) noexcept nogil
@cython.locals(count=uint64_t, seen=uint64_t)
cdef bint reserve(uint64_t pool) noexcept nogil
@cython.locals(head=uint64_t, element=uint64_t, seen=uint64_t, M32=uint64_t, M64=uint64_t)
cdef uint64_t take(uint64_t pool) noexcept nogil
@cython.locals(number=uint64_t, element=uint64_t, seen=uint64_t)
cdef uint64_t unused(uint64_t pool) noexcept nogil
@cython.locals(number=uint64_t, head=uint64_t, seen=uint64_t, M32=uint64_t, M64=uint64_t)
cdef void give(uint64_t pool, uint64_t element) noexcept nogil
@cython.locals(M64=uint64_t)
cdef void release(uint64_t pool) noexcept nogil
