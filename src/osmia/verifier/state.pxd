cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from osmia.verifier.regs cimport Reg, frame_pointer, not_init

@cython.final
@cython.no_gc
@cython.freelist(512)
cdef class Slot:
    cdef public uint64_t types
    cdef public Reg spilled
    cpdef uint32_t type_at(self, uint32_t byte) noexcept
    cpdef Slot with_spilled(self, Reg spilled)

@cython.final
cdef class Ref:
    cdef public uint32_t type, id
    cdef public int32_t insn_idx
    cdef public object ptr

@cython.final
@cython.no_gc
@cython.freelist(512)
cdef class HistoryEntry:
    cdef public uint32_t idx, prev_idx, flags
    cdef public uint64_t linked_regs

@cython.final
cdef class Frame:
    cdef public int32_t callsite
    cdef public uint32_t frameno, subprogno, async_entry_cnt, callback_depth
    cdef public int32_t callback_ret_min, callback_ret_max
    cdef public bint in_callback_fn, in_async_callback_fn, in_exception_callback_fn
    cdef public list regs, stack
    cdef public object marks, dead
    @cython.locals(new=Frame)
    cpdef Frame copy(self)
    cpdef int32_t allocated_stack(self) noexcept

cpdef Frame new_frame()

@cython.final
@cython.trashcan(True)
cdef class State:
    cdef public list frames, refs, history
    cdef public State parent, equal_state
    cdef public int64_t branches
    cdef public uint32_t insn_idx, curframe
    cdef public uint32_t acquired_refs, active_locks, active_preempt_locks, active_irq_id, active_lock_id
    cdef public object active_lock_ptr
    cdef public uint32_t active_rcu_lock
    cdef public bint speculative, in_sleepable, cleaned
    cdef public uint32_t first_insn_idx
    cdef public int32_t last_insn_idx
    cdef public uint32_t dfs_depth, callback_unroll_depth, may_goto_depth
    cdef public int32_t hit_cnt, miss_cnt
    cdef public bint in_free_list
    cdef public object scc_visit
    @cython.locals(new=State, frame=Frame)
    cpdef State copy(self)
    @cython.locals(found=Frame)
    cpdef Frame frame(self)
    @cython.locals(found=Frame)
    cpdef list regs(self)

cpdef State new_state()
