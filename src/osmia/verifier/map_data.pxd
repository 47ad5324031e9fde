cimport cython
from libc.stdint cimport int64_t, uint32_t
from osmia.verifier.env cimport Env
from osmia.verifier.maps cimport VMap
from osmia.verifier.regs cimport Reg, known_value

cdef uint32_t BPF_F_RDONLY_PROG, _ARRAY

@cython.locals(reg=Reg, data=bytes)
cpdef Reg map_constant(Env env, VMap found, int64_t off, int64_t size, bint is_ldsx, Reg before)
