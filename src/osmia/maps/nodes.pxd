cimport cython
from libc.stdint cimport uint64_t
from osmia.raw cimport ld8, ld32, ld64, st8, st16, st32, st64

cdef enum:
    ACTIVE = 1, INACTIVE = 2, FREE = 3, PENDING = 4
    NODE = 16, NEXT = 4, STATE = 8, USED = 9, CPU = 10, KEY_HASH = 12
    LOCK = 0, HEADS = 0, SIZES = 16, SPARE = 40, FRESH = 48, LIMIT = 56, SCANS = 64, ROTATION = 72, BASE = 80, LISTS_SIZE = 128

cdef uint64_t after(uint64_t base, uint64_t node) noexcept nogil
cdef uint64_t before(uint64_t base, uint64_t node) noexcept nogil
cdef void join(uint64_t base, uint64_t a, uint64_t b) noexcept nogil
cdef void drop(uint64_t base, uint64_t node) noexcept nogil
@cython.locals(first=uint64_t)
cdef void add(uint64_t base, uint64_t head, uint64_t node) noexcept nogil
cdef bint looked_up(uint64_t base, uint64_t node) noexcept nogil
cdef void touch(uint64_t base, uint64_t node) noexcept nogil
cdef void set_state(uint64_t base, uint64_t node, uint64_t state) noexcept nogil
cdef void put_spare(uint64_t base, uint64_t place, uint64_t node) noexcept nogil
@cython.locals(found=uint64_t)
cdef uint64_t get_spare(uint64_t base, uint64_t place) noexcept nogil

cdef bint has_free(uint64_t lists) noexcept nogil
@cython.locals(found=uint64_t, fresh=uint64_t)
cdef uint64_t get_free(uint64_t lists) noexcept nogil
@cython.locals(base=uint64_t)
cdef void enter(uint64_t lists, uint64_t node, uint64_t state) noexcept nogil
@cython.locals(base=uint64_t, size=uint64_t)
cdef void leave(uint64_t lists, uint64_t node) noexcept nogil
cdef void move(uint64_t lists, uint64_t node, uint64_t state) noexcept nogil
cdef void rotate(uint64_t lists) noexcept nogil
@cython.locals(base=uint64_t, head=uint64_t, first=uint64_t, node=uint64_t, seen=uint64_t, up=uint64_t)
cdef void rotate_active(uint64_t lists) noexcept nogil
@cython.locals(base=uint64_t, head=uint64_t, node=uint64_t, last=uint64_t, seen=uint64_t, up=uint64_t)
cdef void rotate_inactive(uint64_t lists) noexcept nogil
cdef void set_taken(uint64_t base, uint64_t node, uint64_t cpu, uint64_t hashed) noexcept nogil
