from osmia.verifier.env cimport Env
from osmia.verifier.insn cimport VInsn

cpdef bint check_kfunc_call(Env env, VInsn insn) except? -1
