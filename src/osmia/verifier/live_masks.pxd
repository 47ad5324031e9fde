cimport cython
from libc.stdint cimport int32_t, uint32_t, uint64_t

@cython.final
cdef class InsnMasks:
    cdef public uint64_t may_read, must_write, written, live
    cdef public int32_t idx
    cdef public bint logged
    cdef public InsnMasks next, branch

@cython.final
cdef class Instance:
    cdef public tuple callsites
    cdef public int32_t number, curframe, start
    cdef public bint updated, must_write_dropped
    cdef public list frames, orders
    cdef public bytearray seen

@cython.final
cdef class LiveStack:
    cdef public dict instances
    cdef public Instance current
    cdef uint64_t write_masks[8]
    cdef public int32_t write_insn_idx, query_idx
    cdef public bint wrote
    cdef public list query
    @cython.locals(i=int32_t)
    cpdef int reset_writes(self, int32_t insn_idx) except -1
    cpdef int add_write(self, uint32_t frameno, uint64_t mask) except -1
