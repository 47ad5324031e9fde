cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from osmia.verifier.arcs cimport deduce_arcs, half_arc, whole_arc
from osmia.verifier.bounds_apart cimport coerce_apart, cut_to_size, sync_apart
from osmia.verifier.consts cimport S32_MAX, S32_MIN, S64_MAX, S64_MIN, SCALAR_VALUE, U32_MAX, U64_MAX
from osmia.verifier.env cimport Env
from osmia.verifier.regs cimport Reg
from osmia.verifier.tnum cimport tnum_intersect, tnum_range, tnum_step
from osmia.words cimport s32, s64, sx8, sx16, sx32

cpdef void mark_reg_unbounded(Reg reg) noexcept nogil
cpdef void mark_reg64_unbounded(Reg reg) noexcept nogil
cpdef void mark_reg32_unbounded(Reg reg) noexcept nogil
cpdef void mark_reg32_known(Reg reg, uint64_t value) noexcept nogil
cpdef int forget_identity(Reg reg) except -1
cpdef int become_unknown(Reg reg, bint precise) except -1
cpdef int become_known(Reg reg, uint64_t value) except -1
cpdef void set_const(Reg reg, uint64_t value) noexcept nogil

cpdef void update_reg_bounds(Reg reg) noexcept nogil
@cython.locals(sign=uint64_t, greatest=uint64_t, after=uint64_t)
cpdef void update_reg64_bounds(Reg reg) noexcept nogil
@cython.locals(value=uint64_t, mask=uint64_t, sign=uint64_t)
cpdef void update_reg32_bounds(Reg reg) noexcept nogil
@cython.locals(low=uint64_t, high=uint64_t, low_s32=int64_t, high_s32=int64_t)
cpdef void deduce_32_from_64(Reg reg) noexcept nogil
@cython.locals(low=uint64_t, high=uint64_t, low_s32=int64_t, high_s32=int64_t)
cpdef void deduce_32(Reg reg) noexcept nogil
@cython.locals(low=uint64_t, high=uint64_t, low_s64=int64_t, high_s64=int64_t)
cpdef void deduce_64(Reg reg) noexcept nogil
@cython.locals(value=uint64_t, mask=uint64_t, low_s64=int64_t, high_s64=int64_t)
cpdef void deduce_64_from_32(Reg reg) noexcept nogil
cpdef void narrow_u32(Reg reg, uint64_t low, uint64_t high) noexcept nogil
cpdef void narrow_s32(Reg reg, int64_t low, int64_t high) noexcept nogil
@cython.locals(value=uint64_t, mask=uint64_t, low_value=uint64_t, low_mask=uint64_t)
cpdef void reg_bound_offset(Reg reg) noexcept nogil
cpdef int reg_bounds_sync(Env env, Reg reg) except -1
@cython.locals(_=int32_t)
cpdef void deduce_all(Reg reg) noexcept nogil
@cython.locals(
    smin=int64_t, smax=int64_t, umin=uint64_t, umax=uint64_t,
    s32_min=int64_t, s32_max=int64_t, u32_min=uint64_t, u32_max=uint64_t
)
cpdef bint deduce_bounds(Reg reg) noexcept nogil
@cython.locals(value=uint64_t)
cpdef bint is_settled_const(Reg reg) noexcept nogil

cpdef bint range_bounds_violation(Reg reg) noexcept nogil
@cython.locals(value=uint64_t)
cpdef bint const_out_of_sync(Reg reg) noexcept nogil
@cython.locals(value=uint64_t)
cpdef bint const_subreg_out_of_sync(Reg reg) noexcept nogil
cpdef bint reg_bounds_sane(Reg reg) noexcept nogil
cpdef reg_bounds_sanity_check(Env env, Reg reg, str ctx)

cpdef void zext_32_to_64(Reg reg) noexcept nogil
cpdef void coerce_reg_to_size(Env env, Reg reg, int32_t size) except *
cpdef uint64_t sign_extended(uint64_t value, int32_t size) noexcept nogil
@cython.locals(bits=int32_t, one_block=bint, low=uint64_t, high=uint64_t, low_s64=int64_t, high_s64=int64_t)
cpdef void coerce_reg_to_size_sx(Reg reg, int32_t size) noexcept nogil
@cython.locals(bits=int32_t, one_block=bint, low=uint64_t, high=uint64_t, low_s32=int64_t, high_s32=int64_t)
cpdef void coerce_subreg_to_size_sx(Reg reg, int32_t size) noexcept nogil
