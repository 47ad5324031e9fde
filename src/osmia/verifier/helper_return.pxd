cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t
from osmia.verifier.bounds cimport reg_bounds_sanity_check, reg_bounds_sync
from osmia.verifier.call_meta cimport CallMeta
from osmia.verifier.consts cimport (
    MEM_ALLOC, MEM_RCU, MEM_RDONLY, PTR_MAYBE_NULL, PTR_TO_BTF_ID, PTR_TO_MAP_VALUE, PTR_TO_MEM, PTR_TO_SOCK_COMMON, PTR_TO_SOCKET, PTR_TRUSTED,
    PTR_TO_TCP_SOCK, RET_INTEGER, RET_PTR_TO_BTF_ID, RET_PTR_TO_MAP_VALUE, RET_PTR_TO_MEM, RET_PTR_TO_MEM_OR_BTF_ID,
    RET_PTR_TO_SOCK_COMMON, RET_PTR_TO_SOCKET, RET_PTR_TO_TCP_SOCK, RET_VOID
)
from osmia.verifier.env cimport Env
from osmia.verifier.helper_args cimport can_elide_value_nullness
from osmia.verifier.helper_proto cimport HelperRule
from osmia.verifier.maps cimport VMap
from osmia.verifier.marks cimport mark_reg_unknown, next_id, unknown_scalar
from osmia.verifier.refs cimport acquire_reference
from osmia.verifier.regs cimport Reg, pointer
from osmia.words cimport s32, s64

cdef int32_t MAP_LOOKUP_ELEM, KPTR_XCHG, DYNPTR_DATA, GET_SMP_PROCESSOR_ID
cdef uint32_t SOCKMAP, SOCKHASH

@cython.locals(base=uint32_t, regs=list, reg=Reg)
cpdef set_return(Env env, CallMeta meta, HelperRule rule)
@cython.locals(map=VMap)
cdef bint _is_sockmap(CallMeta meta) except -1
@cython.locals(base=uint32_t, flags=uint32_t, reg=Reg)
cdef Reg _pointer(Env env, CallMeta meta, HelperRule rule)
@cython.locals(map=VMap, reg=Reg)
cdef Reg _map_value(Env env, CallMeta meta, int32_t func_id, uint32_t flags)
@cython.locals(reg=Reg)
cdef Reg _percpu(Env env, CallMeta meta, uint32_t flags)
@cython.locals(reg=Reg, last=int64_t)
cdef Reg _refined(Env env, CallMeta meta, int32_t func_id)
