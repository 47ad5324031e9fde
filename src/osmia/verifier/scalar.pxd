cimport cython
from libc.stdint cimport int32_t, int64_t, uint64_t
from osmia.isa.consts cimport (
    BPF_ADD, BPF_ALU64, BPF_AND, BPF_ARSH, BPF_DIV, BPF_END, BPF_LSH, BPF_MOD, BPF_MUL, BPF_NEG, BPF_OR, BPF_RSH, BPF_SUB, BPF_TO_BE, BPF_XOR
)
from osmia.verifier.arcs cimport add_arcs
from osmia.verifier.bounds cimport (
    become_known, become_unknown, coerce_reg_to_size, mark_reg32_known, mark_reg32_unbounded, mark_reg64_unbounded,
    mark_reg_unbounded, reg_bounds_sync, set_const, update_reg32_bounds, update_reg_bounds, zext_32_to_64
)
from osmia.verifier.consts cimport S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX, U64_MAX
from osmia.verifier.divide cimport divide
from osmia.verifier.env cimport Env
from osmia.verifier.insn cimport VInsn
from osmia.verifier.paths cimport push_stack
from osmia.verifier.regs cimport Reg
from osmia.verifier.scalar_early cimport (
    add_unsigned_early, bits_early, mul_early, signs_of_shift_32, sub_unsigned_early, tnum_mul_early
)
from osmia.verifier.speculation cimport sanitize_val_alu
from osmia.verifier.state cimport Frame, State
from osmia.verifier.tnum cimport (
    tnum_add, tnum_and, tnum_arshift, tnum_bswap16, tnum_bswap32, tnum_bswap64, tnum_lshift, tnum_mul, tnum_or, tnum_rshift, tnum_sub, tnum_xor
)
from osmia.words cimport s32, s64

@cython.locals(op=int32_t, alu32=bint)
cpdef adjust_scalar_min_max_vals(Env env, VInsn insn, Reg dst, Reg src)
@cython.locals(empty=bint, torn=bint, unknown=bint, shift=bint)
cpdef adjust_early(Env env, VInsn insn, int32_t op, bint alu32, Reg dst, Reg src)
@cython.locals(umin=uint64_t, umax=uint64_t, u32_min=uint64_t, u32_max=uint64_t, low=Reg)
cpdef compute_early(Env env, int32_t op, bint alu32, Reg dst, Reg src)
@cython.locals(whole=bint, branch=State, frame=Frame, other=Reg)
cpdef maybe_fork_scalars(Env env, VInsn insn, Reg dst)
@cython.locals(swaps=bint)
cpdef int scalar_byte_swap(Env env, Reg dst, int32_t code, int64_t width) except -1
cpdef bint is_const_operand(bint alu32, Reg src) noexcept nogil
cpdef bint is_safe_to_compute_dst_reg_range(int32_t op, bint alu32, Reg src) noexcept nogil
cpdef void add_as_arcs(int32_t op, Reg dst, Reg src) noexcept nogil
cpdef void compute(int32_t op, bint alu32, Reg dst, Reg src) noexcept nogil

@cython.locals(smin=int64_t, smax=int64_t, umin=uint64_t, umax=uint64_t)
cpdef void scalar32_min_max_add(Reg dst, Reg src) noexcept nogil
@cython.locals(smin=int64_t, smax=int64_t, umin=uint64_t, umax=uint64_t)
cpdef void scalar32_min_max_sub(Reg dst, Reg src) noexcept nogil
cpdef void set_s32(Reg dst, int64_t low, int64_t high) noexcept nogil
cpdef void set_u32(Reg dst, uint64_t low, uint64_t high, bint torn) noexcept nogil
@cython.locals(smin=int64_t, smax=int64_t, umin=uint64_t, umax=uint64_t)
cpdef void scalar_min_max_add(Reg dst, Reg src) noexcept nogil
@cython.locals(smin=int64_t, smax=int64_t, umin=uint64_t, umax=uint64_t)
cpdef void scalar_min_max_sub(Reg dst, Reg src) noexcept nogil
cpdef int64_t add64(int64_t a, int64_t b) noexcept nogil
cpdef int64_t sub64(int64_t a, int64_t b) noexcept nogil

@cython.locals(a=int64_t, b=int64_t, c=int64_t, d=int64_t)
cpdef void scalar32_min_max_mul(Reg dst, Reg src) noexcept nogil
@cython.locals(a=int64_t, b=int64_t, c=int64_t, d=int64_t)
cpdef void scalar_min_max_mul(Reg dst, Reg src) noexcept nogil
cpdef bint mul_overflows(uint64_t a, uint64_t b) noexcept nogil
@cython.locals(size_a=uint64_t, size_b=uint64_t, limit=uint64_t)
cpdef bint smul_overflows(int64_t a, int64_t b) noexcept nogil

@cython.locals(value=uint64_t, mask=uint64_t, low=uint64_t, high=uint64_t)
cpdef void scalar32_min_max_bits(int32_t op, Reg dst, Reg src) noexcept nogil
@cython.locals(low=uint64_t, high=uint64_t)
cpdef void scalar_min_max_bits(int32_t op, Reg dst, Reg src) noexcept nogil

@cython.locals(value=uint64_t, mask=uint64_t)
cpdef void shift32(int32_t op, Reg dst, int32_t shift) noexcept nogil
@cython.locals(limit=uint64_t)
cpdef void scalar32_min_max_lsh(Reg dst, int32_t shift) noexcept nogil
cpdef void shift64(int32_t op, Reg dst, int32_t shift) noexcept nogil
@cython.locals(limit=uint64_t)
cpdef void scalar_min_max_lsh(Reg dst, int32_t shift) noexcept nogil
