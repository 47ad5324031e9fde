cimport cython
from libc.stdint cimport int32_t, int64_t
from osmia.verifier.env cimport Env, Subprog
from osmia.verifier.flow cimport insn_successors
from osmia.verifier.insn cimport VInsn

@cython.locals(seen=bytearray, order=list, stack=list, subprog=Subprog, top=int32_t, first=int32_t, second=int32_t)
cpdef compute_postorder(Env env)

@cython.final
cdef class Components:
    cdef public Env env
    cdef public list pre, low, stack, path
    cdef public int64_t met, next_scc
    @cython.locals(slot=int32_t)
    cpdef run(self)
    @cython.locals(at=int32_t, first=int32_t, second=int32_t)
    cpdef walk(self)
    @cython.locals(low=int64_t)
    cpdef bint enter(self, int32_t at, int32_t successor) except -1
    @cython.locals(member=int32_t, number=int64_t, insn=VInsn)
    cpdef close(self, int32_t at, bint loops)

@cython.locals(components=Components)
cpdef compute_scc(Env env)
