"""Going back before Linux 6.4: within one function, and over stack slots that are named by the frame pointer.

Feature ``precise-across-calls`` chooses between this and ``backtrack.py``, which says what going back is for.  Here one
mask of registers and one of slots are looked for, both of one frame; what can't be followed (a call, an exit, classic
packet loads) makes all scalars of all states before precise.  (``__mark_chain_precision``, ``backtrack_insn`` in
kernel/bpf/verifier.c, Linux 6.1.)
"""

from __future__ import annotations

from errno import EFAULT

from osmia.isa import consts as c
from osmia.verifier.consts import SCALAR_VALUE
from osmia.verifier.env import Env
from osmia.verifier.helper_proto import is_async_callback_calling_function, is_sync_callback_calling_function
from osmia.verifier.insn import VInsn
from osmia.verifier.lines import verbose_insn
from osmia.verifier.printing import print_verifier_state
from osmia.verifier.regs import Reg
from osmia.verifier.slots import is_spilled_scalar_reg, make_slot
from osmia.verifier.state import Frame, State
from osmia.words import s32

Masks = tuple[int, int]
"""The registers and the stack slots that are looked for."""
ARGS, CALLER_SAVED = 0x3E, 0x3F
FP = 10
READ = 3
"""Of either width (``live_marks``)."""


def mark_chain_precision_flat(env: Env, frameno: int, regno: int, spi: int) -> None:
    """The current path relies on a scalar: register ``regno`` or slot ``spi`` of a frame, -1 for none.

    Raises Rejected.
    """
    if not env.bpf_capable:
        return
    state = env.state
    frame = state.frames[frameno]
    if spi >= 0 and not is_spilled_scalar_reg(frame.stack[spi]):
        return
    if regno >= 0 and frame.regs[regno].type != SCALAR_VALUE:
        raise env.reject(EFAULT, "verifier-bug", "")
    wanted: Masks | None = (1 << regno if regno >= 0 else 0, 1 << spi if spi >= 0 else 0)
    last_idx, skip_first = env.insn_idx, True
    while True:
        if is_told(env):
            env.say(f"last_idx {last_idx} first_idx {state.first_insn_idx}\n")
        if last_idx < 0:
            _mark_entry(env, state, wanted or (0, 0))
            return
        wanted = _walk_back(env, state, last_idx, wanted or (0, 0), skip_first)
        skip_first = False
        if wanted is None:
            mark_all_before(state)
            return
        if state.parent is None or wanted == (0, 0):
            return
        state = state.parent
        wanted, changed = _mark_state(env, state, frameno, wanted)
        if not changed or wanted == (0, 0):
            return
        last_idx = s32(state.last_insn_idx)


def is_told(env: Env) -> bool:
    """Does the log show the way back?  Before 5.17 at level 1, too."""
    return bool(env.log.level2 or (env.log.verbose and not env.rules.state_behind_insn))


def _walk_back(env: Env, state: State, last_idx: int, wanted: Masks, skip_first: bool) -> Masks | None:
    """Through one state's instructions; None when one can't be followed.  Raises Rejected."""
    history = state.history
    left = len(history)
    i = last_idx
    while True:
        if not skip_first:
            found = backtrack_insn_flat(env, i, wanted)
            if found is None or found == (0, 0):
                return found
            wanted = found
        skip_first = False
        noted = left > 0 and history[left - 1].idx == i
        if i == state.first_insn_idx and (left == 0 or (left == 1 and noted)):
            return wanted
        if noted:
            left -= 1
            i = history[left].prev_idx
        else:
            i -= 1
        if not 0 <= i < env.n_insns:
            raise env.reject(EFAULT, "verifier-bug", f"BUG backtracking idx {i}\n")


def backtrack_insn_flat(env: Env, idx: int, wanted: Masks) -> Masks | None:
    """Take back one instruction: what is looked for before it; None when it can't be told.  Raises Rejected."""
    insn = env.insns[idx]
    regs, slots = wanted
    if insn.code == 0:
        return wanted
    if is_told(env):
        env.say(f"regs={regs:x} stack={slots:x} before {idx}: ")
        verbose_insn(env, insn)
    kind = insn.code & 7
    dst, src = 1 << insn.dst, 1 << insn.src
    if kind in (c.BPF_JMP, c.BPF_JMP32):
        return _back_jump(env, insn, regs, slots)
    if kind in (c.BPF_ST, c.BPF_STX):
        return _back_store(env, insn, regs, slots)
    if not regs & dst:
        return wanted
    if kind in (c.BPF_ALU, c.BPF_ALU64):
        op = insn.code & 0xF0
        if op not in (c.BPF_END, c.BPF_NEG):
            if op == c.BPF_MOV:
                regs ^= dst
            if insn.code & c.BPF_X:
                regs |= src
    elif kind == c.BPF_LDX:
        regs ^= dst
        if insn.src == FP:
            slots |= 1 << _slot_of(env, insn)
    else:
        regs ^= dst
        if insn.code & 0xE0 in (c.BPF_IND, c.BPF_ABS):
            return None
    return regs, slots


def _slot_of(env: Env, insn: VInsn) -> int:
    spi = (-insn.off - 1) // 8
    if not 0 <= spi < 64:
        raise env.reject(EFAULT, "verifier-bug", f"BUG spi {spi & 0xFFFFFFFF}\n")
    return spi


def _back_store(env: Env, insn: VInsn, regs: int, slots: int) -> Masks | None:
    """A spill; an address that is looked for as a scalar (a difference of pointers) can't be followed."""
    if regs & 1 << insn.dst:
        return None
    if insn.dst != FP:
        return regs, slots
    slot = 1 << _slot_of(env, insn)
    if slots & slot:
        slots ^= slot
        if insn.code & 7 == c.BPF_STX:
            regs |= 1 << insn.src
    return regs, slots


def _back_jump(env: Env, insn: VInsn, regs: int, slots: int) -> Masks | None:
    op = insn.code & 0xF0
    if op == c.BPF_EXIT:
        return None
    if op == c.BPF_CALL:
        into = insn.src == c.BPF_PSEUDO_CALL or (insn.src == c.BPF_PSEUDO_KFUNC_CALL and insn.imm == 0)
        if into or (insn.src == 0 and _calls_back(insn.imm)):
            return None
        regs &= ~1
        if regs & CALLER_SAVED:
            raise env.reject(EFAULT, "verifier-bug", f"BUG regs {regs:x}\n")
    elif insn.code & c.BPF_X and regs & (1 << insn.dst | 1 << insn.src):
        regs |= 1 << insn.dst | 1 << insn.src
    return regs, slots


def _mark_entry(env: Env, state: State, wanted: Masks) -> None:
    """At the start of a function that is verified by itself: only its arguments may still be looked for."""
    regs, slots = wanted
    frame = state.frames[0]
    if state.curframe or not frame.subprogno or frame.callsite != -1 or slots or regs & ~ARGS:
        text = f"BUG backtracing func entry subprog {frame.subprogno} reg_mask {regs:x} stack_mask {slots:x}\n"
        raise env.reject(EFAULT, "verifier-bug", text)
    for i in range(1, 6):
        if regs >> i & 1 and frame.regs[i].type == SCALAR_VALUE:
            frame.regs[i] = _precise(frame.regs[i])


def _mark_state(env: Env, state: State, frameno: int, wanted: Masks) -> tuple[Masks, bool]:
    """Mark in a parent state what is looked for; what is no scalar there is found.  Was any mark new?"""
    regs, slots = wanted
    changed = False
    frame = state.frames[frameno]
    for i in range(11):
        if regs >> i & 1:
            reg = frame.regs[i]
            if reg.type != SCALAR_VALUE:
                regs ^= 1 << i
            elif not reg.precise:
                frame.regs[i], changed = _precise(reg), True
    for i in range(64):
        if slots >> i & 1:
            if i >= len(frame.stack):
                mark_all_before(state)
                return (0, 0), False
            slot = frame.stack[i]
            if not is_spilled_scalar_reg(slot):
                slots ^= 1 << i
            elif not slot.spilled.precise:
                frame.stack[i], changed = make_slot(slot.types, _precise(slot.spilled)), True
    if is_told(env):
        had = "didn't have" if changed else "already had"
        if env.rules.state_behind_insn:
            env.say(f"parent {had} regs={regs:x} stack={slots:x} marks:")
            print_verifier_state(env, state, frameno, True)
        else:
            print_verifier_state(env, state, frameno, True)
            env.say(f"parent {had} regs={regs:x} stack={slots:x} marks\n")
    return (regs, slots), changed


def mark_all_before(state: State) -> None:
    """The way can't be followed: every scalar of every state before counts as precise."""
    at = state.parent
    while at is not None:
        for frame in at.frames:
            _force_frame(frame)
        at = at.parent


def _force_frame(frame: Frame) -> None:
    for i in range(10):
        reg = frame.regs[i]
        if reg.type == SCALAR_VALUE and not reg.precise:
            frame.regs[i] = _precise(reg)
    for i, slot in enumerate(frame.stack):
        if is_spilled_scalar_reg(slot) and not slot.spilled.precise:
            frame.stack[i] = make_slot(slot.types, _precise(slot.spilled))


def _precise(reg: Reg) -> Reg:
    reg = reg.copy()
    reg.precise = True
    return reg


def propagate_precision_flat(env: Env, old: State) -> None:
    """What matters in ``old``, and is read behind it, matters in the current state, which is like it."""
    for frameno in range(old.curframe, -1, -1):
        frame = old.frames[frameno]
        marks = frame.marks
        for i in range(10):
            reg = frame.regs[i]
            if reg.precise and reg.type == SCALAR_VALUE and (marks is None or marks.regs[i] & READ):
                if env.log.level2:
                    env.say(f"frame {frameno}: propagating r{i}\n")
                mark_chain_precision_flat(env, frameno, i, -1)
        for i, slot in enumerate(frame.stack):
            reg = slot.spilled
            if reg.precise and is_spilled_scalar_reg(slot) and (marks is None or marks.slot(i) & READ):
                if env.log.level2:
                    env.say(f"frame {frameno}: propagating fp{-8 * (i + 1)}\n")
                mark_chain_precision_flat(env, frameno, -1, i)


def _calls_back(func_id: int) -> bool:
    return is_sync_callback_calling_function(func_id) or is_async_callback_calling_function(func_id)
