cimport cython
from libc.stdint cimport uint32_t, uint64_t

@cython.final
cdef class VMap:
    cdef public object spec, name, data, record
    cdef public VMap inner
    cdef public uint32_t type, key_size, value_size, max_entries, flags
    cdef public uint64_t extra
    cdef public bint frozen
