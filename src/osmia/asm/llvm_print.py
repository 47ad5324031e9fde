"""Disassembly as llvm-objdump prints it: bytes in, lines out.

What decides is what LLVM 19's decoder looks at, not what the kernel would accept: most reserved fields are
ignored, registers go up to r11, and what the decoder does not know prints as ``<unknown>``.
Speed: compiled (types in ``llvm_print.pxd``) everything is written into native memory; not compiled, a pattern is
decoded once, and after that its line is one dictionary look-up.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

import re
from bisect import bisect_right
from collections.abc import Sequence

from osmia.asm.llvm_syntax import OLD_XADD, variants
from osmia.asm.page import Page
from osmia.isa import consts as c
from osmia.isa.insn import ByteOrder, Insn
from osmia.isa.table import Op

_UNKNOWN = b"<unknown>\n"
_LAST_REG = 11  # LLVM keeps an r11 for itself and decodes it
_M64 = 0xFFFFFFFFFFFFFFFF
_LD_IMM64 = c.LD_IMM64
_MEMO = 1 << 14  # patterns remembered at most: programs repeat themselves, random data does not

# What stands between the pieces of a shape, and what a slot must hold for a shape to be taken.
_DST, _SRC, _PSEUDO, _IMM, _OFF, _JUMP, _FAR, _IMM64, _LOW, _TO, _FROM = range(11)
_FIELDS = {
    "dst": _DST, "src": _SRC, "pseudo": _PSEUDO, "imm": _IMM, "off": _OFF, "jump": _JUMP, "far": _FAR,
    "imm64": _IMM64, "low": _LOW, "to": _TO, "from": _FROM,
}  # fmt: skip
_FIELD = re.compile(r"\{(w?)(\w+?)\}")
_REGS = [b"%d" % number for number in range(16)]
_ANY, _BY_OFF, _BY_IMM, _BY_BYTE, _BY_NIBBLE, _NEVER = range(6)


def number(value: int) -> str:
    """A signed number as LLVM prints an immediate: ``0x10``, ``-0x1``."""
    magnitude = value if value >= 0 else -value
    return f"0x{magnitude:x}" if value >= 0 else f"-0x{magnitude:x}"


def _put(page: Page, kind: int, off: int, imm: int, high: int) -> None:
    """One field's text; ``high`` is the imm of a second slot."""
    value, plus, minus = imm, b"0x", b"-0x"
    if kind == _OFF:
        value, plus, minus = off, b" + 0x", b" - 0x"
    elif kind == _JUMP:
        value, plus = off, b"+0x"
    elif kind == _FAR:
        plus = b"+0x"
    elif kind == _IMM64:
        value = high << 32 | imm & 0xFFFFFFFF
    elif kind == _LOW:
        value = imm & 0xFFFFFFFF
    elif kind == _TO:
        value = imm >> 16 & 0xFFFF
    elif kind == _FROM:
        value = imm & 0xFFFF
    magnitude = value if value >= 0 else -value
    page.put(plus if value >= 0 else minus)
    page.hexadecimal(magnitude)


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
    """A pattern taken apart: pieces of text with fields between them, and the slots that it is taken for."""

    def __init__(self, pattern: str, select: int, want: int) -> None:
        self.select = select
        self.want = want
        parts = _FIELD.split(re.sub(r"\{(w?)(dst|src)\}", lambda m: f"{m[1] or 'r'}{{{m[2]}}}", pattern))
        self.kinds = bytes(_FIELDS[name] for name in parts[2::3])
        self.texts = [text.encode() for text in parts[::3]]
        self.jump = pattern.endswith(("{jump}", "{far}"))
        self.far = pattern.endswith("{far}")
        self.has_dst = _DST in self.kinds
        self.has_src = _SRC in self.kinds

    def fits(self, dst: int, src: int, off: int, imm: int) -> bool:
        """Does LLVM's decoder take a slot with these fields for this row?"""
        if (self.has_dst and dst > _LAST_REG) or (self.has_src and src > _LAST_REG):
            return False
        if self.select == _ANY:
            return True
        if self.select == _BY_OFF:
            return off == self.want
        if self.select == _BY_IMM:
            return imm == self.want
        if self.select == _BY_BYTE:
            return imm & 0xFF == self.want
        return self.select == _BY_NIBBLE and imm & 0xF0 == self.want

    def put(self, page: Page, dst: int, src: int, off: int, imm: int, high: int) -> None:
        """Write the instruction with these field values; ``high`` is the second slot's imm."""
        kinds, texts = self.kinds, self.texts
        count = len(kinds)
        for i in range(count):
            page.put(texts[i])
            kind = kinds[i]
            if kind == _DST:
                page.put(_REGS[dst])
            elif kind == _SRC:
                page.put(_REGS[src])
            else:
                _put(page, kind, off, src if kind == _PSEUDO else imm, high)
        page.put(texts[count])

    def text(self, insn: Insn, high: int = 0) -> str:
        """The same as a string of its own."""
        page = Page()
        self.put(page, insn.dst_reg, insn.src_reg, insn.off, insn.imm, high)
        return page.take().decode()


class Names:
    """The symbols of a section by address: what ``<name+0x8>`` behind a jump says."""

    def __init__(self, symbols: Sequence[tuple[int, str]]) -> None:
        self.addresses = [a for a, _ in symbols]
        self.names = [n.encode() for _, n in symbols]

    def put(self, page: Page, address: int) -> None:
        """Write `` <name+0x8>`` for an unsigned address, or nothing where no symbol stands at or before it."""
        i = bisect_right(self.addresses, address) - 1
        if i < 0:
            return
        start = self.addresses[i]
        page.put(b" <")
        page.put(self.names[i])
        if address > start:
            page.put(b"+0x")
            page.hexadecimal(address - start)
        page.put(b">")


class Printer:
    """Lines of one section's code, collected on ``page``.

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
        self.page = Page()
        self._memo: dict[bytes, tuple[bytes, int | None]] = {}  # a line, and how far it jumps
        self._shapes: list[list[Shape] | None] = [None] * 256  # by opcode

    def code(self, data: bytes, start: int, limit: int, end: int, base: int, names: Names) -> int:
        """Print from offset ``start`` until ``limit`` is reached or passed; returns the offset reached.

        ``end`` bounds a run of zeros (the next symbol or relocation), ``base`` is the section's address.
        Nothing is read beside ``data``, wherever these point.
        """
        memo, page = self._memo, self.page
        limit, end = min(limit, len(data)), min(end, len(data))
        i = max(start, 0)
        while i < limit:
            if not cython.compiled:
                met = memo.get(data[i : i + 8])
                if met is not None:
                    address = (base + i) & _M64
                    page.parts.append(b"%8d:\t" % (address >> 3))
                    page.parts.append(met[0])
                    if met[1] is not None:
                        self._jump(address, met[1], names)
                    i += 8
                    continue
            i = self._line(data, i, end, base, names)
        return i

    def take(self) -> str:
        """The lines printed so far."""
        return self.page.take().decode()

    def write(self, text: str) -> None:
        """Put other text between the lines."""
        self.page.put(text.encode())

    def _begin(self, data: bytes, i: int, size: int, address: int) -> None:
        page = self.page
        page.number(address >> 3)
        page.put(b":\t")
        if self.raw:
            page.dump(data, i, size)
            page.put(b"\t")

    def _jump(self, address: int, slots: int, names: Names) -> None:
        """The end of a jump's line."""
        names.put(self.page, (address + 8 + slots * 8) & _M64)
        self.page.put(b"\n")

    def _line(self, data: bytes, i: int, end: int, base: int, names: Names) -> int:
        """Print the slot at ``i``; returns where the next one begins."""
        if len(data) - i < 8 or data[i] == 0 or data[i] == _LD_IMM64:
            return self._odd(data, i, end, base)
        page, address = self.page, (base + i) & _M64
        self._begin(data, i, 8, address)
        low, high = data[i + 1] & 15, data[i + 1] >> 4
        dst, src = (high, low) if self.big else (low, high)
        off, imm = self._off(data, i), self._imm(data, i + 4)
        shape = self._shape(data[i], dst, src, off, imm)
        if shape is None:
            page.put(_UNKNOWN)
        else:
            shape.put(page, dst, src, off, imm, 0)
        if shape is not None and shape.jump:
            slots = imm if shape.far else off
            if not cython.compiled:
                self._remember(data[i : i + 8], slots)
            self._jump(address, slots, names)
        else:
            if shape is not None:
                page.put(b"\n")
            if not cython.compiled:
                self._remember(data[i : i + 8], None)
        return i + 8

    def _remember(self, key: bytes, slots: int | None) -> None:
        """The line just written, from its bytes on (not compiled)."""
        if len(self._memo) < _MEMO:
            parts = self.page.parts
            begin = len(parts) - 1
            while parts[begin] != b":\t":
                begin -= 1
            self._memo[key] = b"".join(parts[begin + 1 :]), slots

    def _odd(self, data: bytes, i: int, end: int, base: int) -> int:
        """A first byte of zero, a 64-bit immediate load, or the bytes that remain at the end of a section."""
        address = (base + i) & _M64
        left = len(data) - i
        if left < 8:
            return self._unknown(data, i, 1, address)
        if data[i] == 0:
            return self._zeros(data, i, end, address)
        low, high = data[i + 1] & 15, data[i + 1] >> 4
        dst, src = (high, low) if self.big else (low, high)
        off, imm = self._off(data, i), self._imm(data, i + 4)
        shape = self._wide(dst, src, off, imm)
        if shape is None or left < 16:
            return self._unknown(data, i, 8 if shape is None else 1, address)
        self._begin(data, i, 16, address)
        shape.put(self.page, dst, src, off, imm, self._imm(data, i + 12))
        self.page.put(b"\n")
        return i + 16

    def _zeros(self, data: bytes, i: int, end: int, address: int) -> int:
        if data[i : i + 8] == b"\0\0\0\0\0\0\0\0" and not self.zeroes:
            run = end - i - len(data[i:end].lstrip(b"\0"))
            if run >= 8:
                self.page.put(b"\t\t...\n")
                return i + (run & ~3)
        return self._unknown(data, i, 8, address)

    def _unknown(self, data: bytes, i: int, size: int, address: int) -> int:
        self._begin(data, i, size, address)
        self.page.put(_UNKNOWN)
        return i + size

    def _off(self, data: bytes, i: int) -> int:
        value = data[i + 2] << 8 | data[i + 3] if self.big else data[i + 3] << 8 | data[i + 2]
        return (value ^ 0x8000) - 0x8000

    def _imm(self, data: bytes, at: int) -> int:
        first, step = (at, 1) if self.big else (at + 3, -1)
        value = data[first]  # a typed local: C would shift a lone byte as a 32-bit int
        value = value << 8 | data[first + step]
        value = value << 8 | data[first + 2 * step]
        value = value << 8 | data[first + 3 * step]
        return (value ^ 0x80000000) - 0x80000000

    def _shape(self, code: int, dst: int, src: int, off: int, imm: int) -> Shape | None:
        """The row that LLVM decodes the slot as; None for unknown."""
        shapes = self._shapes[code]
        if shapes is None:
            shapes = self._shapes[code] = self._candidates(code)
        for shape in shapes:
            if shape.fits(dst, src, off, imm):
                return shape
        return None

    def _wide(self, dst: int, src: int, off: int, imm: int) -> Shape | None:
        """A 64-bit immediate load: a plain one first, then the one of the pseudo sources."""
        shape = self._shape(_LD_IMM64, dst, src, off, imm)
        return shape if shape is None or src == 0 else self._shapes[_LD_IMM64][1]  # type: ignore[index]

    def _candidates(self, code: int) -> list[Shape]:
        """The rows of an opcode, the ones that ask for most first."""
        if code == (c.BPF_STX | c.BPF_ATOMIC | c.BPF_W) and not self.alu32:
            return [Shape(OLD_XADD, _BY_NIBBLE, c.BPF_ADD)]
        rows = [Shape(pattern, *_selection(op)) for op, pattern in variants(code, alu32=self.alu32)]
        return sorted(rows, key=lambda shape: shape.select == _BY_NIBBLE)
