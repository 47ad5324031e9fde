cimport cython
from libc.stdint cimport int32_t, uint8_t
from osmia.isa.consts cimport BPF_CALL, BPF_EXIT, BPF_JA, BPF_JMP, BPF_JMP32, BPF_X, LD_IMM64
from osmia.verifier.env cimport Env, Subprog
from osmia.verifier.flow cimport (
    is_helper_call, is_kfunc_call, is_may_goto, is_pseudo_call, is_pseudo_func, jmp_offset, mark_force_checkpoint,
    mark_jmp_point, mark_prune_point
)
from osmia.verifier.insn cimport VInsn

@cython.final
cdef class Search:
    cdef public Env env
    cdef public bytearray seen
    cdef public list path, starts
    cdef public bint any_loop
    @cython.locals(slot=int32_t)
    cpdef run(self)
    @cython.locals(insn=VInsn, op=uint8_t)
    cpdef bint visit(self, int32_t slot) except -1
    cpdef int32_t size_of(self, VInsn insn) except -1
    @cython.locals(target=int32_t)
    cpdef bint visit_ja(self, VInsn insn) except -1
    @cython.locals(target=int32_t, after=int32_t)
    cpdef bint visit_call(self, VInsn insn, int32_t size, bint enters) except -1
    @cython.locals(env=Env)
    cpdef mark_call(self, VInsn insn)
    cpdef mark_kfunc_call(self, VInsn insn)
    @cython.locals(caller=Subprog, callee=Subprog)
    cpdef merge_effects(self, int32_t slot, int32_t target)
    cpdef Subprog subprog_of(self, int32_t slot)
    @cython.locals(env=Env, state=uint8_t)
    cpdef bint follow(self, int32_t slot, int32_t target, int32_t edge, bint may_loop) except -1

@cython.locals(search=Search, slot=int32_t, skip=bint, insn=VInsn, seen=bytearray)
cpdef check_cfg(Env env)
