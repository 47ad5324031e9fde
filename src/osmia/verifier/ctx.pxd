cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t
from osmia.verifier.consts cimport BASE_TYPE_MASK, BPF_WRITE, PTR_TO_BTF_ID, SCALAR_VALUE
from osmia.verifier.env cimport Env

@cython.final
cdef class CtxAccess:
    cdef public uint32_t type, btf_id, ref_obj_id
    cdef public object btf
    cdef public bint valid, returned
    cdef public str text

@cython.locals(key=int64_t, seen=dict, found=CtxAccess)
cpdef CtxAccess check_ctx_access(Env env, int32_t insn_idx, int64_t off, int64_t size, int32_t t, bint is_ldsx)
cpdef CtxAccess look_up(Env env, int64_t off, int64_t size, bint write, bint is_ldsx)
cpdef object shape_of(Env env)
@cython.locals(type=uint32_t)
cpdef CtxAccess access_of(Env env, object field)

cdef CtxAccess _REFUSED
