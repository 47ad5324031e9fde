"""One eight-byte instruction slot, and slot streams in both byte orders.

A 64-bit immediate load takes two slots, so positions here count as the kernel's do: in slots.
Every one of the 2**64 patterns is an ``Insn``; whether it means anything is for ``classify`` to say.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Literal, NamedTuple

from osmia.errors import DecodeError
from osmia.isa.consts import LD_IMM64

ByteOrder = Literal["little", "big"]
_FORMAT = {"little": struct.Struct("<BBhi"), "big": struct.Struct(">BBhi")}
_M32 = 0xFFFFFFFF


class Insn(NamedTuple):
    """``struct bpf_insn``: opcode, two register nibbles, a signed 16-bit offset, a signed 32-bit immediate."""

    code: int
    dst_reg: int = 0
    src_reg: int = 0
    off: int = 0
    imm: int = 0

    @property
    def is_wide(self) -> bool:
        """The first slot of a 64-bit immediate load; the next slot holds the upper half."""
        return self.code == LD_IMM64

    def encode(self, order: ByteOrder = "little") -> bytes:
        """Eight bytes.  Raises DecodeError when a field does not fit."""
        return encode((self,), order)


def _regs(insn: Insn, order: ByteOrder) -> int:
    low, high = (insn.dst_reg, insn.src_reg) if order == "little" else (insn.src_reg, insn.dst_reg)
    if not (0 <= low <= 15 and 0 <= high <= 15):
        raise struct.error("register numbers take four bits")
    return low | high << 4


def encode(insns: Iterable[Insn], order: ByteOrder = "little") -> bytes:
    """The byte string of a slot stream.  Raises DecodeError when a field does not fit its bits."""
    pack = _FORMAT[order].pack
    out = bytearray()
    for i, insn in enumerate(insns):
        try:
            out += pack(insn.code, _regs(insn, order), insn.off, insn.imm)
        except struct.error as e:
            raise DecodeError(f"{insn} can't be encoded: {e}", insn=i) from None
    return bytes(out)


def decode(data: bytes | bytearray | memoryview, order: ByteOrder = "little") -> list[Insn]:
    """The slots of a byte string.  Raises DecodeError when its length is no multiple of eight."""
    if len(data) % 8:
        raise DecodeError(f"{len(data)} bytes are no whole number of 8-byte instructions", offset=len(data) & ~7)
    slots = _FORMAT[order].iter_unpack(data)
    if order == "little":
        return [Insn(code, regs & 15, regs >> 4, off, imm) for code, regs, off, imm in slots]
    return [Insn(code, regs >> 4, regs & 15, off, imm) for code, regs, off, imm in slots]


def s32(value: int) -> int:
    """The signed reading of the low 32 bits: what an imm field holds."""
    return ((value & _M32) ^ 0x80000000) - 0x80000000


def imm64(low: Insn, high: Insn) -> int:
    """The unsigned 64-bit value of the two halves of a 64-bit immediate load."""
    return (low.imm & _M32) | (high.imm & _M32) << 32
