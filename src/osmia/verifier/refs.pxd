cimport cython
from libc.stdint cimport int32_t, uint32_t, uint64_t
from osmia.verifier.consts cimport (
    REF_TYPE_LOCK, REF_TYPE_PTR, REF_TYPE_RES_LOCK, REF_TYPE_RES_LOCK_IRQ, STACK_SPILL
)
from osmia.verifier.env cimport Env
from osmia.verifier.marks cimport UNKNOWN, UNKNOWN_PRECISE, UNREADABLE
from osmia.verifier.regs cimport Reg
from osmia.verifier.state cimport Frame, Ref, Slot, State

@cython.locals(state=State)
cpdef uint32_t acquire_reference(Env env, int32_t insn_idx) except? 0
@cython.locals(state=State)
cpdef int acquire_lock_state(Env env, int32_t insn_idx, uint32_t type, uint32_t id, object ptr) except -1
cdef int _add(State state, Ref ref) except -1
cdef int _drop(State state, Py_ssize_t index) except -1
@cython.locals(ref=Ref)
cpdef Ref find_lock_state(State state, uint32_t type, uint32_t id, object ptr)
@cython.locals(ref=Ref, index=Py_ssize_t)
cpdef bint release_reference_nomark(State state, uint32_t id) except -1
@cython.locals(ref=Ref, index=Py_ssize_t, before_id=uint32_t)
cpdef bint release_lock_state(State state, uint32_t type, uint32_t id, object ptr) except -1
@cython.locals(frame=Frame, state=State)
cpdef bint release_reference(Env env, uint32_t ref_obj_id) except -1
cpdef Reg invalid_reg(Env env)
@cython.locals(reg=Reg, i=Py_ssize_t)
cdef int _forget_in_regs(Env env, list regs, uint32_t ref_obj_id) except -1
@cython.locals(slot=Slot, reg=Reg, i=Py_ssize_t)
cdef int _forget_in_stack(Env env, list stack, uint32_t ref_obj_id) except -1
@cython.locals(state=State, returned=Reg, ref=Ref, may_return=bint, leaks=bint)
cpdef bint check_reference_leak(Env env, bint exception_exit) except -1
@cython.locals(state=State)
cpdef check_resource_leak(Env env, bint exception_exit, bint check_lock, str prefix)
