cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t
from osmia.verifier.backtrack cimport mark_all_scalars_precise, mark_chain_precision_batch
from osmia.verifier.bt cimport Backtrack
from osmia.verifier.consts cimport SCALAR_VALUE
from osmia.verifier.env cimport Env
from osmia.verifier.equal cimport frame_insn_idx
from osmia.verifier.insn cimport VInsn
from osmia.verifier.regs cimport Reg
from osmia.verifier.slots cimport is_spilled_reg
from osmia.verifier.state cimport Frame, Slot, State

@cython.final
cdef class SccVisit:
    cdef public tuple callsites
    cdef public uint32_t scc
    cdef public State entry_state
    cdef public list backedges, done

@cython.locals(states=int64_t)
cpdef int update_peak_states(Env env) except -1
@cython.locals(i=uint32_t, insn=VInsn)
cpdef SccVisit scc_visit_of(Env env, State state, bint create)
cdef tuple _callsites(State state, uint32_t frameno)
@cython.locals(visit=SccVisit)
cdef SccVisit _visit(Env env, tuple callsites, uint32_t scc, bint create)
@cython.locals(i=uint32_t, insn=VInsn)
cpdef bint in_scc(Env env, State state) except -1
@cython.locals(visit=SccVisit)
cpdef maybe_enter_scc(Env env, State state)
@cython.locals(visit=SccVisit)
cpdef maybe_exit_scc(Env env, State state)
cpdef int add_scc_backedge(Env env, SccVisit visit, State backedge) except -1
@cython.locals(visit=SccVisit)
cpdef bint incomplete_read_marks(State state) except -1
@cython.locals(visit=SccVisit)
cpdef int state_done(State state) except -1
cpdef int forget_way(State state) except -1
@cython.locals(backedges=list, turns=int32_t, changed=bint, state=State, equal=State)
cpdef int propagate_backedges(Env env, SccVisit visit) except -1
@cython.locals(state=State)
cpdef int leave(SccVisit visit) except -1
@cython.locals(found=bint, frameno=int32_t, frame=Frame)
cpdef bint propagate_precision(Env env, State old, State cur) except -1
@cython.locals(bt=Backtrack, first=bint, regs=list, stack=list, i=Py_ssize_t, reg=Reg, slot=Slot, off=int32_t)
cpdef bint want_precise(Env env, Frame frame, int32_t frameno) except -1
