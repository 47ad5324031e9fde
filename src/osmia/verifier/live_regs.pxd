cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t, uint8_t
from osmia.isa.consts cimport BPF_ALU, BPF_ALU64, BPF_ATOMIC, BPF_CALL, BPF_CMPXCHG, BPF_END, BPF_EXIT, BPF_FETCH, BPF_JA, BPF_JCOND, BPF_JMP, BPF_JMP32, BPF_LDX, BPF_LOAD_ACQ, BPF_MEM, BPF_MEMSX, BPF_MOV, BPF_ST, BPF_STX, BPF_X, LD_IMM64
from osmia.verifier.env cimport Env
from osmia.verifier.flow cimport insn_successors
from osmia.verifier.insn cimport VInsn

cdef uint32_t ALL, REGISTERS, CALLER_SAVED, ARGUMENTS

@cython.locals(pairs=list, slot=int32_t, live=uint32_t, insn=VInsn)
cpdef compute_live_registers(Env env)
@cython.locals(live=list, changed=bint, slot=int32_t, first=int32_t, second=int32_t, out=uint32_t, use=uint32_t, written=uint32_t, new=uint32_t, pair=tuple)
cpdef list settle(Env env, list pairs)
@cython.locals(kind=uint8_t)
cpdef tuple use_def(Env env, VInsn insn)
@cython.locals(op=uint8_t, source=uint32_t)
cpdef uint32_t alu_use(VInsn insn) noexcept
@cython.locals(op=uint8_t)
cpdef tuple jump_use(Env env, VInsn insn)
@cython.locals(kind=uint8_t, mode=uint8_t, src=uint32_t, dst=uint32_t)
cpdef tuple memory_use(VInsn insn)
@cython.locals(src=uint32_t, dst=uint32_t)
cpdef tuple atomic_use(VInsn insn)
