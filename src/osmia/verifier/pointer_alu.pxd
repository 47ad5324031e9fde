cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from osmia.isa.consts cimport BPF_ADD, BPF_ALU64, BPF_AND, BPF_OR, BPF_SUB, BPF_XOR
from osmia.verifier.bounds cimport mark_reg32_unbounded, reg_bounds_sync
from osmia.verifier.consts cimport (
    BASE_TYPE_MASK, BPF_MAX_VAR_OFF, CONST_PTR_TO_DYNPTR, CONST_PTR_TO_MAP, MAX_BPF_STACK, PTR_MAYBE_NULL,
    PTR_TO_BTF_ID, PTR_TO_BUF, PTR_TO_CTX, PTR_TO_FLOW_KEYS, PTR_TO_FUNC, PTR_TO_MAP_KEY, PTR_TO_MAP_VALUE,
    PTR_TO_MEM, PTR_TO_PACKET, PTR_TO_PACKET_META, PTR_TO_STACK, PTR_TO_TP_BUFFER, PTR_UNTRUSTED, S32_MAX,
    S32_MIN, S64_MAX, S64_MIN, U64_MAX
)
from osmia.verifier.env cimport Env
from osmia.verifier.insn cimport VInsn
from osmia.verifier.marks cimport mark_reg_unknown, next_id
from osmia.verifier.regions cimport check_map_access
from osmia.verifier.regs cimport Reg
from osmia.verifier.scalar cimport add64, add_as_arcs, sub64
from osmia.verifier.speculation cimport SanitizeInfo, commit_ptr_alu, sanitize_err, sanitize_ptr_alu
from osmia.verifier.tnum cimport tnum_add, tnum_sub
from osmia.words cimport s32, s64

@cython.locals(regs=list, dst_no=int32_t, op=int32_t, dst=Reg, info=SanitizeInfo, reason=int32_t)
cpdef adjust_ptr_min_max_vals(Env env, VInsn insn, Reg ptr, Reg off, bint ptr_is_dst)
cpdef bint allows_arithmetic(uint32_t base, int32_t op, Reg off) noexcept
@cython.locals(value=int64_t)
cpdef check_reg_sane_offset(Env env, Reg reg, uint32_t type, bint operand)
@cython.locals(op=int32_t, dst_no=int32_t, moved=int64_t, base=uint32_t)
cpdef move_pointer(Env env, VInsn insn, Reg dst, Reg ptr, Reg off, bint ptr_is_dst)
@cython.locals(base=uint32_t, moved=Reg)
cpdef move_within_var_off(Env env, int32_t op, Reg dst, Reg ptr, Reg off)
cpdef take_origin(Reg dst, Reg ptr)
@cython.locals(smin=int64_t, smax=int64_t, umin=uint64_t, umax=uint64_t, value=uint64_t, mask=uint64_t)
cpdef void add_variable(Reg dst, Reg ptr, Reg off) noexcept nogil
@cython.locals(smin=int64_t, smax=int64_t, umin=uint64_t, umax=uint64_t, value=uint64_t, mask=uint64_t)
cpdef void subtract_variable(Reg dst, Reg ptr, Reg off) noexcept nogil
cpdef sanitize_check_bounds(Env env, int32_t dst_no, Reg dst)
cpdef check_stack_access_for_ptr_arithmetic(Env env, int32_t regno, Reg reg, int64_t off)
