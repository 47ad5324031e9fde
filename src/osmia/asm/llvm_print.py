"""Disassembly as llvm-objdump prints it: bytes in, lines out.

What decides is what LLVM 19's decoder looks at, not what the kernel would accept: most reserved fields are
ignored, registers go up to r11, and what the decoder does not know prints as ``<unknown>``.
Speed: an eight-byte pattern is decoded once; after that its line is one dictionary look-up.
Compiled with the types in ``llvm_print.pxd``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from osmia.asm.llvm_syntax import OLD_XADD, variants
from osmia.isa import consts as c
from osmia.isa.insn import ByteOrder
from osmia.isa.table import Op

UNKNOWN = "<unknown>"
_LAST_REG = 11  # LLVM keeps an r11 for itself and decodes it
_M64 = 0xFFFFFFFFFFFFFFFF
_LD_IMM64 = c.LD_IMM64
_MEMO = 1 << 16  # patterns remembered at most: programs repeat themselves, random data does not

# Fields of a shape that vary, and what a slot must hold for a shape to be taken.
_NONE, _IMM, _OFF, _JUMP, _FAR, _IMM64, _LOW, _TO, _FROM = range(9)
_FIELDS = {
    "{imm}": _IMM, "{off}": _OFF, "{jump}": _JUMP, "{far}": _FAR, "{imm64}": _IMM64, "{low}": _LOW, "{to}": _TO,
    "{from}": _FROM,
}  # fmt: skip
_ANY, _BY_OFF, _BY_IMM, _BY_BYTE, _BY_NIBBLE, _NEVER = range(6)


def number(value: int) -> str:
    """A signed number as LLVM prints an immediate: ``0x10``, ``-0x1``."""
    if value >= 0:
        return f"0x{value:x}"
    magnitude = -value
    return f"-0x{magnitude:x}"


def _field(kind: int, off: int, imm: int, high: int) -> str:
    """One field's text; ``high`` is the imm of a second slot."""
    if kind == _IMM:
        return number(imm)
    if kind == _OFF:
        return f" + 0x{off:x}" if off >= 0 else f" - 0x{-off:x}"
    if kind == _JUMP:
        return f"+0x{off:x}" if off >= 0 else number(off)
    if kind == _FAR:
        return f"+0x{imm:x}" if imm >= 0 else number(imm)
    if kind == _IMM64:
        return number(high << 32 | imm & 0xFFFFFFFF)
    if kind == _LOW:
        return number(imm & 0xFFFFFFFF)
    return number(imm >> 16 & 0xFFFF) if kind == _TO else number(imm & 0xFFFF)


def _selection(op: Op) -> tuple[int, int]:
    """What LLVM's decoder looks at beyond opcode and registers to take a slot for this row."""
    cls, operation = op.code & 7, op.code & 0xF0
    imm = op.imm if isinstance(op.imm, int) else 0
    if operation == c.BPF_END and cls in (c.BPF_ALU, c.BPF_ALU64):
        return _BY_IMM, imm
    if cls in (c.BPF_ALU, c.BPF_ALU64):
        return (_ANY, 0) if operation == c.BPF_NEG else (_BY_OFF, op.off if isinstance(op.off, int) else 0)
    if op.code & 0xE7 == c.BPF_STX | c.BPF_ATOMIC:
        if imm > 0xFF:
            return _NEVER, 0  # load_acquire and store_release came with LLVM 20
        return _BY_BYTE if imm & c.BPF_FETCH else _BY_NIBBLE, imm
    if op.wide:
        return _BY_OFF, 0
    return (_BY_IMM, 0) if op.name == "exit" else (_ANY, 0)


class Shape:
    """A pattern with its registers filled in: up to two fields between pieces of text, and when it applies."""

    def __init__(self, pattern: str, select: int, want: int) -> None:
        self.select = select
        self.want = want
        self.jump = pattern.endswith(("{jump}", "{far}"))
        pieces, kinds = _split(pattern)
        self.first, self.second = kinds
        self.head, self.middle, self.tail = pieces

    def fits(self, off: int, imm: int) -> bool:
        """Does LLVM's decoder take a slot with these fields for this row?"""
        if self.select == _ANY:
            return True
        if self.select == _BY_OFF:
            return off == self.want
        if self.select == _BY_IMM:
            return imm == self.want
        if self.select == _BY_BYTE:
            return imm & 0xFF == self.want
        return self.select == _BY_NIBBLE and imm & 0xF0 == self.want

    def text(self, off: int, imm: int, high: int) -> str:
        """The instruction with these field values; ``high`` is the second slot's imm."""
        if self.first == _NONE:
            return self.head
        first = _field(self.first, off, imm, high)
        if self.second == _NONE:
            return f"{self.head}{first}{self.middle}"
        second = _field(self.second, off, imm, high)
        return f"{self.head}{first}{self.middle}{second}{self.tail}"


def _split(pattern: str) -> tuple[list[str], list[int]]:
    """The text around the fields of a pattern, and the fields: three pieces, two kinds."""
    pieces, kinds = [], []
    while (cut := pattern.find("{")) >= 0:
        end = pattern.index("}") + 1
        pieces.append(pattern[:cut])
        kinds.append(_FIELDS[pattern[cut:end]])
        pattern = pattern[end:]
    pieces.append(pattern)
    return pieces + [""] * (3 - len(pieces)), kinds + [_NONE] * (2 - len(kinds))


def registers(pattern: str, dst: int, src: int) -> str | None:
    """The pattern with register names; None where the register is none of LLVM's."""
    for field, reg in (("dst}", dst), ("src}", src)):
        if field in pattern:
            if reg > _LAST_REG:
                return None
            pattern = pattern.replace("{w" + field, f"w{reg}").replace("{" + field, f"r{reg}")
    return pattern.replace("{pseudo}", number(src))


class Names:
    """The symbols of a section by address: what ``<name+0x8>`` behind a jump says."""

    def __init__(self, symbols: Sequence[tuple[int, str]]) -> None:
        self.addresses = [a for a, _ in symbols]
        self.names = [n for _, n in symbols]

    def at(self, address: int) -> str:
        """`` <name+0x8>`` for an unsigned address, or nothing where no symbol stands at or before it."""
        i = bisect_right(self.addresses, address) - 1
        if i < 0:
            return ""
        start, name = self.addresses[i], self.names[i]
        beyond = address - start
        return f" <{name}+0x{beyond:x}>" if beyond else f" <{name}>"


class Printer:
    """Lines of one section's code, collected in ``out``.

    ``order`` is the object's byte order, ``alu32`` whether loads and stores name 32-bit registers (llvm-objdump
    19 does not unless told --mcpu=v3), ``raw`` whether the bytes are shown, ``zeroes`` whether runs of zeros are.
    """

    def __init__(
        self, order: ByteOrder = "little", *, alu32: bool = False, raw: bool = True, zeroes: bool = False
    ) -> None:
        self.big = order == "big"
        self.alu32 = alu32
        self.raw = raw
        self.zeroes = zeroes
        self.out: list[str] = []
        self._memo: dict[bytes, object] = {}
        self._shapes: list[list[Shape] | None] = [None] * 0x10000  # by opcode and register byte
        self._rows: dict[int, list[tuple[str, int, int]]] = {}

    def code(self, data: bytes, start: int, limit: int, end: int, base: int, names: Names) -> int:
        """Print from offset ``start`` until ``limit`` is reached or passed; returns the offset reached.

        ``end`` bounds a run of zeros (the next symbol or relocation), ``base`` is the section's address.
        """
        memo, out = self._memo, self.out
        i = start
        while i < limit:
            key = data[i : i + 8]
            entry = memo.get(key)
            if entry is None:
                entry = self._learn(key)
            if type(entry) is str:
                slot = ((base + i) & _M64) >> 3
                out.append(f"{slot:8d}:\t{entry}")
                i += 8
            elif type(entry) is tuple:
                out.append(self._branch(entry, (base + i) & _M64, names))
                i += 8
            else:
                i = self._odd(data, i, end, base)
        return i

    def _branch(self, entry: tuple[str, int], address: int, names: Names) -> str:
        text, slots = entry
        target = (address + 8 + slots * 8) & _M64
        slot = address >> 3
        return f"{slot:8d}:\t{text}{names.at(target)}\n"

    def _odd(self, data: bytes, i: int, end: int, base: int) -> int:
        """Zeros, a 64-bit immediate load, or the bytes that remain at the end of a section."""
        slot = ((base + i) & _M64) >> 3
        left = len(data) - i
        if left >= 8 and data[i] == 0:
            return self._zeros(data, i, end, slot)
        size = 16 if left >= 16 else 1
        raw = data[i : i + size]
        entry = self._memo.get(raw) if size == 16 else self._line(raw, UNKNOWN)
        if entry is None:
            entry = self._line(raw, self._wide(raw))
            self._remember(raw, entry)
        self.out.append(f"{slot:8d}:\t{entry}")
        return i + size

    def _zeros(self, data: bytes, i: int, end: int, slot: int) -> int:
        run = end - i - len(data[i:end].lstrip(b"\0"))
        if run >= 8 and not self.zeroes:
            self.out.append("\t\t...\n")
            return i + (run & ~3)
        line = self._line(data[i : i + 8], UNKNOWN)
        self.out.append(f"{slot:8d}:\t{line}")
        return i + 8

    def _line(self, raw: bytes, text: str) -> str:
        return f"{raw.hex(' ')}\t{text}\n" if self.raw else f"{text}\n"

    def _remember(self, key: bytes, entry: object) -> None:
        if len(self._memo) < _MEMO:
            self._memo[key] = entry

    def _learn(self, key: bytes) -> object:
        """What to do about a pattern: a finished line, a jump to be completed, or 0 for an odd one."""
        if len(key) < 8 or key == b"\0\0\0\0\0\0\0\0":
            return 0
        code, off, imm = key[0], self._off(key), self._imm(key, 4)
        shape = self._shape(code, key[1], off, imm)
        entry: object = 0
        if shape is None:
            entry = self._line(key, UNKNOWN)
        elif shape.jump:
            text = shape.text(off, imm, 0)
            entry = (f"{key.hex(' ')}\t{text}" if self.raw else text, imm if shape.first == _FAR else off)
        elif code != _LD_IMM64:
            entry = self._line(key, shape.text(off, imm, 0))
        self._remember(key, entry)
        return entry

    def _off(self, key: bytes) -> int:
        value = key[2] << 8 | key[3] if self.big else key[3] << 8 | key[2]
        return (value ^ 0x8000) - 0x8000

    def _imm(self, key: bytes, at: int) -> int:
        first, step = (at, 1) if self.big else (at + 3, -1)
        value = key[first]  # a typed local: C would shift a lone byte as a 32-bit int
        value = value << 8 | key[first + step]
        value = value << 8 | key[first + 2 * step]
        value = value << 8 | key[first + 3 * step]
        return (value ^ 0x80000000) - 0x80000000

    def _wide(self, raw: bytes) -> str:
        off, imm = self._off(raw), self._imm(raw, 4)
        shape = self._shape(raw[0], raw[1], off, imm)
        return UNKNOWN if shape is None else shape.text(off, imm, self._imm(raw, 12))

    def _shape(self, code: int, regs: int, off: int, imm: int) -> Shape | None:
        """The row that LLVM decodes the slot as, its registers filled in; None for unknown."""
        shapes = self._shapes[code << 8 | regs]
        if shapes is None:
            shapes = self._shapes[code << 8 | regs] = self._fill(code, regs)
        for shape in shapes:
            if shape.fits(off, imm):
                return shape
        return None

    def _fill(self, code: int, regs: int) -> list[Shape]:
        dst, src = (regs >> 4, regs & 15) if self.big else (regs & 15, regs >> 4)
        rows = self._rows.get(code)
        if rows is None:
            rows = self._rows[code] = self._candidates(code)
        if code == _LD_IMM64:
            rows = rows[:1] if src == 0 else rows[1:2]
        filled = ((registers(pattern, dst, src), select, want) for pattern, select, want in rows)
        return [Shape(pattern, select, want) for pattern, select, want in filled if pattern is not None]

    def _candidates(self, code: int) -> list[tuple[str, int, int]]:
        """The patterns of an opcode, the ones that ask for most first."""
        if code == (c.BPF_STX | c.BPF_ATOMIC | c.BPF_W) and not self.alu32:
            return [(OLD_XADD, _BY_NIBBLE, c.BPF_ADD)]
        rows = [(pattern, *_selection(op)) for op, pattern in variants(code, alu32=self.alu32)]
        return sorted(rows, key=lambda row: row[1] == _BY_NIBBLE)
