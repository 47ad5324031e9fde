cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t
from osmia.verifier.backtrack cimport mark_chain_precision
from osmia.verifier.consts cimport MAX_CALL_FRAMES, PTR_TO_STACK, SCALAR_VALUE
from osmia.verifier.env cimport Env, Subprog
from osmia.verifier.helper_call cimport clear_all_pkt_pointers, clear_caller_saved_regs
from osmia.verifier.insn cimport VInsn
from osmia.verifier.live_stack cimport reset_live_stack_callchain
from osmia.verifier.marks cimport mark_reg_unknown, mark_verifier_state_scratched
from osmia.verifier.regs cimport Reg
from osmia.verifier.state cimport Frame, State
from osmia.verifier.widen cimport find_prev_entry, widen_imprecise_scalars

cdef int32_t GLOBAL

@cython.locals(number=int32_t, subprog=Subprog, state=State, caller=Frame)
cpdef check_func_call(Env env, VInsn insn)
cpdef tell_entry(Env env, State state)
@cython.locals(state=State, held=bint)
cdef _check_global_call(Env env, int32_t number, Subprog subprog)
cdef _skip_global(Env env, int32_t number, Subprog subprog, Frame caller)
@cython.locals(caller=Frame, callee=Frame)
cpdef setup_func_entry(Env env, int32_t number, int32_t callsite, object set_callee, State state)
@cython.locals(i=int32_t)
cpdef set_callee_state(Env env, Frame caller, Frame callee, int32_t insn_idx)
@cython.locals(state=State, callee=Frame, caller=Frame, r0=Reg, from_callback=bint, before=State)
cpdef prepare_func_exit(Env env)
@cython.locals(low=int64_t, high=int64_t)
cdef _check_callback_return(Env env, Frame callee, Reg r0)
