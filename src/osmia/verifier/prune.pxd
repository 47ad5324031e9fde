cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from osmia.verifier.backtrack cimport mark_all_scalars_imprecise, push_jmp_history
from osmia.verifier.consts cimport (
    BPF_COMPLEXITY_LIMIT_STATES, BPF_ITER_STATE_ACTIVE, EXACT, NOT_EXACT, RANGE_WITHIN, SCALAR_VALUE, STACK_DYNPTR,
    STACK_IRQ_FLAG, STACK_ITER, STACK_MISC, STACK_SPILL, U32_MAX
)
from osmia.verifier.env cimport Env
from osmia.verifier.equal cimport frame_insn_idx, same_callsites, states_equal, states_maybe_looping
from osmia.verifier.flow cimport is_may_goto
from osmia.verifier.insn cimport VInsn
from osmia.verifier.lines cimport verbose_linfo
from osmia.verifier.live_stack cimport live_slots, live_stack_query_init
from osmia.verifier.loops cimport (
    SccVisit, add_scc_backedge, incomplete_read_marks, maybe_enter_scc, maybe_exit_scc, propagate_precision,
    state_done, update_peak_states
)
from osmia.verifier.printing cimport print_verifier_state
from osmia.verifier.regs cimport Reg, not_init
from osmia.verifier.slots cimport make_slot
from osmia.verifier.state cimport Frame, Slot, State

cdef Reg DEAD_REG
cdef Slot DEAD_SLOT
cdef int32_t MISS, HIT, LOOP_HIT

@cython.locals(
    insn=VInsn, cur=State, forced=bint, jumps=int64_t, steps=int64_t, add_new=bint, too_soon=bint, states=list,
    states_cnt=Py_ssize_t, loop=bint, found=bint, i=Py_ssize_t, old=State, entry=State, outcome=int32_t
)
cpdef bint is_state_visited(Env env, int32_t insn_idx) except -1
@cython.locals(frame=Frame, at=uint64_t, size=uint64_t, states=list)
cpdef bint long_is_enough(Env env) except -1
cpdef list explored_states(Env env, State cur, int32_t insn_idx)
@cython.locals(frame=Frame, cur_frame=Frame)
cpdef int32_t compare_unfinished(Env env, VInsn insn, State old, State cur) except -1
cpdef endless(Env env, VInsn insn, State old, State cur)
@cython.locals(frame=Frame, reg=Reg, off=int64_t, slot=Slot, spilled=Reg)
cpdef bint iter_is_active(State cur) except -1
@cython.locals(
    fr=uint32_t, frame=Frame, cur_frame=Frame, stack=list, cur_stack=list, i=Py_ssize_t, slot=Slot, reg=Reg,
    cur_reg=Reg
)
cpdef bint iter_active_depths_differ(State old, State cur) except -1
@cython.locals(visit=SccVisit, backedge=State)
cpdef int hit(Env env, VInsn insn, State old, State cur, bint loop) except -1
@cython.locals(patience=int32_t)
cpdef bint is_useless(VInsn insn, State old) noexcept
cpdef int give_up(Env env, State old) except -1
cpdef int maybe_free(Env env, State state) except -1
@cython.locals(history=list, new=State)
cpdef int remember(Env env, list states, int32_t insn_idx, State cur) except -1
@cython.locals(at=State, parent=State)
cpdef update_branch_counts(Env env, State state)
@cython.locals(i=Py_ssize_t, old=State)
cpdef int clean_live_states(Env env, list states, VInsn insn, State cur) except -1
@cython.locals(i=uint32_t, frame=Frame)
cpdef int clean_verifier_state(Env env, State state) except -1
@cython.locals(fr=uint32_t, frame=Frame, insn=VInsn, live=uint32_t, i=Py_ssize_t)
cpdef int clean_by_marks(Env env, State state) except -1
@cython.locals(insn=VInsn, live_regs=uint32_t, regs=list, stack=list, i=Py_ssize_t)
cpdef int clean_func_state(Env env, Frame frame, int32_t insn_idx, uint64_t live) except -1
