cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t
from osmia.isa.consts cimport (
    BPF_ADD, BPF_AND, BPF_CMPXCHG, BPF_FETCH, BPF_LOAD_ACQ, BPF_OR, BPF_STORE_REL, BPF_XCHG, BPF_XOR
)
from osmia.verifier.consts cimport BPF_READ, BPF_WRITE, PTR_TO_ARENA, PTR_TO_CTX, PTR_TO_FLOW_KEYS
from osmia.verifier.env cimport Env
from osmia.verifier.insn cimport VInsn
from osmia.verifier.marks cimport check_reg_arg
from osmia.verifier.memory cimport (
    access_size, check_load_mem, check_mem_access, check_store_reg, is_pkt_pointer, is_pointer_value, is_sk_pointer,
    save_aux_ptr_type
)
from osmia.verifier.regs cimport Reg

cdef int32_t SRC_OP, DST_OP

@cython.locals(op=int64_t, plain=int64_t)
cpdef check_atomic(Env env, VInsn insn)
@cython.locals(size=int64_t, idx=int32_t, regs=list, reg=Reg)
cpdef int check_xadd(Env env, VInsn insn) except -1
@cython.locals(size=int64_t, load_reg=int32_t, idx=int32_t, regs=list, reg=Reg)
cdef int _check_rmw(Env env, VInsn insn) except -1
cdef int _check_no_leak(Env env, int32_t regno) except -1
cdef int _check_load(Env env, VInsn insn) except -1
cdef int _check_store(Env env, VInsn insn) except -1
@cython.locals(regs=list, reg=Reg, type=uint32_t)
cdef bint _may_be_atomic(Env env, int32_t regno) except? -1
@cython.locals(regs=list, reg=Reg)
cdef object _not_allowed(Env env, int32_t regno, str what)
