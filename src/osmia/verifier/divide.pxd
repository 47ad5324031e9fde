cimport cython
from libc.stdint cimport int32_t, int64_t, uint64_t
from osmia.verifier.bounds cimport mark_reg32_unbounded, mark_reg64_unbounded, set_const
from osmia.verifier.consts cimport S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX, U64_MAX
from osmia.verifier.regs cimport Reg

cpdef void divide(bint modulo, bint by_sign, bint alu32, Reg dst, Reg src) noexcept nogil
cpdef void set_unsigned(bint alu32, Reg dst, uint64_t low, uint64_t high) noexcept nogil
cpdef void set_signed(bint alu32, Reg dst, int64_t low, int64_t high) noexcept nogil
@cython.locals(high=uint64_t)
cpdef void unsigned_remainder(bint alu32, Reg dst, uint64_t divisor) noexcept nogil
@cython.locals(low=int64_t, high=int64_t, least=int64_t, most=int64_t, a=int64_t, b=int64_t)
cpdef void signed_quotient(bint alu32, Reg dst, int64_t divisor) noexcept nogil
@cython.locals(size_a=uint64_t, size_b=uint64_t, size=uint64_t)
cpdef int64_t truncated(int64_t a, int64_t b) noexcept nogil
@cython.locals(low=int64_t, high=int64_t, most=int64_t)
cpdef void signed_remainder(bint alu32, Reg dst, int64_t divisor) noexcept nogil
