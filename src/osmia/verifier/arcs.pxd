cimport cython
from libc.stdint cimport int32_t, int64_t, uint64_t
from osmia.verifier.consts cimport S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX, U64_MAX
from osmia.verifier.regs cimport Reg
from osmia.verifier.tnum cimport tnum_intersect, tnum_range, tnum_step
from osmia.words cimport s32, s64

cdef bint wraps(uint64_t base, uint64_t size, uint64_t top) noexcept nogil
cdef bint holds(uint64_t base, uint64_t size, uint64_t top, uint64_t value) noexcept nogil
@cython.locals(away=uint64_t)
cpdef (uint64_t, uint64_t) intersect(
    uint64_t base, uint64_t size, uint64_t base2, uint64_t size2, uint64_t top
) noexcept nogil
@cython.locals(base=uint64_t, size=uint64_t)
cpdef (uint64_t, uint64_t) whole_arc(Reg reg) noexcept nogil
@cython.locals(base=uint64_t, size=uint64_t)
cpdef (uint64_t, uint64_t) half_arc(Reg reg) noexcept nogil
@cython.locals(last=uint64_t, sign=uint64_t)
cpdef void put_whole(Reg reg, uint64_t base, uint64_t size) noexcept nogil
@cython.locals(last=uint64_t, sign=uint64_t)
cpdef void put_half(Reg reg, uint64_t base, uint64_t size) noexcept nogil
@cython.locals(sign=uint64_t, least=uint64_t, size=uint64_t)
cdef (uint64_t, uint64_t) of_tnum(uint64_t value, uint64_t mask, uint64_t top) noexcept nogil
@cython.locals(start=uint64_t, low=uint64_t, end=uint64_t, beyond=uint64_t)
cpdef (uint64_t, uint64_t) whole_from_half(
    uint64_t base, uint64_t size, uint64_t base32, uint64_t size32
) noexcept nogil
@cython.locals(base=uint64_t, size=uint64_t, base32=uint64_t, size32=uint64_t, _=int32_t)
cpdef void deduce_arcs(Reg reg) noexcept nogil
@cython.locals(tbase=uint64_t, tsize=uint64_t, greatest=uint64_t, after=uint64_t)
cdef void learn_from_tnum(Reg reg, uint64_t base, uint64_t size, uint64_t base32, uint64_t size32) noexcept nogil
cdef void settle(Reg reg, uint64_t value) noexcept nogil
@cython.locals(value=uint64_t, mask=uint64_t, low_value=uint64_t, low_mask=uint64_t)
cdef void learn_tnum(Reg reg) noexcept nogil
@cython.locals(base=uint64_t, size=uint64_t, base2=uint64_t, size2=uint64_t)
cpdef void add_arcs(Reg dst, Reg src, bint minus) noexcept nogil
cdef (uint64_t, uint64_t) sum_of(
    uint64_t base, uint64_t size, uint64_t base2, uint64_t size2, uint64_t top
) noexcept nogil
