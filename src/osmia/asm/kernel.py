"""The verifier log's instruction text, both ways: ``0: (b7) r1 = 2675``.

``format_insn`` writes one instruction exactly as Linux 6.18 does, and ``format`` a program, one numbered line an
instruction.  The kernel's text leaves fields out: the source of a 64-bit immediate load (``map``, BTF id or plain
number), and reserved fields in use.  ``format`` adds a comment ``; with src_reg=1`` on such lines, unless
``plain=True`` asks for the kernel's text alone; ``parse`` reads it, so that every program survives the round trip.

``parse`` also takes a pasted verifier log, with its states, source lines and tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

from osmia.asm.kernel_log import read_program
from osmia.asm.kernel_print import PRINTERS, Kfuncs, format_call, format_wide
from osmia.asm.kernel_unsaid import unsaid
from osmia.isa import Insn
from osmia.isa import consts as c

__all__ = ["format", "format_insn", "format_lines", "helper_names", "parse"]

_NO_KFUNCS: Kfuncs = {}


@cache
def helper_names() -> Mapping[int, str]:
    """The helpers' names by number, from the kernel room."""
    from osmia.kernel.helpers import HELPERS

    return {helper.id: helper.name for helper in HELPERS}


def format_insn(
    insn: Insn,
    next_insn: Insn | None = None,
    *,
    helpers: Mapping[int, str] | None = None,
    kfuncs: Kfuncs = _NO_KFUNCS,
    ptr_leaks: bool = True,
) -> str:
    """One instruction as the verifier prints it: ``(bf) r6 = r1``.

    ``next_insn`` is the second slot of a 64-bit immediate load.  ``helpers`` maps numbers to names (by default the
    table of all helpers), ``kfuncs`` maps (BTF id, fd array index) to names; a kernel function without a name prints
    as ``kernel-function``.  ``ptr_leaks=False`` hides map and variable addresses, as for users without CAP_PERFMON.
    """
    code = insn[0]
    printer = PRINTERS[code]
    if printer is not None:
        return printer(insn)
    if code == c.LD_IMM64:
        return format_wide(insn, next_insn, ptr_leaks)
    return format_call(insn, helper_names() if helpers is None else helpers, kfuncs)


def format(
    insns: Iterable[Insn],
    *,
    helpers: Mapping[int, str] | None = None,
    kfuncs: Kfuncs = _NO_KFUNCS,
    number: bool = True,
    plain: bool = False,
) -> str:
    """A program, one line an instruction, numbered by slot as in the log (``number=False``: without).

    ``plain=True`` leaves out the comments on what the kernel's text does not say.
    """
    lines = format_lines(list(insns), helper_names() if helpers is None else helpers, kfuncs, plain)
    return "".join(f"{i}: {line}\n" if number else f"{line}\n" for i, line in lines)


def format_lines(
    insns: Sequence[Insn], helpers: Mapping[int, str], kfuncs: Kfuncs = _NO_KFUNCS, plain: bool = False
) -> Iterator[tuple[int, str]]:
    """Slot and text of every instruction; the second slot of a wide one has no line of its own."""
    skip = False
    for i, insn in enumerate(insns):
        if skip:
            skip = False
            continue
        skip = insn.is_wide
        following = insns[i + 1] if skip and i + 1 < len(insns) else None
        text = format_insn(insn, following, helpers=helpers, kfuncs=kfuncs)
        yield i, text if plain else text + unsaid(insn, following, text, helpers)


def parse(text: str, *, file: str | None = None, helpers: Mapping[int, str] | None = None) -> list[Insn]:
    """The program of a listing or of a pasted verifier log.

    Numbers and opcode bytes may be missing (``r1 = 2675``); comments behind ``;`` are passed over.  A log shows
    map and variable addresses instead of what the program held there, so such loads come back as plain 64-bit
    numbers.  Raises AsmError with line and column, also for a slot that the log never shows.
    """
    return read_program(text, file, helper_names() if helpers is None else helpers)
