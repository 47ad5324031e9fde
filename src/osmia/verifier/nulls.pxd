cimport cython
from libc.stdint cimport int32_t, uint32_t
from osmia.verifier.consts cimport (
    BASE_TYPE_MASK, CONST_PTR_TO_MAP, MEM_ALLOC, MEM_RCU, NON_OWN_REF, PTR_MAYBE_NULL, PTR_TO_BTF_ID,
    PTR_TO_MAP_KEY, PTR_TO_MAP_VALUE, PTR_TO_MEM, PTR_TO_PACKET, PTR_TO_PACKET_END, PTR_TO_PACKET_META,
    PTR_TO_SOCK_COMMON, PTR_TO_SOCKET, PTR_TO_TCP_SOCK, PTR_TO_XDP_SOCK, PTR_TRUSTED, PTR_UNTRUSTED,
    SCALAR_VALUE
)
from osmia.verifier.env cimport Env
from osmia.verifier.maps cimport VMap
from osmia.verifier.refs cimport release_reference_nomark
from osmia.verifier.regs cimport Reg
from osmia.verifier.slots cimport is_spilled_reg, make_slot
from osmia.verifier.state cimport Frame, Slot, State

cdef enum:
    SOCKMAP = 15
    XSKMAP = 17
    SOCKHASH = 18

cpdef bint reg_is_pkt_pointer_any(Reg reg) noexcept
@cython.locals(flags=uint32_t, trusted=uint32_t)
cpdef bint is_trusted_reg(Reg reg) noexcept
@cython.locals(base=uint32_t)
cpdef bint reg_not_null(Reg reg) noexcept
@cython.locals(new=Reg, map=VMap)
cpdef Reg ptr_not_null_reg(Reg reg)
@cython.locals(frame=Frame, reg=Reg, id=uint32_t, ref_obj_id=uint32_t, level=uint32_t)
cpdef int mark_ptr_or_null_regs(Env env, State state, uint32_t regno, bint is_null) except -1
@cython.locals(regs=list, stack=list, reg=Reg, slot=Slot, i=uint32_t)
cdef int _mark_frame(Env env, Frame frame, uint32_t id, bint is_null) except -1
@cython.locals(inside=bint)
cpdef bint has_moved(Env env, Reg reg) except? -1
@cython.locals(new=Reg)
cdef Reg _null_or_not(Env env, Reg reg, bint is_null)
cdef bint _needs_uid(VMap map) except -1
