cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from osmia.verifier.bounds_apart cimport combine_32_into_64, combine_64_into_32, sync_apart
from osmia.verifier.consts cimport (
    PTR_TO_MAP_KEY, PTR_TO_MAP_VALUE, PTR_TO_SOCK_COMMON, PTR_TO_SOCKET, PTR_TO_TCP_SOCK, SCALAR_VALUE, U32_MAX, U64_MAX
)
from osmia.verifier.env cimport Env
from osmia.verifier.nulls cimport reg_is_pkt_pointer_any
from osmia.verifier.refine cimport (
    JEQ, JGE, JGT, JLE, JLT, JNE, JSET, JSGE, JSGT, JSLE, JSLT, flip_opcode, is_pkt_ptr_branch_taken, is_scalar_branch_taken
)
from osmia.verifier.regs cimport Reg, known_value
from osmia.verifier.tnum cimport tnum_intersect
from osmia.words cimport s32, s64

@cython.locals(width=uint64_t, value=uint64_t)
cpdef int32_t is_branch_taken_const(Reg dst, Reg src, int32_t opcode, bint is_jmp32) except -2
cdef bint _never_null(uint32_t type) noexcept
@cython.locals(width=uint64_t, whole=bint, forget=bint)
cpdef int refine_by_const(
    Env env, Reg true1, Reg true2, Reg false1, Reg false2, int32_t opcode, bint is_jmp32
) except -1
cdef int _learn(Reg yes, Reg no, uint64_t value, int32_t opcode, bint is_jmp32, bint whole) except -1
@cython.locals(signed=int64_t)
cdef int _learn64(Reg yes, Reg no, uint64_t value, int32_t opcode) except -1
@cython.locals(signed=int64_t)
cdef int _learn32(Reg yes, Reg no, uint64_t value, int32_t opcode) except -1
@cython.locals(keep=uint64_t)
cdef int _learn_bits(Reg yes, Reg no, uint64_t bits, uint64_t width) except -1
cdef int _low_half_known(Reg reg, uint64_t value) except -1
@cython.locals(value=uint64_t, mask=uint64_t)
cdef int _equal(Reg a, Reg b, bint whole) except -1
