cimport cython
from libc.stdint cimport uint64_t
from osmia.helpers.fallback cimport is_map, no_map, python_body, readonly_map
from osmia.raw cimport call5, ld64
from osmia.vm.run cimport may, refuse
from osmia.vm.runwords cimport R_CHECKED, R_CPU

cdef enum:  # maps/handle.py's WORD; a test compares them
    H_OBJECT = 0, H_LOOKUP = 8, H_UPDATE = 16, H_DELETE = 24, H_PUSH = 32, H_POP = 40, H_PEEK = 48
    H_FLAGS = 72, H_KEY_SIZE = 80, H_VALUE_SIZE = 88, H_COPIES = 120

cdef uint64_t M32, RDONLY_PROG, LOOKUP, UPDATE, DELETE, PUSH, POP, PEEK, LOOKUP_PERCPU

cdef uint64_t admits(uint64_t run, uint64_t handle, uint64_t key) noexcept nogil
cdef uint64_t admits_value(uint64_t run, uint64_t handle, uint64_t value, uint64_t write) noexcept nogil
cdef uint64_t admits_update(uint64_t run, uint64_t handle, uint64_t key, uint64_t value) noexcept nogil
cdef uint64_t changes(uint64_t run, uint64_t handle) noexcept nogil

@cython.locals(find=uint64_t)
cdef uint64_t map_lookup_elem(uint64_t run, uint64_t handle, uint64_t key, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
@cython.locals(put=uint64_t)
cdef uint64_t map_update_elem(uint64_t run, uint64_t handle, uint64_t key, uint64_t value, uint64_t flags, uint64_t r5) noexcept nogil
@cython.locals(drop=uint64_t)
cdef uint64_t map_delete_elem(uint64_t run, uint64_t handle, uint64_t key, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
@cython.locals(push=uint64_t)
cdef uint64_t map_push_elem(uint64_t run, uint64_t handle, uint64_t value, uint64_t flags, uint64_t r4, uint64_t r5) noexcept nogil
@cython.locals(pop=uint64_t)
cdef uint64_t map_pop_elem(uint64_t run, uint64_t handle, uint64_t value, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
@cython.locals(peek=uint64_t)
cdef uint64_t map_peek_elem(uint64_t run, uint64_t handle, uint64_t value, uint64_t r3, uint64_t r4, uint64_t r5) noexcept nogil
@cython.locals(find=uint64_t)
cdef uint64_t map_lookup_percpu_elem(uint64_t run, uint64_t handle, uint64_t key, uint64_t cpu, uint64_t r4, uint64_t r5) noexcept nogil
