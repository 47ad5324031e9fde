cimport cython
from libc.stdint cimport int64_t, uint64_t
from osmia.maps.pool cimport give, take
from osmia.maps.buckets cimport EXIST, F_LOCK, LOCK
from osmia.maps.table cimport Table
from osmia.raw cimport fill, lock, unlock, xchg64

cdef int64_t EINVAL, E2BIG

cdef class Hash(Table):
    cdef public uint64_t spares
    cdef public bint preallocated
    cdef public object _spares
    @cython.locals(hashed=uint64_t, bucket=uint64_t, bad=int64_t)
    cdef int64_t put_elem(self, uint64_t key, uint64_t value, uint64_t flags, uint64_t cpu) noexcept nogil
    @cython.locals(old=uint64_t, bad=int64_t, element=uint64_t)
    cdef int64_t put_locked(
        self, uint64_t bucket, uint64_t key, uint64_t value, uint64_t flags, uint64_t cpu, uint64_t hashed
    ) noexcept nogil
    @cython.locals(element=uint64_t)
    cdef uint64_t spare(self, uint64_t cpu) noexcept nogil
    cdef void keep(self, uint64_t old, uint64_t cpu) noexcept nogil

cdef class PercpuHash(Table):
    cdef int64_t put_elem(self, uint64_t key, uint64_t value, uint64_t flags, uint64_t cpu) noexcept nogil
    @cython.locals(hashed=uint64_t, bucket=uint64_t, element=uint64_t, bad=int64_t)
    cdef int64_t put_values(self, uint64_t key, uint64_t value, uint64_t flags, uint64_t first, uint64_t end) noexcept nogil
    @cython.locals(cpu=uint64_t)
    cdef void begin(self, uint64_t element, uint64_t key, uint64_t value, uint64_t first, uint64_t end) noexcept nogil
    @cython.locals(cpu=uint64_t)
    cdef void store_values(self, uint64_t element, uint64_t value, uint64_t first, uint64_t end) noexcept nogil
