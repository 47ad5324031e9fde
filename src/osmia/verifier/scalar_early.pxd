cimport cython
from libc.stdint cimport int32_t, int64_t, uint64_t
from osmia.isa.consts cimport BPF_AND, BPF_OR
from osmia.verifier.bounds cimport forget_identity, mark_reg32_known, set_const
from osmia.verifier.bounds_apart cimport ranges_from_tnum
from osmia.verifier.consts cimport S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX, U64_MAX
from osmia.verifier.regs cimport Reg
from osmia.verifier.tnum cimport tnum_add
from osmia.words cimport s32, s64

cpdef int add_unsigned_early(Reg dst, uint64_t umin, uint64_t umax, uint64_t u32_min, uint64_t u32_max) except -1
cpdef int sub_unsigned_early(Reg dst, uint64_t umin, uint64_t u32_min, Reg src) except -1
@cython.locals(half=uint64_t)
cpdef int mul_early(Reg dst, Reg src) except -1
@cython.locals(known=uint64_t, v=uint64_t, m=uint64_t)
cpdef (uint64_t, uint64_t) tnum_mul_early(uint64_t av, uint64_t am, uint64_t bv, uint64_t bm) noexcept nogil
@cython.locals(value=uint64_t, mask=uint64_t)
cpdef void bits_early(int32_t op, Reg dst, Reg src) except *
cpdef int signs_of_shift_32(Reg dst) except -1
