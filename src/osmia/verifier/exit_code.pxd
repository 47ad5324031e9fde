cimport cython
from libc.stdint cimport int32_t, int64_t, uint64_t
from osmia.verifier.backtrack cimport mark_chain_precision
from osmia.verifier.consts cimport S64_MAX, S64_MIN, SCALAR_VALUE, U64_MAX
from osmia.verifier.env cimport Env
from osmia.verifier.marks cimport check_reg_arg
from osmia.verifier.regions cimport check_ptr_off_reg
from osmia.verifier.regs cimport Reg
from osmia.verifier.state cimport Frame
from osmia.verifier.tnum cimport tnum_range

@cython.locals(frame=Frame, in_subprog=bint, reg=Reg, low=int64_t, high=int64_t)
cpdef check_return_code(Env env, int32_t regno, str reg_name)
@cython.locals(reg=Reg)
cpdef bint returns_object(Env env, bint in_exception_callback, int32_t regno) except -1
@cython.locals(reg=Reg)
cdef _enforce(Env env, int32_t regno, str reg_name, int64_t low, int64_t high, str where, bint short)
@cython.locals(value=uint64_t, mask=uint64_t)
cpdef bint returns_within(Env env, Reg reg, int64_t low, int64_t high, bint short) except -1
@cython.locals(value=uint64_t, mask=uint64_t)
cpdef object invalid_scalar(Env env, Reg reg, int64_t low, int64_t high, str where, str reg_name)
