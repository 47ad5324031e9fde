cimport cython
from libc.stdint cimport int32_t, uint32_t
from osmia.verifier.consts cimport SCALAR_VALUE
from osmia.verifier.env cimport Env
from osmia.verifier.equal cimport regs_exact, same_callsites
from osmia.verifier.idmap cimport IdMap
from osmia.verifier.marks cimport UNKNOWN, UNKNOWN_PRECISE
from osmia.verifier.prune cimport explored_states
from osmia.verifier.regs cimport Reg
from osmia.verifier.slots cimport is_spilled_reg, make_slot
from osmia.verifier.state cimport Frame, Slot, State

@cython.locals(states=list, state=State, i=Py_ssize_t, under_way=bint)
cpdef State find_prev_entry(Env env, State cur, int32_t insn_idx)
@cython.locals(idmap=IdMap, ids=IdMap, unknown=Reg, level=int32_t, old_frame=Frame, cur_frame=Frame)
cpdef int widen_imprecise_scalars(Env env, State old, State cur) except -1
@cython.locals(i=uint32_t, old=Reg, reg=Reg)
cdef int _widen_regs(list old_regs, list regs, IdMap idmap, Reg unknown) except -1
@cython.locals(i=uint32_t, old_slot=Slot, slot=Slot)
cdef int _widen_slots(list old_stack, list stack, IdMap idmap, Reg unknown) except -1
cdef bint _is_loose(Reg old, Reg reg, IdMap idmap) except -1
