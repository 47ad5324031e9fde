cimport cython
from libc.stdint cimport int32_t, int64_t, uint64_t
from osmia.verifier.consts cimport S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX, U64_MAX
from osmia.verifier.regs cimport Reg
from osmia.verifier.tnum cimport tnum_cast, tnum_intersect, tnum_range
from osmia.words cimport s32, s64

@cython.locals(
    value=uint64_t, mask=uint64_t, low_value=uint64_t, low_mask=uint64_t, known=uint64_t, unknown=uint64_t
)
cpdef void sync_apart(Reg reg, bint whole) noexcept nogil
@cython.locals(value=uint64_t, mask=uint64_t, sign=uint64_t)
cpdef void ranges_from_tnum(Reg reg) noexcept nogil
@cython.locals(low=uint64_t, high=uint64_t)
cpdef void deduce_signs32(Reg reg) noexcept nogil
@cython.locals(low=uint64_t, high=uint64_t)
cpdef void deduce_signs64(Reg reg) noexcept nogil
@cython.locals(fits_signed=bint)
cpdef void combine_64_into_32(Reg reg, bint whole) noexcept nogil
cpdef void combine_32_into_64(Reg reg, bint whole) noexcept nogil
@cython.locals(keep=uint64_t)
cpdef void cut_to_size(Reg reg, int32_t size) noexcept nogil
cpdef void coerce_apart(Reg reg, int32_t size, bint whole) noexcept nogil
