from libc.stdint cimport uint64_t
from osmia.helpers.fallback cimport is_map, no_map, python_body
from osmia.maps.ring cimport commit, output, query, reserve
from osmia.raw cimport ld64
from osmia.vm.run cimport may, refuse
from osmia.vm.runwords cimport R_CHECKED

cdef enum:  # maps/handle.py's WORD
    H_KIND = 64, H_VALUES = 104

cdef uint64_t M32, M64, RINGBUF, OUTPUT, RESERVE, SUBMIT, DISCARD, QUERY

cdef uint64_t ringbuf_output(uint64_t run, uint64_t handle, uint64_t data, uint64_t size, uint64_t flags, uint64_t r5) noexcept nogil
cdef uint64_t ringbuf_reserve(uint64_t run, uint64_t handle, uint64_t size, uint64_t flags, uint64_t r4, uint64_t r5) noexcept nogil
cdef uint64_t ringbuf_submit(uint64_t run, uint64_t sample, uint64_t flags, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
cdef uint64_t ringbuf_discard(uint64_t run, uint64_t sample, uint64_t flags, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
cdef uint64_t ringbuf_query(uint64_t run, uint64_t handle, uint64_t flags, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
