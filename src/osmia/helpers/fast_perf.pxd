cimport cython
from libc.stdint cimport uint64_t
from osmia.helpers.fallback cimport is_map, no_map, python_body
from osmia.maps.perfring cimport output
from osmia.raw cimport ld64, st64
from osmia.vm.packetwords cimport P_END, P_KIND, P_START
from osmia.vm.run cimport may, refuse
from osmia.vm.runwords cimport F_CONTEXT, R_ADDRESS, R_CHECKED, R_CPU, R_CTX, R_FAULT, R_PACKET

cdef enum:  # maps/handle.py's WORD
    H_KIND = 64

cdef uint64_t M32, M64, INVALID, BAD_ADDRESS, INDEX_MASK, CTXLEN_MASK, THIS_CPU, PERF_ARRAY, OUTPUT

cdef uint64_t admits(uint64_t run, uint64_t ctx, uint64_t handle, uint64_t data, uint64_t size) noexcept nogil
@cython.locals(packet=uint64_t, wanted=uint64_t, start=uint64_t, index=uint64_t, cpu=uint64_t)
cdef uint64_t perf_event_output(uint64_t run, uint64_t ctx, uint64_t handle, uint64_t flags, uint64_t data, uint64_t size) noexcept nogil
