from libc.stdint cimport int64_t, uint64_t
from osmia.raw cimport ld8, ld32, st8, st32

cdef uint64_t NODE

cdef class Nodes:
    cdef public object _slab
    cdef public uint64_t base
    cpdef join(self, uint64_t a, uint64_t b)
    cpdef uint64_t after(self, uint64_t node)
    cpdef uint64_t before(self, uint64_t node)
    cpdef drop(self, uint64_t node)
    cpdef add(self, uint64_t head, uint64_t node)
    cpdef uint64_t state(self, uint64_t node)
    cpdef set_state(self, uint64_t node, uint64_t state)
    cpdef bint looked_up(self, uint64_t node)
    cpdef touch(self, uint64_t node)
    cpdef uint64_t cpu(self, uint64_t node)
    cpdef set_cpu(self, uint64_t node, uint64_t cpu)

cdef class Lists:
    cdef public Nodes nodes
    cdef public dict heads, sizes
    cdef public list free
    cdef public uint64_t fresh, limit, scans, rotation

cdef class CommonLru:
    cdef public Nodes nodes
    cdef public object gone
    cdef public Lists lists
    cdef public uint64_t cpus, target
    cdef public list free, pending, steal

cdef class PercpuLru:
    cdef public Nodes nodes
    cdef public object gone
    cdef public list lists
