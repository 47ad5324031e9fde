"""Going back: a decision rested on a number, so every register and slot that the number came from must be precise.

From a decision the walk's own path is read backwards, instruction by instruction, state by state, with ``env.bt`` as
the set of what is still looked for.  Only parent states get marks: a state that is still walked forgets its own.
(``push_jmp_history``, ``backtrack_insn``, ``__mark_chain_precision`` in kernel/bpf/verifier.c, Linux 6.18.)
"""

from __future__ import annotations

from errno import EFAULT

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.verifier.text import fmt_reg_mask, fmt_stack_mask

if not cython.compiled:
    from osmia.verifier.bt import Backtrack
    from osmia.verifier.consts import (
        INSN_F_DST_REG_STACK,
        INSN_F_FRAMENO_MASK,
        INSN_F_SPI_MASK,
        INSN_F_SPI_SHIFT,
        INSN_F_SRC_REG_STACK,
        INSN_F_STACK_ACCESS,
        MAX_CALL_FRAMES,
        SCALAR_VALUE,
    )  # fmt: skip
    from osmia.verifier.env import Env
    from osmia.verifier.insn import VInsn
    from osmia.verifier.lines import verbose_insn
    from osmia.verifier.printing import print_verifier_state
    from osmia.verifier.regs import Reg
    from osmia.verifier.slots import is_spilled_scalar_reg, make_slot
    from osmia.verifier.state import Frame, HistoryEntry, State
    from osmia.words import s32

    ARGS = 0x3E  # R1 to R5
    TAIL_CALL = 12
    STORE, JUMP, NOTHING, ASK = 16, 32, 33, 34  # what back_kinds() says beside register numbers


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
    mark_chain_precision_from(env, env.state, regno)


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


def back_kinds(env: Env) -> bytearray:
    """For every instruction, what must be looked for if taking it back is to change anything.

    A number below 16 is a register.  STORE and a register: that one or the slot that was written; JUMP: registers that
    are linked; NOTHING; ASK: it can't be told so simply.
    """
    found: bytearray | None = env.room.get("back kinds")
    if found is None:
        found = env.room["back kinds"] = bytearray([_back_kind(insn) for insn in env.insns])
    return found


def _back_kind(insn: VInsn) -> int:
    kind = insn.code & 7
    opcode = insn.code & 0xF0
    if insn.code == 0:
        return NOTHING
    if (kind == 4 or kind == 7) and opcode != 0xB0 and not (insn.code & 8 and opcode != 0xD0 and opcode != 0x80):
        return NOTHING
    if kind == 0 or kind == 1 or kind == 4 or kind == 7:
        return insn.dst if insn.dst < 16 else ASK
    if kind == 5 or kind == 6:
        return ASK if opcode == 0x80 or opcode == 0x90 or insn.code & 8 else JUMP
    return ASK if (insn.code & 0xE0) == 0xC0 or insn.dst > 15 else STORE + insn.dst


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


def backtrack_insn(env: Env, idx: int, subseq_idx: int, hist: HistoryEntry | None) -> bool:
    """Take back one instruction: what ``env.bt`` needs after it becomes what it needs before.

    ``subseq_idx`` is the instruction that the path ran after it, -1 if none did.  False when it can't be told.
    """
    insn = env.insns[idx]
    if insn.code == 0:
        return True
    bt = env.bt
    if env.log.level2:
        stack = fmt_stack_mask(bt.stack())
        env.say(f"mark_precise: frame{bt.frame}: regs={fmt_reg_mask(bt.regs())} stack={stack} before {idx}: ")
        verbose_insn(env, insn)
    kind = insn.code & 7
    if kind == 4 or kind == 7:
        _back_alu(bt, insn)
    elif kind == 1 or (kind == 3 and (insn.code & 0xE0) == 0xC0 and insn.imm == 0x100):
        _back_load(bt, insn.dst, hist)
    elif kind == 2 or kind == 3:
        return _back_store(bt, insn, hist)
    elif kind == 5 or kind == 6:
        opcode = insn.code & 0xF0
        if opcode == 0x80:
            return _back_call(env, insn, idx, subseq_idx)
        if opcode == 0x90:
            _back_exit(env, subseq_idx)
        else:
            _back_cond(bt, insn, hist)
    elif bt.has_reg(insn.dst):
        bt.clear_reg(insn.dst)
        return (insn.code & 0xE0) == 0
    return True


def _back_alu(bt: Backtrack, insn: VInsn) -> None:
    opcode = insn.code & 0xF0
    if not bt.has_reg(insn.dst) or opcode == 0xD0 or opcode == 0x80:
        return
    if opcode == 0xB0:
        bt.clear_reg(insn.dst)
    if insn.code & 8 and insn.src != 10:
        bt.set_reg(insn.src)


def _back_load(bt: Backtrack, dst: int, hist: HistoryEntry | None) -> None:
    """A value loaded from the stack came from there; one from other memory is as it is."""
    if not bt.has_reg(dst):
        return
    bt.clear_reg(dst)
    if hist is not None and hist.flags & INSN_F_STACK_ACCESS:
        bt.set_frame_slot(hist.flags & INSN_F_FRAMENO_MASK, hist.flags >> INSN_F_SPI_SHIFT & INSN_F_SPI_MASK)


def _back_store(bt: Backtrack, insn: VInsn, hist: HistoryEntry | None) -> bool:
    """A spill; an address that was once a scalar in question (a difference of pointers) can't be followed."""
    if bt.has_reg(insn.dst):
        return False
    if hist is None or not hist.flags & INSN_F_STACK_ACCESS:
        return True
    spi = hist.flags >> INSN_F_SPI_SHIFT & INSN_F_SPI_MASK
    fr = hist.flags & INSN_F_FRAMENO_MASK
    if bt.has_frame_slot(fr, spi):
        bt.clear_frame_slot(fr, spi)
        if insn.code & 7 == 3:
            bt.set_reg(insn.src)
    return True


def _back_cond(bt: Backtrack, insn: VInsn, hist: HistoryEntry | None) -> None:
    """A jump: two registers that were compared depend on each other, linked ones on all of their kind."""
    linked = flags = 0
    if hist is not None:
        linked, flags = hist.linked_regs, hist.flags
    if linked:
        bt_sync_linked_regs(bt, linked)
    if insn.code & 8 and (bt.has_reg(insn.dst) or bt.has_reg(insn.src)):
        if not flags & INSN_F_SRC_REG_STACK:
            bt.set_reg(insn.src)
        if not flags & INSN_F_DST_REG_STACK:
            bt.set_reg(insn.dst)
        if linked:
            bt_sync_linked_regs(bt, linked)


def bt_sync_linked_regs(bt: Backtrack, linked: int) -> None:
    """If one of a set of linked registers and slots is looked for, all are (the word is explained in linked.py)."""
    wanted = False
    rest = linked >> 4
    i = linked & 15
    while i:
        if rest & 512:
            wanted = wanted or bt.has_frame_reg(rest & 7, rest >> 3 & 63)
        else:
            wanted = wanted or bt.has_frame_slot(rest & 7, rest >> 3 & 63)
        rest >>= 10
        i -= 1
    if not wanted:
        return
    rest = linked >> 4
    i = linked & 15
    while i:
        if rest & 512:
            bt.set_frame_reg(rest & 7, rest >> 3 & 63)
        else:
            bt.set_frame_slot(rest & 7, rest >> 3 & 63)
        rest >>= 10
        i -= 1


def _back_call(env: Env, insn: VInsn, idx: int, subseq_idx: int) -> bool:
    """A call: out of the function it led into, or, when that was not walked here, over it."""
    bt = env.bt
    if insn.code == 0x85 and insn.src == 1:
        number = env.find_subprog(idx + insn.imm + 1)
        if number < 0:
            raise env.reject(EFAULT, "verifier-bug", "")
        callee = env.subprogs[number]
        if callee.linkage == 1:
            _refuse_regs(env, "global subprog", ARGS)
            bt.clear_reg(0)
            return True
        _refuse_regs(env, "static subprog", ARGS ^ 0xFFFF)
        _refuse_slots(env, "static subprog")
        _leave_callee(bt, True)
        return True
    if insn.calls_callback and idx != subseq_idx - 1:
        _refuse_regs(env, "callback", ARGS ^ 0xFFFF)
        _refuse_slots(env, "callback")
        _leave_callee(bt, False)
        return True
    if insn.src == 2 and insn.imm == 0:
        return False
    bt.clear_reg(0)
    _refuse_regs(env, "backtracking call", ARGS)
    if insn.src == 0 and insn.imm == TAIL_CALL and subseq_idx - idx != 1:
        _enter_callee(env)
    return True


def _leave_callee(bt: Backtrack, pass_args: bool) -> None:
    """Back to the caller, who set the arguments unless a helper did."""
    caller = bt.frame - 1
    for i in range(1, 6):
        if bt.has_reg(i):
            bt.clear_reg(i)
            if pass_args:
                bt.set_frame_reg(caller, i)
    bt.frame = caller


def _back_exit(env: Env, subseq_idx: int) -> None:
    """Into a function that the path had returned from: its R0 is the caller's, if it was called by an instruction."""
    bt = env.bt
    called = False
    if subseq_idx >= 0:
        subseq = env.insns[subseq_idx]
        if subseq.calls_callback:
            for i in range(1, 6):
                bt.clear_reg(i)
    _refuse_regs(env, "backtracking exit", ARGS)
    if subseq_idx >= 1:
        before = env.insns[subseq_idx - 1]
        called = before.code == 0x85 and before.src == 1 and bt.has_reg(0)
    bt.clear_reg(0)
    _enter_callee(env)
    if called:
        bt.set_reg(0)


def _enter_callee(env: Env) -> None:
    """One frame further in."""
    bt = env.bt
    if bt.frame == MAX_CALL_FRAMES - 1:
        raise env.reject(EFAULT, "verifier-bug", f"verifier bug: subprog enter from frame {bt.frame}\n")
    bt.frame += 1


def _refuse_regs(env: Env, where: str, mask: int) -> None:
    """Registers that can't be looked for at such a place: the verifier has lost its way."""
    bt = env.bt
    if bt.regs() & mask:
        raise env.reject(EFAULT, "verifier-bug", f"verifier bug: {where} unexpected regs {bt.regs():x}\n")


def _refuse_slots(env: Env, where: str) -> None:
    bt = env.bt
    if bt.stack():
        raise env.reject(EFAULT, "verifier-bug", f"verifier bug: {where} leftover stack slots {bt.stack():x}\n")
    if bt.frame == 0:
        raise env.reject(EFAULT, "verifier-bug", "verifier bug: subprog exit from frame 0\n")
