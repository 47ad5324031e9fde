cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from osmia.isa.consts cimport BPF_ADD, BPF_X
from osmia.verifier.consts cimport MAX_BPF_STACK, PTR_TO_MAP_VALUE, PTR_TO_STACK, U32_MAX, U64_MAX
from osmia.verifier.env cimport Env
from osmia.verifier.insn cimport VInsn
from osmia.verifier.maps cimport VMap
from osmia.verifier.marks cimport mark_reg_unknown
from osmia.verifier.paths cimport push_stack
from osmia.verifier.regs cimport Reg
from osmia.verifier.state cimport Frame, State
from osmia.words cimport s32

cdef enum:
    REASON_BOUNDS = -1
    REASON_TYPE = -2
    REASON_PATHS = -3
    REASON_LIMIT = -4
    REASON_STACK = -5
    BPF_ALU_SANITIZE_SRC = 1
    BPF_ALU_SANITIZE_DST = 2
    BPF_ALU_NEG_VALUE = 4
    BPF_ALU_NON_POINTER = 8
    BPF_ALU_IMMEDIATE = 16

@cython.final
cdef class SanitizeInfo:
    cdef public uint32_t alu_state, alu_limit
    cdef public bint mask_to_left

cpdef bint can_skip_alu_sanitation(Env env, VInsn insn) noexcept
@cython.locals(found=VMap, size=int64_t, limit=int64_t, moved=uint64_t)
cpdef int64_t retrieve_ptr_limit(Reg ptr, bint mask_to_left) except? -9
cpdef int32_t update_alu_sanitation_state(VInsn insn, uint32_t alu_state, uint32_t alu_limit) noexcept
@cython.locals(reason=int32_t)
cpdef sanitize_val_alu(Env env, VInsn insn)
@cython.locals(off_is_imm=bint, negative=bint, limit=int64_t, state=State)
cpdef int32_t sanitize_ptr_alu(Env env, VInsn insn, Reg ptr, Reg off, bint ptr_is_dst, SanitizeInfo info) except? -9
@cython.locals(saved=Reg, regs=list)
cpdef int32_t simulate_masked(Env env, VInsn insn, Reg ptr, bint ptr_is_dst) except? -9
@cython.locals(limit=int64_t, distance=int64_t)
cpdef int32_t commit_ptr_alu(Env env, VInsn insn, Reg dst, SanitizeInfo info) except? -9
@cython.locals(branch=State, frame=Frame)
cpdef sanitize_speculative_path(Env env, VInsn insn, int32_t next_idx, int32_t curr_idx)
cpdef sanitize_err(Env env, VInsn insn, int32_t reason, bint off_is_dst)
