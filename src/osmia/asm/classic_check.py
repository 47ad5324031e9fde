"""Would Linux take this classic filter?  The rules of ``bpf_check_classic`` and of seccomp (Linux 6.18).

net/core/filter.c: bpf_check_classic, chk_code_allowed, check_load_and_stores; kernel/seccomp.c: seccomp_check_filter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NoReturn

from osmia.asm import classic_insn as ci
from osmia.asm.classic_insn import ANCILLARY_BY_OFFSET, BY_CODE, SockFilter
from osmia.errors import AsmError
from osmia.isa import consts as c

Flavour = Literal["socket", "seccomp"]
SECCOMP_DATA_SIZE = 64
_ALL = (1 << ci.BPF_MEMWORDS) - 1
_K_DIVISIONS = (c.BPF_ALU | c.BPF_DIV | c.BPF_K, c.BPF_ALU | c.BPF_MOD | c.BPF_K)
_K_SHIFTS = (c.BPF_ALU | c.BPF_LSH | c.BPF_K, c.BPF_ALU | c.BPF_RSH | c.BPF_K)
_MEMORY = (ci.LD_MEM, ci.LDX_MEM, c.BPF_ST, c.BPF_STX)
_NOT_IN_SECCOMP = frozenset(
    (0x28, 0x30, 0x40, 0x48, 0x50, ci.LDX_MSH, c.BPF_ALU | c.BPF_MOD | c.BPF_K, c.BPF_ALU | c.BPF_MOD | c.BPF_X)
)


def check(filters: Sequence[SockFilter], flavour: Flavour = "socket") -> None:
    """Return if the kernel would attach the filter; raise AsmError naming the instruction if not."""
    if not 1 <= len(filters) <= ci.BPF_MAXINSNS:
        raise AsmError(f"a filter has 1 to {ci.BPF_MAXINSNS} instructions, not {len(filters)}", insn=0)
    for at, insn in enumerate(filters):
        _check_one(insn, at, len(filters), flavour)
    if filters[-1].code not in (ci.RET_K, ci.RET_A):
        _refuse(len(filters) - 1, "the last instruction must be a ret")
    _check_memory(filters)


def _refuse(at: int, reason: str) -> NoReturn:
    raise AsmError(reason, insn=at)


def _check_one(insn: SockFilter, at: int, length: int, flavour: Flavour) -> None:
    code, k = insn.code, insn.k
    if code not in BY_CODE or code == ci.RET_X:
        _refuse(at, f"opcode {code:#06x} is none of classic BPF's")
    if code in _K_DIVISIONS and k == 0:
        _refuse(at, "division by a constant 0")
    if code in _K_SHIFTS and k >= 32:
        _refuse(at, f"shift by {k}: 31 is the most")
    if code in _MEMORY and k >= ci.BPF_MEMWORDS:
        _refuse(at, f"M[{k}] does not exist: M[0] to M[15] do")
    if code & 7 == c.BPF_JMP:
        _check_jump(insn, at, length)
    if flavour == "seccomp":
        _check_seccomp(insn, at)
    elif ci.is_abs(code) and k >= ci.SKF_AD_OFF and k not in ANCILLARY_BY_OFFSET:
        _refuse(at, f"no extension is at {k - (1 << 32)}")


def _check_jump(insn: SockFilter, at: int, length: int) -> None:
    if insn.code == ci.JA:
        targets = [at + 1 + insn.k]
    else:
        targets = [at + 1 + insn.jt, at + 1 + insn.jf]
    for target in targets:
        if target >= length:
            _refuse(at, f"jump to instruction {target}: the last one is {length - 1}")


def _check_seccomp(insn: SockFilter, at: int) -> None:
    if insn.code in _NOT_IN_SECCOMP:
        _refuse(at, f"seccomp does not take {BY_CODE[insn.code].mnemonic} here")
    if insn.code == 0x20 and (insn.k >= SECCOMP_DATA_SIZE or insn.k & 3):
        _refuse(at, f"seccomp loads whole words of its {SECCOMP_DATA_SIZE} bytes, not [{insn.k}]")


def _check_memory(filters: Sequence[SockFilter]) -> None:
    """No word of M[] is read that is not written on every way to the reader."""
    reach = [_ALL] * (len(filters) + 1)
    valid = 0
    for at, insn in enumerate(filters):
        valid &= reach[at]
        if insn.code in (c.BPF_ST, c.BPF_STX):
            valid |= 1 << insn.k
        elif insn.code in (ci.LD_MEM, ci.LDX_MEM) and not valid & 1 << insn.k:
            _refuse(at, f"M[{insn.k}] is read before it is written")
        elif insn.code & 7 == c.BPF_JMP:
            for distance in (insn.k,) if insn.code == ci.JA else (insn.jt, insn.jf):
                reach[at + 1 + distance] &= valid
            valid = _ALL
