# Made by tools/gen_rules.py: do not edit.
cimport cython

@cython.final
cdef class Rules:
    cdef readonly bint data_symbols, btf_float, btf_decl_tag, btf_type_tag, btf_enum64, arg_ctx_tag, atomic_ops
    cdef readonly bint pseudo_func, kfunc_calls, fd_array, cpu_v4, gotol, may_goto, addr_space_cast, deduce_across_widths
    cdef readonly bint compare_ranges, alu_follows_unknown, bits_sign_agnostic, byte_swap_followed, negation_followed
    cdef readonly bint multiply_signed, add_wraps_whole, fork_on_sign_mask, link_by_offset, link_narrow_moves
    cdef readonly bint spill_zero_and_unknown, history_of_stack, precise_across_calls, callbacks_iterate
    cdef readonly bint live_registers_static, live_stack_static, btf_info_early, lazy_globals, attach_after_cfg
    cdef readonly bint tnum_mul_by_union, shift_32_keeps_sign, register_invariants, ids_for_unknown_only
    cdef readonly bint precise_zero_bytes, narrow_fill, uninit_stack_reads, atomic_load_store, tail_call_exits
    cdef readonly bint ld_abs_exits, ld_abs_exit_traced, rcu_nests, poison_shown, div_mod_ranges, fields_first
    cdef readonly bint offset_in_var_off, singular_ids_dropped, linked_shown, same_register_known, jumps_too_many
    cdef readonly bint dead_by_refining, stack_use_static, args_by_register, callback_loops, obj_drop_in_nmi
    cdef readonly bint release_by_register, objects_by_parent, arcs, type_flags, scalar_word, ringbuf_word, short_numbers
    cdef readonly bint nullness_spreads, linked_history, helper_access_by_kind, zero_size_told, stack_reads_grow
    cdef readonly bint release_args, alloc_size_precise, helper_offer_told, state_behind_insn, held_told_alike
    cdef readonly bint error_injection, lsm_return_ranges, denied_target_told, union_arguments, ctx_void_qualified
    cdef readonly bint ctx_any_pointer, fsession, sleepable_tracepoints, fastcall_spills, fewer_prune_points
    cdef readonly bint loops_of_any_edge, cfg_skips_load_halves, loops_by_component, states_freed, checkpoint_after_40
    cdef readonly bint loop_shows_states, exact_loop_check, exact_return_ranges, async_returns_told
    cdef readonly bint jump_destination_first, ctx_store_constants, stack_rounds_to_16, private_stacks, struct_metas
    cdef readonly bint calls_under_lock, ctx_pointer_size, sleepable_uprobes, struct_arguments, infrared_capability
    cdef readonly bint packet_padding_refused, function_addresses, kernel_timers, kernel_pointers, kernel_lists
    cdef readonly bint kernel_trees, kernel_refcounts, kernel_workqueues, user_pointers, res_spin_locks, task_works
    cdef readonly bint fields_once_each_level, objects_in_chains, var_store_scrubs, stack_offset_told, fd_array_cnt
    cdef readonly bint cpu_number_bounded, low_tnum_of_whole, scalar_spills_overwritten, speculation_fenced
    cdef readonly bint task_stack_bounded, global_memory_args, args_of_prototype, calls_show_result, dynptr_ids
    cdef readonly bint stack_reads_shown, sum_takes_marks, trusted_pointers, gotol_shown, sleepable_by_attach_type
    cdef readonly bint sleepable_locks, sleepable_queues, sleepable_storage_told, known_keys_found
    cdef readonly bint clear_bits_forget_ranges, constant_zeros_somewhere, tuple_of_no_bytes, local_pointers
