cimport cython
from libc.stdint cimport int32_t, uint32_t
from osmia.verifier.call_meta cimport CallMeta
from osmia.verifier.consts cimport (
    ARG_PTR_TO_BTF_ID_SOCK_COMMON, ARG_PTR_TO_DYNPTR, ARG_PTR_TO_MEM, BASE_TYPE_MASK, MEM_ALLOC,
    MEM_PERCPU, MEM_RDONLY, MEM_RINGBUF, OBJ_RELEASE, PTR_MAYBE_NULL, PTR_TO_ARENA, PTR_TO_BTF_ID, PTR_TO_BUF,
    PTR_TO_MAP_KEY, PTR_TO_MAP_VALUE, PTR_TO_MEM, PTR_TO_PACKET, PTR_TO_PACKET_META, PTR_TO_STACK, SCALAR_VALUE
)
from osmia.verifier.env cimport Env
from osmia.verifier.regions cimport check_ptr_off_reg_fixed
from osmia.verifier.regs cimport Reg

@cython.locals(reg=Reg, type=uint32_t, types=tuple)
cpdef check_reg_type(Env env, int32_t regno, uint32_t base, uint32_t flags, str struct, CallMeta meta)
@cython.locals(wanted=str, wanted_id=uint32_t)
cdef _check_btf_reg(
    Env env, int32_t regno, Reg reg, uint32_t base, uint32_t flags, str struct, CallMeta meta
)
cpdef bint btf_struct_ids_match(Env env, Reg reg, uint32_t wanted, bint strict) except -1
@cython.locals(type=uint32_t)
cpdef check_func_arg_reg_off(Env env, Reg reg, int32_t regno, uint32_t base, uint32_t flags)
