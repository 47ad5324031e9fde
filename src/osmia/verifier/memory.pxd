cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from osmia.verifier.bounds cimport reg_bounds_sanity_check, reg_bounds_sync
from osmia.verifier.consts cimport (
    BASE_TYPE_MASK, BPF_READ, BPF_WRITE, CONST_PTR_TO_MAP, MEM_RDONLY, NOT_INIT, PTR_MAYBE_NULL, PTR_TO_ARENA, PTR_TO_BTF_ID,
    PTR_TO_BUF, PTR_TO_CTX, PTR_TO_FLOW_KEYS, PTR_TO_MAP_KEY, PTR_TO_MAP_VALUE, PTR_TO_MEM, PTR_TO_PACKET,
    PTR_TO_PACKET_META, PTR_TO_SOCK_COMMON, PTR_TO_SOCKET, PTR_TO_STACK, PTR_TO_TCP_SOCK, PTR_TO_TP_BUFFER,
    PTR_TO_XDP_SOCK, PTR_UNTRUSTED, SCALAR_VALUE
)
from osmia.verifier.ctx cimport CtxAccess, check_ctx_access
from osmia.verifier.env cimport Env
from osmia.verifier.insn cimport VInsn
from osmia.verifier.loaded cimport coerce_loaded, loaded_scalar
from osmia.verifier.map_data cimport map_constant
from osmia.verifier.maps cimport VMap
from osmia.verifier.marks cimport check_frame_reg_arg, known_zero_of, next_id
from osmia.verifier.regions cimport (
    ACCESS_DIRECT, check_buffer_access, check_flow_keys_access, check_map_access, check_map_access_type,
    check_mem_region_access, check_packet_access, check_ptr_alignment, check_ptr_off_reg, check_ptr_off_reg_fixed,
    check_tp_buffer_access,
    may_access_direct_pkt_data
)
from osmia.verifier.regs cimport Reg, unknown_value
from osmia.verifier.stack cimport check_stack_read, check_stack_write
from osmia.verifier.stack_range cimport check_stack_access_within_bounds

cdef int32_t SRC_OP, DST_OP_NO_MARK

@cython.locals(regs=list, reg=Reg, size=int64_t)
cpdef int check_load_mem(
    Env env, VInsn insn, bint strict_alignment_once, bint is_ldsx, bint allow_trust_mismatch, str ctx
) except -1
@cython.locals(regs=list, reg=Reg, size=int64_t)
cpdef int check_store_reg(Env env, VInsn insn, bint strict_alignment_once) except -1
@cython.locals(field=uint8_t)
cpdef int64_t access_size(uint8_t code) noexcept
@cython.locals(insn=VInsn, before=uint32_t, flags=uint32_t, mem=bint)
cpdef int save_aux_ptr_type(Env env, uint32_t type, bint allow_trust_mismatch) except -1
@cython.locals(base=uint32_t)
cdef bint _mismatch_ok(uint32_t type) noexcept
@cython.locals(base=uint32_t)
cdef bint _is_mem_or_btf(uint32_t type) noexcept
cpdef bint is_sk_pointer(uint32_t type) noexcept
@cython.locals(base=uint32_t)
cpdef bint is_pkt_pointer(uint32_t type) noexcept
@cython.locals(regs=list, reg=Reg)
cpdef bint is_pointer_value(Env env, int32_t regno) except? -1
@cython.locals(regs=list, reg=Reg, type=uint32_t)
cpdef check_mem_access(
    Env env, int32_t insn_idx, int32_t regno, int64_t off, int64_t size, int32_t t, int32_t value_regno,
    bint strict_alignment_once, bint is_ldsx
)
@cython.locals(type=uint32_t, base=uint32_t, key_of=VMap)
cdef bint _access_rare(Env env, Reg reg, int32_t regno, int64_t off, int64_t size, int32_t t, int32_t value_regno) except? -1
cdef object _invalid(Env env, Reg reg, int32_t regno)
cdef object _read_only(Env env, Reg reg, int32_t regno)
@cython.locals(regs=list, reg=Reg, found=VMap, constant=Reg)
cdef _access_map_value(
    Env env, int32_t insn_idx, int32_t regno, int64_t off, int64_t size, int32_t t, int32_t value_regno, bint is_ldsx
)
cdef int _access_mem(Env env, Reg reg, int32_t regno, int64_t off, int64_t size, int32_t t, int32_t value_regno) except -1
cdef int _access_sock(Env env, Reg reg, int32_t regno, int64_t off, int64_t size, int32_t t) except -1
@cython.locals(reg=Reg)
cpdef Reg in_s32_range(Env env, int64_t low, int64_t high)
@cython.locals(regs=list, field=CtxAccess, reg=Reg)
cdef _access_ctx(
    Env env, int32_t insn_idx, int32_t regno, int64_t off, int64_t size, int32_t t, int32_t value_regno, bint is_ldsx
)
