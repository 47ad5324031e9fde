"""What the kernel's text of an instruction leaves out, said in a comment: ``; with src_reg=1 off=5``.

The text is read back; where the slot read differs from the slot written, the comment names the fields.
``next.`` marks fields of a wide instruction's second slot.
"""

from __future__ import annotations

import re

from osmia.asm.kernel_parse import Names, Pair, Source, read_insn
from osmia.asm.kernel_print import is_call
from osmia.errors import Place
from osmia.isa import OPS, Insn
from osmia.isa import consts as c

NO_NEXT = "no next slot"
_ALL = -1
_WITH = re.compile(r"with\s+(?:(?P<no>no next slot)|(?P<fields>(?:(?:next\.)?\w+=-?\d{1,19}(?:\s+|$))+))$")
_FIELD = re.compile(r"(next\.)?(\w+)=(-?\d{1,19})")
_LIMITS = {"code": (0, 255), "dst_reg": (0, 15), "src_reg": (0, 15), "off": (-(1 << 15), (1 << 15) - 1),
           "imm": (-(1 << 31), (1 << 31) - 1)}  # fmt: skip


def _masks() -> list[tuple[int, int, int, int] | None]:
    """By opcode: the bits of each field that must be 0 for the text to say it all; None where that depends on more."""
    masks: list[tuple[int, int, int, int] | None] = [None] * 256
    for op in OPS:
        fields = (op.dst, op.src, op.off, op.imm)
        if all(f == 0 for f in fields if isinstance(f, int)) and not op.wide and not is_call(op.code):
            dst, src, off, imm = (_ALL if f == 0 else 0 for f in fields)
            masks[op.code] = (dst, src, off, imm)
    return masks


_MASKS = _masks()


def unsaid(insn: Insn, following: Insn | None, text: str, helpers: Names) -> str:
    """The comment for this instruction, with a blank before it; empty where its text says everything."""
    masks = _MASKS[insn[0]]
    if masks and not (insn[1] & masks[0] or insn[2] & masks[1] or insn[3] & masks[2] or insn[4] & masks[3]):
        return ""
    if _says_all(insn, following):
        return ""
    read, half = read_insn(Source(text, Place(), helpers))
    if half is not None and following is None:
        words = [*_differences("", insn, read), NO_NEXT]
        return "".join(f" ; with {w}" for w in words)
    words = _differences("", insn, read) + (_differences("next.", following, half) if following and half else [])
    return f" ; with {' '.join(words)}" if words else ""


def _says_all(insn: Insn, following: Insn | None) -> bool:
    """The common calls and wide loads, without reading the text back."""
    code, dst, src, off, _ = insn
    if code == c.LD_IMM64:
        return src == 0 and off == 0 and following is not None and following[:4] == (0, 0, 0, 0)
    return code == c.BPF_JMP | c.BPF_CALL and dst == 0 and off == 0 and src <= c.BPF_PSEUDO_CALL


def _differences(prefix: str, real: Insn, read: Insn) -> list[str]:
    return [f"{prefix}{name}={a}" for name, a, b in zip(Insn._fields, real, read, strict=True) if a != b]


def apply(pair: Pair, comment: str, source: Source, at: int) -> Pair:
    """The instruction with what its comment adds; other comments (the verifier's states) change nothing.

    Raises AsmError for a field that does not exist or does not fit.
    """
    for part in comment.split(";"):
        words = part.strip()
        if match := _WITH.match(words):
            pair = _apply_one(pair, match, source, at)
    return pair


def _apply_one(pair: Pair, match: re.Match[str], source: Source, at: int) -> Pair:
    insn, following = pair
    if match["no"]:
        return insn, None
    for second, name, text in _FIELD.findall(match["fields"]):
        value, limits = int(text), _LIMITS.get(name)
        if limits is None or (second and following is None):
            source.fail(f"no field is called {second}{name} here", at)
        if not limits[0] <= value <= limits[1]:
            source.fail(f"{name}={text} does not fit {limits[0]}..{limits[1]}", at)
        if second and following is not None:
            following = following._replace(**{name: value})
        else:
            insn = insn._replace(**{name: value})
    return insn, following
