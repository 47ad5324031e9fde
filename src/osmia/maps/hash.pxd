cimport cython
from libc.stdint cimport int64_t, uint32_t, uint64_t
from osmia.maps.base cimport Map
from osmia.raw cimport copy, fill, ld8, ld32, ld64, st32, st64

@cython.locals(h=uint64_t, at=uint64_t, mix=uint64_t, mask=uint64_t)
cpdef uint64_t hash_key(uint64_t key, uint64_t size)

@cython.locals(at=uint64_t)
cpdef bint same(uint64_t a, uint64_t b, uint64_t size)

cdef class Table(Map):
    cdef public uint64_t copies, capacity, value_at, value_stride, stride, mask
    cdef public uint64_t buckets, elements, values_base, free, used, count
    cdef public object _buckets, _elements, _values
    @cython.locals(element=uint64_t)
    cpdef uint64_t find(self, uint64_t key, uint64_t hashed)
    cpdef uint64_t value_of(self, uint64_t element, uint64_t cpu)
    @cython.locals(element=uint64_t)
    cpdef uint64_t take(self)
    cpdef give_back(self, uint64_t element)
    @cython.locals(bucket=uint64_t)
    cpdef link(self, uint64_t element, uint64_t hashed)
    @cython.locals(at=uint64_t)
    cpdef unlink(self, uint64_t element)
    @cython.locals(wanted=uint64_t)
    cpdef int64_t clash(self, uint64_t element, uint64_t flags)

cdef class Hash(Table):
    cdef public uint64_t spares
    cdef public bint preallocated
    cdef public object _spares
    @cython.locals(element=uint64_t, spare=uint64_t)
    cpdef uint64_t replacement(self, uint64_t old, uint32_t cpu)

cdef class PercpuHash(Table):
    @cython.locals(hashed=uint64_t, element=uint64_t, bad=int64_t)
    cpdef int64_t element_for(self, uint64_t key, uint64_t flags, uint32_t cpu)
    @cython.locals(element=uint64_t)
    cpdef int64_t insert(self, uint64_t key, uint64_t hashed)
    @cython.locals(cpu=uint64_t)
    cpdef wipe(self, uint64_t element)
