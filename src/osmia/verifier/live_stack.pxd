cimport cython
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from osmia.verifier.consts cimport U32_MAX
from osmia.verifier.env cimport Env, Subprog
from osmia.verifier.flow cimport insn_successors
from osmia.verifier.insn cimport VInsn
from osmia.verifier.live_masks cimport InsnMasks, Instance, LiveStack
from osmia.verifier.state cimport Frame, State

cdef enum:
    WROTE_NOTHING = 1

cpdef stack_liveness_init(Env env)
@cython.locals(live=LiveStack)
cpdef int reset_live_stack_callchain(Env env) except -1
cpdef int mark_stack_read(Env env, uint32_t frameno, int32_t insn_idx, uint64_t mask) except -1
@cython.locals(live=LiveStack)
cpdef int mark_stack_write(Env env, uint32_t frameno, uint64_t mask) except -1
@cython.locals(live=LiveStack)
cpdef int reset_stack_write_marks(Env env, int32_t insn_idx) except -1
@cython.locals(live=LiveStack, instance=Instance)
cpdef int commit_stack_write_marks(Env env) except -1
@cython.locals(at=int32_t, known=uint8_t, frameno=int32_t, mask=uint64_t, old=uint64_t, masks=InsnMasks)
cpdef commit_writes(Env env, LiveStack live, Instance instance)
@cython.locals(masks=InsnMasks, known=uint64_t)
cpdef int add_read(Env env, Instance instance, uint32_t frameno, int32_t insn_idx, uint64_t mask) except -1
@cython.locals(frame=list)
cpdef InsnMasks masks_at(Env env, Instance instance, uint32_t frameno, int32_t insn_idx)
@cython.locals(start=int32_t, at=int32_t, insn=VInsn, masks=InsnMasks, frame=list, first=int32_t, second=int32_t)
cpdef list new_masks(Env env, Instance instance, uint32_t frameno)
@cython.locals(subprog=Subprog, first=int32_t)
cpdef list postorder(Env env, int32_t number)
@cython.locals(live=LiveStack, found=Instance)
cpdef Instance current_instance(Env env)
@cython.locals(frame=Frame, callee=Frame, subprog=Subprog, i=int32_t, callsites=list)
cpdef Instance lookup_instance(Env env, State state, int32_t frameno)
@cython.locals(live=LiveStack, start=int32_t)
cpdef Instance find_instance(Env env, tuple callsites, int32_t number)
@cython.locals(live=LiveStack, state=State, frameno=int32_t, instance=Instance)
cpdef int update_live_stack(Env env) except -1
@cython.locals(turns=int32_t, changed=bint, frameno=int32_t, order=list)
cpdef int update_instance(Env env, State state, Instance instance) except -1
@cython.locals(masks=InsnMasks, i=Py_ssize_t)
cpdef int forget_written(list frame) except -1
@cython.locals(
    log=bint, changed=bint, i=Py_ssize_t, masks=InsnMasks, follower=InsnMasks, live=uint64_t, written=uint64_t
)
cpdef bint update_frame(Env env, Instance instance, uint32_t frameno, list order) except -1
@cython.locals(
    live=LiveStack, depth=int32_t, frame=Frame, subprog=Subprog, caller=Instance, callsite=int32_t, frameno=int32_t,
    masks_list=list, masks=InsnMasks
)
cpdef int propagate_to_caller(Env env, State state, Instance instance) except -1
cpdef str chain_text(Instance instance)
@cython.locals(gone=uint64_t, come=uint64_t, text=str)
cpdef log_change(Env env, Instance instance, uint32_t frameno, int32_t idx, str what, uint64_t old, uint64_t new)
@cython.locals(live=LiveStack)
cpdef int live_stack_query_init(Env env, State state) except -1
@cython.locals(
    live=LiveStack, query=list, curframe=int32_t, innermost=Instance, mask=uint64_t, i=int32_t, callsite=int32_t,
    insn=VInsn, instance=Instance
)
cpdef uint64_t live_slots(Env env, uint32_t frameno) except? 1
@cython.locals(frame=list, masks=InsnMasks)
cpdef uint64_t live_before(Instance instance, int32_t insn_idx, uint32_t frameno) except? 1
