cimport cython
from libc.stdint cimport int32_t, uint32_t
from osmia.verifier.env cimport Env, Subprog
from osmia.verifier.insn cimport VInsn
from osmia.verifier.state cimport Frame

@cython.locals(insn=VInsn, pairs=int32_t)
cpdef mark_pattern(Env env, Subprog subprog, int32_t call, int32_t lowest)
cpdef uint32_t unclobbered(object summary) except? 0
@cython.locals(pairs=int32_t, spill=VInsn, fill=VInsn)
cpdef int32_t count_pairs(Env env, int32_t call, int32_t lowest, uint32_t registers) except -1
cpdef bint is_pair(VInsn spill, VInsn fill, int32_t off) except -1
@cython.locals(subprog=Subprog, insn=VInsn, slot=int32_t)
cpdef check_fastcall_stack_contract(Env env, Frame state, int32_t insn_idx, int32_t off)
