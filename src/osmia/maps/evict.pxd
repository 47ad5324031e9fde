cimport cython
from libc.stdint cimport int64_t, uint64_t
from osmia.maps cimport buckets
from osmia.maps.lists cimport CPUS, LISTS, LOCAL_SIZE, LOCALS, NODES, PERCPU_TARGET, STEAL, TARGET, WAITING
from osmia.maps.nodes cimport (
    ACTIVE, BASE, CPU, HEADS, INACTIVE, KEY_HASH, LISTS_SIZE, LOCK, NODE, PENDING, SCANS, SPARE, STATE, add,
    before, drop, enter, get_free, get_spare, has_free, leave, looked_up, move, put_spare, rotate, set_state,
    set_taken,
)
from osmia.maps.pool cimport element_at, release
from osmia.maps.table cimport Table
from osmia.raw cimport ld8, ld16, ld32, ld64, lock, st64, unlock

cdef int64_t pop(Table t, uint64_t lru, uint64_t cpu, uint64_t hashed) noexcept nogil
@cython.locals(base=uint64_t, cpu=uint64_t, lists=uint64_t)
cdef void push(uint64_t lru, uint64_t node) noexcept nogil
@cython.locals(waiting=bint)
cdef bint push_waiting(uint64_t base, uint64_t local, uint64_t node) noexcept nogil
@cython.locals(bucket=uint64_t, done=bint)
cdef bint gone(Table t, uint64_t base, uint64_t node) noexcept nogil
@cython.locals(base=uint64_t, head=uint64_t, node=uint64_t, seen=uint64_t, found=uint64_t, up=uint64_t)
cdef void evict(Table t, uint64_t lists, uint64_t wanted, uint64_t place) noexcept nogil
@cython.locals(base=uint64_t, head=uint64_t, node=uint64_t)
cdef bint force(Table t, uint64_t lists, uint64_t state, uint64_t place) noexcept nogil

@cython.locals(base=uint64_t, local=uint64_t, found=uint64_t)
cdef int64_t pop_common(Table t, uint64_t lru, uint64_t cpu, uint64_t hashed) noexcept nogil
cdef void wait(uint64_t base, uint64_t local, uint64_t node, uint64_t cpu, uint64_t hashed) noexcept nogil
@cython.locals(base=uint64_t, lists=uint64_t, count=uint64_t)
cdef void fetch(Table t, uint64_t lru, uint64_t local) noexcept nogil
@cython.locals(node=uint64_t)
cdef void flush(uint64_t base, uint64_t lists, uint64_t head) noexcept nogil
@cython.locals(first=uint64_t, other=uint64_t, found=uint64_t)
cdef uint64_t steal(Table t, uint64_t lru, uint64_t local) noexcept nogil
@cython.locals(found=uint64_t)
cdef uint64_t steal_from(Table t, uint64_t base, uint64_t local) noexcept nogil
@cython.locals(node=uint64_t)
cdef uint64_t from_waiting(Table t, uint64_t base, uint64_t head, bint any) noexcept nogil
@cython.locals(node=int64_t)
cdef int64_t pop_own(Table t, uint64_t lists, uint64_t cpu, uint64_t hashed) noexcept nogil
