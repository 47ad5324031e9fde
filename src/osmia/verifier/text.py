"""How the log writes types, numbers, tnums and sets of registers: the small texts that messages are made of.

Small numbers are decimal, large ones hexadecimal: up to 65535 unsigned, from -32768 to 32767 signed
(kernel/bpf/log.c of Linux 6.18).
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from osmia.btf import Btf
from osmia.errors import InputError
from osmia.verifier import consts as c
from osmia.verifier.rules import Rules

M64 = (1 << 64) - 1
NULL = "(null)"
KEPT = 1 << 12
"""Texts of sets that are remembered: going back says the same ones again and again."""
BASES = {
    c.NOT_INIT: "?", c.SCALAR_VALUE: "scalar", c.PTR_TO_CTX: "ctx", c.CONST_PTR_TO_MAP: "map_ptr",
    c.PTR_TO_MAP_VALUE: "map_value", c.PTR_TO_MAP_KEY: "map_key", c.PTR_TO_STACK: "fp",
    c.PTR_TO_PACKET_META: "pkt_meta", c.PTR_TO_PACKET: "pkt", c.PTR_TO_PACKET_END: "pkt_end",
    c.PTR_TO_FLOW_KEYS: "flow_keys", c.PTR_TO_SOCKET: "sock", c.PTR_TO_SOCK_COMMON: "sock_common",
    c.PTR_TO_TCP_SOCK: "tcp_sock", c.PTR_TO_TP_BUFFER: "tp_buffer", c.PTR_TO_XDP_SOCK: "xdp_sock",
    c.PTR_TO_BTF_ID: "ptr_", c.PTR_TO_MEM: "mem", c.PTR_TO_ARENA: "arena", c.PTR_TO_BUF: "buf",
    c.PTR_TO_FUNC: "func", c.CONST_PTR_TO_DYNPTR: "dynptr_ptr",
}  # fmt: skip
"""The names of ``enum bpf_reg_type``."""
PREFIXES = (
    (c.MEM_RDONLY, "rdonly_"), (c.MEM_RINGBUF, "ringbuf_"), (c.MEM_USER, "user_"), (c.MEM_PERCPU, "percpu_"),
    (c.MEM_RCU, "rcu_"), (c.PTR_UNTRUSTED, "untrusted_"), (c.PTR_TRUSTED, "trusted_"),
)  # fmt: skip
"""The flags that a type's name shows, in the order in which it does; the others are silent."""
DYNPTR_TYPES = ("<invalid>", "local", "ringbuf", "skb", "xdp", "skb_meta")
ITER_STATES = ("<invalid>", "active", "drained")
ITER_PREFIX = "bpf_iter_"


@cache
def reg_type_str(type: int) -> str:
    """The name of a register's type with its flags, ``rdonly_mem_or_null``; a BTF pointer's lacks the struct's."""
    prefix = "".join(text for flag, text in PREFIXES if type & flag)
    base = type & c.BASE_TYPE_MASK
    null = ""
    if type & c.PTR_MAYBE_NULL:
        null = "or_null_" if base == c.PTR_TO_BTF_ID else "_or_null"
    return f"{prefix}{BASES.get(base, NULL)}{null}"


def type_name(rules: Rules, type: int) -> str:
    """The same as a kernel says it that may be older."""
    if not rules.type_flags:
        return plain_type_str(type)
    name = reg_type_str(type)
    if not rules.ringbuf_word and type & c.MEM_RINGBUF:
        name = name.replace("ringbuf_", "alloc_")
    return name if rules.scalar_word or type != c.SCALAR_VALUE else "inv"


@cache
def plain_type_str(type: int) -> str:
    """The name before types had flags: each type was one of a list, and few flags make another one."""
    base = type & c.BASE_TYPE_MASK
    if base == c.SCALAR_VALUE:
        return "inv"
    kept = type & (c.BASE_TYPE_MASK | c.PTR_MAYBE_NULL)
    if base == c.PTR_TO_BUF:
        return ("rdonly_" if type & c.MEM_RDONLY else "rdwr_") + reg_type_str(kept)
    return ("percpu_" if base == c.PTR_TO_BTF_ID and type & c.MEM_PERCPU else "") + reg_type_str(kept)


def dynptr_type_str(type: int) -> str:
    """The kind of a dynptr: ``ringbuf``."""
    return DYNPTR_TYPES[type] if type < len(DYNPTR_TYPES) else "<unknown>"


def iter_type_str(btf: Btf | None, btf_id: int) -> str:
    """The kind of an open-coded iterator: ``num`` of ``struct bpf_iter_num``."""
    return btf_type_name(btf, btf_id)[len(ITER_PREFIX) :] if btf is not None and btf_id else "<invalid>"


def iter_state_str(state: int) -> str:
    """How far an iterator is: ``active``, ``drained``."""
    return ITER_STATES[state] if state < len(ITER_STATES) else "<unknown>"


def btf_type_name(btf: Any, btf_id: int) -> str:
    """The name of a type; empty when it has none or is not there."""
    try:
        found = btf.type(btf_id)
    except InputError:
        return ""
    return str(getattr(found, "name", "") or "")


def unum(number: int) -> str:
    """An unsigned 64-bit number."""
    return str(number) if number <= 0xFFFF else hex(number)


def snum(number: int) -> str:
    """A signed 64-bit number; large and very small ones show their 64 bits."""
    return str(number) if -0x8000 <= number <= 0x7FFF else hex(number & M64)


def tnum_strn(value: int, mask: int) -> str:
    """A tnum: a number when it is one, else ``(0x10; 0xff)``, known bits and unknown ones."""
    return f"({value:#x}; {mask:#x})" if mask else unum(value)


@lru_cache(KEPT)
def fmt_reg_mask(mask: int) -> str:
    """A set of registers by bits: ``r0,r2``."""
    return ",".join([f"r{i}" for i in range(32) if mask >> i & 1])


@lru_cache(KEPT)
def fmt_stack_mask(mask: int) -> str:
    """A set of stack slots by bits, as offsets from the frame pointer: ``-8,-16``."""
    return ",".join([str(-8 * (i + 1)) for i in range(64) if mask >> i & 1])
