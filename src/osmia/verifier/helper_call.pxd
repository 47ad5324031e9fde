cimport cython
from libc.stdint cimport int32_t, uint32_t, uint64_t
from osmia.verifier.backtrack cimport mark_chain_precision
from osmia.verifier.call_meta cimport CallMeta
from osmia.verifier.consts cimport (
    ARG_PTR_TO_DYNPTR, BASE_TYPE_MASK, BPF_WRITE, DYNPTR_TYPE_SKB, DYNPTR_TYPE_SKB_META, DYNPTR_TYPE_XDP, PTR_TO_MEM,
    PTR_TO_PACKET, PTR_TO_PACKET_END, PTR_TO_PACKET_META, SCALAR_VALUE, STACK_SPILL
)
from osmia.verifier.env cimport Env
from osmia.verifier.helper_args cimport check_func_arg, register_is_null
from osmia.verifier.helper_offer cimport get_helper_proto
from osmia.verifier.helper_proto cimport ArgRule, HelperRule
from osmia.verifier.helper_return cimport set_return
from osmia.verifier.insn cimport VInsn
from osmia.verifier.maps cimport VMap
from osmia.verifier.marks cimport UNREADABLE
from osmia.verifier.memory cimport check_mem_access
from osmia.verifier.refs cimport check_resource_leak, invalid_reg, release_reference
from osmia.verifier.regs cimport Reg
from osmia.verifier.state cimport Frame, Slot, State

cdef uint64_t KEY_SEEN, KEY_POISON
cdef int32_t TAIL_CALL, GET_LOCAL_STORAGE, SNPRINTF, GET_FUNC_IP, SET_RETVAL, PER_CPU_PTR, THIS_CPU_PTR
cdef int32_t KPTR_XCHG, DYNPTR_FROM_MEM, DYNPTR_WRITE, DYNPTR_DATA, SKB_DYNPTR, SKB_META_DYNPTR
cdef uint32_t PROG_ARRAY

@cython.locals(func_id=int32_t, rule=HelperRule, meta=CallMeta, arg=int32_t, i=int32_t, frame=Frame)
cpdef check_helper_call(Env env, VInsn insn)
@cython.locals(state=State)
cdef _check_allowed(Env env, HelperRule rule)
@cython.locals(map=VMap)
cpdef record_func_map(Env env, VInsn insn, CallMeta meta, HelperRule rule)
@cython.locals(map=VMap, reg=Reg, seen=uint64_t)
cdef _record_func_key(Env env, VInsn insn, CallMeta meta)
@cython.locals(reg=Reg, released=bint, spec=ArgRule)
cdef _release(Env env, CallMeta meta, HelperRule rule)
@cython.locals(regs=list)
cdef _check_special(Env env, VInsn insn, CallMeta meta, HelperRule rule)
@cython.locals(known=Reg)
cdef _note_dynptr(Env env, CallMeta meta, Reg reg)
@cython.locals(i=int32_t)
cpdef clear_caller_saved_regs(Env env, list regs)
@cython.locals(state=State, frame=Frame)
cpdef clear_all_pkt_pointers(Env env)
cdef bint _is_pkt_pointer(Reg reg) noexcept
@cython.locals(i=Py_ssize_t, reg=Reg)
cdef _clear_regs(Env env, list regs)
@cython.locals(i=Py_ssize_t, slot=Slot, reg=Reg)
cdef _clear_slots(Env env, list stack)
