from libc.stdint cimport int32_t, int64_t
from osmia.verifier.env cimport Env

cpdef int check_ptr_to_btf_access(Env env, int32_t regno, int64_t off, int64_t size, int32_t t, int32_t value_regno) except -1
cpdef int check_ptr_to_map_access(Env env, int32_t regno, int64_t off, int64_t size, int32_t t, int32_t value_regno) except -1
