from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint64_t
from osmia.maps.base cimport Map

cdef inline bytes bytes_at(uint64_t a, uint64_t size): return PyBytes_FromStringAndSize(<char *> a, size)

cdef class RecordMap(Map):
    cdef public uint64_t bell
    cdef object _waker
