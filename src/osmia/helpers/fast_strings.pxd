cimport cython
from libc.stdint cimport uint64_t
from osmia.helpers.fallback cimport text_length
from osmia.raw cimport ld8, ld64, st64
from osmia.vm.run cimport may, refuse
from osmia.vm.runwords cimport R_CHECKED

cdef uint64_t M32, M64, INVALID, BAD_RANGE, HIGHEST, LONGEST, MINUS, ZERO, SMALL_A, SMALL_X, SMALLER, NO_DIGIT, NO_BREAK_SPACE

cdef uint64_t admit(uint64_t run, uint64_t buf, uint64_t size, uint64_t out) noexcept nogil
@cython.locals(at=uint64_t, letter=uint64_t)
cdef uint64_t after_space(uint64_t buf, uint64_t size) noexcept nogil
cdef uint64_t is_minus(uint64_t buf, uint64_t at, uint64_t size) noexcept nogil
@cython.locals(letter=uint64_t)
cdef uint64_t digit(uint64_t buf, uint64_t at, uint64_t end) noexcept nogil
cdef uint64_t is_hex(uint64_t buf, uint64_t at, uint64_t end) noexcept nogil
cdef uint64_t base_of(uint64_t buf, uint64_t at, uint64_t end) noexcept nogil
@cython.locals(end=uint64_t, base=uint64_t, first=uint64_t, value=uint64_t)
cdef uint64_t parse(uint64_t buf, uint64_t at, uint64_t size, uint64_t flags, uint64_t out) noexcept nogil

@cython.locals(bad=uint64_t, start=uint64_t, negative=uint64_t, used=uint64_t, limit=uint64_t)
cdef uint64_t strtol(uint64_t run, uint64_t buf, uint64_t size, uint64_t flags, uint64_t out, uint64_t r5) noexcept nogil
@cython.locals(bad=uint64_t, start=uint64_t, negative=uint64_t, used=uint64_t)
cdef uint64_t strtoul(uint64_t run, uint64_t buf, uint64_t size, uint64_t flags, uint64_t out, uint64_t r5) noexcept nogil
@cython.locals(known=uint64_t, at=uint64_t, a=uint64_t, b=uint64_t)
cdef uint64_t strncmp(uint64_t run, uint64_t first, uint64_t size, uint64_t second, uint64_t r4, uint64_t r5) noexcept nogil
