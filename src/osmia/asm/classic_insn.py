"""Classic BPF: the instruction of ``struct sock_filter``, its table, and its bytes.

Two 32-bit registers, A and X, sixteen words of scratch memory M[], forward jumps only
(include/uapi/linux/filter.h and bpf_common.h; Documentation/networking/filter.rst).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from osmia.errors import AsmError, DecodeError
from osmia.isa import consts as c
from osmia.isa.insn import ByteOrder

BPF_MAXINSNS = 4096
BPF_MEMWORDS = 16
SKF_AD_OFF = 0xFFFFF000
SKF_NET_OFF = 0xFFF00000
SKF_LL_OFF = 0xFFE00000
_FORMAT = {"little": struct.Struct("<HBBI"), "big": struct.Struct(">HBBI")}


class SockFilter(NamedTuple):
    """``struct sock_filter``: a 16-bit opcode, two 8-bit jump distances, an unsigned 32-bit constant."""

    code: int
    jt: int = 0
    jf: int = 0
    k: int = 0


@dataclass(frozen=True, slots=True)
class ClassicOp:
    """One instruction: ``mode`` is how its operand is written (``abs`` is ``[k]``, ``ind`` is ``[x + k]`` …)."""

    code: int
    mnemonic: str
    mode: str


_ALU = {"add": c.BPF_ADD, "sub": c.BPF_SUB, "mul": c.BPF_MUL, "div": c.BPF_DIV, "mod": c.BPF_MOD, "and": c.BPF_AND,
        "or": c.BPF_OR, "xor": c.BPF_XOR, "lsh": c.BPF_LSH, "rsh": c.BPF_RSH}  # fmt: skip
_JUMPS = {"jeq": c.BPF_JEQ, "jgt": c.BPF_JGT, "jge": c.BPF_JGE, "jset": c.BPF_JSET}
_LOADS = {"ld": c.BPF_W, "ldh": c.BPF_H, "ldb": c.BPF_B}
BPF_RET, BPF_MISC = 0x06, 0x07
BPF_LEN, BPF_MSH = 0x80, 0xA0
BPF_A = 0x10
BPF_TXA = 0x80
RET_K, RET_X, RET_A = BPF_RET | c.BPF_K, BPF_RET | c.BPF_X, BPF_RET | BPF_A
LD_IMM, LD_MEM, LD_LEN = c.BPF_LD | c.BPF_IMM, c.BPF_LD | c.BPF_MEM, c.BPF_LD | BPF_LEN
LDX_IMM, LDX_MEM, LDX_LEN = c.BPF_LDX | c.BPF_IMM, c.BPF_LDX | c.BPF_MEM, c.BPF_LDX | BPF_LEN
LDX_MSH = c.BPF_LDX | c.BPF_B | BPF_MSH
JA, NEG, TAX, TXA = c.BPF_JMP | c.BPF_JA, c.BPF_ALU | c.BPF_NEG, BPF_MISC, BPF_MISC | BPF_TXA


def _ops() -> Iterator[ClassicOp]:
    for name, size in _LOADS.items():
        yield ClassicOp(c.BPF_LD | size | c.BPF_ABS, name, "abs")
        yield ClassicOp(c.BPF_LD | size | c.BPF_IND, name, "ind")
    for code, name, mode in ((LD_IMM, "ld", "imm"), (LD_MEM, "ld", "mem"), (LD_LEN, "ld", "len"),
                             (LDX_IMM, "ldx", "imm"), (LDX_MEM, "ldx", "mem"), (LDX_LEN, "ldx", "len"),
                             (LDX_MSH, "ldxb", "msh"), (c.BPF_ST, "st", "mem"), (c.BPF_STX, "stx", "mem"),
                             (NEG, "neg", ""), (JA, "jmp", "jump"), (RET_K, "ret", "imm"), (RET_A, "ret", "a"),
                             (RET_X, "ret", "x"), (TAX, "tax", ""), (TXA, "txa", "")):  # fmt: skip
        yield ClassicOp(code, name, mode)
    for name, op in _ALU.items():
        yield ClassicOp(c.BPF_ALU | op | c.BPF_K, name, "imm")
        yield ClassicOp(c.BPF_ALU | op | c.BPF_X, name, "x")
    for name, op in _JUMPS.items():
        yield ClassicOp(c.BPF_JMP | op | c.BPF_K, name, "if_imm")
        yield ClassicOp(c.BPF_JMP | op | c.BPF_X, name, "if_x")


OPS: tuple[ClassicOp, ...] = tuple(_ops())
BY_CODE: dict[int, ClassicOp] = {op.code: op for op in OPS}
"""Every opcode of bpf_asm.  Linux takes all but ``ret x``."""

ANCILLARY: dict[str, int] = {
    "proto": 0, "type": 4, "ifidx": 8, "nla": 12, "nlan": 16, "mark": 20, "queue": 24, "hatype": 28, "rxhash": 32,
    "cpu": 36, "xor_x": 40, "vlan_tci": 44, "vlan_avail": 48, "poff": 52, "rand": 56, "vlan_tpid": 60,
}  # fmt: skip
"""What a load from ``SKF_AD_OFF`` + offset means (SKF_AD_*).  ``xor_x`` (A ^= X) is older than the xor
instruction; bpf_asm has no word for it."""
ANCILLARY_BY_OFFSET: dict[int, str] = {SKF_AD_OFF + offset: name for name, offset in ANCILLARY.items()}
ANCILLARY_ALIASES = {"vlan_pr": "vlan_avail", "vlanp": "vlan_avail", "payoff": "poff", "random": "rand"}


def is_abs(code: int) -> bool:
    """A load at a fixed place: packet data, or an extension."""
    return code in (0x20, 0x28, 0x30)


def encode(filters: Iterable[SockFilter], order: ByteOrder = "little") -> bytes:
    """The array of ``struct sock_filter``.  Raises AsmError when a field does not fit."""
    out = bytearray()
    for i, insn in enumerate(filters):
        try:
            out += _FORMAT[order].pack(*insn)
        except struct.error as e:
            raise AsmError(f"{insn} can't be encoded: {e}", insn=i) from None
    return bytes(out)


def decode(data: bytes, order: ByteOrder = "little") -> list[SockFilter]:
    """The instructions of such an array.  Raises DecodeError when its length is no multiple of eight."""
    if len(data) % 8:
        raise DecodeError(f"{len(data)} bytes are no whole number of 8-byte instructions", offset=len(data) & ~7)
    return [SockFilter(*fields) for fields in _FORMAT[order].iter_unpack(data)]
