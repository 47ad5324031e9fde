cimport cython
from libc.stdint cimport int32_t, uint32_t, uint64_t
from osmia.verifier.consts cimport (
    BASE_TYPE_MASK, BPF_ADD_CONST, EXACT, NOT_EXACT, NOT_INIT, PTR_TO_ARENA, PTR_TO_BUF, PTR_TO_MAP_KEY,
    PTR_TO_MAP_VALUE, PTR_TO_MEM, PTR_TO_PACKET, PTR_TO_PACKET_META, PTR_TO_STACK, PTR_TO_TP_BUFFER, REF_TYPE_IRQ,
    REF_TYPE_PTR, SCALAR_VALUE, STACK_DYNPTR, STACK_INVALID, STACK_IRQ_FLAG, STACK_ITER, STACK_MISC, STACK_SPILL,
    STACK_ZERO
)
from osmia.verifier.env cimport Env
from osmia.verifier.idmap cimport IdMap
from osmia.verifier.insn cimport VInsn
from osmia.verifier.regs cimport Reg, unknown_value
from osmia.verifier.state cimport Frame, Ref, Slot, State

cdef extern from "Python.h":
    void* list_item "PyList_GET_ITEM"(list l, Py_ssize_t i) noexcept

cdef inline bint one_reg(list old, list cur, Py_ssize_t i) noexcept:
    return list_item(old, i) == list_item(cur, i)

cdef inline bint same_reg(list old, list cur, Py_ssize_t i) noexcept:
    cdef void* reg = list_item(old, i)
    return reg == list_item(cur, i) and (<Reg> reg).id == 0 and (<Reg> reg).ref_obj_id == 0

cdef inline bint same_slot(list old, list cur, Py_ssize_t i) noexcept:
    cdef void* slot = list_item(old, i)
    return slot == list_item(cur, i) and (<Slot> slot).spilled.id == 0 and (<Slot> slot).spilled.ref_obj_id == 0

cdef Reg UNBOUND
cdef uint64_t ALL_MISC, NOT_MISC
cdef uint32_t ALL_REGS

cpdef bint range_within(Reg old, Reg cur) noexcept
cpdef bint tnum_within(Reg old, Reg cur) noexcept
cpdef bint values_within(Reg old, Reg cur) noexcept
cpdef bint regs_exact(Reg old, Reg cur, IdMap idmap) noexcept
@cython.locals(base=uint32_t)
cpdef bint regsafe(Env env, Reg old, Reg cur, IdMap idmap, int32_t exact) noexcept
@cython.locals(same=bint)
cdef bint _scalar_safe(Env env, Reg old, Reg cur, IdMap idmap, int32_t exact) noexcept
cdef bint _packet_safe(Reg old, Reg cur, IdMap idmap) noexcept
@cython.locals(types=uint64_t, spilled=Reg)
cpdef Reg scalar_of_slot(Env env, Slot slot)
@cython.locals(old_stack=list, cur_stack=list, i=Py_ssize_t, have=Py_ssize_t, old_slot=Slot)
cpdef bint stacksafe(Env env, Frame old, Frame cur, IdMap idmap, int32_t exact) except -1
cdef bint _unmarked(Frame old, Py_ssize_t i) except -1
cdef bint _unread(Env env, uint64_t types) noexcept
@cython.locals(types=uint64_t, old_scalar=Reg, cur_scalar=Reg)
cdef bint _slotsafe(Env env, Slot old, Slot cur, IdMap idmap, int32_t exact) except -1
@cython.locals(old_kind=uint32_t, cur_kind=uint32_t, _=int32_t)
cdef bint _bytes_safe(Env env, uint64_t old_types, uint64_t cur_types) noexcept
@cython.locals(same=bint)
cdef bint _special_safe(Env env, uint32_t kind, Reg old, Reg cur, IdMap idmap, int32_t exact) noexcept
cpdef bint refsafe(State old, State cur, IdMap idmap) except -1
@cython.locals(i=Py_ssize_t, old=Ref, cur=Ref)
cdef bint _refs_match(list old_refs, list cur_refs, IdMap idmap) except -1
cpdef uint32_t marked_regs(Env env, Frame old, uint32_t live, int32_t exact) except? 0
@cython.locals(insn=VInsn, live=uint32_t, old_regs=list, cur_regs=list, old_reg=Reg, cur_reg=Reg, i=Py_ssize_t)
cpdef bint func_states_equal(Env env, Frame old, Frame cur, int32_t insn_idx, IdMap idmap, int32_t exact) except -1
@cython.locals(callee=Frame)
cpdef int32_t frame_insn_idx(State state, uint32_t frameno) except? -2
@cython.locals(i=Py_ssize_t, one=Frame, other=Frame)
cpdef bint same_callsites(State a, State b) except -1
@cython.locals(idmap=IdMap, i=uint32_t, old_frame=Frame, cur_frame=Frame)
cpdef bint states_equal(Env env, State old, State cur, int32_t exact) except -1
@cython.locals(old_frame=Frame, cur_frame=Frame, old_regs=list, cur_regs=list, i=Py_ssize_t, one=Reg, other=Reg)
cpdef bint states_maybe_looping(State old, State cur) except -1
cdef bint _identical(Reg one, Reg other) noexcept
