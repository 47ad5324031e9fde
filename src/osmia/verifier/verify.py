"""Everything the verifier does with a program that bpf(2) took in, in the kernel's order.

(``bpf_check`` in kernel/bpf/verifier.c, Linux 6.18.)
"""

from __future__ import annotations

import gc
from collections.abc import Callable

from osmia.verifier.attach import check_attach_btf_id
from osmia.verifier.btf_info import check_btf_info, check_btf_info_early
from osmia.verifier.cfg import check_cfg
from osmia.verifier.const_regs import compute_const_regs, prune_dead_branches, sort_subprogs_topo
from osmia.verifier.convert import convert_ctx_accesses
from osmia.verifier.depth import check_max_stack_depth
from osmia.verifier.entry import do_check_main, do_check_subprogs
from osmia.verifier.env import Env
from osmia.verifier.errors import Rejected
from osmia.verifier.fastcall import mark_fastcall_patterns, remove_fastcall_spills_fills
from osmia.verifier.fixups import check_removed_callbacks, do_misc_fixups, optimize_bpf_loop, remove_dead_subprogs
from osmia.verifier.lines import print_verification_stats
from osmia.verifier.live_regs import compute_live_registers
from osmia.verifier.live_stack import stack_liveness_init
from osmia.verifier.order import compute_postorder, compute_scc
from osmia.verifier.resolve import process_fd_array, resolve_pseudo_ldimm64
from osmia.verifier.rules import Rules
from osmia.verifier.stack_use import compute_stack_use
from osmia.verifier.subprogs import add_subprog_and_kfunc, check_subprogs

Steps = tuple[Callable[[Env], object], ...]
FRONT: Steps = (check_btf_info_early, add_subprog_and_kfunc, check_subprogs, check_btf_info)
GRAPH: Steps = (resolve_pseudo_ldimm64, check_cfg, compute_postorder, stack_liveness_init)

WALK: Steps = (do_check_main, do_check_subprogs)
AFTERWARDS: Steps = (
    check_max_stack_depth,
    optimize_bpf_loop,
    convert_ctx_accesses,
    do_misc_fixups,
    check_removed_callbacks,
    remove_dead_subprogs,
)


def steps(rules: Rules) -> Steps:
    """What is done to every program; the first step that refuses it ends the list."""
    front = (process_fd_array, *(FRONT if rules.btf_info_early else FRONT[1:]))
    attach: Steps = (check_attach_btf_id,)
    middle = GRAPH + attach if rules.attach_after_cfg else attach + GRAPH
    loops: Steps = (compute_scc,) if rules.loops_by_component else ()
    walk = WALK if rules.lazy_globals else (do_check_subprogs, do_check_main)
    if rules.fastcall_spills:
        walk = (mark_fastcall_patterns, *walk, remove_fastcall_spills_fills)
    constants: Steps = (compute_const_regs, prune_dead_branches, sort_subprogs_topo)
    if rules.stack_use_static:
        loops = (*constants, *loops, compute_stack_use)
    return front + middle + loops + (compute_live_registers,) + walk + AFTERWARDS


def bpf_check(env: Env) -> Rejected | None:
    """Judge the program: None when the kernel would accept it.  The log ends with the statistics either way.

    Raises Unsupported when a rule that is needed is not built.  A walk makes hundreds of thousands of states and frees
    nearly all of them by counting references: looking for cycles among them would only cost time.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _steps(env)
    finally:
        if collecting:
            gc.enable()


def _steps(env: Env) -> Rejected | None:
    refused = None
    try:
        for step in steps(env.rules):
            step(env)
    except Rejected as no:
        refused = no
    print_verification_stats(env)
    return refused
