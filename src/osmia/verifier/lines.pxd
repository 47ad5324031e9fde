cimport cython
from libc.stdint cimport int32_t, int64_t
from osmia.verifier.consts cimport BPF_COMPLEXITY_LIMIT_INSNS, BPF_LOG_STATS
from osmia.verifier.env cimport Env, Subprog
from osmia.verifier.insn cimport VInsn

@cython.final
cdef class Source:
    cdef public int64_t file_off, line
    cdef public str text

@cython.locals(by_slot=list)
cpdef Source source_of(Env env, int32_t insn_idx)
@cython.locals(source=Source, last=Source)
cpdef verbose_linfo(Env env, int32_t insn_idx, str prefix)
@cython.locals(lines=list, line=bytes)
cpdef verbose_numbered_insn(Env env, VInsn insn)
cpdef verbose_insn(Env env, VInsn insn)
@cython.locals(texts=list, found=str)
cpdef str insn_text(Env env, VInsn insn)
cpdef _slot(VInsn insn)
cpdef str _text(Env env, VInsn insn)
cpdef object _address(Env env, VInsn insn, int64_t off)
cpdef _kfuncs(Env env, VInsn insn)
@cython.locals(subprog=Subprog)
cpdef print_verification_stats(Env env)
