cimport cython
from libc.stdint cimport int32_t, uint8_t
from osmia.isa.consts cimport BPF_CALL, BPF_EXIT, BPF_JA, BPF_JCOND, BPF_JMP, BPF_JMP32, BPF_MAY_GOTO, BPF_PSEUDO_CALL, BPF_PSEUDO_FUNC, BPF_PSEUDO_KFUNC_CALL, LD_IMM64
from osmia.verifier.env cimport Env
from osmia.verifier.insn cimport VInsn

cpdef bint is_pseudo_func(VInsn insn) noexcept
cpdef bint is_helper_call(VInsn insn) noexcept
cpdef bint is_pseudo_call(VInsn insn) noexcept
cpdef bint is_kfunc_call(VInsn insn) noexcept
cpdef bint is_may_goto(VInsn insn) noexcept
cpdef int32_t jmp_offset(Env env, VInsn insn) except? -0x7FFFFFFF
@cython.locals(insn=VInsn, code=uint8_t, op=uint8_t)
cpdef (int32_t, int32_t) insn_successors(Env env, int32_t idx)
@cython.locals(insn=VInsn)
cpdef bint calls_callback(Env env, int32_t idx) except -1
@cython.locals(insn=VInsn)
cpdef mark_prune_point(Env env, int32_t idx)
@cython.locals(insn=VInsn)
cpdef mark_jmp_point(Env env, int32_t idx)
@cython.locals(insn=VInsn)
cpdef mark_force_checkpoint(Env env, int32_t idx)
