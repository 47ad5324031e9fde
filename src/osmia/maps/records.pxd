from libc.stdint cimport uint64_t
from osmia.maps.base cimport Map

cdef class RecordMap(Map):
    cdef public uint64_t bell
    cdef object _waker
