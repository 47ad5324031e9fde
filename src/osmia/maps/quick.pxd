cimport cython
from libc.stdint cimport uint64_t
from osmia.maps.lru cimport LruHash, LruPercpuHash
from osmia.maps.nodes cimport touch
from osmia.maps.pool cimport HASH, HEADER, LIVE, NUMBER
from osmia.maps.buckets cimport BUCKET, LEFT
from osmia.maps.table cimport Table
from osmia.raw cimport ld32, ld64, load32, load64

@cython.locals(mix=uint64_t, M32=uint64_t, M64=uint64_t, h=uint64_t, bucket=uint64_t, left=uint64_t, element=uint64_t)
cdef uint64_t find_word(Table m, uint64_t word, uint64_t size) noexcept nogil
@cython.locals(mix=uint64_t, M32=uint64_t, M64=uint64_t, h=uint64_t, bucket=uint64_t, left=uint64_t, element=uint64_t)
cdef uint64_t find_pair(Table m, uint64_t one, uint64_t two) noexcept nogil

@cython.locals(element=uint64_t)
cdef uint64_t hash4(Table m, uint64_t key, uint64_t cpu, uint64_t c, uint64_t d) noexcept nogil
@cython.locals(element=uint64_t)
cdef uint64_t hash8(Table m, uint64_t key, uint64_t cpu, uint64_t c, uint64_t d) noexcept nogil
@cython.locals(element=uint64_t)
cdef uint64_t hash16(Table m, uint64_t key, uint64_t cpu, uint64_t c, uint64_t d) noexcept nogil
cdef uint64_t value_in(Table m, uint64_t element, uint64_t cpu) noexcept nogil
cdef uint64_t percpu4(Table m, uint64_t key, uint64_t cpu, uint64_t c, uint64_t d) noexcept nogil
cdef uint64_t percpu8(Table m, uint64_t key, uint64_t cpu, uint64_t c, uint64_t d) noexcept nogil
cdef uint64_t percpu16(Table m, uint64_t key, uint64_t cpu, uint64_t c, uint64_t d) noexcept nogil
cdef uint64_t used(LruHash m, uint64_t element, uint64_t size) noexcept nogil
cdef uint64_t lru4(LruHash m, uint64_t key, uint64_t cpu, uint64_t c, uint64_t d) noexcept nogil
cdef uint64_t lru8(LruHash m, uint64_t key, uint64_t cpu, uint64_t c, uint64_t d) noexcept nogil
cdef uint64_t lru16(LruHash m, uint64_t key, uint64_t cpu, uint64_t c, uint64_t d) noexcept nogil
@cython.locals(value=uint64_t)
cdef uint64_t used_in(LruPercpuHash m, uint64_t element, uint64_t cpu) noexcept nogil
cdef uint64_t lru_percpu4(LruPercpuHash m, uint64_t key, uint64_t cpu, uint64_t c, uint64_t d) noexcept nogil
cdef uint64_t lru_percpu8(LruPercpuHash m, uint64_t key, uint64_t cpu, uint64_t c, uint64_t d) noexcept nogil
cdef uint64_t lru_percpu16(LruPercpuHash m, uint64_t key, uint64_t cpu, uint64_t c, uint64_t d) noexcept nogil
