"""Rounds of a loop that ends by itself: numbers that change from round to round, and that nobody needed, are forgotten.

So a counter doesn't make every round a new state.  (``find_prev_entry``, ``widen_imprecise_scalars`` in
kernel/bpf/verifier.c, Linux 6.18.)
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.verifier.consts import SCALAR_VALUE
    from osmia.verifier.env import Env
    from osmia.verifier.equal import regs_exact, same_callsites
    from osmia.verifier.idmap import IdMap
    from osmia.verifier.marks import UNKNOWN, UNKNOWN_PRECISE
    from osmia.verifier.prune import explored_states
    from osmia.verifier.regs import Reg
    from osmia.verifier.slots import is_spilled_reg, make_slot
    from osmia.verifier.state import Slot, State


def find_prev_entry(env: Env, cur: State | None, insn_idx: int) -> State | None:
    """The newest remembered state at ``insn_idx`` on the path to ``cur``, reached through the same calls; or None."""
    if cur is None:
        return None
    states = explored_states(env, env.state, insn_idx)
    i = len(states) - 1
    while i >= 0:
        state = states[i]
        under_way = state.insn_idx == insn_idx and state.branches and state.dfs_depth < cur.dfs_depth
        if under_way and same_callsites(state, cur):
            return state
        i -= 1
    return None


def widen_imprecise_scalars(env: Env, old: State, cur: State) -> None:
    """Scalars of ``cur`` that differ from ``old``, the round before, and are precise in neither, become unknown."""
    idmap = IdMap()
    idmap.reset(env.id_gen)
    unknown = UNKNOWN if env.bpf_capable else UNKNOWN_PRECISE
    level = old.curframe
    while level >= 0:
        old_frame = old.frames[level]
        cur_frame = cur.frames[level]
        ids = None if env.rules.singular_ids_dropped else idmap  # the dropped ids would tell all apart
        _widen_regs(old_frame.regs, cur_frame.regs, ids, unknown)
        _widen_slots(old_frame.stack, cur_frame.stack, ids, unknown)
        level -= 1


def _widen_regs(old_regs: list[Reg], regs: list[Reg], idmap: IdMap | None, unknown: Reg) -> None:
    for i in range(11):
        old = old_regs[i]
        reg = regs[i]
        if _is_loose(old, reg, idmap):
            regs[i] = unknown


def _widen_slots(old_stack: list[Slot], stack: list[Slot], idmap: IdMap | None, unknown: Reg) -> None:
    for i in range(len(old_stack)):
        old_slot = old_stack[i]
        slot = stack[i]
        if is_spilled_reg(old_slot) and is_spilled_reg(slot) and _is_loose(old_slot.spilled, slot.spilled, idmap):
            stack[i] = make_slot(slot.types, unknown)


def _is_loose(old: Reg, reg: Reg, idmap: IdMap | None) -> bool:
    if old.type != SCALAR_VALUE or reg.type != SCALAR_VALUE or old.precise or reg.precise:
        return False
    if idmap is None:
        return old is not reg and not (old.same_type_info(reg) and old.same_bounds(reg))
    return not regs_exact(old, reg, idmap)
