"""The assembly of uBPF and of the public conformance suite, both ways: ``ldxdw %r0, [%r1+8]``.

Comments begin with ``#`` or ``//``; ``name:`` names a position; ``;`` ends an instruction, so that several fit
on a line; jump targets are names or distances (``+3``).  A jump to ``exit`` goes to the first ``exit``
instruction unless a label of that name stands elsewhere, as in the suite's assembler.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from osmia.asm.dialect import Labels, jump_targets
from osmia.asm.ubpf_parse import Mismatch, Reader, statement, tokens
from osmia.asm.ubpf_print import spelled, write, write_raw
from osmia.isa import Insn
from osmia.isa import consts as c

__all__ = ["format", "format_insn", "parse"]


def _distance(value: int) -> str:
    return f"{value:+d}"


def format_insn(insn: Insn, next_insn: Insn | None = None, target: Callable[[int], str] = _distance) -> str:
    """One instruction; ``target`` writes the distance of a jump.

    A wide load needs its second slot; without a proper one, and wherever a reserved field is in use, the slot is
    written raw: ``.slot 0x18, 1, 0, 0, 5``.
    """
    spelling = spelled(insn)
    if spelling is None or (insn.is_wide and (next_insn is None or next_insn[:4] != (0, 0, 0, 0))):
        return write_raw(insn)
    return write(spelling, insn, next_insn, target)


def format(insns: Iterable[Insn], *, labels: bool = False) -> str:
    """A program, one line an instruction; ``labels=True`` names the targets of jumps (``L7:``)."""
    program = list(insns)
    starts = _starts(program)
    named = set(jump_targets(program, calls=True).values()) & {*starts, len(program)} if labels else set[int]()
    lines = []
    for slot in starts:
        following = program[slot + 1] if slot + 1 < len(program) else None
        names = _names(slot, named) if named else _distance
        lines.append((f"L{slot}:\n" if slot in named else "") + format_insn(program[slot], following, names))
    end = f"L{len(program)}:\n" if len(program) in named else ""
    return "".join(f"{line}\n" for line in lines) + end


def _starts(program: Sequence[Insn]) -> list[int]:
    """The slots that begin a line: all but the proper second halves of wide loads."""
    starts, second = [], False
    for i, insn in enumerate(program):
        if second and insn[:4] == (0, 0, 0, 0) and spelled(program[i - 1]):
            second = False
            continue
        starts.append(i)
        second = insn.is_wide
    return starts


def _names(slot: int, named: set[int]) -> Callable[[int], str]:
    def target(distance: int) -> str:
        to = slot + 1 + distance
        return f"L{to}" if to in named else _distance(distance)

    return target


def parse(text: str, *, file: str | None = None) -> list[Insn]:
    """The slots of an assembly text.  Raises AsmError with line and column."""
    insns: list[Insn] = []
    labels = Labels()
    for number, line in enumerate(text.split("\n"), 1):
        reader = Reader(tokens(line, file, number))
        while reader.token.kind != "end":
            _one(reader, labels, insns)
    if "exit" not in labels.slots:
        first = next((i for i, insn in enumerate(insns) if insn.code == c.BPF_JMP | c.BPF_EXIT), None)
        if first is not None:
            labels.slots["exit"] = first
    labels.resolve(insns)
    return insns


def _one(reader: Reader, labels: Labels, insns: list[Insn]) -> None:
    """A label, a ``;`` or an instruction."""
    token = reader.token
    if reader.maybe(";"):
        return
    if token.kind == "word" and reader.line[reader.at + 1].text == ":":
        reader.at += 2
        labels.define(token.text, len(insns), token.place)
        return
    try:
        insns.extend(statement(reader, labels, len(insns)))
    except Mismatch as miss:
        miss.token.fail(f"expected {miss.wanted}, not {miss.token.text!r}")
