cimport cython
from libc.stdint cimport int64_t, uint32_t

cdef class Log:
    cdef public uint32_t level
    cdef public bint verbose, level2, fixed, bounded
    cdef public int64_t size, base, start_pos, end_pos, len_max
    cdef public bytearray text
    cdef public object sink
    @cython.locals(data=bytes)
    cpdef write(self, str text)
    cpdef write_bytes(self, bytes data)
    cpdef _trim(self)
    cpdef _stream(self, int64_t count)
    cpdef reset(self, int64_t pos)
