from libc.stdint cimport uint64_t
from osmia.maps cimport ring as native
from osmia.maps.records cimport RecordMap, bytes_at
from osmia.raw cimport load64

cdef class Ringbuf(RecordMap):
    cdef public uint64_t ring
    cdef object _slab
