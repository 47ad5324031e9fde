cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from osmia.verifier.backtrack cimport mark_chain_precision, push_jmp_history
from osmia.verifier.consts cimport (
    BASE_TYPE_MASK, BPF_READ, CONST_PTR_TO_DYNPTR, INSN_F_SPI_SHIFT, INSN_F_STACK_ACCESS, PTR_TO_STACK, PTR_TO_TP_BUFFER,
    SCALAR_VALUE, STACK_DYNPTR, STACK_INVALID, STACK_MISC, STACK_SPILL, STACK_ZERO
)
from osmia.verifier.env cimport Env
from osmia.verifier.fastcall cimport check_fastcall_stack_contract
from osmia.verifier.insn cimport VInsn
from osmia.verifier.linked cimport assign_scalar_id_before_mov
from osmia.verifier.live_stack cimport mark_stack_read, mark_stack_write
from osmia.verifier.loaded cimport any_scalar, zero_scalar
from osmia.verifier.marks cimport mark_stack_slot_scratched
from osmia.verifier.regs cimport Reg, known_value
from osmia.verifier.slots cimport blurred, byte_mask, is_spilled_scalar_reg, make_slot, nothing_spilled, scrubbed, slot_bit
from osmia.verifier.stack_range cimport check_stack_range_initialized
from osmia.verifier.state cimport Frame, Slot, State
from osmia.words cimport s32

cdef uint64_t _SPILL8, _MISC8, _ZERO8, _LOW_BYTE, M64

@cython.locals(base=uint32_t)
cpdef bint is_spillable_regtype(uint32_t type) noexcept
cpdef bint stores_immediate(VInsn insn) noexcept
@cython.locals(regs=list, reg=Reg, frame=Frame, state=State)
cpdef check_stack_write(Env env, int32_t ptr_regno, int64_t off, int64_t size, int32_t value_regno, int32_t insn_idx)
@cython.locals(spi=int64_t, slot=Slot, cur=Frame, insn=VInsn, reg=Reg, at_start=bint)
cpdef check_stack_write_fixed_off(Env env, Frame frame, int64_t off, int64_t size, int32_t value_regno, int32_t insn_idx)
@cython.locals(types=uint64_t, kind=uint64_t, spilled=Reg, sanitize=bint, i=int64_t)
cdef int _check_overwrite(Env env, Slot slot, Reg reg, int64_t start, int64_t size, VInsn insn) except -1
@cython.locals(zero=bint)
cdef bint _is_kept(Env env, Reg reg) except -1
@cython.locals(types=uint64_t, covered=uint64_t, rest=uint64_t, slot=Slot)
cdef int _keep(Env env, Frame frame, int64_t spi, int64_t size, Reg reg) except -1
@cython.locals(reg=Reg, insn=VInsn)
cdef int _spill_scalar(Env env, Frame frame, Frame cur, int64_t spi, int64_t size, int32_t value_regno) except -1
cdef int _spill_pointer(Env env, Frame frame, Frame cur, int64_t spi, int64_t size, Reg reg, int32_t insn_idx) except -1
@cython.locals(slot=Slot, types=uint64_t, lowest=uint64_t, covered=uint64_t, kinds=uint64_t)
cdef int _write_data(Env env, Frame frame, int64_t spi, int64_t start, int64_t size, int32_t value_regno, VInsn insn) except -1
@cython.locals(regs=list, reg=Reg)
cdef bint _writes_zero(Env env, int32_t value_regno, VInsn insn) except? -1
@cython.locals(regs=list, ptr=Reg, min_off=int64_t, max_off=int64_t, insn=VInsn, zero=bint, zero_used=bint, i=int64_t, slot=Slot)
cpdef int check_stack_write_var_off(
    Env env, Frame frame, int32_t ptr_regno, int64_t off, int64_t size, int32_t value_regno, int32_t insn_idx
) except -1
@cython.locals(
    spi=int64_t, slot=Slot, shift=int64_t, kind=uint64_t, spilled=Reg, kept=bint, stays_zero=bint, byte=uint64_t, types=uint64_t, lowest=uint64_t
)
cdef bint _maybe_write_byte(Env env, Frame frame, int64_t off, bint zero, int32_t insn_idx) except? -1
@cython.locals(regs=list, reg=Reg, frame=Frame, min_off=int64_t, max_off=int64_t)
cpdef check_stack_read(Env env, int32_t ptr_regno, int64_t off, int64_t size, int32_t dst_regno)
@cython.locals(spi=int64_t, slot=Slot, types=uint64_t, regs=list, spilled=Reg)
cpdef check_stack_read_fixed_off(Env env, Frame frame, int64_t off, int64_t size, int32_t dst_regno)
@cython.locals(slot=Slot, reg=Reg)
cdef Reg _linked_fill(Env env, Frame frame, int64_t spi)
cdef bint _reads_unwritten(Env env) except -1
@cython.locals(start=int64_t, i=int64_t, kind=uint64_t)
cdef int _check_readable(Env env, uint64_t types, int64_t off, int64_t size) except -1
@cython.locals(size=int64_t)
cdef int64_t _spill_size(uint64_t types) noexcept
@cython.locals(reg=Reg, regs=list)
cdef bint _fill_part(Env env, Slot slot, int64_t off, int64_t size, int32_t dst_regno) except? -1
@cython.locals(regs=list, spills=int64_t, zeros=int64_t, start=int64_t, i=int64_t, kind=uint64_t, reg=Reg)
cdef bint _fill_bytes(Env env, Slot slot, int64_t off, int64_t size, int32_t dst_regno) except? -1
@cython.locals(regs=list, i=int64_t, spi=int64_t, slot=Slot, reg=Reg)
cdef _mark_reg_stack_read(Env env, Frame frame, int64_t min_off, int64_t max_off, int32_t dst_regno)
