"""What the verifier knows of a value, in words a C programmer uses: ranges, known bits, what a pointer points to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osmia.verifier import consts as c
from osmia.verifier.text import btf_type_name, dynptr_type_str, reg_type_str

if TYPE_CHECKING:
    from osmia.verifier.env import Env
    from osmia.verifier.regs import Reg

M64, M32 = (1 << 64) - 1, (1 << 32) - 1
WIDTHS = {(1 << 8) - 1: "any byte", (1 << 16) - 1: "any 16-bit number", M32: "any unsigned 32-bit number"}
OTHERS = {
    c.PTR_TO_CTX: "the context (the program's argument)", c.CONST_PTR_TO_MAP: "a map", c.PTR_TO_MAP_KEY: "a map's key",
    c.PTR_TO_PACKET_META: "the packet's metadata", c.PTR_TO_PACKET_END: "the end of the packet (data_end)",
    c.PTR_TO_FLOW_KEYS: "the flow keys", c.PTR_TO_SOCKET: "a socket",
    c.PTR_TO_SOCK_COMMON: "the common part of a socket",
    c.PTR_TO_TCP_SOCK: "a TCP socket", c.PTR_TO_TP_BUFFER: "a tracepoint's buffer", c.PTR_TO_XDP_SOCK: "an XDP socket",
    c.PTR_TO_ARENA: "an arena", c.PTR_TO_BUF: "a buffer", c.PTR_TO_FUNC: "a function of the program",
    c.CONST_PTR_TO_DYNPTR: "a dynptr",
}  # fmt: skip


def number(value: int) -> str:
    """A signed or unsigned number as people write it."""
    return str(value) if -(1 << 32) <= value <= (1 << 32) else hex(value)


def bytes_of(count: int) -> str:
    """``1 byte``, ``8 bytes``."""
    return f"{count} byte" + ("" if count == 1 else "s")


def value_words(env: Env, reg: Reg) -> str:
    """The whole of it: ``a number from 0 to 64``, ``a pointer to a value of map "m" (72 bytes), or NULL``."""
    if reg.type == c.NOT_INIT:
        return "nothing: never written on this path"
    if reg.type == c.SCALAR_VALUE:
        return scalar_words(reg)
    return pointer_words(env, reg)


def scalar_words(reg: Reg) -> str:
    """A number: exactly, or its range, or what is known of its bits."""
    if reg.mask == 0:
        return f"the number {number(signed(reg))}"
    return range_words(reg) + _bits(reg)


def signed(reg: Reg) -> int:
    """A known number; as signed, if that is the shorter one."""
    return reg.value - (1 << 64) if reg.value >> 63 else reg.value


def range_words(reg: Reg) -> str:
    """``a number from 0 to 64``, ``any signed 32-bit number``, ``any 64-bit number``."""
    low, high = reg.smin, reg.smax
    if low == -(1 << 63) and high == (1 << 63) - 1:
        return _unsigned_words(reg)
    if low == 0 and high == M32 and (reg.s32_min > -(1 << 31) or reg.s32_max < (1 << 31) - 1):
        return f"a number whose 32 bits are, signed, from {number(reg.s32_min)} to {number(reg.s32_max)}"
    if low == 0 and high in WIDTHS:
        return f"{WIDTHS[high]} (0 to {number(high)})"
    if (low, high) == (-(1 << 31), (1 << 31) - 1):
        return "any signed 32-bit number, so it may be negative"
    if low < 0 and high == (1 << 63) - 1:
        return f"a number of at least {number(low)}, without an upper bound"
    if low == -(1 << 63):
        return f"a number of at most {number(high)}, without a lower bound (it may be negative)"
    if high == (1 << 63) - 1:
        return f"a number of at least {number(low)}, without an upper bound"
    return f"a number from {number(low)} to {number(high)}"


def _unsigned_words(reg: Reg) -> str:
    """The signed range says nothing: perhaps the unsigned one does, or the lower half's."""
    if reg.umin or reg.umax != M64:
        return f"an unsigned number from {number(reg.umin)} to {number(reg.umax)}"
    if reg.u32_min or reg.u32_max != M32:
        return f"any 64-bit number whose lower half is from {number(reg.u32_min)} to {number(reg.u32_max)}"
    return "any 64-bit number"


def _bits(reg: Reg) -> str:
    """Known low bits, where the range does not say it."""
    zeros = 0
    while zeros < 64 and not (reg.mask | reg.value) >> zeros & 1:
        zeros += 1
    return f", a multiple of {1 << zeros}" if 0 < zeros < 32 else ""


def span(reg: Reg) -> tuple[int, int]:
    """The smallest and the largest variable part of a pointer, or value of a number."""
    return reg.smin, (reg.umax if reg.smin >= 0 else reg.smax)


def pointer_words(env: Env, reg: Reg) -> str:
    """What a pointer points to, how far into it, and whether it may be null."""
    null = ", or NULL" if reg.type & c.PTR_MAYBE_NULL else ""
    return f"a pointer {_target(env, reg)}{_offset(reg)}{null}"


def _target(env: Env, reg: Reg) -> str:
    base = reg.type & c.BASE_TYPE_MASK
    if base == c.PTR_TO_MAP_VALUE and reg.map is not None:
        return f"to a value of {map_words(reg)} ({bytes_of(reg.map.value_size)})"
    if base == c.CONST_PTR_TO_MAP and reg.map is not None:
        return f"to {map_words(reg)}"
    if base == c.PTR_TO_PACKET:
        return "into the packet"
    if base == c.PTR_TO_STACK:
        return "into the stack"
    if base == c.PTR_TO_MEM:
        what = "a ring buffer record" if reg.type & c.MEM_RINGBUF else "memory"
        return f"to {'read-only ' if reg.type & c.MEM_RDONLY else ''}{what} of {bytes_of(reg.mem_size)}"
    if base == c.PTR_TO_BTF_ID:
        return f"to {_trust(reg)}struct {btf_type_name(reg.btf or env.vmlinux, reg.btf_id) or '?'}"
    if base == c.CONST_PTR_TO_DYNPTR:
        return f"to a {dynptr_type_str(reg.dynptr_type)} dynptr"
    return f"to {OTHERS.get(base, reg_type_str(reg.type))}"


def _trust(reg: Reg) -> str:
    flags = (
        (c.PTR_UNTRUSTED, "an untrusted "), (c.MEM_USER, "a user-space "), (c.MEM_PERCPU, "a per-CPU "),
        (c.MEM_RCU, "an RCU-protected "), (c.PTR_TRUSTED, "a trusted "), (c.MEM_ALLOC, "an allocated "),
    )  # fmt: skip
    return next((text for flag, text in flags if reg.type & flag), "a ")


def map_words(reg: Reg) -> str:
    """``map "counts"``."""
    name = reg.map.name if reg.map is not None else ""
    return f'map "{name}"' if name else "a map"


def _offset(reg: Reg) -> str:
    """How far into its target a pointer points, and how much of a packet is known to be there."""
    base = reg.type & c.BASE_TYPE_MASK
    fixed = reg.off + (reg.value if reg.mask == 0 else 0)
    fixed = (fixed & M64) - ((fixed >> 63 & 1) << 64)
    parts = []
    if base == c.PTR_TO_STACK:
        parts.append(f"at fp{fixed:+d}")
    elif fixed:
        parts.append(f"at offset {fixed}")
    if reg.mask:
        low, high = span(reg)
        parts.append(f"plus {range_words(reg)}" if high >= 1 << 29 or low < 0 else f"plus {low} to {high}")
    text = (", " if parts else "") + " ".join(parts)
    if base in (c.PTR_TO_PACKET, c.PTR_TO_PACKET_META):
        reach = reg.range if reg.range > 0 else 0
        text += f"; {bytes_of(reach)} from its base are checked" if reach else "; not compared with the end yet"
    return text
