cimport cython
from libc.stdint cimport int64_t, uint64_t
from osmia.maps.trie cimport BITS, COUNT, DATA, DATA_SIZE, END, ENTRY, FRESH, GENERATION, LOCK, MASK, MAX_ENTRIES
from osmia.maps.trie cimport NEWEST, NEXT, OLDEST, PREFIX, PREFIX_MASK, REST, RESTING, ROOT, SHORT, STRIDE, TABLE
from osmia.maps.trie cimport VALUE_AT, VALUE_SIZE, WINDOW, WORD, bit_of, common, ones, word_of
from osmia.raw cimport add64, copy, fence, fill, ld32, ld64, lock, st8, st32, st64, store64, unlock

cdef int64_t EINVAL, ENOENT, EEXIST, ENOSPC, ENOMEM

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
