cimport cython
from libc.stdint cimport int32_t, uint32_t

@cython.final
cdef class ArgRule:
    cdef public uint32_t base, flags
    cdef public int32_t size
    cdef public str struct

@cython.final
cdef class HelperRule:
    cdef public int32_t id, n_args
    cdef public str name, ret_struct
    cdef public uint32_t ret_base, ret_flags
    cdef public list args
    cdef public bint gpl_only, pkt_access, might_sleep, changes_pkt_data, special
    cdef public bint acquires, casts, records_map, writes_map

cpdef bint is_sync_callback_calling_function(int32_t func_id) except -1
cpdef bint is_async_callback_calling_function(int32_t func_id) except -1
