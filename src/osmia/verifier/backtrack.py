"""Going back: a decision rested on a number, so every register and slot that the number came from must be precise.

From a decision the walk's own path is read backwards, instruction by instruction, state by state, with ``env.bt`` as
the set of what is still looked for.  Only parent states get marks: a state that is still walked forgets its own.
(``push_jmp_history``, ``__mark_chain_precision`` in kernel/bpf/verifier.c, Linux 6.18; an instruction is taken back
in backtrack_insn.py.)
"""

from __future__ import annotations

from errno import EFAULT

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.verifier.backtrack_flat import mark_chain_precision_flat
from osmia.verifier.text import fmt_reg_mask, fmt_stack_mask

if not cython.compiled:
    from osmia.verifier.backtrack_insn import ARGS, JUMP, NOTHING, STORE, back_kinds, backtrack_insn
    from osmia.verifier.bt import Backtrack
    from osmia.verifier.consts import (
        INSN_F_FRAMENO_MASK,
        INSN_F_SPI_MASK,
        INSN_F_SPI_SHIFT,
        INSN_F_STACK_ACCESS,
        SCALAR_VALUE,
    )
    from osmia.verifier.env import Env
    from osmia.verifier.printing import print_verifier_state
    from osmia.verifier.regs import Reg
    from osmia.verifier.slots import is_spilled_scalar_reg, make_slot
    from osmia.verifier.state import Frame, HistoryEntry, State
    from osmia.words import s32


_RECENT: list[HistoryEntry | None] = [None] * 4096
"""Entries made lately, by what they say: a loop's turns share theirs."""


def shared_entry(idx: int, prev_idx: int, flags: int, linked_regs: int) -> HistoryEntry:
    """A history entry, perhaps one that was made before."""
    at = (idx ^ prev_idx << 5 ^ flags << 7 ^ linked_regs) & 4095
    entry = _RECENT[at]
    if (
        entry is None or entry.idx != idx or entry.prev_idx != prev_idx or entry.flags != flags
        or entry.linked_regs != linked_regs
    ):  # fmt: skip
        entry = _RECENT[at] = make_entry(idx, prev_idx, flags, linked_regs)
    return entry


def make_entry(idx: int, prev_idx: int, flags: int, linked_regs: int) -> HistoryEntry:
    """A new history entry."""
    if cython.compiled:
        entry = HistoryEntry.__new__(HistoryEntry)
        entry.idx, entry.prev_idx, entry.flags, entry.linked_regs = idx, prev_idx, flags, linked_regs
        return entry
    return HistoryEntry(idx, prev_idx, flags, linked_regs)


def push_jmp_history(env: Env, state: State, insn_flags: int, linked_regs: int) -> None:
    """Note how the path came to the current instruction and what it does (INSN_F_…); a second note joins the first."""
    if (insn_flags or linked_regs) and not env.rules.history_of_stack:
        return
    history = state.history
    entry = env.cur_hist_ent
    if entry is None:
        entry = shared_entry(env.insn_idx, env.prev_insn_idx, insn_flags, linked_regs)
        history.append(entry)
    else:
        entry = shared_entry(entry.idx, entry.prev_idx, entry.flags | insn_flags, linked_regs)
        history[len(history) - 1] = entry
    env.cur_hist_ent = entry


def mark_chain_precision(env: Env, regno: int) -> None:
    """The current path relies on the scalar in ``regno`` of the innermost frame."""
    if env.rules.precise_across_calls:
        mark_chain_precision_from(env, env.state, regno)
    else:
        state = env.state
        mark_chain_precision_flat(env, state.curframe, regno, -1)


def mark_chain_precision_batch(env: Env, starting_state: State) -> bool:
    """The path of a state relies on everything that the caller has set in ``env.bt``.  Was any mark new?"""
    return mark_chain_precision_from(env, starting_state, -1)


def mark_chain_precision_from(env: Env, starting_state: State, regno: int) -> bool:
    """Go back from a state until all of ``env.bt``, and register ``regno`` unless -1, is found.  Was any mark new?

    Loaders without CAP_BPF have precise scalars only, and nothing to look for.
    """
    if not env.bpf_capable:
        return False
    bt = env.bt
    state = starting_state
    bt.frame = state.curframe
    if regno >= 0:
        _look_for(env, state, regno)
    if bt.empty():
        return False
    first_idx, last_idx, subseq_idx = state.first_insn_idx, state.insn_idx, -1
    changed = False
    while True:
        if env.log.level2:
            env.say(
                f"mark_precise: frame{bt.frame}: last_idx {last_idx} first_idx {first_idx} subseq_idx {subseq_idx} \n"
            )
        if last_idx < 0:
            return _mark_entry(env, state) or changed
        walked = _walk_back(env, state, last_idx, subseq_idx, state is starting_state)
        if walked < 0:
            break
        if walked > 0:
            return changed
        if state.parent is None:
            break
        state = state.parent
        if _mark_state(env, state):
            changed = True
        if bt.empty():
            return changed
        subseq_idx = first_idx
        last_idx = s32(state.last_insn_idx)
        first_idx = state.first_insn_idx
    mark_all_scalars_precise(env, starting_state)
    bt.reset()
    return changed


def _look_for(env: Env, state: State, regno: int) -> None:
    reg = state.regs()[regno]
    if reg.type != SCALAR_VALUE:
        raise env.reject(EFAULT, "verifier-bug", "verifier bug: backtracking misuse\n")
    bt = env.bt
    bt.set_reg(regno)


def _walk_back(env: Env, state: State, last_idx: int, subseq_idx: int, skip_first: bool) -> int:
    """Through one state's instructions: 1 when all is found, 0 at its start, -1 when the way can't be followed.

    Most instructions have nothing to do with what is looked for; ``kinds`` tells which at a glance.
    """
    bt = env.bt
    kinds = back_kinds(env)
    quiet = not env.log.level2
    history = state.history
    left = len(history)
    noted_idx = -1
    if left:
        hist = history[left - 1]
        noted_idx = hist.idx
    first_idx = state.first_insn_idx
    i = last_idx
    while True:
        noted = left > 0 and noted_idx == i
        if skip_first:
            skip_first = False
        elif not (quiet and (kinds[i] == NOTHING or _untouched(bt, kinds[i], hist if noted else None))):
            if not backtrack_insn(env, i, subseq_idx, hist if noted else None):
                return -1
            if bt.empty():
                return 1
        if i == first_idx and (left == 0 or (left == 1 and noted)):
            return 0
        subseq_idx = i
        if noted:
            i = hist.prev_idx
            left -= 1
            if left:
                hist = history[left - 1]
                noted_idx = hist.idx
        else:
            i -= 1
        if i < 0 or i >= env.n_insns:
            raise env.reject(EFAULT, "verifier-bug", f"verifier bug: backtracking idx {i}\n")


def _untouched(bt: Backtrack, kind: int, hist: HistoryEntry | None) -> bool:
    """Does taking back an instruction of such a kind leave what is looked for as it is?"""
    if kind < STORE:
        return (bt.reg_masks[bt.frame] >> kind & 1) == 0
    if kind < JUMP:
        if bt.reg_masks[bt.frame] >> (kind - STORE) & 1:
            return False
        if hist is None or not hist.flags & INSN_F_STACK_ACCESS:
            return True
        slots = bt.stack_masks[hist.flags & INSN_F_FRAMENO_MASK]
        return (slots >> (hist.flags >> INSN_F_SPI_SHIFT & INSN_F_SPI_MASK) & 1) == 0
    if kind == JUMP:
        return hist is None or hist.linked_regs == 0
    return kind == NOTHING


def _mark_entry(env: Env, state: State) -> bool:
    """At the start of a function that is verified by itself: only its arguments may still be looked for."""
    bt = env.bt
    frame = state.frames[0]
    regs = frame.regs
    if state.curframe or frame.subprogno == 0 or frame.callsite != -1 or bt.stack() or bt.regs() & (ARGS ^ 0xFFFF):
        raise env.reject(
            EFAULT,
            "verifier-bug",
            f"verifier bug: backtracking func entry subprog {frame.subprogno}"
            f" reg_mask {bt.regs():x} stack_mask {bt.stack():x}\n",
        )
    changed = False
    for i in range(1, 6):
        if bt.has_reg(i):
            bt.clear_reg(i)
            reg = regs[i]
            if reg.type == SCALAR_VALUE:
                regs[i] = _precise(reg)
                changed = True
    return changed


def _mark_state(env: Env, state: State) -> bool:
    """Mark in one parent state what is looked for; what is marked already, or is no scalar, is found."""
    bt = env.bt
    changed = False
    level = bt.frame
    fr = level
    while fr >= 0:
        frame = state.frames[fr]
        if bt.frame_regs(fr) and _mark_regs(bt, frame, fr):
            changed = True
        if bt.frame_stack(fr) and _mark_slots(env, frame, fr):
            changed = True
        if env.log.level2:
            regs = fmt_reg_mask(bt.frame_regs(fr))
            env.say(f"mark_precise: frame{fr}: parent state regs={regs} stack={fmt_stack_mask(bt.frame_stack(fr))}: ")
            print_verifier_state(env, state, fr, True)
        fr -= 1
    return changed


def _mark_regs(bt: Backtrack, frame: Frame, fr: int) -> bool:
    regs = frame.regs
    changed = False
    wanted = bt.frame_regs(fr)
    for i in range(11):
        if (wanted >> i & 1) == 0:
            continue
        reg = regs[i]
        if reg.type != SCALAR_VALUE or reg.precise:
            bt.clear_frame_reg(fr, i)
        else:
            regs[i] = _precise(reg)
            changed = True
    return changed


def _mark_slots(env: Env, frame: Frame, fr: int) -> bool:
    bt = env.bt
    stack = frame.stack
    total = len(stack)
    changed = False
    wanted = bt.frame_stack(fr)
    for i in range(64):
        if (wanted >> i & 1) == 0:
            continue
        if i >= total:
            raise env.reject(
                EFAULT,
                "verifier-bug",
                f"verifier bug: stack slot {i}, total slots {total} (i >= func->allocated_stack / BPF_REG_SIZE)\n",
            )
        slot = stack[i]
        reg = slot.spilled
        if not is_spilled_scalar_reg(slot) or reg.precise:
            bt.clear_frame_slot(fr, i)
        else:
            stack[i] = make_slot(slot.types, _precise(reg))
            changed = True
    return changed


def _precise(reg: Reg) -> Reg:
    reg = reg.copy()
    reg.precise = True
    return reg


def mark_all_scalars_precise(env: Env, starting_state: State) -> None:
    """The way can't be followed: every scalar of every parent state counts as precise."""
    if env.log.level2:
        env.say(f"mark_precise: frame{starting_state.curframe}: falling back to forcing all scalars precise\n")
    state = starting_state.parent
    while state is not None:
        for fr in range(state.curframe + 1):
            frame = state.frames[fr]
            _force_frame(env, frame, fr)
        state = state.parent


def _force_frame(env: Env, frame: Frame, fr: int) -> None:
    regs = frame.regs
    for i in range(10):
        reg = regs[i]
        if reg.type == SCALAR_VALUE and not reg.precise:
            regs[i] = _precise(reg)
            if env.log.level2:
                env.say(f"force_precise: frame{fr}: forcing r{i} to be precise\n")
    stack = frame.stack
    for i in range(len(stack)):
        slot = stack[i]
        reg = slot.spilled
        if is_spilled_scalar_reg(slot) and not reg.precise:
            stack[i] = make_slot(slot.types, _precise(reg))
            if env.log.level2:
                env.say(f"force_precise: frame{fr}: forcing fp{-(i + 1) * 8} to be precise\n")


def mark_all_scalars_imprecise(env: Env, state: State) -> None:
    """Forget all marks of a state that is about to become a checkpoint: its children will set those that matter."""
    for fr in range(state.curframe + 1):
        frame = state.frames[fr]
        regs = frame.regs
        for i in range(10):
            reg = regs[i]
            if reg.precise and reg.type == SCALAR_VALUE:
                regs[i] = _imprecise(reg)
        stack = frame.stack
        for i in range(len(stack)):
            slot = stack[i]
            reg = slot.spilled
            if reg.precise and is_spilled_scalar_reg(slot):
                stack[i] = make_slot(slot.types, _imprecise(reg))


def _imprecise(reg: Reg) -> Reg:
    reg = reg.copy()
    reg.precise = False
    return reg
