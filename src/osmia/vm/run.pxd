cimport cython
from libc.stdint cimport uint64_t
from osmia.memory cimport Memory, window
from osmia.raw cimport ld64, st64
from osmia.vm.packetwords cimport P_END, P_META, P_START
from osmia.vm.runwords cimport (
    F_READ, F_WRITE, R_ADDRESS, R_CHECKED, R_FAULT, R_LOW, R_LOW2, R_MEMORY, R_PACKET, R_ROOM, R_SIZE, R_SPAN, R_SPAN2,
    R_STACK, R_WRITABLE, R_WRITABLE2,
)

cdef enum:
    FRAME_SIZE = 512, FRAME_STRIDE = 1024

cdef class Run:
    cdef public Memory memory
    cdef public object frames
    cdef public uint64_t address
    cdef object _words
    cpdef close_windows(self)

cdef uint64_t may(uint64_t run, uint64_t address, uint64_t size, uint64_t write) noexcept nogil
@cython.locals(at=uint64_t, M64=uint64_t)
cdef uint64_t in_frames(uint64_t run, uint64_t address, uint64_t size) noexcept nogil
@cython.locals(start=uint64_t)
cdef uint64_t in_packet(uint64_t packet, uint64_t address, uint64_t size) noexcept nogil
cdef uint64_t between(uint64_t low, uint64_t high, uint64_t address, uint64_t size) noexcept nogil
@cython.locals(at=uint64_t, span=uint64_t, M64=uint64_t)
cdef uint64_t in_window(uint64_t low, uint64_t address, uint64_t size, uint64_t write) noexcept nogil
@cython.locals(low=uint64_t, span=uint64_t, flags=uint64_t)
cdef uint64_t look_up(uint64_t run, uint64_t address, uint64_t size, uint64_t write) noexcept nogil
cdef uint64_t refuse(uint64_t run, uint64_t address, uint64_t size, uint64_t write) noexcept nogil
