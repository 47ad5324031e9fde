cimport cython
from libc.stdint cimport int32_t, uint32_t
from osmia.verifier.backtrack cimport mark_chain_precision
from osmia.verifier.call_meta cimport CallMeta
from osmia.verifier.const_arg cimport get_constant_map_key
from osmia.verifier.consts cimport (
    ARG_ANYTHING, ARG_CONST_ALLOC_SIZE_OR_ZERO, ARG_CONST_MAP_PTR, ARG_CONST_SIZE, ARG_CONST_SIZE_OR_ZERO,
    ARG_DONTCARE, ARG_KPTR_XCHG_DEST, ARG_PTR_TO_BTF_ID_SOCK_COMMON, ARG_PTR_TO_CONST_STR, ARG_PTR_TO_DYNPTR,
    ARG_PTR_TO_FUNC, ARG_PTR_TO_MAP_KEY, ARG_PTR_TO_MAP_VALUE, ARG_PTR_TO_MEM, ARG_PTR_TO_PERCPU_BTF_ID,
    ARG_PTR_TO_SPIN_LOCK, ARG_PTR_TO_TIMER, BASE_TYPE_MASK, BPF_READ, BPF_WRITE, MEM_ALIGNED, MEM_FIXED_SIZE, MEM_RCU,
    MEM_UNINIT, MEM_WRITE, OBJ_RELEASE, PTR_MAYBE_NULL, PTR_TO_PACKET, PTR_TO_PACKET_META, SCALAR_VALUE
)
from osmia.verifier.env cimport Env
from osmia.verifier.helper_mem cimport check_helper_mem_access, check_mem_size_reg
from osmia.verifier.helper_proto cimport ArgRule, HelperRule
from osmia.verifier.helper_types cimport check_func_arg_reg_off, check_reg_type
from osmia.verifier.maps cimport VMap
from osmia.verifier.marks cimport check_reg_arg
from osmia.verifier.regions cimport check_ptr_alignment, may_access_direct_pkt_data
from osmia.verifier.regs cimport Reg

cpdef bint register_is_null(Reg reg) noexcept
cpdef bint can_elide_value_nullness(VMap map) noexcept
@cython.locals(spec=ArgRule, base=uint32_t, flags=uint32_t, regno=int32_t, reg=Reg, pointed=uint32_t, in_packet=bint)
cpdef check_func_arg(Env env, int32_t arg, CallMeta meta, HelperRule rule, int32_t insn_idx)
@cython.locals(map=VMap)
cpdef (uint32_t, uint32_t) resolve_map_arg_type(Env env, CallMeta meta, uint32_t base, uint32_t flags) except *
cdef _note_release(Env env, int32_t regno, Reg reg, uint32_t base, CallMeta meta)
cdef _note_reference(Env env, int32_t regno, Reg reg, CallMeta meta)
@cython.locals(regno=int32_t, access=int32_t, map=VMap, before=ArgRule)
cdef _check_kind(
    Env env, int32_t arg, uint32_t base, uint32_t flags, Reg reg, CallMeta meta, HelperRule rule
)
cdef _note_map(Env env, Reg reg, CallMeta meta)
@cython.locals(map=VMap)
cdef _check_map_key(Env env, int32_t regno, Reg reg, CallMeta meta)
@cython.locals(spec=ArgRule)
cdef _check_mem(
    Env env, int32_t arg, uint32_t flags, int32_t access, Reg reg, CallMeta meta, HelperRule rule
)
