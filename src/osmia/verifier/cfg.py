"""The walk over the program as a graph: every instruction is reached, loops only where they may be, and the marks.

A depth-first search from the first instruction, into called functions too, with its stack in a list
(``check_cfg``, kernel/bpf/verifier.c; Linux 6.18).
"""

from __future__ import annotations

from bisect import bisect_right
from errno import EINVAL
from typing import TYPE_CHECKING

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.verifier.helper_offer import get_helper_proto
from osmia.verifier.helper_proto import (
    TAIL_CALL,
    helper_changes_pkt_data,
    is_async_callback_calling_function,
    is_sync_callback_calling_function,
)
from osmia.verifier.kfunc_meta import ASYNC_CALLBACKS, is_allowed, kfunc_of
from osmia.verifier.lines import verbose_linfo

if not cython.compiled:
    from osmia.isa.consts import BPF_CALL, BPF_EXIT, BPF_JA, BPF_JMP, BPF_JMP32, BPF_X, LD_IMM64
    from osmia.verifier.env import Subprog
    from osmia.verifier.flow import (
        is_helper_call,
        is_kfunc_call,
        is_may_goto,
        is_pseudo_call,
        is_pseudo_func,
        jmp_offset,
        mark_force_checkpoint,
        mark_jmp_point,
        mark_prune_point,
    )
    from osmia.verifier.insn import VInsn

if TYPE_CHECKING:
    from osmia.verifier.env import Env

DISCOVERED, EXPLORED = 0x10, 0x20
"""What is known of an instruction: on the way to it, or done; a discovered one adds the edges that were followed."""
FALLTHROUGH, BRANCH = 1, 2


class Search:
    """The search: ``seen`` holds a byte for every slot, ``path`` the slots from the first to the current one."""

    def __init__(self, env: Env) -> None:
        self.env = env
        self.seen = bytearray(env.n_insns)
        self.path = [0]
        self.seen[0] = DISCOVERED
        self.starts = [subprog.start for subprog in env.subprogs]
        self.any_loop = bool(env.rules.loops_of_any_edge)

    def run(self) -> None:
        """Visit every instruction that can be reached."""
        while self.path:
            slot = self.path[len(self.path) - 1]
            if not self.visit(slot):
                self.seen[slot] = EXPLORED
                self.path.pop()

    def visit(self, slot: int) -> bool:
        """Follow the edges of one instruction, one new one at a time; true while there is more to come."""
        insn = self.env.insns[slot]
        if is_pseudo_func(insn) and self.env.rules.pseudo_func:
            return self.visit_call(insn, self.size_of(insn), True)
        if (insn.code & 7) != BPF_JMP and (insn.code & 7) != BPF_JMP32:
            return self.follow(slot, slot + self.size_of(insn), FALLTHROUGH, self.any_loop)
        op = insn.code & 0xF0
        if op == BPF_EXIT:
            return False
        if op == BPF_CALL:
            self.mark_call(insn)
            return self.visit_call(insn, 1, is_pseudo_call(insn) or insn.src == 1)
        if op == BPF_JA:
            return self.visit_ja(insn)
        mark_prune_point(self.env, slot)
        if is_may_goto(insn):
            mark_force_checkpoint(self.env, slot)
        return self.follow(slot, slot + 1, FALLTHROUGH, True) or self.follow(slot, slot + insn.off + 1, BRANCH, True)

    def size_of(self, insn: VInsn) -> int:
        """Slots from one instruction to the next."""
        return 2 if insn.code == LD_IMM64 and self.env.rules.cfg_skips_load_halves else 1

    def visit_ja(self, insn: VInsn) -> bool:
        """An unconditional jump has one edge."""
        if insn.code & BPF_X:
            raise self.env.reject(EINVAL, "reserved-jump-field", "")
        target = insn.idx + jmp_offset(self.env, insn) + 1
        if self.follow(insn.idx, target, FALLTHROUGH, True):
            return True
        mark_prune_point(self.env, target)
        mark_jmp_point(self.env, target)
        if not self.env.rules.fewer_prune_points and insn.idx + 1 < self.env.n_insns:
            mark_prune_point(self.env, insn.idx + 1)
        return False

    def visit_call(self, insn: VInsn, size: int, enters: bool) -> bool:
        """A call goes on behind it first; then into the function, if it is one of the program."""
        after = insn.idx + size
        if self.follow(insn.idx, after, FALLTHROUGH, self.any_loop):
            return True
        mark_prune_point(self.env, after)
        mark_jmp_point(self.env, after)
        if not enters:
            return False
        target = insn.idx + insn.imm + 1
        mark_prune_point(self.env, insn.idx)
        self.merge_effects(insn.idx, target)
        return self.follow(insn.idx, target, BRANCH, self.any_loop or insn.code == LD_IMM64)

    def mark_call(self, insn: VInsn) -> None:
        """A state is kept before a call that calls back; sleeping and packet changes belong to the whole function."""
        env = self.env
        if is_kfunc_call(insn):
            self.mark_kfunc_call(insn)
        if not is_helper_call(insn):
            return
        if is_async_callback_calling_function(insn.imm):
            mark_prune_point(env, insn.idx)
        elif env.rules.callbacks_iterate and is_sync_callback_calling_function(insn.imm):
            insn.calls_callback = True
            mark_force_checkpoint(env, insn.idx)
            mark_prune_point(env, insn.idx)
            mark_jmp_point(env, insn.idx)
        proto = get_helper_proto(env, insn.imm)
        if proto is not None and proto.might_sleep:
            self.subprog_of(insn.idx).might_sleep = True
        if helper_changes_pkt_data(insn.imm) or insn.imm == TAIL_CALL:  # what is called next may change the packet
            self.subprog_of(insn.idx).changes_pkt_data = True

    def mark_kfunc_call(self, insn: VInsn) -> None:
        """The same for a kernel function; where an iterator goes on, rounds are compared."""
        desc = kfunc_of(self.env, insn)
        if desc is None:
            return
        if desc.name in ASYNC_CALLBACKS:
            mark_prune_point(self.env, insn.idx)
        elif desc.name == "bpf_rbtree_add_impl":
            insn.calls_callback = True
            mark_force_checkpoint(self.env, insn.idx)
            mark_prune_point(self.env, insn.idx)
            mark_jmp_point(self.env, insn.idx)
        if not is_allowed(self.env, desc):
            return
        if desc.iter_next:
            mark_prune_point(self.env, insn.idx)
            mark_force_checkpoint(self.env, insn.idx)
        if desc.sleepable:
            self.subprog_of(insn.idx).might_sleep = True
        if desc.changes_pkt_data:
            self.subprog_of(insn.idx).changes_pkt_data = True

    def merge_effects(self, slot: int, target: int) -> None:
        """The caller does what the function does.  It is complete by then: callees are done before their callers."""
        caller, callee = self.subprog_of(slot), self.subprog_of(target)
        caller.changes_pkt_data = caller.changes_pkt_data or callee.changes_pkt_data
        caller.might_sleep = caller.might_sleep or callee.might_sleep

    def subprog_of(self, slot: int) -> Subprog:
        """The function that a slot lies in."""
        found: Subprog = self.env.subprogs[bisect_right(self.starts, slot) - 1]
        return found

    def follow(self, slot: int, target: int, edge: int, may_loop: bool) -> bool:
        """Follow an edge unless that was done; true if it leads to something new.  ``may_loop``: it may go back."""
        env = self.env
        if self.seen[slot] >= DISCOVERED | edge:
            return False
        if not 0 <= target < env.n_insns:
            verbose_linfo(env, slot, f"{slot}: ")
            raise env.reject(EINVAL, "jump-target", f"jump out of range from insn {slot} to {target}\n")
        if edge == BRANCH:
            mark_prune_point(env, target)
            mark_jmp_point(env, target)
        state = self.seen[target]
        if state == 0:
            self.seen[slot] = DISCOVERED | edge
            self.seen[target] = DISCOVERED
            self.path.append(target)
            return True
        if state == EXPLORED:
            self.seen[slot] = DISCOVERED | edge
        elif not env.bpf_capable or not may_loop:
            verbose_linfo(env, slot, f"{slot}: ")
            verbose_linfo(env, target, f"{target}: ")
            raise env.reject(EINVAL, "back-edge", f"back-edge from insn {slot} to {target}\n")
        return False


def check_cfg(env: Env) -> None:
    """Visit the whole program.  Raises Rejected for unreachable code, or loops without CAP_BPF."""
    search = Search(env)
    search.run()
    handler = env.subprogs[env.exception_callback_subprog].start
    if handler and search.seen[handler] != EXPLORED:
        search.seen[handler] = DISCOVERED
        search.path = [handler]
        search.run()
    skip = False
    for slot in range(env.n_insns):
        if skip:
            skip = False
            continue
        if search.seen[slot] != EXPLORED:
            raise env.reject(EINVAL, "unreachable", f"unreachable insn {slot}\n")
        insn = env.insns[slot]
        if insn.code == LD_IMM64 and env.rules.cfg_skips_load_halves:
            skip = True
            if search.seen[slot + 1]:
                raise env.reject(EINVAL, "jump-into-load", f"jump into the middle of ldimm64 insn {slot}\n")
