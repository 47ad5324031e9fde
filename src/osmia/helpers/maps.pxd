cimport cython
from libc.stdint cimport uint64_t
from osmia.maps.base cimport Map
from osmia.memory cimport Memory, Region

cdef uint64_t M64, RDONLY_PROG

@cython.locals(memory=Memory, region=Region, m=Map)
cpdef uint64_t lookup_elem(object env, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)

@cython.locals(memory=Memory, region=Region, m=Map)
cpdef uint64_t update_elem(object env, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
