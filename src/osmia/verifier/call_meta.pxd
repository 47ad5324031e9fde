cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from osmia.verifier.maps cimport VMap

@cython.final
cdef class CallMeta:
    cdef public VMap map
    cdef public bint raw_mode, pkt_access, changes_data, percpu_object
    cdef public uint8_t release_regno
    cdef public int32_t func_id, regno, access_size
    cdef public uint32_t mem_size
    cdef public uint64_t msize_max_value
    cdef public uint32_t ref_obj_id, dynptr_id, map_uid, btf_id, ret_btf_id, subprogno
    cdef public object btf, ret_btf, kptr_field
    cdef public int64_t const_map_key
