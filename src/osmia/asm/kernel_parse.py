"""One instruction of the verifier log's text back into its slot(s).

The text is matched against the forms that ``kernel_print`` writes.  Where the opcode byte stands before it
(``(bf) r1 = r2``) that byte decides, and the text must be the one which it prints; without it the opcode
follows from the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from osmia.asm import kernel_print as p
from osmia.errors import AsmError, Place
from osmia.isa import Insn
from osmia.isa import consts as c
from osmia.isa.insn import s32

Names = Mapping[int, str]
Pair = tuple[Insn, Insn | None]
_PREFIX = re.compile(r"\(([0-9a-fA-F]{2})\)\s*")
_LIMITS = {"reg": (0, 15), "off": (-(1 << 15), (1 << 15) - 1), "imm": (-(1 << 31), (1 << 32) - 1), "code": (0, 255)}


@dataclass(frozen=True, slots=True)
class Source:
    """A text to read, the place of its first character, and the helpers' names."""

    text: str
    place: Place
    helpers: Names

    def fail(self, reason: str, at: int = 0) -> NoReturn:
        """Raise AsmError for the character ``at`` of the text."""
        raise AsmError(reason, self.place, column=(self.place.column or 1) + at)


class Parts:
    """A matched form: its operands as numbers, range-checked."""

    def __init__(self, source: Source, match: re.Match[str], base: int) -> None:
        self.source, self.match, self.base = source, match, base

    def text(self, name: str) -> str | None:
        """The text of a group, None where it did not take part."""
        return self.match.groupdict().get(name)

    def number(self, name: str, kind: str) -> int:
        """The number in a group (0 where it did not take part), within the range of its kind of field."""
        text = self.text(name)
        if text is None:
            return 0
        value = int(text, 16) if text.lstrip("+-").lower().startswith("0x") else int(text)
        low, high = _LIMITS[kind]
        if not low <= value <= high:
            self.source.fail(f"{text} does not fit {low}..{high}", self.match.start(name))
        return value

    def insn(self, code: int | None, **fields: int) -> Insn:
        """The slot with the operands that every form names alike."""
        dst, src = self.number("dst", "reg"), self.number("src", "reg")
        off, imm = self.number("off", "off"), s32(self.number("imm", "imm"))
        return Insn(code or 0, dst, src, off, imm)._replace(**fields)


_ALU_OPS = {sign: op for op, sign in p.ALU.items()}
_SIGNED_OPS = {sign: op for op, sign in p.SIGNED_ALU.items()}
_JUMP_OPS = {sign: op for op, sign in p.JUMPS.items() if op not in (c.BPF_JA, c.BPF_EXIT)}
_SIZES = {name: size | c.BPF_MEM for size, name in p.SIZES.items()} | {
    name: size | c.BPF_MEMSX for size, name in p.SIGNED_SIZES.items()
}
_CASTS = {cast: off for off, cast in p.MOVSX.items()}
_ATOMICS = {name: op for op, name in p.ATOMICS.items()}
_BUG_CLASSES = {"": c.BPF_STX, "ld_": c.BPF_LD, "ldx_": c.BPF_LDX, "st_": c.BPF_ST}
Builder = Callable[[Parts], Insn]


def _size(parts: Parts) -> int:
    return _SIZES[parts.text("size") or ""] & 0x18


def _alu_class(parts: Parts) -> int:
    return c.BPF_ALU if parts.text("w") == "w" else c.BPF_ALU64


def _alu(parts: Parts) -> Insn:
    sign, cast = parts.text("op") or "", parts.text("cast")
    signed = sign in _SIGNED_OPS
    op = _SIGNED_OPS.get(sign, _ALU_OPS.get(sign, 0xE0))  # 0xe0: no name; only an opcode byte before it can mean it
    source = c.BPF_X if parts.text("src") is not None else c.BPF_K
    return parts.insn(_alu_class(parts) | op | source, off=1 if signed else _CASTS[cast] if cast else 0)


def _swap(parts: Parts) -> Insn:
    name = parts.text("swap")
    code = c.BPF_ALU64 | c.BPF_END if name == "bswap" else c.BPF_ALU | c.BPF_END
    return parts.insn(code | (c.BPF_TO_BE if name == "be" else 0))


def _space_cast(parts: Parts) -> Insn:
    to, source = (parts.number(n, "imm") & 0xFFFF for n in ("to", "from"))
    return parts.insn(c.BPF_ALU64 | c.BPF_MOV | c.BPF_X, off=c.BPF_ADDR_SPACE_CAST, imm=s32(to << 16 | source))


def _percpu(parts: Parts) -> Insn:
    return parts.insn(c.BPF_ALU64 | c.BPF_MOV | c.BPF_X, off=p.ADDR_PERCPU)


def _load(parts: Parts) -> Insn:
    return parts.insn(c.BPF_LDX | _SIZES[parts.text("size") or ""])


def _packet(parts: Parts) -> Insn:
    return parts.insn(c.BPF_LD | _size(parts) | (c.BPF_ABS if parts.text("src") is None else c.BPF_IND))


def _store(parts: Parts) -> Insn:
    return parts.insn((c.BPF_ST if parts.text("src") is None else c.BPF_STX) | c.BPF_MEM | _size(parts))


def _atomic(imm: int) -> Builder:
    return lambda parts: parts.insn(c.BPF_STX | c.BPF_ATOMIC | _size(parts), imm=imm)


def _lock(parts: Parts) -> Insn:
    return _atomic(_ALU_OPS[parts.text("op") or ""])(parts)


def _fetch(parts: Parts) -> Insn:
    return _atomic(_ATOMICS[parts.text("op") or ""] | c.BPF_FETCH)(parts)


def _compare(parts: Parts) -> Insn:
    cls = c.BPF_JMP32 if parts.text("w") == "w" else c.BPF_JMP
    op = _JUMP_OPS.get(parts.text("op") or "", 0xF0)
    return parts.insn(cls | op | (c.BPF_K if parts.text("src") is None else c.BPF_X))


def _call(parts: Parts) -> Insn:
    name, insn = parts.text("name"), parts.insn(c.BPF_JMP | c.BPF_CALL)
    helper = "bpf_unspec" if insn.imm == 0 else parts.source.helpers.get(insn.imm)
    known = name in (helper, "unknown")
    return insn if known else insn._replace(src_reg=c.BPF_PSEUDO_KFUNC_CALL)


def _bug(parts: Parts) -> Insn:
    code, kind = int(parts.text("byte") or "", 16), parts.text("kind") or ""
    if p.PRINTERS[code] is None or code & 7 != _BUG_CLASSES[kind]:
        parts.source.fail(f"opcode {code:02x} does not print so", parts.base)
    return Insn(code)


_MACROS = {
    "DST": r"r(?P<dst>\d{1,9})", "SRC": r"r(?P<src>\d{1,9})", "IMM": r"(?P<imm>-?\d{1,19})",
    "PC": r"pc(?P<off>[+-]\d{1,19})",
    "FAR": r"pc(?P<imm>[+-]\d{1,19})", "ALU": r"(?P<op>s?(?:<<|>>|[-+*/|&%^])?=|\(null\))",
    "CMP": r"(?P<op>s?[<>]=?|==|!=|&|jmp|exit|\(null\))", "W": r"(?P<w>[rw])(?P<dst>\d{1,9})",
}  # fmt: skip


def _form(pattern: str, builder: Builder) -> tuple[re.Pattern[str], Builder]:
    """A form: capitals stand for their patterns; a blank stands for any, and for at least one between words."""
    spaced = re.sub(r"(?<=\w) (?=\w)", r"\\s+", pattern).replace(" ", r"\s*")
    return re.compile(re.sub(r"[A-Z]{2,}|W", lambda m: _MACROS.get(m[0], m[0]), spaced)), builder


def _at(pattern: str, base: str, builder: Builder) -> tuple[re.Pattern[str], Builder]:
    """A form with a memory operand, whose base register is ``dst`` or ``src``."""
    operand = r"\((?P<size>[us]\d{1,3}) \*\)\(r(?P<" + base + r">\d{1,9}) (?P<off>[+-]\d{1,19})\)"
    return _form(pattern.replace("AT", operand), builder)


_SKB = r"r0 = \*\((?P<size>u\d+) \*\)skb\["
_FORMS: tuple[tuple[re.Pattern[str], Builder], ...] = (
    _form(r"W = -(?P=w)(?P=dst)", lambda x: x.insn(_alu_class(x) | c.BPF_NEG)),
    _form(r"DST = (?P<swap>be|le|bswap)IMM r(?P=dst)", _swap),
    _form(r"DST = addr_space_cast\(SRC, (?P<to>\d{1,9}), (?P<from>\d{1,9})\)", _space_cast),
    _form(r"DST = &\(void __percpu \*\)\(SRC\)", _percpu),
    _form(_SKB + r"IMM\]", _packet),
    _form(_SKB + r"SRC \+ IMM\]", _packet),
    _at(r"DST = \*AT", "src", _load),
    _at(r"\*AT = SRC", "dst", _store),
    _at(r"\*AT = IMM", "dst", _store),
    _at(r"lock \*AT (?P<op>\+=|\|=|&=|\^=) SRC", "dst", _lock),
    _at(r"SRC = atomic(?:64)?_fetch_(?P<op>add|or|and|xor)\(AT, r(?P=src)\)", "dst", _fetch),
    _at(r"SRC = atomic(?:64)?_xchg\(AT, r(?P=src)\)", "dst", _atomic(c.BPF_XCHG)),
    _at(r"r0 = atomic(?:64)?_cmpxchg\(AT, r0, SRC\)", "dst", _atomic(c.BPF_CMPXCHG)),
    _at(r"DST = load_acquire\(AT\)", "src", _atomic(c.BPF_LOAD_ACQ)),
    _at(r"store_release\(AT, SRC\)", "dst", _atomic(c.BPF_STORE_REL)),
    _form(r"W ALU (?P<cast>\(s\d+\))?(?P=w)(?P<src>\d{1,9})", _alu),
    _form(r"W ALU IMM", _alu),
    _form(r"if W CMP (?P=w)(?P<src>\d{1,9}) goto PC", _compare),
    _form(r"if W CMP (?P<imm>0x[0-9a-fA-F]+|-?\d{1,19}) goto PC", _compare),
    _form(r"goto PC", lambda x: x.insn(c.BPF_JMP | c.BPF_JA)),
    _form(r"gotol FAR", lambda x: x.insn(c.BPF_JMP32 | c.BPF_JA)),
    _form(r"may_goto PC", lambda x: x.insn(c.BPF_JMP | c.BPF_JCOND)),
    _form(r"call FAR", lambda x: x.insn(c.BPF_JMP | c.BPF_CALL, src_reg=c.BPF_PSEUDO_CALL)),
    _form(r"call\s+(?P<name>[\w.-]*)#IMM", _call),
    _form(r"exit", lambda x: x.insn(c.BPF_JMP | c.BPF_EXIT)),
    _form(r"nospec", lambda x: x.insn(c.BPF_ST | p.NOSPEC)),
    _form(r"BUG_(?P<kind>ld_|ldx_|st_|)(?P<byte>[0-9a-f]{2})", _bug),
)
def _by_start() -> dict[str, list[tuple[re.Pattern[str], Builder]]]:
    """The forms by the first character of what they match."""
    starts: dict[str, list[tuple[re.Pattern[str], Builder]]] = {}
    for pattern, builder in _FORMS:
        head = pattern.pattern
        first = "*" if head[0] == "\\" else "rw" if head.startswith("(?P<w>") else head[0]
        for character in first:
            starts.setdefault(character, []).append((pattern, builder))
    return starts


_BY_START = _by_start()
_WIDE = re.compile(r"r(?P<dst>\d{1,9})\s*=\s*(?P<value>0x[0-9a-fA-F]+)")


def read_insn(source: Source) -> Pair:
    """One instruction, with or without its opcode byte; the second of the pair is the second slot of a wide one.

    Raises AsmError with line and column.
    """
    prefix = _PREFIX.match(source.text)
    base = prefix.end() if prefix else 0
    code = int(prefix[1], 16) if prefix else None
    if wide := _WIDE.fullmatch(source.text, base):
        return _read_wide(source, Parts(source, wide, base), code)
    insn = _read_form(source, base)
    return (insn if code is None else _with_code(source, insn, code, base)), None


def _read_wide(source: Source, parts: Parts, code: int | None) -> Pair:
    value = int(parts.text("value") or "", 16)
    if code not in (None, c.LD_IMM64):
        source.fail(f"opcode {code:02x} does not print so", parts.base)
    if value >> 64:
        source.fail("a constant of more than 64 bits", parts.match.start("value"))
    return Insn(c.LD_IMM64, parts.number("dst", "reg"), 0, 0, s32(value)), Insn(0, 0, 0, 0, s32(value >> 32))


def _read_form(source: Source, base: int) -> Insn:
    for pattern, build in _BY_START.get(source.text[base : base + 1], ()):
        if match := pattern.fullmatch(source.text, base):
            parts = Parts(source, match, base)
            size = parts.text("size")
            if size is not None and size not in _SIZES:
                source.fail(f"no memory access is called {size}", match.start("size"))
            return build(parts)
    source.fail(f"not an instruction of the verifier log: {source.text[base:][:60]!r}", base)


def _with_code(source: Source, insn: Insn, code: int, base: int) -> Insn:
    """The same operands under the opcode byte given; it must print the same."""
    given, printer = insn._replace(code=code), p.PRINTERS[code]
    if code == insn.code or (printer is None and p.is_call(code) and p.is_call(insn.code)):
        return given
    if code == c.BPF_JMP | c.BPF_JCOND and insn.code == c.BPF_JMP | 0xF0:
        given = given._replace(src_reg=1)  # a conditional jump that is no may_goto: any source but 0 prints so
    text = source.text[base:]
    if printer is None or "".join(printer(given).partition(") ")[2].split()) != "".join(text.split()):
        source.fail(f"opcode {code:02x} does not print {text[:60]!r}", base)
    return given
