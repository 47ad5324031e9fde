"""A value that may be a pointer into the stack, followed through registers and spills without walking any path.

(``struct arg_track``, ``arg_track_xfer`` in kernel/bpf/liveness.c, Linux 7.1.)
"""

from __future__ import annotations

from osmia.isa import consts as c
from osmia.verifier.env import Env
from osmia.verifier.insn import VInsn

Track = tuple[int, tuple[int, ...]]
"""The frame and at most four offsets from its frame pointer, none where they are not known; or one of those below."""

NO_FRAME, IMPRECISE = -1, -3
NONE: Track = (NO_FRAME, ())
"""No pointer into the stack.  (IMPRECISE, (mask,)) is one into any of the frames in the mask."""
REGISTERS, SLOTS = 11, 64
MOST = 4
MIN, MAX = -0x8000, 0x7FFF
SIZES = {c.BPF_W: 4, c.BPF_H: 2, c.BPF_B: 1, c.BPF_DW: 8}


def single(frame: int, off: int) -> Track:
    """A known place."""
    return (frame, (off,))


def is_fp(track: Track) -> bool:
    """May it lead into a stack?"""
    return track[0] != NO_FRAME


def show(track: Track) -> str:
    """As the log writes it."""
    frame, offsets = track
    if frame == NO_FRAME:
        return "_"
    if frame == IMPRECISE:
        return f"IMP{offsets[0]:x}"
    return "|".join(f"fp{frame}{off:+d}" for off in offsets) if offsets else f"fp{frame} ?"


def joined(a: Track, b: Track) -> Track:
    """What holds of both.  A place and no pointer are the place and the frame's end, so that it is no sure write."""
    if a[0] >= 0 and a[0] == b[0]:
        return merged(a, b) if a[1] and b[1] else (a[0], ())
    if a == NONE and b == NONE:
        return a
    if a[0] >= 0 and b == NONE:
        return merged(a, single(a[0], 0)) if len(a[1]) == 1 else a
    if b[0] >= 0 and a == NONE:
        return merged(b, single(b[0], 0)) if len(b[1]) == 1 else b
    return imprecise(a, b)


def merged(a: Track, b: Track) -> Track:
    """The offsets of both, in order; none when they are too many."""
    offsets = tuple(sorted({*a[1], *b[1]}))
    return (a[0], offsets if len(offsets) <= MOST else ())


def imprecise(a: Track, b: Track) -> Track:
    """Any of the frames of both."""
    mask = 0
    for frame, offsets in (a, b):
        mask |= 1 << frame if frame >= 0 else offsets[0] if frame == IMPRECISE else 0
    return (IMPRECISE, (mask,))


def moved(track: Track, by: int) -> Track:
    """Moved by a constant; nothing is known of the offset where that is too far."""
    if track[0] < 0 or not track[1]:
        return track
    if not MIN <= by <= MAX:
        return (track[0], ())
    offsets = tuple([off + by for off in track[1]])
    return (track[0], offsets if all(MIN <= off <= MAX for off in offsets) else ())


def mixed(dst: Track, src: Track) -> Track:
    """After an operation on both that is no move."""
    if dst[0] >= 0 and (src == NONE or src[0] == dst[0]):
        return (dst[0], ())
    if src[0] >= 0 and dst == NONE:
        return (src[0], ())
    return NONE if dst == src == NONE else imprecise(dst, src)


def slot_of(off: int) -> int:
    """The slot that begins at an offset, or -1."""
    return -off // 8 - 1 if -8 * SLOTS <= off < 0 and off % 8 == 0 else -1


class Flow:
    """What instructions do to the tracks of registers and slots, in a function at some depth of calls."""

    def __init__(self, env: Env, depth: int, stacks: dict[int, list[Track]], callsites: list[int]) -> None:
        self.depth = depth
        self.stacks = stacks
        self.callsites = callsites

    def step(self, insn: VInsn, regs: list[Track], slots: list[Track]) -> None:
        """One instruction; both lists are changed."""
        kind = insn.code & 7
        if kind == c.BPF_ALU64:
            regs[insn.dst] = self._alu(insn, regs[insn.dst], regs[insn.src])
        elif kind == c.BPF_ALU or (kind == c.BPF_LD and insn.code & 0xE0 == c.BPF_IMM):
            regs[insn.dst] = NONE
        elif insn.code & 0xF7 == c.BPF_JMP | c.BPF_CALL:
            regs[:6] = [NONE] * 6
        elif kind == c.BPF_LDX:
            regs[insn.dst] = self._load(insn, regs, slots)
        elif kind == c.BPF_STX:
            self._store(insn, regs, slots)
        elif kind == c.BPF_ST and insn.code & 0xE0 == c.BPF_MEM and self._is_local(insn.dst, regs):
            self._clear_all(insn, regs[insn.dst], slots)

    def _is_local(self, regno: int, regs: list[Track]) -> bool:
        frame, offsets = regs[regno]
        return regno == 10 or frame == self.depth or (frame == IMPRECISE and offsets[0] >> self.depth & 1 == 1)

    def _alu(self, insn: VInsn, dst: Track, src: Track) -> Track:
        op = insn.code & 0xF0
        if insn.code & c.BPF_X:
            if op == c.BPF_MOV:
                return src if insn.off == 0 else NONE
            return mixed(dst, src)
        if op == c.BPF_MOV:
            return NONE
        if dst[0] < 0:
            return dst
        if op == c.BPF_ADD:
            return moved(dst, insn.imm)
        return moved(dst, -insn.imm) if op == c.BPF_SUB else (dst[0], ())

    def _load(self, insn: VInsn, regs: list[Track], slots: list[Track]) -> Track:
        src = regs[insn.src]
        if insn.code & 0xE0 != c.BPF_MEM or insn.code & 0x18 != c.BPF_DW:
            return NONE
        if self._is_local(insn.src, regs):
            return filled(insn, src, slots, self.depth)
        if 0 <= src[0] < self.depth:
            return filled(insn, src, self.stacks[self.callsites[src[0]]], src[0])
        return src if src[0] == IMPRECISE and src[1][0] else NONE

    def _store(self, insn: VInsn, regs: list[Track], slots: list[Track]) -> None:
        local = self._is_local(insn.dst, regs)
        if insn.code & 0xE0 == c.BPF_MEM and local:
            spill(insn, regs[insn.dst], regs[insn.src], slots)
        if insn.code & 0xE0 != c.BPF_ATOMIC:
            return
        if local and insn.imm != c.BPF_LOAD_ACQ:
            self._clear_all(insn, regs[insn.dst], slots)
        if insn.imm == c.BPF_CMPXCHG:
            regs[0] = NONE
        elif insn.imm == c.BPF_LOAD_ACQ:
            regs[insn.dst] = NONE
        elif insn.imm & c.BPF_FETCH:
            regs[insn.src] = NONE

    def _clear_all(self, insn: VInsn, pointer: Track, slots: list[Track]) -> None:
        """Something that is no pointer may lie where a store goes."""
        size = SIZES[insn.code & 0x18]
        if insn.dst == 10:
            clear(slots, insn.off, size, True)
            return
        there = moved(pointer, insn.off)
        if there[0] < 0 or not there[1]:
            for i, old in enumerate(slots):
                slots[i] = joined(old, NONE)
            return
        for off in there[1]:
            clear(slots, off, size, len(there[1]) == 1)


def clear(slots: list[Track], off: int, size: int, surely: bool) -> None:
    """The slots that a store of ``size`` bytes at ``off`` meets."""
    for i in range(SLOTS):
        if -8 * (i + 1) < off + size and -8 * i > off:
            slots[i] = NONE if surely else joined(slots[i], NONE)


def filled(insn: VInsn, pointer: Track, slots: list[Track], depth: int) -> Track:
    """What an 8-byte load from the stack finds."""
    anything: Track = (IMPRECISE, ((2 << depth) - 1,))
    if insn.src == 10:
        slot = slot_of(insn.off)
        return slots[slot] if slot >= 0 else anything
    there = moved(pointer, insn.off)
    if there[0] < 0 or not there[1]:
        return anything
    found = NONE
    for off in there[1]:
        slot = slot_of(off)
        if slot < 0:
            return anything
        found = joined(found, slots[slot])
    return found


def spill(insn: VInsn, pointer: Track, value: Track, slots: list[Track]) -> None:
    """What a store leaves in the slots that it may go to."""
    new = value if insn.code & 0x18 == c.BPF_DW else NONE
    if insn.dst == 10:
        slot = slot_of(insn.off)
        if slot >= 0:
            slots[slot] = new
        return
    if pointer[0] < 0 or not pointer[1]:
        for i, old in enumerate(slots):
            slots[i] = joined(old, new)
        return
    for off in pointer[1]:
        slot = slot_of(off + insn.off)
        if slot >= 0:
            slots[slot] = new if len(pointer[1]) == 1 else joined(slots[slot], new)
