"""The lines of the log that are no messages: source lines, instructions, functions, the closing statistics.

An instruction's text is made when it is first needed, and kept (``kernel/bpf/log.c``, ``verbose_insn`` and
``print_verification_stats`` of ``kernel/bpf/verifier.c``; Linux 6.18).
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.asm.kernel import format_insn, helper_names
from osmia.errors import InputError
from osmia.isa import Insn
from osmia.isa.consts import (
    BPF_ALU,
    BPF_ALU64,
    BPF_ATOMIC,
    BPF_CALL,
    BPF_JA,
    BPF_JMP,
    BPF_JMP32,
    BPF_LOAD_ACQ,
    BPF_PSEUDO_BTF_ID,
    BPF_PSEUDO_CALL,
    BPF_PSEUDO_KFUNC_CALL,
    BPF_PSEUDO_MAP_IDX_VALUE,
    BPF_PSEUDO_MAP_VALUE,
    BPF_STORE_REL,
    BPF_STX,
    LD_IMM64,
)
from osmia.obj.model import LineInfo, Program
from osmia.verifier.text import btf_type_name
from osmia.words import s32

if not cython.compiled:
    from osmia.verifier.consts import BPF_COMPLEXITY_LIMIT_INSNS, BPF_LOG_STATS

if TYPE_CHECKING:
    from osmia.verifier.env import Env
    from osmia.verifier.insn import VInsn

ROOM = 1023
"""Bytes that one message may have; the kernel cuts longer ones."""
MAPS, VARIABLES = 0xFFFF888100000000, 0xFFFFFFFF81000000
"""Addresses as kernels have them on x86-64; no two loads show the same, so any will do."""
VALUES = (BPF_PSEUDO_MAP_VALUE, BPF_PSEUDO_MAP_IDX_VALUE)
BLANKS = " \t\n\v\f\r"


class Source:
    """One row of line_info in the words of the log: ``return 0; @ prog.bpf.c:12``."""

    def __init__(self, row: LineInfo, program: Program) -> None:
        self.file_off = row.file_off
        self.line = row.line
        code = _string(program, row.line_off).lstrip(BLANKS)
        place = f" @ {_string(program, row.file_off).rpartition('/')[2]}:{row.line}"
        self.text = f"{_cut(code)}{_cut(place)}"


def _string(program: Program, offset: int) -> str:
    try:
        return program.btf.str_at(offset) if program.btf is not None else ""
    except InputError:
        return "(invalid-name-offset)"


def _cut(text: str) -> str:
    return text if len(text) <= ROOM else text.encode("utf-8", "surrogateescape")[:ROOM].decode(errors="replace")


def source_of(env: Env, insn_idx: int) -> Source | None:
    """Where an instruction comes from; None without line_info."""
    by_slot: list[Source | None] | None = env.room.get("sources")
    if by_slot is None:
        by_slot = env.room["sources"] = _sources(env.program, env.n_insns)
    return by_slot[insn_idx] if insn_idx < len(by_slot) else None


def _sources(program: Program, slots: int) -> list[Source | None]:
    """The row of each slot: the last one that starts at it or in front of it."""
    rows: Sequence[LineInfo] = program.line_info
    found: list[Source | None] = []
    for number, row in enumerate(rows):
        end = rows[number + 1].insn if number + 1 < len(rows) else slots
        found.extend([Source(row, program)] * (min(end, slots) - len(found)))
    return found


def verbose_linfo(env: Env, insn_idx: int, prefix: str) -> None:
    """The source line of an instruction behind a prefix, unless the last one that was shown is the same."""
    if not env.log.level or not env.program.line_info:
        return
    source = source_of(env, insn_idx)
    last = env.prev_linfo
    if source is None or source is last:
        return
    if last is not None and source.file_off == last.file_off and source.line == last.line:
        return
    env.log.write(f"{prefix}{source.text}\n")
    env.prev_linfo = source


def verbose_numbered_insn(env: Env, insn: VInsn) -> None:
    """An instruction's number and text with a newline: what the walk says before each step."""
    lines: list[Any] | None = env.room.get("lines")
    if lines is None:
        lines = env.room["lines"] = [None] * env.n_insns
    line: bytes | None = lines[insn.idx]
    if line is None:
        line = lines[insn.idx] = f"{insn.idx}: {insn_text(env, insn)}".encode()
    env.log.write_bytes(line)


def verbose_insn(env: Env, insn: VInsn) -> None:
    """An instruction's text with a newline."""
    if env.log.level:
        env.log.write(insn_text(env, insn))


def insn_text(env: Env, insn: VInsn) -> str:
    """An instruction as the log shows it, with a newline: ``(bf) r6 = r1``."""
    texts: list[Any] | None = env.room.get("texts")
    if texts is None:
        texts = env.room["texts"] = [None] * env.n_insns
    found: str | None = texts[insn.idx]
    if found is None:
        found = texts[insn.idx] = _text(env, insn) + "\n"
    return found


def _text(env: Env, insn: VInsn) -> str:
    first, second = _slot(insn), None
    if insn.code == LD_IMM64 and insn.idx + 1 < env.n_insns:
        second = _slot(env.insns[insn.idx + 1])
        address = _address(env, insn, second.imm)
        if address:
            first, second = first._replace(imm=s32(address)), second._replace(imm=s32(address >> 32))
    if insn.code == BPF_JMP | BPF_CALL and insn.src > BPF_PSEUDO_CALL and not env.rules.kfunc_calls:
        first = first._replace(src_reg=0)  # whatever it calls is printed as a helper
    if insn.off and insn.code & 7 in (BPF_ALU, BPF_ALU64) and not env.rules.cpu_v4:
        first = first._replace(off=0)  # which is no field of arithmetic yet
    if insn.code == BPF_JMP32 | BPF_JA and not env.rules.gotol_shown:
        return f"(06) if w{insn.dst} jmp {insn.imm & 0xFFFFFFFF:#x} goto pc{insn.off:+d}"
    ordered = insn.code & 0xE7 == BPF_STX | BPF_ATOMIC and insn.imm in (BPF_LOAD_ACQ, BPF_STORE_REL)
    if ordered and not env.rules.atomic_load_store:
        return f"BUG_{insn.code:02x}"
    return format_insn(
        first, second, helpers=_helpers(env), kfuncs=_kfuncs(env, insn), ptr_leaks=env.allow_ptr_leaks
    )  # fmt: skip


def _helpers(env: Env) -> dict[int, str]:
    """The helpers that this kernel has names for."""
    known: dict[int, str] | None = env.profile.tables.get("helper names")
    if known is None:
        last = env.profile.limit("helpers")
        known = {number: name for number, name in helper_names().items() if number <= last}
        env.profile.tables["helper names"] = known
    return known


def _slot(insn: VInsn) -> Insn:
    """The slot with the imm that the verifier has put there: the number of a type of the kernel's."""
    return Insn(insn.code, insn.dst, insn.src, insn.off, insn.imm)


def _address(env: Env, insn: VInsn, off: int) -> int:
    """What stands for the address of a map, of a place in its value, or of a kernel variable; 0 for other loads."""
    if insn.src == BPF_PSEUDO_BTF_ID:
        return VARIABLES + 16 * insn.imm
    if insn.map is None:
        return 0
    return MAPS + 0x10000 * env.used_maps.index(insn.map) + (off if insn.src in VALUES else 0)


def _kfuncs(env: Env, insn: VInsn) -> dict[tuple[int, int], str]:
    """The name of the kernel function that an instruction calls, from the kernel's BTF."""
    if insn.src != BPF_PSEUDO_KFUNC_CALL or env.vmlinux is None:
        return {}
    name = btf_type_name(env.vmlinux, insn.imm)
    return {(insn.imm, insn.off): name} if name else {}


def print_verification_stats(env: Env) -> None:
    """The last lines: what it took.  The time counts from ``env.room["began"]`` (nanoseconds), if that is known."""
    if not env.log.level:
        return
    if env.log.level & BPF_LOG_STATS:
        now = perf_counter_ns()
        depths = "+".join([str(subprog.stack_depth) for subprog in env.subprogs])
        env.log.write(f"verification time {(now - env.room.get('began', now)) // 1000} usec\nstack depth {depths}\n")
    env.log.write(
        f"processed {env.insn_processed} insns (limit {BPF_COMPLEXITY_LIMIT_INSNS}) "
        f"max_states_per_insn {env.max_states_per_insn} total_states {env.total_states} "
        f"peak_states {env.peak_states} mark_read {env.longest_mark_read_walk}\n"
    )
