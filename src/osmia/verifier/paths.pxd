cimport cython
from libc.stdint cimport int32_t, int64_t
from osmia.verifier.consts cimport BPF_COMPLEXITY_LIMIT_JMP_SEQ
from osmia.verifier.env cimport Env
from osmia.verifier.state cimport Frame, State

@cython.final
cdef class Waiting:
    cdef public State state
    cdef public int32_t insn_idx, prev_insn_idx
    cdef public int64_t log_pos

@cython.locals(state=State, parent=State, waiting=int32_t)
cpdef State push_stack(Env env, int32_t insn_idx, int32_t prev_insn_idx, bint speculative, int32_t code=*)
@cython.locals(state=State, waiting=int32_t)
cpdef State push_async_cb(Env env, int32_t subprog, int32_t insn_idx, int32_t prev_insn_idx, bint is_sleepable)
cdef int32_t _wait(Env env, State state, int32_t insn_idx, int32_t prev_insn_idx) except -1
@cython.locals(waiting=Waiting)
cpdef bint pop_stack(Env env, bint pop_log) except -1
