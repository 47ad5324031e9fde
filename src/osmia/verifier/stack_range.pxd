cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from osmia.verifier.consts cimport (
    BPF_MAX_VAR_OFF, BPF_READ, BPF_WRITE, MAX_BPF_STACK, SCALAR_VALUE, STACK_DYNPTR, STACK_INVALID, STACK_MISC, STACK_SPILL,
    STACK_ZERO
)
from osmia.verifier.env cimport Env
from osmia.verifier.live_stack cimport mark_stack_read
from osmia.verifier.loaded cimport any_scalar
from osmia.verifier.regs cimport Reg
from osmia.verifier.slots cimport grow_stack_state, make_slot, scrubbed, slot_bit
from osmia.verifier.state cimport Frame, Slot
from osmia.words cimport s32

cdef uint64_t M64, _LOW_BYTE, _MISC8
cdef int32_t INDIRECT
cdef tuple HOW

@cython.locals(regs=list, reg=Reg, frame=Frame, min_off=int64_t, max_off=int64_t, lowest=int64_t)
cpdef int check_stack_access_within_bounds(Env env, int32_t regno, int64_t off, int64_t access_size, int32_t type) except -1
cdef bint _reads_grow(Env env) except -1
cdef object _out_of_stack(Env env, int32_t errno, int32_t regno, Reg reg, int64_t off, int64_t size, int32_t type)
@cython.locals(regs=list, reg=Reg, frame=Frame, min_off=int64_t, max_off=int64_t, at=int64_t, raw=bint)
cpdef check_stack_range_initialized(
    Env env, int32_t regno, int64_t off, int64_t access_size, bint zero_size_allowed, int32_t type, object meta
)
@cython.locals(depth=int64_t, i=int64_t, spi=int64_t, slot=Slot)
cdef int _check_no_dynptr(Env env, Frame frame, int64_t min_off, int64_t end) except -1
@cython.locals(
    clobber=bint, spi=int64_t, slot=Slot, stop=int64_t, i=int64_t, shift=int64_t, kind=uint64_t, byte=uint64_t, spilled=Reg
)
cdef int64_t _check_slot(
    Env env, Frame frame, Reg reg, int32_t regno, int64_t min_off, int64_t at, int64_t end, int64_t size, int32_t type
) except? -1
cdef object _unreadable(Env env, Reg reg, int32_t regno, int64_t min_off, int64_t at, int64_t size, int32_t type)
