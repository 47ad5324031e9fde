from libc.stdint cimport int64_t, uint64_t
from osmia.maps cimport perfring as native
from osmia.maps.array cimport index_after
from osmia.maps.records cimport RecordMap, bytes_at
from osmia.raw cimport ld32, load64, store64

cdef class PerfEventArray(RecordMap):
    cdef public uint64_t slots
    cdef public dict buffers
    cdef object _words, _closed, _wake_words
    cdef int64_t next_elem(self, uint64_t key, uint64_t out) noexcept nogil
