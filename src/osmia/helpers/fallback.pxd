cimport cython
from libc.stdint cimport uint64_t
from osmia.memory cimport window
from osmia.raw cimport call7, ld8, ld64, st64
from osmia.vm.packetwords cimport P_END, P_START
from osmia.vm.run cimport FRAME_SIZE, FRAME_STRIDE, in_frames, in_packet
from osmia.vm.runwords cimport (
    F_MAP, F_READONLY_MAP, R_ADDRESS, R_FAULT, R_MEMORY, R_PACKET, R_PYTHON, R_SCRATCH0, R_SCRATCH1, R_SCRATCH2,
    R_SCRATCH3, R_STACK,
)

cdef extern from *:
    """
    #include <stdlib.h>
    #define osmia_take_room(size) ((uint64_t) calloc(1, size))
    #define osmia_give_room(room) free((void *) (room))
    """
    uint64_t take_room "osmia_take_room"(uint64_t size) noexcept nogil
    void give_room "osmia_give_room"(uint64_t room) noexcept nogil

cdef enum:  # flags of a row of the native table of regions
    WRITABLE = 1, MAP_HANDLE = 2, USER = 4

cdef uint64_t python_body(
    uint64_t run, uint64_t helper, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5
) noexcept nogil
cdef uint64_t is_map(uint64_t run, uint64_t handle) noexcept nogil
cdef uint64_t no_map(uint64_t run, uint64_t handle) noexcept nogil
cdef uint64_t readonly_map(uint64_t run, uint64_t handle) noexcept nogil
@cython.locals(packet=uint64_t, start=uint64_t, inside=uint64_t, size=uint64_t, M64=uint64_t)
cdef uint64_t readable(uint64_t run, uint64_t address) noexcept nogil
cdef uint64_t flags_there(uint64_t run) noexcept nogil
@cython.locals(step=uint64_t, M64=uint64_t)
cdef uint64_t all_readable(uint64_t run, uint64_t address, uint64_t size) noexcept nogil
cdef uint64_t text_length(uint64_t run, uint64_t address, uint64_t room) noexcept nogil
@cython.locals(length=uint64_t, M64=uint64_t)
cdef uint64_t text_behind(uint64_t run, uint64_t address, uint64_t room, uint64_t step) noexcept nogil
