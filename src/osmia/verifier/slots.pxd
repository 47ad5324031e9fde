cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from osmia.verifier.consts cimport SCALAR_VALUE, STACK_SPILL
from osmia.verifier.env cimport Env, Subprog
from osmia.verifier.regs cimport Reg, new_reg
from osmia.verifier.state cimport Frame, Slot

cdef Reg _NOTHING
cdef Slot _UNTOUCHED
cdef uint64_t _ONES

@cython.locals(slot=Slot)
cpdef Slot make_slot(uint64_t types, Reg spilled)
cpdef Reg nothing_spilled()
cpdef bint is_spilled_reg(Slot slot) noexcept
@cython.locals(spilled=Reg)
cpdef bint is_spilled_scalar_reg(Slot slot) noexcept
@cython.locals(bit=uint64_t)
cpdef uint64_t slot_bit(uint32_t spi) noexcept
cpdef uint64_t byte_mask(int64_t size) noexcept
cpdef uint64_t scrubbed(uint64_t types) noexcept
cpdef uint64_t blurred(uint64_t types) noexcept
@cython.locals(stack=list, have=int64_t, wanted=int64_t, subprog=Subprog)
cpdef grow_stack_state(Env env, Frame frame, int64_t size)
