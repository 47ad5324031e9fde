cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from osmia.verifier.bt cimport Backtrack
from osmia.verifier.idmap cimport IdMap
from osmia.verifier.insn cimport VInsn
from osmia.verifier.log cimport Log
from osmia.verifier.maps cimport VMap
from osmia.verifier.rules cimport Rules
from osmia.verifier.state cimport HistoryEntry, State

@cython.final
cdef class Subprog:
    cdef public int32_t start, linfo_idx, postorder_start, stack_depth, stack_extra, fastcall_stack_off
    cdef public bint has_tail_call, tail_call_reachable, has_ld_abs, is_cb, is_async_cb, is_exception_cb
    cdef public bint args_cached, keep_fastcall_stack, changes_pkt_data, might_sleep
    cdef public int32_t priv_stack_mode, arg_cnt, linkage, func_type_id
    cdef public list args
    cdef public object name
    cdef public bint called, verified, unreliable

@cython.final
cdef class Env:
    cdef public object program, profile, powers, vmlinux, prog_type
    cdef public Rules rules
    cdef public Log log
    cdef public list insns, maps, used_maps, subprogs, stack, insn_postorder, explored
    cdef public int32_t n_insns
    cdef public bint allow_ptr_leaks, allow_uninit_stack, bypass_spec_v1, bypass_spec_v4, bpf_capable
    cdef public bint sleepable, strict_alignment, test_state_freq, test_reg_invariants
    cdef public bint explore_alu_limits, seen_direct_write, seen_exception
    cdef public int32_t exception_callback_subprog
    cdef public int32_t insn_idx, prev_insn_idx
    cdef public State state
    cdef public dict scc_info, room
    cdef public IdMap idmap
    cdef public HistoryEntry cur_hist_ent
    cdef public Backtrack bt
    cdef public uint32_t id_gen, pass_cnt
    cdef public int64_t prev_insn_processed, insn_processed, prev_jmps_processed, jmps_processed
    cdef public int64_t max_states_per_insn, total_states, peak_states
    cdef public int64_t free_list_size, explored_states_size, num_backedges, longest_mark_read_walk
    cdef public uint64_t scratched_regs, scratched_stack_slots
    cdef public int64_t prev_log_pos, prev_insn_print_pos
    cdef public object prev_linfo, live_stack, facts
    cdef public int32_t scc_cnt
    cpdef say(self, str text)
    cpdef int32_t subprog_end(self, int32_t number) except -1
    @cython.locals(subprog=Subprog, number=int32_t)
    cpdef int32_t find_subprog(self, int32_t slot) except -2
