cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from osmia.verifier.backtrack_insn cimport ARGS, JUMP, NOTHING, STORE, back_kinds, backtrack_insn
from osmia.verifier.bt cimport Backtrack
from osmia.verifier.consts cimport (
    INSN_F_FRAMENO_MASK, INSN_F_SPI_MASK, INSN_F_SPI_SHIFT, INSN_F_STACK_ACCESS, SCALAR_VALUE
)
from osmia.verifier.env cimport Env
from osmia.verifier.printing cimport print_verifier_state
from osmia.verifier.regs cimport Reg
from osmia.verifier.slots cimport is_spilled_scalar_reg, make_slot
from osmia.verifier.state cimport Frame, HistoryEntry, Slot, State
from osmia.words cimport s32

cdef list _RECENT

@cython.locals(at=uint64_t, entry=HistoryEntry)
cpdef HistoryEntry shared_entry(uint32_t idx, uint32_t prev_idx, uint32_t flags, uint64_t linked_regs)
@cython.locals(entry=HistoryEntry)
cpdef HistoryEntry make_entry(uint32_t idx, uint32_t prev_idx, uint32_t flags, uint64_t linked_regs)
@cython.locals(history=list, entry=HistoryEntry)
cpdef void push_jmp_history(Env env, State state, uint32_t insn_flags, uint64_t linked_regs) except *
@cython.locals(state=State)
cpdef int mark_chain_precision(Env env, int32_t regno) except -1
cpdef bint mark_chain_precision_batch(Env env, State starting_state) except -1
@cython.locals(
    bt=Backtrack, state=State, first_idx=int32_t, last_idx=int32_t, subseq_idx=int32_t, changed=bint, walked=int32_t
)
cpdef bint mark_chain_precision_from(Env env, State starting_state, int32_t regno) except -1
@cython.locals(reg=Reg, bt=Backtrack)
cdef int _look_for(Env env, State state, int32_t regno) except -1
@cython.locals(
    bt=Backtrack, kinds=bytearray, quiet=bint, history=list, left=Py_ssize_t, noted_idx=int32_t, noted=bint,
    first_idx=int32_t, i=int32_t, hist=HistoryEntry
)
cdef int32_t _walk_back(Env env, State state, int32_t last_idx, int32_t subseq_idx, bint skip_first) except -2
@cython.locals(slots=uint64_t)
cdef bint _untouched(Backtrack bt, uint32_t kind, HistoryEntry hist) noexcept
@cython.locals(bt=Backtrack, frame=Frame, regs=list, reg=Reg, changed=bint, i=uint32_t)
cdef bint _mark_entry(Env env, State state) except -1
@cython.locals(bt=Backtrack, frame=Frame, changed=bint, level=int32_t, fr=int32_t)
cdef bint _mark_state(Env env, State state) except -1
@cython.locals(regs=list, reg=Reg, changed=bint, wanted=uint32_t, i=uint32_t)
cdef bint _mark_regs(Backtrack bt, Frame frame, uint32_t fr) except -1
@cython.locals(bt=Backtrack, stack=list, total=Py_ssize_t, slot=Slot, reg=Reg, changed=bint, wanted=uint64_t, i=int32_t)
cdef bint _mark_slots(Env env, Frame frame, uint32_t fr) except -1
cdef Reg _precise(Reg reg)
@cython.locals(state=State, frame=Frame, fr=uint32_t)
cpdef int mark_all_scalars_precise(Env env, State starting_state) except -1
@cython.locals(regs=list, stack=list, slot=Slot, reg=Reg, i=int32_t)
cdef int _force_frame(Env env, Frame frame, int32_t fr) except -1
@cython.locals(frame=Frame, regs=list, stack=list, slot=Slot, reg=Reg, fr=uint32_t, i=uint32_t)
cpdef int mark_all_scalars_imprecise(Env env, State state) except -1
cdef Reg _imprecise(Reg reg)
