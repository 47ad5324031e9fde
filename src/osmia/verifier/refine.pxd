cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from osmia.verifier.bounds cimport range_bounds_violation, reg_bounds_sanity_check, reg_bounds_sync
from osmia.verifier.consts cimport PTR_TO_PACKET_END, SCALAR_VALUE, U32_MAX, U64_MAX
from osmia.verifier.env cimport Env
from osmia.verifier.nulls cimport reg_is_pkt_pointer_any, reg_not_null
from osmia.verifier.regs cimport Reg
from osmia.verifier.tnum cimport tnum_intersect, tnum_overlap, tnum_with_subreg
from osmia.words cimport s32, s64

cdef enum:
    JEQ = 0x10
    JGT = 0x20
    JGE = 0x30
    JSET = 0x40
    JNE = 0x50
    JSGT = 0x60
    JSGE = 0x70
    JLT = 0xA0
    JLE = 0xB0
    JSLT = 0xC0
    JSLE = 0xD0
    JCLEAR = 0x48
    AT_PKT_END = -1
    BEYOND_PKT_END = -2

cpdef bint is_reg_const(Reg reg, bint subreg32) noexcept
cpdef uint64_t reg_const_value(Reg reg, bint subreg32) noexcept
cpdef int32_t flip_opcode(int32_t opcode) noexcept
cpdef int32_t rev_opcode(int32_t opcode) noexcept
cpdef int32_t is_branch_taken(Reg reg1, Reg reg2, int32_t opcode, bint is_jmp32) except -2
cdef int32_t _is_null_branch_taken(Reg reg1, Reg reg2, int32_t opcode, bint is_jmp32) noexcept
@cython.locals(pkt=Reg)
cpdef int32_t is_pkt_ptr_branch_taken(Reg dst, Reg src, int32_t opcode) noexcept
@cython.locals(equal=int32_t, strict=bint)
cpdef int32_t is_scalar_branch_taken(Reg reg1, Reg reg2, int32_t opcode, bint is_jmp32) noexcept
cdef int32_t _is_above(uint64_t a_min, uint64_t a_max, uint64_t b_min, uint64_t b_max, bint strict) noexcept
cdef int32_t _is_signed_above(int64_t a_min, int64_t a_max, int64_t b_min, int64_t b_max, bint strict) noexcept
@cython.locals(bits=uint64_t)
cdef int32_t _have_common_bit(Reg a, Reg b, bint is_jmp32) noexcept
@cython.locals(width=uint64_t)
cdef int32_t _are_equal(Reg a, Reg b, bint is_jmp32) noexcept
cpdef int regs_refine_cond_op(Reg reg1, Reg reg2, int32_t opcode, bint is_jmp32) except -1
@cython.locals(value=uint64_t, mask=uint64_t)
cdef int _refine_equal32(Reg a, Reg b) except -1
@cython.locals(value=uint64_t, mask=uint64_t)
cdef int _refine_equal64(Reg a, Reg b) except -1
cdef int _refine_by_const(Reg reg, uint64_t val, int32_t opcode, bint is_jmp32) except -1
@cython.locals(signed=int64_t)
cdef int _trim32(Reg reg, uint64_t val) except -1
@cython.locals(signed=int64_t)
cdef int _trim64(Reg reg, uint64_t val) except -1
@cython.locals(gap=int64_t)
cdef int _refine_less32(Reg a, Reg b, int32_t opcode) except -1
@cython.locals(gap=int64_t)
cdef int _refine_less64(Reg a, Reg b, int32_t opcode) except -1
cpdef int32_t same_register_taken(Reg reg, int32_t opcode, bint is_jmp32) noexcept
@cython.locals(a=Reg, b=Reg)
cpdef int32_t surviving_branch(Env env, Reg reg1, Reg reg2, int32_t opcode, bint is_jmp32) except -2
cpdef int reg_set_min_max(
    Env env, Reg true1, Reg true2, Reg false1, Reg false2, int32_t opcode, bint is_jmp32
) except -1
