cimport cython
from libc.stdint cimport int32_t, uint32_t, uint64_t
from osmia.verifier.backtrack cimport mark_chain_precision, push_jmp_history
from osmia.verifier.consts cimport (
    BASE_TYPE_MASK, INSN_F_DST_REG_STACK, INSN_F_SRC_REG_STACK, PTR_MAYBE_NULL, PTR_TO_BTF_ID, PTR_TO_STACK,
    SCALAR_VALUE, U64_MAX
)
from osmia.verifier.env cimport Env
from osmia.verifier.insn cimport VInsn
from osmia.verifier.linked cimport collect_linked_regs, sync_equal_scalars, sync_linked_regs
from osmia.verifier.loaded cimport constant
from osmia.verifier.marks cimport check_reg_arg
from osmia.verifier.nulls cimport mark_ptr_or_null_regs, ptr_not_null_reg, reg_is_pkt_pointer_any
from osmia.verifier.packet_range cimport try_match_pkt_pointers
from osmia.verifier.paths cimport push_stack
from osmia.verifier.printing cimport print_insn_state, print_verifier_state
from osmia.verifier.refine cimport JEQ, JNE, is_branch_taken, reg_set_min_max, same_register_taken, surviving_branch
from osmia.verifier.refine_const cimport is_branch_taken_const, refine_by_const
from osmia.verifier.regs cimport Reg
from osmia.verifier.speculation cimport sanitize_speculative_path
from osmia.verifier.state cimport Frame, State
from osmia.verifier.widen cimport find_prev_entry, widen_imprecise_scalars

cdef enum:
    JCOND = 0xE0

@cython.locals(opcode=uint32_t, src=Reg, state=State, taken=int32_t, regs=list)
cpdef void check_cond_jmp_op(Env env, VInsn insn) except *
@cython.locals(idx=int32_t, previous=State, queued=State)
cdef int _check_may_goto(Env env, VInsn insn) except -1
@cython.locals(flags=uint32_t, src=Reg, dst=Reg, state=State)
cdef Reg _check_operands(Env env, VInsn insn)
@cython.locals(src=Reg, dst=Reg, regs=list, state=State)
cdef Reg _check_source(Env env, VInsn insn)
cdef int _check_source_first(Env env, VInsn insn) except -1
cdef object _prohibited(Env env, uint32_t regno)
@cython.locals(dst=Reg, idx=int32_t, regs=list, state=State)
cdef int _follow(Env env, VInsn insn, Reg src, int32_t taken) except -1
@cython.locals(linked=uint64_t, state=State, other=State, dst=Reg, regs=list)
cdef int _fork(Env env, VInsn insn, Reg src) except -1
@cython.locals(state=State, regs=list, linked=uint64_t, src=Reg, dst=Reg)
cdef uint64_t _collect_linked(Env env, VInsn insn) except? 0
@cython.locals(regs=list, other_regs=list, state=State, dst=Reg, false1=Reg, true1=Reg, false2=Reg, true2=Reg)
cdef int _refine(Env env, VInsn insn, Reg src, State other) except -1
@cython.locals(regs=list, src=Reg, dst=Reg)
cdef void _sync_equal(VInsn insn, State state) except *
@cython.locals(regs=list, src=Reg, dst=Reg)
cdef int _sync_linked(Env env, VInsn insn, State state, uint64_t linked) except -1
@cython.locals(state=State, regs=list, opcode=uint32_t, dst=Reg, src=Reg, null_check=bint)
cdef void _compare_pointers(Env env, VInsn insn, State other) except *
@cython.locals(regno=uint32_t)
cdef void _spread_nullness(VInsn insn, Reg dst, Reg src, list equal_regs) except *
