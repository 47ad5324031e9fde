cimport cython
from libc.stdint cimport int64_t, uint64_t
from osmia.raw cimport copy, fence, ld8, ld32, ld64, load64, lock, st32, st64, unlock

cdef enum:
    GENERATION = 0, WINDOW = 8, PREFIX = 16, PREFIX_MASK = 24, ROOT = 32, BITS = 40, VALUE_AT = 48, DATA_SIZE = 56
    LOCK = 64, COUNT = 72, FRESH = 80, END = 88, STRIDE = 96, OLDEST = 104, NEWEST = 112, RESTING = 120
    REST = 128, VALUE_SIZE = 136, MAX_ENTRIES = 144, TABLE = 192, NODES = 4288
    WORD = 16, MASK = 24, ENTRY = 32, NEXT = 40, DATA = 48, SHORT = 64

cdef int64_t ENOENT

cpdef uint64_t value_offset(uint64_t data_size)
cpdef uint64_t node_stride(uint64_t data_size, uint64_t value_size)

@cython.locals(word=uint64_t, at=uint64_t)
cdef uint64_t word_of(uint64_t data, uint64_t size) noexcept nogil
@cython.locals(M64=uint64_t)
cdef uint64_t ones(uint64_t bits) noexcept nogil
cdef uint64_t bit_of(uint64_t data, uint64_t at) noexcept nogil
@cython.locals(at=uint64_t)
cdef uint64_t common(uint64_t a, uint64_t b, uint64_t limit) noexcept nogil
@cython.locals(at=uint64_t)
cdef uint64_t agree(uint64_t node, uint64_t data, uint64_t known, uint64_t length, uint64_t size) noexcept nogil

@cython.locals(length=uint64_t, bits=uint64_t, word=uint64_t, generation=uint64_t, node=uint64_t)
cdef uint64_t find(uint64_t t, uint64_t key) noexcept nogil
@cython.locals(window=uint64_t, known=uint64_t, found=uint64_t, slot=uint64_t, link=uint64_t)
cdef uint64_t search(uint64_t t, uint64_t word, uint64_t data, uint64_t length, uint64_t bits) noexcept nogil
@cython.locals(node=uint64_t, after=uint64_t)
cdef uint64_t walk_short(uint64_t t, uint64_t word, uint64_t length, uint64_t link, uint64_t found) noexcept nogil
@cython.locals(size=uint64_t, node=uint64_t, bits=uint64_t)
cdef uint64_t walk(
    uint64_t t, uint64_t data, uint64_t length, uint64_t link, uint64_t known, uint64_t found
) noexcept nogil

@cython.locals(link=uint64_t)
cdef int64_t step(uint64_t t, uint64_t key, uint64_t out) noexcept nogil
@cython.locals(node=uint64_t, below=uint64_t)
cdef uint64_t first(uint64_t t, uint64_t link) noexcept nogil
@cython.locals(behind=uint64_t, link=uint64_t, node=uint64_t, side=uint64_t)
cdef uint64_t following(uint64_t t, uint64_t data, uint64_t length, uint64_t otherwise) noexcept nogil
