cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from osmia.verifier.consts cimport (
    BASE_TYPE_MASK, BPF_ADD_CONST, BPF_ADD_CONST32, CONST_PTR_TO_DYNPTR, CONST_PTR_TO_MAP, MAX_BPF_REG, MEM_ALLOC, NON_OWN_REF, NOT_INIT,
    PTR_TO_ARENA, PTR_TO_BTF_ID, PTR_TO_MAP_KEY, PTR_TO_MAP_VALUE, PTR_TO_MEM, PTR_TO_PACKET, PTR_TO_PACKET_META,
    PTR_TO_STACK, S32_MAX, S32_MIN, S64_MAX, S64_MIN, SCALAR_VALUE, STACK_DYNPTR, STACK_ITER, STACK_MISC, STACK_SPILL, U32_MAX,
    U64_MAX
)
from osmia.verifier.env cimport Env
from osmia.verifier.regs cimport Reg
from osmia.verifier.state cimport Frame, Ref, Slot, State
from osmia.words cimport s64

cdef tuple REG_HEADS, SLOT_HEADS, BLANKS
cdef uint64_t EACH_BYTE

cpdef print_verifier_state(Env env, State state, uint32_t frameno, bint print_all)
cpdef print_insn_state(Env env, State state, uint32_t frameno)
cpdef int64_t alignment(int64_t pos) noexcept
@cython.locals(frame=Frame, reg=Reg, i=int32_t, parts=list)
cpdef str state_text(Env env, State state, uint32_t frameno, bint print_all)
@cython.locals(slot=Slot, i=int32_t, count=int32_t)
cpdef _add_slots(list parts, Env env, Frame frame, bint print_all)
@cython.locals(reg=Reg, kind=uint32_t)
cpdef add_slot(list parts, Env env, Slot slot, int32_t i, uint32_t frameno)
cpdef show_dead(list parts, Py_ssize_t at, uint64_t types, uint32_t dead)
cpdef str byte_kinds(uint64_t types)
@cython.locals(ref=Ref)
cpdef _add_modes(list parts, Frame frame, State state)
@cython.locals(text=str)
cpdef str reg_text(Env env, Reg reg, uint32_t frameno)
cpdef str _scalar(Reg reg)
cpdef str _stack_pointer(Reg reg, uint32_t frameno)
cpdef str _pointer(Env env, Reg reg)
@cython.locals(value=uint64_t)
cpdef str _signed(uint64_t value)
@cython.locals(parts=list)
cpdef str _attributes(Reg reg)
@cython.locals(base=uint32_t)
cpdef _add_pointer(list parts, Reg reg)
@cython.locals(low=tuple, high=tuple)
cpdef _add_ranges(list parts, Reg reg)
@cython.locals(first=str, second=str, third=str, fourth=str)
cpdef tuple _joined(
    str end, int64_t s64, bint has_s64, uint64_t u64, bint has_u64,
    int64_t s32, bint has_s32, uint64_t u32, bint has_u32
)
