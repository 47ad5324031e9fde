cimport cython
from libc.stdint cimport int32_t, uint32_t, uint64_t

@cython.final
cdef class Backtrack:
    cdef public uint32_t frame
    cdef uint32_t reg_masks[8]
    cdef uint64_t stack_masks[8]
    @cython.locals(i=int32_t)
    cpdef void reset(self) noexcept
    @cython.locals(i=uint32_t)
    cpdef bint empty(self) noexcept
    cpdef void set_reg(self, uint32_t regno) noexcept
    cpdef void clear_reg(self, uint32_t regno) noexcept
    cpdef bint has_reg(self, uint32_t regno) noexcept
    cpdef uint32_t regs(self) noexcept
    cpdef uint64_t stack(self) noexcept
    cpdef uint32_t frame_regs(self, uint32_t frame) noexcept
    cpdef uint64_t frame_stack(self, uint32_t frame) noexcept
    cpdef void set_frame_reg(self, uint32_t frame, uint32_t regno) noexcept
    cpdef void clear_frame_reg(self, uint32_t frame, uint32_t regno) noexcept
    cpdef bint has_frame_reg(self, uint32_t frame, uint32_t regno) noexcept
    @cython.locals(bit=uint64_t)
    cpdef void set_frame_slot(self, uint32_t frame, uint32_t spi) noexcept
    @cython.locals(bit=uint64_t)
    cpdef void clear_frame_slot(self, uint32_t frame, uint32_t spi) noexcept
    cpdef bint has_frame_slot(self, uint32_t frame, uint32_t spi) noexcept
