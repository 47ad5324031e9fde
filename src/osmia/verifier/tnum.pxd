cimport cython
from libc.stdint cimport int32_t, uint64_t
from osmia.verifier.consts cimport U32_MAX, U64_MAX
from osmia.words cimport s32, s64, swap16, swap32, swap64

cpdef uint64_t fill_down(uint64_t x) noexcept nogil
@cython.locals(spread=uint64_t)
cpdef (uint64_t, uint64_t) tnum_range(uint64_t low, uint64_t high) noexcept nogil
cpdef (uint64_t, uint64_t) tnum_lshift(uint64_t v, uint64_t m, int32_t shift) noexcept nogil
cpdef (uint64_t, uint64_t) tnum_rshift(uint64_t v, uint64_t m, int32_t shift) noexcept nogil
cpdef (uint64_t, uint64_t) tnum_arshift(uint64_t v, uint64_t m, int32_t shift, int32_t bits) noexcept nogil
@cython.locals(least=uint64_t, most=uint64_t, unknown=uint64_t)
cpdef (uint64_t, uint64_t) tnum_add(uint64_t av, uint64_t am, uint64_t bv, uint64_t bm) noexcept nogil
@cython.locals(base=uint64_t, unknown=uint64_t)
cpdef (uint64_t, uint64_t) tnum_sub(uint64_t av, uint64_t am, uint64_t bv, uint64_t bm) noexcept nogil
@cython.locals(ones=uint64_t)
cpdef (uint64_t, uint64_t) tnum_and(uint64_t av, uint64_t am, uint64_t bv, uint64_t bm) noexcept nogil
@cython.locals(ones=uint64_t)
cpdef (uint64_t, uint64_t) tnum_or(uint64_t av, uint64_t am, uint64_t bv, uint64_t bm) noexcept nogil
@cython.locals(unknown=uint64_t)
cpdef (uint64_t, uint64_t) tnum_xor(uint64_t av, uint64_t am, uint64_t bv, uint64_t bm) noexcept nogil
@cython.locals(v=uint64_t, m=uint64_t, sum_v=uint64_t, sum_m=uint64_t)
cpdef (uint64_t, uint64_t) tnum_mul(uint64_t av, uint64_t am, uint64_t bv, uint64_t bm) noexcept nogil
cpdef bint tnum_overlap(uint64_t av, uint64_t am, uint64_t bv, uint64_t bm) noexcept nogil
@cython.locals(unknown=uint64_t)
cpdef (uint64_t, uint64_t) tnum_intersect(uint64_t av, uint64_t am, uint64_t bv, uint64_t bm) noexcept nogil
@cython.locals(unknown=uint64_t)
cpdef (uint64_t, uint64_t) tnum_union(uint64_t av, uint64_t am, uint64_t bv, uint64_t bm) noexcept nogil
@cython.locals(keep=uint64_t)
cpdef (uint64_t, uint64_t) tnum_cast(uint64_t v, uint64_t m, int32_t size) noexcept nogil
@cython.locals(greatest=uint64_t, above=uint64_t, known=uint64_t)
cpdef uint64_t tnum_step(uint64_t v, uint64_t m, uint64_t z) noexcept nogil
cpdef (uint64_t, uint64_t) tnum_bswap16(uint64_t v, uint64_t m) noexcept nogil
cpdef (uint64_t, uint64_t) tnum_bswap32(uint64_t v, uint64_t m) noexcept nogil
cpdef (uint64_t, uint64_t) tnum_bswap64(uint64_t v, uint64_t m) noexcept nogil
cpdef (uint64_t, uint64_t) tnum_with_subreg(uint64_t v, uint64_t m, uint64_t low_v, uint64_t low_m) noexcept nogil
