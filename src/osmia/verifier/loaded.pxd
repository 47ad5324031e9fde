cimport cython
from libc.stdint cimport int32_t, int64_t, uint64_t
from osmia.verifier.bounds cimport coerce_reg_to_size, coerce_reg_to_size_sx
from osmia.verifier.consts cimport SCALAR_VALUE
from osmia.verifier.env cimport Env
from osmia.verifier.regs cimport Reg, known_value, unknown_value

cdef list _ZEROS, _UNKNOWN, _LOADED, _CONSTANTS

@cython.locals(reg=Reg)
cdef Reg _zero(bint precise)
@cython.locals(reg=Reg)
cdef Reg _unknown(bint precise, int64_t size, bint signed)
@cython.locals(at=uint64_t, reg=Reg)
cpdef Reg constant(uint64_t value)
@cython.locals(reg=Reg)
cpdef Reg zero_scalar(Env env)
@cython.locals(reg=Reg)
cpdef Reg any_scalar(Env env)
@cython.locals(reg=Reg, index=int64_t)
cpdef Reg loaded_scalar(Env env, int64_t size, bint is_ldsx)
@cython.locals(reg=Reg)
cpdef coerce_loaded(Env env, list regs, int32_t regno, int64_t size, bint is_ldsx)
