cimport cython
from libc.stdint cimport int64_t, uint64_t
from osmia.maps.base cimport Map
from osmia.maps.keys cimport hash_of, same
from osmia.maps.pool cimport HASH, HEADER, LIVE, NUMBER, give, release, reserve, take
from osmia.raw cimport copy, fill, ld32, ld64, load32, load64, st32, st64, store32, store64

cdef enum:
    BUCKET = 16, LOCK = 8, LEFT = 12
    NOEXIST = 1, EXIST = 2, F_LOCK = 4

cdef int64_t ENOENT, EEXIST

cdef class Buckets(Map):
    cdef public uint64_t copies, capacity, value_at, value_stride, stride, mask, buckets, pool, elements, values_base
    cdef public object _buckets, _pool, _values

    cdef uint64_t hashed(self, uint64_t key) noexcept nogil
    cdef uint64_t bucket_of(self, uint64_t hashed) noexcept nogil
    @cython.locals(bucket=uint64_t, left=uint64_t, element=uint64_t)
    cdef uint64_t find(self, uint64_t key, uint64_t hashed) noexcept nogil
    cdef uint64_t value_of(self, uint64_t element, uint64_t cpu) noexcept nogil
    cdef void put_key(self, uint64_t element, uint64_t key) noexcept nogil
    cdef void begin_value(self, uint64_t target, uint64_t source) noexcept nogil
    cdef void link(self, uint64_t bucket, uint64_t element, uint64_t hashed) noexcept nogil
    @cython.locals(at=uint64_t, M32=uint64_t)
    cdef bint unlink(self, uint64_t bucket, uint64_t element) noexcept nogil
    @cython.locals(wanted=uint64_t)
    cdef int64_t clash(self, uint64_t element, uint64_t flags) noexcept nogil
    @cython.locals(element=uint64_t)
    cdef uint64_t fresh(self) noexcept nogil
    cdef void dispose(self, uint64_t element) noexcept nogil

