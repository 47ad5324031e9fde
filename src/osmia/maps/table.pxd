cimport cython
from libc.stdint cimport int64_t, uint64_t
from osmia.maps.buckets cimport BUCKET, F_LOCK, LOCK, Buckets
from osmia.maps.pool cimport HASH, HEADER, LIVE, NUMBER
from osmia.raw cimport copy, ld32, ld64, load32, load64, lock, st64, unlock

cdef int64_t ENOENT

cdef class Table(Buckets):
    @cython.locals(element=uint64_t)
    cdef uint64_t find_elem(self, uint64_t key, uint64_t cpu) noexcept nogil
    @cython.locals(element=uint64_t)
    cdef int64_t drop_elem(self, uint64_t key) noexcept nogil
    @cython.locals(element=uint64_t)
    cdef int64_t take_elem(self, uint64_t key, uint64_t out, uint64_t flags) noexcept nogil
    @cython.locals(hashed=uint64_t, bucket=uint64_t, element=uint64_t)
    cdef uint64_t detach(self, uint64_t key, uint64_t out, uint64_t flags) noexcept nogil
    @cython.locals(hashed=uint64_t, bucket=uint64_t, element=uint64_t)
    cdef int64_t copy_elem(self, uint64_t key, uint64_t out, uint64_t flags) noexcept nogil
    @cython.locals(cpu=uint64_t)
    cdef void copy_values(self, uint64_t element, uint64_t out, uint64_t flags) noexcept nogil
    @cython.locals(number=uint64_t, hashed=uint64_t)
    cdef int64_t next_elem(self, uint64_t key, uint64_t out) noexcept nogil
    @cython.locals(element=uint64_t)
    cdef bint key_behind(self, uint64_t bucket, uint64_t key, uint64_t hashed, uint64_t out) noexcept nogil
    @cython.locals(number=uint64_t, element=uint64_t)
    cdef uint64_t each_elem(self, uint64_t cursor, uint64_t cpu) noexcept nogil
    cdef uint64_t following(self, uint64_t element, uint64_t noted, uint64_t number) noexcept nogil
    @cython.locals(hashed=uint64_t)
    cdef uint64_t living(self, uint64_t element, uint64_t number) noexcept nogil
    @cython.locals(element=uint64_t, count=uint64_t)
    cdef uint64_t copy_keys(self, uint64_t bucket, uint64_t out, uint64_t limit) noexcept nogil
