cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from osmia.verifier.bounds cimport reg_bounds_sync, zext_32_to_64
from osmia.verifier.consts cimport BPF_ADD_CONST, BPF_ADD_CONST32, SCALAR_VALUE
from osmia.verifier.env cimport Env
from osmia.verifier.equal cimport frame_insn_idx
from osmia.verifier.insn cimport VInsn
from osmia.verifier.marks cimport mark_reg_scratched, mark_stack_slot_scratched, next_id
from osmia.verifier.regs cimport Reg, known_value
from osmia.verifier.scalar cimport scalar32_min_max_add, scalar_min_max_add
from osmia.verifier.slots cimport is_spilled_reg, make_slot
from osmia.verifier.state cimport Frame, Slot, State
from osmia.verifier.tnum cimport tnum_add

cdef uint32_t ID_MASK
cdef uint64_t M64

cpdef uint32_t linked_count(uint64_t linked) noexcept
cpdef uint32_t linked_entry(uint64_t linked, uint32_t i) noexcept
@cython.locals(count=uint32_t, wide=uint64_t)
cpdef uint64_t linked_push(uint64_t linked, uint32_t entry) noexcept
@cython.locals(level=int32_t, frame=Frame, insn=VInsn)
cpdef uint64_t collect_linked_regs(Env env, State state, uint32_t id, uint64_t linked) except? 0
@cython.locals(regs=list, reg=Reg, i=uint32_t)
cdef uint64_t _collect_regs(Frame frame, uint32_t level, uint32_t id, uint64_t linked, uint32_t live) except? 0
@cython.locals(stack=list, slot=Slot, reg=Reg, i=uint32_t)
cdef uint64_t _collect_slots(Frame frame, uint32_t level, uint32_t id, uint64_t linked) except? 0
cdef Reg _without_id(Reg reg)
@cython.locals(level=int32_t, frame=Frame, regs=list, reg=Reg, i=int32_t)
cpdef int sync_equal_scalars(State state, Reg known) except -1
@cython.locals(slot=Slot, reg=Reg, i=int64_t)
cdef int _sync_equal_slots(list stack, Reg known) except -1
@cython.locals(i=uint32_t, entry=uint32_t, at=uint32_t, frame=Frame, reg=Reg, slot=Slot)
cpdef int sync_linked_regs(Env env, State state, Reg known, uint64_t linked) except -1
cdef bint _is_linked(Reg reg, Reg known) noexcept
@cython.locals(same=bint, new=Reg, delta=Reg)
cdef Reg _told(Env env, Reg reg, Reg known)
@cython.locals(linked_by_offset=bint, fresh=bint, new=Reg)
cpdef Reg assign_scalar_id_before_mov(Env env, Reg src)
