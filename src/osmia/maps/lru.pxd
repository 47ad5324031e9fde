cimport cython
from libc.stdint cimport int64_t, uint64_t
from osmia.maps.evict cimport pop, push
from osmia.maps.hash cimport PercpuHash
from osmia.maps.nodes cimport touch
from osmia.maps.pool cimport NUMBER, element_at, release, reserve
from osmia.maps.buckets cimport EXIST, LOCK
from osmia.maps.table cimport Table
from osmia.raw cimport ld32, lock, st32, unlock

cdef int64_t EINVAL, ENOMEM

cdef class LruHash(Table):
    cdef public object _lru
    cdef public uint64_t lru, nodes
    @cython.locals(element=uint64_t)
    cdef uint64_t find_elem(self, uint64_t key, uint64_t cpu) noexcept nogil
    @cython.locals(hashed=uint64_t, node=int64_t, element=uint64_t)
    cdef int64_t put_elem(self, uint64_t key, uint64_t value, uint64_t flags, uint64_t cpu) noexcept nogil
    @cython.locals(bucket=uint64_t, old=uint64_t, bad=int64_t)
    cdef int64_t publish_elem(self, uint64_t element, uint64_t key, uint64_t flags, uint64_t hashed) noexcept nogil
    cdef void dispose(self, uint64_t element) noexcept nogil

cdef class LruPercpuHash(PercpuHash):
    cdef public object _lru
    cdef public uint64_t lru, nodes
    @cython.locals(element=uint64_t)
    cdef uint64_t find_elem(self, uint64_t key, uint64_t cpu) noexcept nogil
    @cython.locals(hashed=uint64_t, node=int64_t, bucket=uint64_t, old=uint64_t, bad=int64_t)
    cdef int64_t put_values(self, uint64_t key, uint64_t value, uint64_t flags, uint64_t first, uint64_t end) noexcept nogil
    @cython.locals(element=uint64_t)
    cdef void insert(
        self, uint64_t bucket, uint64_t node, uint64_t key, uint64_t value, uint64_t hashed, uint64_t first, uint64_t end
    ) noexcept nogil
    cdef void dispose(self, uint64_t element) noexcept nogil
