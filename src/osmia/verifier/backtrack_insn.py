"""One instruction taken back: what is looked for after it becomes what is looked for before it.

(``backtrack_insn`` in kernel/bpf/verifier.c, Linux 6.18; ``env.bt`` holds what is looked for.)
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
    )
    from osmia.verifier.env import Env
    from osmia.verifier.insn import VInsn
    from osmia.verifier.lines import verbose_insn
    from osmia.verifier.state import HistoryEntry

    ARGS = 0x3E  # R1 to R5
    TAIL_CALL = 12
    STORE, JUMP, NOTHING, ASK = 16, 32, 33, 34  # what back_kinds() says beside register numbers


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
    if kind == 0 and (insn.code & 0xE0) != 0:
        return ASK
    if kind == 0 or kind == 1 or kind == 4 or kind == 7:
        return insn.dst if insn.dst < 16 else ASK
    if kind == 5 or kind == 6:
        return ASK if opcode == 0x80 or opcode == 0x90 or insn.code & 8 else JUMP
    return ASK if (insn.code & 0xE0) == 0xC0 or insn.dst > 15 else STORE + insn.dst


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
    elif (insn.code & 0xE0) != 0 and subseq_idx - idx != 1 and env.rules.ld_abs_exit_traced:
        bt.clear_reg(0)
        _enter_callee(env)
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
