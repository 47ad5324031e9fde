"""The rules that kernels differ in, as one kernel has them.  Made by tools/gen_rules.py: do not edit.

The table is ``kernel/data/features.txt``: it says since when each holds, and what it means.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache


@cache
def rules_of(names: frozenset[str]) -> Rules:
    """The rules of a kernel with these features."""
    return Rules(names)


class Rules:
    """``env.rules``: one flag a feature."""

    def __init__(self, names: Collection[str]) -> None:
        self.data_symbols = "data-symbols" in names
        self.btf_float = "btf-float" in names
        self.btf_decl_tag = "btf-decl-tag" in names
        self.btf_type_tag = "btf-type-tag" in names
        self.btf_enum64 = "btf-enum64" in names
        self.arg_ctx_tag = "arg-ctx-tag" in names
        self.atomic_ops = "atomic-ops" in names
        self.pseudo_func = "pseudo-func" in names
        self.kfunc_calls = "kfunc-calls" in names
        self.fd_array = "fd-array" in names
        self.cpu_v4 = "cpu-v4" in names
        self.gotol = "gotol" in names
        self.may_goto = "may-goto" in names
        self.addr_space_cast = "addr-space-cast" in names
        self.deduce_across_widths = "deduce-across-widths" in names
        self.compare_ranges = "compare-ranges" in names
        self.alu_follows_unknown = "alu-follows-unknown" in names
        self.bits_sign_agnostic = "bits-sign-agnostic" in names
        self.byte_swap_followed = "byte-swap-followed" in names
        self.negation_followed = "negation-followed" in names
        self.multiply_signed = "multiply-signed" in names
        self.add_wraps_whole = "add-wraps-whole" in names
        self.fork_on_sign_mask = "fork-on-sign-mask" in names
        self.link_by_offset = "link-by-offset" in names
        self.link_narrow_moves = "link-narrow-moves" in names
        self.spill_zero_and_unknown = "spill-zero-and-unknown" in names
        self.history_of_stack = "history-of-stack" in names
        self.precise_across_calls = "precise-across-calls" in names
        self.callbacks_iterate = "callbacks-iterate" in names
        self.live_registers_static = "live-registers-static" in names
        self.live_stack_static = "live-stack-static" in names
        self.btf_info_early = "btf-info-early" in names
        self.lazy_globals = "lazy-globals" in names
        self.attach_after_cfg = "attach-after-cfg" in names
        self.tnum_mul_by_union = "tnum-mul-by-union" in names
        self.shift_32_keeps_sign = "shift-32-keeps-sign" in names
        self.register_invariants = "register-invariants" in names
        self.ids_for_unknown_only = "ids-for-unknown-only" in names
        self.precise_zero_bytes = "precise-zero-bytes" in names
        self.narrow_fill = "narrow-fill" in names
        self.uninit_stack_reads = "uninit-stack-reads" in names
        self.atomic_load_store = "atomic-load-store" in names
        self.tail_call_exits = "tail-call-exits" in names
        self.ld_abs_exits = "ld-abs-exits" in names
        self.ld_abs_exit_traced = "ld-abs-exit-traced" in names
        self.rcu_nests = "rcu-nests" in names
        self.poison_shown = "poison-shown" in names
        self.div_mod_ranges = "div-mod-ranges" in names
        self.fields_first = "fields-first" in names
        self.offset_in_var_off = "offset-in-var-off" in names
        self.singular_ids_dropped = "singular-ids-dropped" in names
        self.linked_shown = "linked-shown" in names
        self.same_register_known = "same-register-known" in names
        self.jumps_too_many = "jumps-too-many" in names
        self.dead_by_refining = "dead-by-refining" in names
        self.stack_use_static = "stack-use-static" in names
        self.args_by_register = "args-by-register" in names
        self.callback_loops = "callback-loops" in names
        self.obj_drop_in_nmi = "obj-drop-in-nmi" in names
        self.release_by_register = "release-by-register" in names
        self.objects_by_parent = "objects-by-parent" in names
        self.arcs = "arcs" in names
        self.type_flags = "type-flags" in names
        self.scalar_word = "scalar-word" in names
        self.ringbuf_word = "ringbuf-word" in names
        self.short_numbers = "short-numbers" in names
        self.nullness_spreads = "nullness-spreads" in names
        self.linked_history = "linked-history" in names
        self.helper_access_by_kind = "helper-access-by-kind" in names
        self.zero_size_told = "zero-size-told" in names
        self.stack_reads_grow = "stack-reads-grow" in names
        self.release_args = "release-args" in names
        self.alloc_size_precise = "alloc-size-precise" in names
        self.helper_offer_told = "helper-offer-told" in names
        self.state_behind_insn = "state-behind-insn" in names
        self.held_told_alike = "held-told-alike" in names
        self.error_injection = "error-injection" in names
        self.lsm_return_ranges = "lsm-return-ranges" in names
        self.denied_target_told = "denied-target-told" in names
        self.union_arguments = "union-arguments" in names
        self.ctx_void_qualified = "ctx-void-qualified" in names
        self.ctx_any_pointer = "ctx-any-pointer" in names
        self.fsession = "fsession" in names
        self.sleepable_tracepoints = "sleepable-tracepoints" in names
        self.fastcall_spills = "fastcall-spills" in names
        self.fewer_prune_points = "fewer-prune-points" in names
        self.loops_of_any_edge = "loops-of-any-edge" in names
        self.cfg_skips_load_halves = "cfg-skips-load-halves" in names
        self.loops_by_component = "loops-by-component" in names
        self.states_freed = "states-freed" in names
        self.checkpoint_after_40 = "checkpoint-after-40" in names
        self.loop_shows_states = "loop-shows-states" in names
        self.exact_loop_check = "exact-loop-check" in names
        self.exact_return_ranges = "exact-return-ranges" in names
        self.async_returns_told = "async-returns-told" in names
        self.jump_destination_first = "jump-destination-first" in names
        self.ctx_store_constants = "ctx-store-constants" in names
        self.stack_rounds_to_16 = "stack-rounds-to-16" in names
        self.private_stacks = "private-stacks" in names
        self.struct_metas = "struct-metas" in names
        self.calls_under_lock = "calls-under-lock" in names
        self.ctx_pointer_size = "ctx-pointer-size" in names
        self.sleepable_uprobes = "sleepable-uprobes" in names
        self.struct_arguments = "struct-arguments" in names
        self.infrared_capability = "infrared-capability" in names
        self.packet_padding_refused = "packet-padding-refused" in names
        self.function_addresses = "function-addresses" in names
        self.kernel_timers = "kernel-timers" in names
        self.kernel_pointers = "kernel-pointers" in names
        self.kernel_lists = "kernel-lists" in names
        self.kernel_trees = "kernel-trees" in names
        self.kernel_refcounts = "kernel-refcounts" in names
        self.kernel_workqueues = "kernel-workqueues" in names
        self.user_pointers = "user-pointers" in names
        self.res_spin_locks = "res-spin-locks" in names
        self.task_works = "task-works" in names
        self.fields_once_each_level = "fields-once-each-level" in names
        self.objects_in_chains = "objects-in-chains" in names
        self.var_store_scrubs = "var-store-scrubs" in names
        self.stack_offset_told = "stack-offset-told" in names
        self.fd_array_cnt = "fd-array-cnt" in names
        self.cpu_number_bounded = "cpu-number-bounded" in names
        self.low_tnum_of_whole = "low-tnum-of-whole" in names
        self.scalar_spills_overwritten = "scalar-spills-overwritten" in names
        self.speculation_fenced = "speculation-fenced" in names
        self.task_stack_bounded = "task-stack-bounded" in names
        self.global_memory_args = "global-memory-args" in names
        self.args_of_prototype = "args-of-prototype" in names
        self.calls_show_result = "calls-show-result" in names
        self.dynptr_ids = "dynptr-ids" in names
        self.stack_reads_shown = "stack-reads-shown" in names
        self.sum_takes_marks = "sum-takes-marks" in names
        self.trusted_pointers = "trusted-pointers" in names
        self.gotol_shown = "gotol-shown" in names
        self.sleepable_by_attach_type = "sleepable-by-attach-type" in names
        self.sleepable_locks = "sleepable-locks" in names
        self.sleepable_queues = "sleepable-queues" in names
        self.sleepable_storage_told = "sleepable-storage-told" in names
        self.known_keys_found = "known-keys-found" in names
        self.clear_bits_forget_ranges = "clear-bits-forget-ranges" in names
        self.constant_zeros_somewhere = "constant-zeros-somewhere" in names
        self.tuple_of_no_bytes = "tuple-of-no-bytes" in names
        self.local_pointers = "local-pointers" in names
