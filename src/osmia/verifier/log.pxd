from libc.stdint cimport int64_t, uint32_t

cdef class Log:
    cdef public uint32_t level
    cdef public bint verbose, level2, fixed
    cdef public int64_t size
    cdef public bytearray text
    cpdef write(self, str text)
    cpdef reset(self, int64_t pos)
