cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from osmia.verifier.bt cimport Backtrack
from osmia.verifier.consts cimport (
    INSN_F_DST_REG_STACK, INSN_F_FRAMENO_MASK, INSN_F_SPI_MASK, INSN_F_SPI_SHIFT, INSN_F_SRC_REG_STACK,
    INSN_F_STACK_ACCESS, MAX_CALL_FRAMES, SCALAR_VALUE
)
from osmia.verifier.env cimport Env, Subprog
from osmia.verifier.insn cimport VInsn
from osmia.verifier.lines cimport verbose_insn
from osmia.verifier.printing cimport print_verifier_state
from osmia.verifier.regs cimport Reg
from osmia.verifier.slots cimport is_spilled_reg, is_spilled_scalar_reg, make_slot
from osmia.verifier.state cimport Frame, HistoryEntry, Slot, State
from osmia.words cimport s32

cdef enum:
    ARGS = 0x3E
    TAIL_CALL = 12
    STORE = 16
    JUMP = 32
    NOTHING = 33
    ASK = 34

cdef list _RECENT

@cython.locals(at=uint64_t, entry=HistoryEntry)
cpdef HistoryEntry shared_entry(uint32_t idx, uint32_t prev_idx, uint32_t flags, uint64_t linked_regs)
@cython.locals(entry=HistoryEntry)
cpdef HistoryEntry make_entry(uint32_t idx, uint32_t prev_idx, uint32_t flags, uint64_t linked_regs)
@cython.locals(history=list, entry=HistoryEntry)
cpdef int push_jmp_history(Env env, State state, uint32_t insn_flags, uint64_t linked_regs) except -1
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
cpdef bytearray back_kinds(Env env)
@cython.locals(kind=uint32_t, opcode=uint32_t)
cpdef uint32_t _back_kind(VInsn insn) noexcept
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
@cython.locals(insn=VInsn, bt=Backtrack, kind=uint32_t, opcode=uint32_t)
cpdef bint backtrack_insn(Env env, int32_t idx, int32_t subseq_idx, HistoryEntry hist) except -1
@cython.locals(opcode=uint32_t)
cdef void _back_alu(Backtrack bt, VInsn insn) noexcept
cdef void _back_load(Backtrack bt, uint32_t dst, HistoryEntry hist) noexcept
@cython.locals(spi=uint32_t, fr=uint32_t)
cdef bint _back_store(Backtrack bt, VInsn insn, HistoryEntry hist) except -1
@cython.locals(linked=uint64_t, flags=uint32_t)
cdef void _back_cond(Backtrack bt, VInsn insn, HistoryEntry hist) noexcept
@cython.locals(wanted=bint, rest=uint64_t, i=uint32_t)
cpdef void bt_sync_linked_regs(Backtrack bt, uint64_t linked) noexcept
@cython.locals(bt=Backtrack, number=int32_t, callee=Subprog)
cdef bint _back_call(Env env, VInsn insn, int32_t idx, int32_t subseq_idx) except -1
@cython.locals(caller=uint32_t, i=uint32_t)
cdef void _leave_callee(Backtrack bt, bint pass_args) noexcept
@cython.locals(bt=Backtrack, called=bint, subseq=VInsn, before=VInsn, i=uint32_t)
cdef int _back_exit(Env env, int32_t subseq_idx) except -1
@cython.locals(bt=Backtrack)
cdef int _enter_callee(Env env) except -1
@cython.locals(bt=Backtrack)
cdef int _refuse_regs(Env env, str where, uint32_t mask) except -1
@cython.locals(bt=Backtrack)
cdef int _refuse_slots(Env env, str where) except -1
