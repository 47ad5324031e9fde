cimport cython
from libc.stdint cimport int64_t, uint64_t
from osmia.raw cimport add64, copy, fence, fill, ld8, ld32, ld64, load64, lock, st8, st32, st64, store64, unlock

cdef enum:
    GENERATION = 0, WINDOW = 8, PREFIX = 16, PREFIX_MASK = 24, ROOT = 32, BITS = 40, VALUE_AT = 48, DATA_SIZE = 56
    LOCK = 64, COUNT = 72, FRESH = 80, END = 88, STRIDE = 96, OLDEST = 104, NEWEST = 112, RESTING = 120
    REST = 128, VALUE_SIZE = 136, MAX_ENTRIES = 144, TABLE = 192, NODES = 4288
    WORD = 16, MASK = 24, ENTRY = 32, NEXT = 40, DATA = 48, SHORT = 64

cdef int64_t EINVAL, ENOENT, EEXIST, ENOSPC, ENOMEM

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

@cython.locals(root=uint64_t, start=uint64_t, bits=uint64_t, word=uint64_t)
cdef void changed(uint64_t t, uint64_t data, uint64_t length) noexcept nogil
cdef void close_window(uint64_t t) noexcept nogil
@cython.locals(end=uint64_t)
cdef void fill_table(uint64_t t, uint64_t start, uint64_t index, uint64_t count) noexcept nogil
@cython.locals(begin=uint64_t, best=uint64_t, link=uint64_t, node=uint64_t, bits=uint64_t)
cdef void fill_row(uint64_t t, uint64_t start, uint64_t word, uint64_t row) noexcept nogil

@cython.locals(at=uint64_t)
cdef uint64_t take(uint64_t t) noexcept nogil
cdef void retire(uint64_t t, uint64_t at) noexcept nogil
@cython.locals(M64=uint64_t, at=uint64_t, node=uint64_t, size=uint64_t)
cdef uint64_t make(uint64_t t, uint64_t data, uint64_t length, uint64_t entry) noexcept nogil
cdef void set_mask(uint64_t at, uint64_t bits) noexcept nogil

@cython.locals(place=uint64_t, link=uint64_t, node=uint64_t, bits=uint64_t)
cdef uint64_t place_of(uint64_t t, uint64_t data, uint64_t length) noexcept nogil
@cython.locals(bad=int64_t)
cdef int64_t put(uint64_t t, uint64_t key, uint64_t value, uint64_t flags) noexcept nogil
@cython.locals(place=uint64_t, old=uint64_t, there=bint, known=bint, link=uint64_t, bad=int64_t)
cdef int64_t put_locked(uint64_t t, uint64_t data, uint64_t length, uint64_t value, uint64_t flags) noexcept nogil
@cython.locals(start=uint64_t)
cdef void set_value(uint64_t t, uint64_t node, uint64_t value) noexcept nogil
@cython.locals(node=uint64_t, before=uint64_t)
cdef int64_t replace(uint64_t t, uint64_t place, uint64_t old, uint64_t link) noexcept nogil
@cython.locals(before=uint64_t, length=uint64_t, limit=uint64_t, shared=uint64_t, joint=uint64_t, node=uint64_t)
cdef int64_t branch(uint64_t t, uint64_t place, uint64_t old, uint64_t link, uint64_t data) noexcept nogil
@cython.locals(bad=int64_t)
cdef int64_t drop(uint64_t t, uint64_t key) noexcept nogil
@cython.locals(above=uint64_t, place=uint64_t, link=uint64_t, node=uint64_t)
cdef int64_t drop_locked(uint64_t t, uint64_t data, uint64_t length) noexcept nogil
@cython.locals(node=uint64_t, left=uint64_t, right=uint64_t, parent=uint64_t)
cdef void unlink(uint64_t t, uint64_t above, uint64_t place, uint64_t link) noexcept nogil

@cython.locals(link=uint64_t)
cdef int64_t step(uint64_t t, uint64_t key, uint64_t out) noexcept nogil
@cython.locals(node=uint64_t, below=uint64_t)
cdef uint64_t first(uint64_t t, uint64_t link) noexcept nogil
@cython.locals(behind=uint64_t, link=uint64_t, node=uint64_t, side=uint64_t)
cdef uint64_t following(uint64_t t, uint64_t data, uint64_t length, uint64_t otherwise) noexcept nogil
