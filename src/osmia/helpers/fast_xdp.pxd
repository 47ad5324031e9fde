cimport cython
from libc.stdint cimport uint64_t
from osmia.helpers.fast_packet cimport packet_of
from osmia.raw cimport copy, ld64
from osmia.vm.packetstate cimport XDP, at, xdp_head, xdp_meta, xdp_tail
from osmia.vm.packetwords cimport P_END, P_START
from osmia.vm.run cimport may, refuse
from osmia.words cimport s32

cdef uint64_t M32, M64, EINVAL, EFAULT, OFFSET_MAX

@cython.locals(state=uint64_t)
cdef uint64_t xdp_adjust_head(uint64_t run, uint64_t ctx, uint64_t delta, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
@cython.locals(state=uint64_t)
cdef uint64_t xdp_adjust_tail(uint64_t run, uint64_t ctx, uint64_t delta, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
@cython.locals(state=uint64_t)
cdef uint64_t xdp_adjust_meta(uint64_t run, uint64_t ctx, uint64_t delta, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
@cython.locals(state=uint64_t)
cdef uint64_t xdp_get_buff_len(uint64_t run, uint64_t ctx, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
@cython.locals(state=uint64_t, source=uint64_t)
cdef uint64_t xdp_load_bytes(uint64_t run, uint64_t ctx, uint64_t offset, uint64_t to, uint64_t size, uint64_t r5) noexcept nogil
@cython.locals(state=uint64_t, to=uint64_t)
cdef uint64_t xdp_store_bytes(uint64_t run, uint64_t ctx, uint64_t offset, uint64_t source, uint64_t size, uint64_t r5) noexcept nogil
