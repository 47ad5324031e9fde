"""How uBPF and the public conformance suite spell each row of the instruction table.

A spelling is a mnemonic (one or more words) and its operands; printer and parser both read it.  uBPF has no
words for a few instructions of Linux; their spellings here are Osmia's own: ``ldabsw``/``ldindw`` (as in rbpf),
``acquirew``/``releasew``, ``may_goto``, ``addr_space_cast``, and ``lddw %r1, map_fd 5`` with its relatives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from osmia.isa import OPS, Op
from osmia.isa.table import BY_NAME

Operands = tuple[str, ...]
"""Kinds: ``dst src`` registers, ``imm`` number, ``dst_mem src_mem`` ``[%r1+8]``, ``off_target imm_target`` a label or
distance, ``imm64``, ``next`` the second slot's number (left out where it is 0), ``spaces`` two numbers, ``=word``."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """One way to write an instruction: ``lock add [%r1+8], %r2`` is ``lock add`` and (``dst_mem``, ``src``)."""

    mnemonic: str
    operands: Operands
    op: Op


_CONDITIONS = "jeq|jgt|jge|jset|jne|jsgt|jsge|jlt|jle|jslt|jsle"
_RULES: tuple[tuple[str, str, Operands], ...] = (
    (rf"({_CONDITIONS})(32)?_imm", r"\1\2", ("dst", "imm", "off_target")),
    (rf"({_CONDITIONS})(32)?_reg", r"\1\2", ("dst", "src", "off_target")),
    (r"([a-z]+)(?:64|(32))_imm", r"\1\2", ("dst", "imm")),
    (r"([a-z]+)(?:64|(32))_reg", r"\1\2", ("dst", "src")),
    (r"neg(?:64|(32))", r"neg\1", ("dst",)),
    (r"movsx(\d+)_s(\d+)", r"movsx\2\1", ("dst", "src")),
    (r"((?:le|be)\d+)", r"\1", ("dst",)),
    (r"bswap(\d+)", r"swap\1", ("dst",)),
    (r"addr_space_cast", "addr_space_cast", ("dst", "src", "spaces")),
    (r"ldx_(\w+)", r"ldx\1", ("dst", "src_mem")),
    (r"ldxsx_(\w+)", r"ldxs\1", ("dst", "src_mem")),
    (r"st_(\w+)", r"st\1", ("dst_mem", "imm")),
    (r"stx_(\w+)", r"stx\1", ("dst_mem", "src")),
    (r"ldabs_(\w+)", r"ldabs\1", ("imm",)),
    (r"ldind_(\w+)", r"ldind\1", ("src", "imm")),
    (r"atomic_fetch_([a-z]+)(?:64|(32))", r"lock fetch \1\2", ("dst_mem", "src")),
    (r"(?:atomic_)?([a-z]+)(?:64|(32))", r"lock \1\2", ("dst_mem", "src")),
    (r"load_acquire_(\w+)", r"acquire\1", ("dst", "src_mem")),
    (r"store_release_(\w+)", r"release\1", ("dst_mem", "src")),
    (r"ld_imm64", "lddw", ("dst", "imm64")),
    (r"ld_func", "lddw", ("dst", "=func", "imm_target", "next")),
    (r"ld_(\w+)", "lddw", ("dst", r"=\1", "imm", "next")),
    (r"(ja|may_goto)", r"\1", ("off_target",)),
    (r"gotol", "ja32", ("imm_target",)),
    (r"call", "call", ("imm",)),
    (r"call_local", "call local", ("imm_target",)),
    (r"call_kfunc", "call runtime", ("imm", "off")),
    (r"callx", "callx", ("dst",)),
    (r"exit", "exit", ()),
)


def _spell(op: Op) -> Spelling:
    for pattern, mnemonic, operands in _RULES:
        if match := re.fullmatch(pattern, op.name):
            return Spelling(match.expand(mnemonic), tuple(match.expand(o) for o in operands), op)
    raise AssertionError(op.name)


SPELLINGS: tuple[Spelling, ...] = tuple(_spell(op) for op in OPS)


def _aliases() -> Iterator[tuple[str, str]]:
    """Other spellings that these tools and their relatives take → the one above."""
    for spelling in SPELLINGS:
        name = spelling.mnemonic
        if spelling.op.name.endswith(("64_imm", "64_reg")) or spelling.op.name in ("neg64",):
            yield f"{name}64", name
        if name.startswith("lock ") and not name.endswith("32"):
            yield f"{name}64", name
        if name.startswith("lock ") and "fetch" not in name and "chg" in name:
            yield name.replace("lock ", "lock fetch "), name
    for bits in (16, 32, 64):
        yield f"bswap{bits}", f"swap{bits}"
    for bits in (8, 16, 32):
        yield f"movsx{bits}", f"movsx{bits}64"
    yield "call helper", "call"
    yield "call kfunc", "call runtime"
    yield "jmp", "ja"
    yield "call rel", "call local"


ALIASES: dict[str, str] = dict(_aliases())


def _by_mnemonic() -> dict[str, tuple[Spelling, ...]]:
    table: dict[str, tuple[Spelling, ...]] = {}
    for spelling in (*SPELLINGS, Spelling("call", ("dst",), BY_NAME["callx"])):
        table[spelling.mnemonic] = (*table.get(spelling.mnemonic, ()), spelling)
    for alias, name in ALIASES.items():
        table.setdefault(alias, table[name])
    return table


BY_MNEMONIC: dict[str, tuple[Spelling, ...]] = _by_mnemonic()
FIRST_WORDS: dict[str, frozenset[str]] = {
    first: frozenset(m.split()[1] for m in BY_MNEMONIC if m.startswith(f"{first} ")) for first in ("lock", "call")
}
