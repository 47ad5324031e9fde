cimport cython
from libc.stdint cimport int32_t, uint32_t, uint64_t
from osmia.verifier.consts cimport MAX_BPF_REG, NOT_INIT, U64_MAX
from osmia.verifier.env cimport Env
from osmia.verifier.regs cimport Reg, not_init, unknown_value
from osmia.verifier.state cimport State

cdef Reg UNKNOWN, UNKNOWN_PRECISE, UNREADABLE

cpdef int check_reg_arg(Env env, uint32_t regno, int32_t t) except -1
@cython.locals(reg=Reg)
cpdef int check_frame_reg_arg(Env env, list regs, uint32_t regno, int32_t t) except -1
cpdef int mark_reg_unknown(Env env, list regs, uint32_t regno) except -1
cpdef Reg unknown_scalar(Env env)
cpdef int mark_reg_not_init(Env env, list regs, uint32_t regno) except -1
@cython.locals(reg=Reg)
cpdef int mark_reg_known_zero(Env env, list regs, uint32_t regno) except -1
@cython.locals(new=Reg)
cpdef Reg known_zero_of(Reg reg)
cpdef int mark_reg_scratched(Env env, uint32_t regno) except -1
@cython.locals(bit=uint64_t)
cpdef int mark_stack_slot_scratched(Env env, uint32_t spi) except -1
cpdef int mark_verifier_state_scratched(Env env) except -1
cpdef uint32_t next_id(Env env) except? 0
