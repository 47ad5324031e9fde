cimport cython
from libc.stdint cimport int32_t, uint8_t
from osmia.isa.consts cimport BPF_ABS, BPF_IND
from osmia.verifier.consts cimport PTR_TO_CTX
from osmia.verifier.env cimport Env
from osmia.verifier.insn cimport VInsn
from osmia.verifier.marks cimport check_reg_arg, mark_reg_not_init, mark_reg_unknown
from osmia.verifier.refs cimport check_resource_leak
from osmia.verifier.regions cimport check_ptr_off_reg
from osmia.verifier.regs cimport Reg

cdef int32_t SRC_OP, DST_OP_NO_MARK, CTX_REG

@cython.locals(mode=uint8_t, regs=list, reg=Reg, regno=int32_t)
cpdef int check_ld_abs(Env env, VInsn insn) except -1
