cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from osmia.verifier.consts cimport MAX_PACKET_OFF, PTR_TO_PACKET, PTR_TO_PACKET_END, PTR_TO_PACKET_META
from osmia.verifier.insn cimport VInsn
from osmia.verifier.refine cimport AT_PKT_END, BEYOND_PKT_END, JGE, JGT, JLE, JLT, flip_opcode
from osmia.verifier.regs cimport Reg
from osmia.verifier.slots cimport is_spilled_reg, make_slot
from osmia.verifier.state cimport Frame, Slot, State

@cython.locals(fixed=int64_t, reach=int64_t, level=uint32_t)
cpdef void find_good_pkt_pointers(State state, Reg pkt, uint32_t type, bint range_right_open, bint whole) except *
@cython.locals(regs=list, stack=list, reg=Reg, slot=Slot, i=uint32_t)
cdef int _extend_frame(Frame frame, uint32_t type, uint32_t id, int64_t reach) except -1
@cython.locals(new=Reg)
cdef Reg _with_range(Reg reg, int64_t reach)
@cython.locals(frame=Frame, reg=Reg)
cpdef int mark_pkt_end(State state, uint32_t regno, bint range_open) except -1
@cython.locals(opcode=int32_t, pkt=Reg, regno=uint32_t, inside=State, outside=State, right_open=bint)
cpdef bint try_match_pkt_pointers(VInsn insn, Reg dst, Reg src, State this_branch, State other_branch, bint whole) except -1
@cython.locals(start=bint)
cdef bint _is_pkt_before_end(Reg pkt, Reg end) noexcept
