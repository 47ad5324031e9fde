from libc.stdint cimport uint64_t
from osmia.maps.nodes cimport ACTIVE, BASE, FRESH, HEADS, INACTIVE, LIMIT, LISTS_SIZE, NODE, ROTATION, SCANS, SPARE, after, join
from osmia.raw cimport ld64, st64

cdef enum:
    NODES = 0, CPUS = 8, TARGET = 16, LISTS = 24, LOCALS = 32, LRU_SIZE = 64
    WAITING = 8, STEAL = 16, LOCAL_SIZE = 64
    LOCAL_TARGET = 128, PERCPU_TARGET = 4
