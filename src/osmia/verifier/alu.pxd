cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from osmia.isa.consts cimport (
    BPF_ADD, BPF_ADDR_SPACE_CAST, BPF_ALU, BPF_ALU64, BPF_ARSH, BPF_DIV, BPF_END, BPF_LSH, BPF_MOD, BPF_MOV,
    BPF_NEG, BPF_RSH, BPF_SUB, BPF_TO_LE, BPF_X
)
from osmia.verifier.backtrack cimport mark_chain_precision
from osmia.verifier.bounds cimport (
    coerce_reg_to_size_sx, coerce_subreg_to_size_sx, reg_bounds_sane, reg_bounds_sanity_check, reg_bounds_sync,
    zext_32_to_64
)
from osmia.verifier.consts cimport BPF_ADD_CONST, BPF_ADD_CONST32, BPF_ADD_CONST64, PTR_TO_ARENA, S32_MIN, SCALAR_VALUE, U32_MAX, U64_MAX
from osmia.verifier.env cimport Env
from osmia.verifier.insn cimport VInsn
from osmia.verifier.linked cimport assign_scalar_id_before_mov
from osmia.verifier.loaded cimport constant
from osmia.verifier.maps cimport VMap
from osmia.verifier.marks cimport check_frame_reg_arg, mark_reg_unknown, unknown_scalar
from osmia.verifier.pointer_alu cimport adjust_ptr_min_max_vals
from osmia.verifier.regs cimport Reg
from osmia.verifier.scalar cimport adjust_scalar_min_max_vals
from osmia.words cimport s32, s64

cdef enum:
    SRC_OP = 0
    DST_OP = 1
    DST_OP_NO_MARK = 2

cdef uint32_t ARENA

@cython.locals(op=int32_t, regs=list, reg=Reg)
cpdef int check_alu_op(Env env, VInsn insn) except -1
cpdef bint is_pointer_value(Env env, Reg reg) noexcept
@cython.locals(alu64=bint, odd_width=bint, unknown=bint, followed=bint, reg=Reg, dst=Reg)
cpdef int check_unary(Env env, VInsn insn, int32_t op, list regs) except -1
@cython.locals(value=uint64_t, new=Reg)
cpdef int check_mov_imm(Env env, VInsn insn, list regs) except -1
@cython.locals(src=Reg, new=Reg)
cpdef int check_mov_reg(Env env, VInsn insn, list regs) except -1
@cython.locals(off=int32_t, imm=int64_t, good=bint)
cpdef check_mov_fields(Env env, VInsn insn)
@cython.locals(found=VMap)
cpdef check_addr_space_cast(Env env, int64_t imm)
@cython.locals(src=Reg, dst=Reg)
cpdef move_sign_extended(Env env, VInsn insn, list regs)
@cython.locals(src=Reg, dst=Reg)
cpdef int move32(Env env, VInsn insn, list regs) except -1
@cython.locals(src=Reg, dst=Reg)
cpdef Reg copied(Env env, VInsn insn, list regs, bint linked)
@cython.locals(by_reg=bint)
cpdef int check_binary(Env env, VInsn insn, int32_t op, list regs) except -1
@cython.locals(width=int64_t)
cpdef int check_constant_operand(Env env, VInsn insn, int32_t op) except -1
@cython.locals(dst=Reg, src=Reg, new=Reg, by_reg=bint)
cpdef int adjust_reg_min_max_vals(Env env, VInsn insn, int32_t op, list regs) except -1
@cython.locals(dst=Reg)
cpdef int adjust_by_pointer(Env env, VInsn insn, int32_t op, list regs) except -1
@cython.locals(alu32=bint, constant=bint, fits=bint, itself=bint, off=int64_t)
cpdef void link_by_offset(Env env, VInsn insn, int32_t op, Reg dst, Reg src, uint64_t umax) noexcept
