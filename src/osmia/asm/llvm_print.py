"""Disassembly as llvm-objdump prints it: bytes in, lines out.

What decides is what LLVM 19's decoder looks at, not what the kernel would accept: most reserved fields are
ignored, registers go up to r11, and what the decoder does not know prints as ``<unknown>``.
Speed: an eight-byte pattern is decoded once; after that its line is one dictionary look-up.
Compiled with the types in ``llvm_print.pxd``.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Sequence

from osmia.asm.llvm_syntax import variants
from osmia.isa import consts as c
from osmia.isa.insn import ByteOrder

UNKNOWN = "<unknown>"
_LAST_REG = 11  # LLVM keeps an r11 for itself and decodes it
_OLD_XADD = "lock *(u32 *)({dst}{off}) += {src}"
_M64 = 0xFFFFFFFFFFFFFFFF
_FORMATS = {"little": struct.Struct("<BBhi"), "big": struct.Struct(">BBhi")}


def number(value: int) -> str:
    """A signed number as LLVM prints an immediate: ``0x10``, ``-0x1``."""
    return hex(value)


def distance(value: int) -> str:
    """A jump distance with its sign: ``+0x3``."""
    return f"+{value:#x}" if value >= 0 else hex(value)


def displacement(value: int) -> str:
    """A distance from an address register: `` + 0x4``, `` - 0x4``."""
    return f" + {value:#x}" if value >= 0 else f" - {-value:#x}"


def _selects(name: str, code: int, src: int, off: int, imm: int, row_off: object, row_imm: object) -> bool:
    """Does LLVM's decoder take the slot for this row of its opcode?"""
    cls, op = code & 7, code & 0xF0
    if cls in (c.BPF_ALU, c.BPF_ALU64):
        if op == c.BPF_END:
            return imm == row_imm
        return op == c.BPF_NEG or off == row_off
    if cls == c.BPF_STX and code & 0xE0 == c.BPF_ATOMIC:
        if not isinstance(row_imm, int) or row_imm > 0xFF:
            return False  # load_acquire and store_release came with LLVM 20
        return imm & (0xFF if row_imm & c.BPF_FETCH else 0xF0) == row_imm
    if code == c.LD_IMM64:
        return off == 0 and (name == "ld_imm64") == (src == 0)
    return name != "exit" or imm == 0


class Shape:
    """A pattern with its registers filled in: up to two fields that vary, between three pieces of text."""

    def __init__(self, pattern: str) -> None:
        self.fields: list[str] = []
        self.pieces: list[str] = []
        rest = pattern
        while (cut := rest.find("{")) >= 0:
            end = rest.index("}", cut) + 1
            self.pieces.append(rest[:cut])
            self.fields.append(rest[cut:end])
            rest = rest[end:]
        self.pieces.append(rest)
        self.jump = self.fields[-1:] in (["{jump}"], ["{far}"])

    def text(self, off: int, imm: int, high: int = 0) -> str:
        """The instruction with these field values; ``high`` is the second slot's imm."""
        made = [self.pieces[0]]
        for name, piece in zip(self.fields, self.pieces[1:], strict=True):
            made.append(_field(name, off, imm, high))
            made.append(piece)
        return "".join(made)


def _field(name: str, off: int, imm: int, high: int) -> str:
    if name == "{imm}":
        return number(imm)
    if name == "{off}":
        return displacement(off)
    if name == "{jump}":
        return distance(off)
    if name == "{far}":
        return distance(imm)
    if name == "{imm64}":
        return number(high << 32 | imm & 0xFFFFFFFF)
    if name == "{low}":
        return number(imm & 0xFFFFFFFF)
    return number(imm >> 16 & 0xFFFF) if name == "{to}" else number(imm & 0xFFFF)


def _registers(pattern: str, dst: int, src: int) -> str | None:
    """The pattern with register names; None where the register is none of LLVM's."""
    for field, number_ in (("dst}", dst), ("src}", src)):
        if field in pattern:
            if number_ > _LAST_REG:
                return None
            pattern = pattern.replace("{w" + field, f"w{number_}").replace("{" + field, f"r{number_}")
    return pattern.replace("{pseudo}", number(src))


class Names:
    """The symbols of a section by address: what ``<name+0x8>`` behind a jump says."""

    def __init__(self, symbols: Sequence[tuple[int, str]]) -> None:
        self.addresses = [a for a, _ in symbols]
        self.names = [n for _, n in symbols]

    def at(self, address: int) -> str:
        """``<name+0x8>`` for an unsigned address, or nothing where no symbol stands at or before it."""
        i = bisect_right(self.addresses, address) - 1
        if i < 0:
            return ""
        beyond = address - self.addresses[i]
        return f" <{self.names[i]}+{beyond:#x}>" if beyond else f" <{self.names[i]}>"


class Printer:
    """Lines of one section's code, collected in ``out``.

    ``order`` is the object's byte order, ``alu32`` whether loads and stores name 32-bit registers (llvm-objdump
    19 does not unless told --mcpu=v3), ``raw`` whether the bytes are shown, ``zeroes`` whether runs of zeros are.
    """

    def __init__(
        self, order: ByteOrder = "little", *, alu32: bool = False, raw: bool = True, zeroes: bool = False
    ) -> None:
        self.order = order
        self.alu32 = alu32
        self.raw = raw
        self.zeroes = zeroes
        self.out: list[str] = []
        self._memo: dict[bytes, object] = {}
        self._shapes: dict[tuple[int, int, int], Shape | None] = {}
        self._rows: dict[int, list[tuple[str, object, object, str]]] = {}
        self._unpack = _FORMATS[order].unpack

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
                slot = (base + i) >> 3
                out.append(f"{slot:8d}:\t{entry}")
                i += 8
            elif type(entry) is tuple:
                out.append(self._branch(entry, base + i, names))
                i += 8
            else:
                i = self._odd(data, i, end, base, len(key))
        return i

    def _branch(self, entry: tuple[str, int], address: int, names: Names) -> str:
        text, slots = entry
        target = (address + 8 + slots * 8) & _M64
        return f"{address >> 3:8d}:\t{text}{names.at(target)}\n"

    def _odd(self, data: bytes, i: int, end: int, base: int, size: int) -> int:
        """Zeros, a 64-bit immediate load, or the bytes that remain at the end of a section."""
        slot = (base + i) >> 3
        if size < 8:
            self.out.append(f"{slot:8d}:\t{self._line(data[i : i + 1], UNKNOWN)}")
            return i + 1
        if data[i] == 0:
            return self._zeros(data, i, end, slot)
        wide = data[i : i + 16]
        if len(wide) < 16:
            self.out.append(f"{slot:8d}:\t{self._line(data[i : i + 1], UNKNOWN)}")
            return i + 1
        entry = self._memo.get(wide)
        if entry is None:
            entry = self._memo[wide] = self._line(wide, self._wide(wide))
        self.out.append(f"{slot:8d}:\t{entry}")
        return i + 16

    def _zeros(self, data: bytes, i: int, end: int, slot: int) -> int:
        run = end - i - len(data[i:end].lstrip(b"\0"))
        if run >= 8 and not self.zeroes:
            self.out.append("\t\t...\n")
            return i + (run & ~3)
        self.out.append(f"{slot:8d}:\t{self._line(data[i : i + 8], UNKNOWN)}")
        return i + 8

    def _line(self, raw: bytes, text: str) -> str:
        return f"{raw.hex(' ')}\t{text}\n" if self.raw else f"{text}\n"

    def _learn(self, key: bytes) -> object:
        """What to do about a pattern: a finished line, a jump to be completed, or 0 for an odd one."""
        if len(key) < 8 or key == bytes(8):
            return 0
        code, regs, off, imm = self._unpack(key)
        shape = self._shape(code, regs, off, imm)
        entry: object
        if shape is None:
            entry = self._line(key, UNKNOWN)
        elif code == c.LD_IMM64:
            entry = 0
        elif shape.jump:
            slots = imm if code == c.BPF_JMP32 | c.BPF_JA else off
            entry = (self._line(key, shape.text(off, imm))[:-1], slots)
        else:
            entry = self._line(key, shape.text(off, imm))
        self._memo[key] = entry
        return entry

    def _wide(self, raw: bytes) -> str:
        code, regs, off, imm = self._unpack(raw[:8])
        shape = self._shape(code, regs, off, imm)
        return UNKNOWN if shape is None else shape.text(off, imm, self._unpack(raw[8:])[3])

    def _shape(self, code: int, regs: int, off: int, imm: int) -> Shape | None:
        """The row that LLVM decodes the slot as, its registers filled in; None for unknown."""
        rows = self._rows.get(code)
        if rows is None:
            rows = self._rows[code] = self._candidates(code)
        dst, src = (regs & 15, regs >> 4) if self.order == "little" else (regs >> 4, regs & 15)
        for i, (name, row_off, row_imm, pattern) in enumerate(rows):
            if not _selects(name, code, src, off, imm, row_off, row_imm):
                continue
            at = (code, regs, i)
            if at not in self._shapes:
                filled = _registers(pattern, dst, src)
                self._shapes[at] = None if filled is None else Shape(filled)
            return self._shapes[at]
        return None

    def _candidates(self, code: int) -> list[tuple[str, object, object, str]]:
        if code == (c.BPF_STX | c.BPF_ATOMIC | c.BPF_W) and not self.alu32:
            return [("atomic_add32", None, c.BPF_ADD, _OLD_XADD)]
        rows = [(op.name, op.off, op.imm, pattern) for op, pattern in variants(code, alu32=self.alu32)]
        return sorted(rows, key=lambda row: "fetch" not in row[0])  # the exact ones first
