cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t
from osmia.verifier.backtrack cimport mark_chain_precision
from osmia.verifier.consts cimport (
    BASE_TYPE_MASK, BPF_MAX_VAR_SIZ, BPF_READ, BPF_WRITE, MEM_RDONLY, PTR_MAYBE_NULL, PTR_TO_BTF_ID, PTR_TO_BUF, PTR_TO_CTX,
    PTR_TO_MAP_KEY, PTR_TO_MAP_VALUE, PTR_TO_MEM, PTR_TO_PACKET, PTR_TO_PACKET_META, PTR_TO_STACK, SCALAR_VALUE
)
from osmia.verifier.env cimport Env
from osmia.verifier.maps cimport VMap
from osmia.verifier.memory cimport check_mem_access
from osmia.verifier.nulls cimport ptr_not_null_reg
from osmia.verifier.regions cimport (
    ACCESS_HELPER, check_buffer_access, check_map_access, check_map_access_type, check_mem_region_access,
    check_packet_access
)
from osmia.verifier.regs cimport Reg
from osmia.verifier.stack_range cimport INDIRECT, check_stack_range_initialized

@cython.locals(regs=list, reg=Reg, base=uint32_t, write=bint, key_of=VMap)
cpdef check_helper_mem_access(
    Env env, int32_t regno, int64_t access_size, int32_t access_type, bint zero_size_allowed, object meta
)
cdef object _read_only(Env env, Reg reg, int32_t regno)
cdef _access_ctx(Env env, int32_t regno, int64_t access_size, int32_t access_type, bint zero_size_allowed)
cdef bint _is_null(Reg reg) noexcept
cpdef int check_mem_size_reg(
    Env env, Reg reg, int32_t regno, int32_t access_type, bint zero_size_allowed, object meta
) except -1
@cython.locals(regs=list)
cpdef check_mem_reg(Env env, Reg reg, int32_t regno, int64_t mem_size)
