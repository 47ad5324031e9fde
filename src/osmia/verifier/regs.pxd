cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from osmia.verifier.consts cimport (
    NOT_INIT, PTR_TO_STACK, S32_MAX, S32_MIN, S64_MAX, S64_MIN, SCALAR_VALUE, U32_MAX, U64_MAX
)
from osmia.words cimport s32, s64

@cython.final
@cython.no_gc
@cython.freelist(512)
cdef class Reg:
    cdef public uint32_t type
    cdef public int64_t off, range
    cdef public object map, btf
    cdef public str text
    cdef public uint32_t map_uid, btf_id, mem_size, dynptr_id
    cdef public uint8_t dynptr_type, iter_state, irq_class
    cdef public int32_t iter_depth
    cdef public bint first_slot, precise
    cdef public uint32_t subprogno, id, ref_obj_id, frameno
    cdef public int32_t subreg_def
    cdef public uint64_t value, mask, umin, umax, u32_min, u32_max
    cdef public int64_t smin, smax, s32_min, s32_max
    @cython.locals(new=Reg)
    cpdef Reg copy(self)
    cpdef int set_known(self, uint64_t value) except -1
    cpdef int set_unbounded(self) except -1
    cpdef bint is_const(self) noexcept
    cpdef bint same_type_info(self, Reg other) noexcept
    cpdef bint same_bounds(self, Reg other) noexcept

cpdef Reg new_reg()
@cython.locals(reg=Reg)
cpdef Reg not_init()
@cython.locals(reg=Reg)
cpdef Reg unknown_value(bint precise)
@cython.locals(reg=Reg)
cpdef Reg known_value(uint64_t value)
@cython.locals(reg=Reg)
cpdef Reg pointer(uint32_t type)
@cython.locals(reg=Reg)
cpdef Reg frame_pointer(uint32_t frameno)
