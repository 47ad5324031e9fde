"""Which registers and stack slots are read, as kernels before 6.16 and 6.18 find out: by marks on the states.

A path that reads a register marks it in the remembered state that it came from, and in the one before that, until one
where the path in between had written it.  So when all paths from a state have been walked, what isn't marked in it was
read by none.  A register's place in the state before is the same place, but for arguments, which a function has from
its caller, and results, which go back to him.  (``mark_reg_read``, ``propagate_liveness`` and neighbours in
kernel/bpf/verifier.c, Linux 5.10 to 6.15.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from osmia.isa import consts as c
from osmia.verifier.consts import SCALAR_VALUE

if TYPE_CHECKING:
    from osmia.verifier.env import Env
    from osmia.verifier.insn import VInsn
    from osmia.verifier.regs import Reg
    from osmia.verifier.state import Frame, State

READ32, READ64, WRITTEN, DONE = 1, 2, 4, 8
READ = READ32 | READ64
SRC_OP = 0
Place = tuple[int, int]
"""A frame's number and a register's."""


class Marks:
    """The marks of a frame's ten registers and of its stack slots.

    ``fresh``: the frame has been entered since the last remembered state, which has no such place.  ``origins`` are the
    places in that state of registers that came from another frame; None for none.
    """

    __slots__ = ("fresh", "origins", "regs", "slots")

    def __init__(self) -> None:
        self.regs = bytearray(10)
        self.slots = bytearray()
        self.fresh = True
        self.origins: dict[int, Place | None] = {}

    def copy(self) -> Marks:
        """Marks of their own."""
        new = Marks()
        new.regs[:], new.slots[:] = self.regs, self.slots
        new.fresh, new.origins = self.fresh, dict(self.origins)
        return new

    def origin(self, fr: int, i: int) -> Place | None:
        """Where register ``i`` of frame ``fr`` stands in the state before."""
        return self.origins.get(i, None if self.fresh else (fr, i))

    def slot(self, i: int) -> int:
        """The marks of a slot."""
        return self.slots[i] if i < len(self.slots) else 0

    def mark_slot(self, i: int, mark: int) -> None:
        """Add to the marks of a slot."""
        if i >= len(self.slots):
            self.slots.extend(bytes(i + 1 - len(self.slots)))
        self.slots[i] |= mark

    def read_regs(self) -> int:
        """A bit for each register that was read."""
        return sum(1 << i for i in range(10) if self.regs[i] & READ)


def marks_of(frame: Frame) -> Marks:
    """A frame's marks; none yet for a new one."""
    if frame.marks is None:
        frame.marks = Marks()
    marks: Marks = frame.marks
    return marks


def mark_text(mark: int) -> str:
    """As the log shows marks: ``_rw``."""
    if not mark:
        return ""
    return "_" + ("r" if mark & READ else "") + ("w" if mark & WRITTEN else "") + ("D" if mark & DONE else "")


# -- what an instruction does


def mark_reg_arg(env: Env, regno: int, reg: Reg, t: int) -> None:
    """The instruction reads (SRC_OP) or writes a register of the innermost frame."""
    if regno == 10:
        return
    state = env.state
    frame = state.frames[state.curframe]
    if t == SRC_OP:
        flag = READ64 if is_reg64(env.insns[env.insn_idx], reg, t) else READ32
        mark_reg_read(env, state, state.curframe, regno, flag)
    else:
        marks_of(frame).regs[regno] |= WRITTEN


def is_reg64(insn: VInsn, reg: Reg, t: int) -> bool:
    """Does the instruction use all of the register, or its low half?"""
    kind, op = insn.code & 7, insn.code & 0xF0
    if kind == c.BPF_JMP and op == c.BPF_CALL:
        return insn.src != c.BPF_PSEUDO_CALL and t == SRC_OP
    if kind in (c.BPF_ALU, c.BPF_JMP32):
        return kind == c.BPF_ALU and op == c.BPF_END and insn.imm == 64
    whole = insn.code & 0x18 == c.BPF_DW
    if kind == c.BPF_LDX:
        return t == SRC_OP or whole
    if kind == c.BPF_STX:
        return reg.type != SCALAR_VALUE or whole
    return kind != c.BPF_LD or insn.code & 0xE0 == c.BPF_IMM or t == SRC_OP


def mark_regs_written(env: Env, regs: list[Reg], count: int) -> None:
    """A call forgets R0 to R5."""
    for frame in env.state.frames:
        if frame.regs is regs:
            marks = marks_of(frame)
            for i in range(count):
                marks.regs[i] |= WRITTEN


def pass_arguments(caller: Frame, callee: Frame) -> None:
    """R1 to R5 of a called function are the caller's, marks and all."""
    for i in range(1, 6):
        pass_register(caller, callee, i, i)


def pass_register(caller: Frame, callee: Frame, source: int, regno: int) -> None:
    """One register of a called function is one of the caller's."""
    theirs, ours = marks_of(caller), marks_of(callee)
    ours.regs[regno] = theirs.regs[source]
    ours.origins[regno] = theirs.origin(caller.frameno, source)


def pass_result(callee: Frame, caller: Frame) -> None:
    """R0 of the caller is the function's."""
    theirs, ours = marks_of(callee), marks_of(caller)
    ours.regs[0] = theirs.regs[0]
    ours.origins[0] = theirs.origin(callee.frameno, 0)


def take_marks(env: Env, dst: int, src: int) -> None:
    """Register ``dst`` becomes ``src`` in all that is known of it, where it was written included."""
    state = env.state
    marks = marks_of(state.frames[state.curframe])
    marks.regs[dst] = marks.regs[src] if src < 10 else 0
    marks.origins[dst] = marks.origin(state.curframe, src) if src < 10 else None


def mark_slots_read(env: Env, frameno: int, mask: int) -> None:
    """The instruction may read these slots."""
    i = 0
    while mask:
        if mask & 1:
            mark_slot_read(env, env.state, frameno, i, READ64)
        mask >>= 1
        i += 1


def mark_slots_written(env: Env, frameno: int, mask: int) -> None:
    """The instruction surely writes all of these slots."""
    marks = marks_of(env.state.frames[frameno])
    i = 0
    while mask:
        if mask & 1:
            marks.mark_slot(i, WRITTEN)
        mask >>= 1
        i += 1


# -- back along the remembered states


def mark_reg_read(env: Env, state: State, fr: int, i: int, flag: int) -> None:
    """Mark a register of ``state`` as read in the states before, as far as its value comes from them."""
    count = 0
    while True:
        marks = marks_of(state.frames[fr])
        place = marks.origin(fr, i)
        parent = state.parent
        if marks.regs[i] & WRITTEN or parent is None or place is None:
            break
        fr, i = place
        theirs = marks_of(parent.frames[fr]).regs
        if not _add(theirs, i, flag):
            break
        state = parent
        count += 1
    env.longest_mark_read_walk = max(env.longest_mark_read_walk, count)


def mark_slot_read(env: Env, state: State, fr: int, i: int, flag: int) -> None:
    """The same for a stack slot."""
    count = 0
    while True:
        marks = marks_of(state.frames[fr])
        parent = state.parent
        if marks.slot(i) & WRITTEN or parent is None or marks.fresh or i >= len(parent.frames[fr].stack):
            break
        theirs = marks_of(parent.frames[fr])
        theirs.mark_slot(i, 0)
        if not _add(theirs.slots, i, flag):
            break
        state = parent
        count += 1
    env.longest_mark_read_walk = max(env.longest_mark_read_walk, count)


def _add(marks: bytearray, i: int, flag: int) -> bool:
    """Add a read; False when that was known."""
    known = marks[i]
    if known & READ == flag or known & READ64:
        return False
    known |= flag
    marks[i] = known & ~READ32 if flag == READ64 else known
    return True


def propagate_liveness(env: Env, old: State, cur: State) -> None:
    """The path ends at a state like ``old``: what is read behind that is read behind ``cur``, written or not."""
    for fr in range(old.curframe + 1):
        theirs, ours = marks_of(old.frames[fr]), marks_of(cur.frames[fr])
        for i in range(6 if fr < old.curframe else 0, 10):
            flag = theirs.regs[i] & READ
            if flag and _add(ours.regs, i, flag):
                _go_on(env, cur, fr, i, flag, False)
        for i in range(min(len(old.frames[fr].stack), len(cur.frames[fr].stack))):
            flag = theirs.slot(i) & READ
            ours.mark_slot(i, 0)
            if flag and _add(ours.slots, i, flag):
                _go_on(env, cur, fr, i, flag, True)


def _go_on(env: Env, cur: State, fr: int, i: int, flag: int, slot: bool) -> None:
    """One step of the way is done, to ``cur``; the others are as for a read there."""
    longest, env.longest_mark_read_walk = env.longest_mark_read_walk, 0
    if slot:
        mark_slot_read(env, cur, fr, i, flag)
    else:
        mark_reg_read(env, cur, fr, i, flag)
    env.longest_mark_read_walk = max(longest, env.longest_mark_read_walk + 1)


def start_over(cur: State, new: State) -> None:
    """``new``, a copy of ``cur``, is remembered: nothing was written since, and every place is there."""
    for fr in range(cur.curframe + 1):
        marks_of(new.frames[fr])
        marks = marks_of(cur.frames[fr])
        marks.regs = bytearray(10)
        marks.slots = bytearray(len(cur.frames[fr].stack))
        marks.fresh = False
        marks.origins = {}
