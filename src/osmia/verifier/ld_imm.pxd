cimport cython
from libc.stdint cimport int32_t, uint32_t, uint64_t
from osmia.isa.consts cimport BPF_PSEUDO_BTF_ID, BPF_PSEUDO_FUNC, BPF_PSEUDO_MAP_IDX_VALUE, BPF_PSEUDO_MAP_VALUE
from osmia.verifier.bounds cimport set_const
from osmia.verifier.consts cimport BASE_TYPE_MASK, CONST_PTR_TO_MAP, PTR_TO_FUNC, PTR_TO_MAP_VALUE, PTR_TO_MEM
from osmia.verifier.env cimport Env, Subprog
from osmia.verifier.insn cimport VInsn
from osmia.verifier.maps cimport VMap
from osmia.verifier.marks cimport check_reg_arg, known_zero_of, mark_reg_unknown
from osmia.verifier.regs cimport Reg, known_value

cdef int32_t DST_OP
cdef uint32_t M32, _ARENA

@cython.locals(regs=list, reg=Reg)
cpdef check_ld_imm(Env env, VInsn insn)
@cython.locals(second=VInsn, low=uint64_t, high=uint64_t, reg=Reg)
cdef Reg _constant(Env env, VInsn insn)
cdef int _point_to_kernel(VInsn insn, Reg reg) except -1
@cython.locals(number=int32_t, subprog=Subprog)
cdef int _point_to_function(Env env, VInsn insn, Reg reg) except -1
@cython.locals(found=VMap)
cdef bint _point_to_map(Env env, VInsn insn, Reg reg) except? -1
