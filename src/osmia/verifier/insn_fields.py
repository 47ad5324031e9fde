"""The fields of every instruction, looked at before anything is walked: also of those that no path reaches.

Linux 7.1 and later (``check_insn_fields`` in kernel/bpf/verifier.c); before, an instruction's fields were looked at
where a path came to it, and those of dead code never.
"""

from __future__ import annotations

from errno import EINVAL

from osmia.isa import consts as c
from osmia.verifier.env import Env
from osmia.verifier.insn import VInsn

REGISTERS = 11
BY_REG = c.BPF_X
WIDTHS_32 = (0, 8, 16)
WIDTHS_64 = (0, 8, 16, 32)
BINARY = (
    c.BPF_ADD, c.BPF_SUB, c.BPF_AND, c.BPF_OR, c.BPF_XOR, c.BPF_LSH, c.BPF_RSH, c.BPF_ARSH, c.BPF_MUL, c.BPF_DIV,
    c.BPF_MOD,
)  # fmt: skip
CALLED = (0, c.BPF_PSEUDO_CALL, c.BPF_PSEUDO_KFUNC_CALL)
JCOND = 0xE0


def check_registers(env: Env, insn: VInsn) -> None:
    """Do both fields name registers?  Raises Rejected."""
    for regno in (insn.dst, insn.src):
        if regno >= REGISTERS:
            raise env.reject(EINVAL, "bad-register", f"R{regno} is invalid\n", reg=regno)


def check_insn_fields(env: Env, insn: VInsn) -> None:
    """Are the fields that an instruction does not use zero?  Its opcode is one that the kernel knows.

    Raises Rejected.
    """
    kind, mode = insn.code & 7, insn.code & 0xE0
    if kind == c.BPF_ALU or kind == c.BPF_ALU64:
        _check_alu(env, insn)
    elif kind == c.BPF_LDX:
        if (mode != c.BPF_MEM and mode != c.BPF_MEMSX) or insn.imm:
            raise _reserved(env, "BPF_LDX")
    elif kind == c.BPF_STX:
        if mode != c.BPF_ATOMIC and (mode != c.BPF_MEM or insn.imm):
            raise _reserved(env, "BPF_STX")
    elif kind == c.BPF_ST:
        if mode != c.BPF_MEM or insn.src:
            raise _reserved(env, "BPF_ST")
    elif kind == c.BPF_LD:
        _check_ld(env, insn, mode)
    else:
        _check_jump(env, insn)


def _reserved(env: Env, name: str) -> Exception:
    return env.reject(EINVAL, "reserved-fields", f"{name} uses reserved fields\n")


def _check_ld(env: Env, insn: VInsn, mode: int) -> None:
    if mode != c.BPF_ABS and mode != c.BPF_IND:
        if mode != c.BPF_IMM:
            raise env.reject(EINVAL, "ld-mode", "invalid BPF_LD mode\n")
    elif insn.dst or insn.off or insn.code & 0x18 == c.BPF_DW or (mode == c.BPF_ABS and insn.src):
        raise _reserved(env, "BPF_LD_[ABS|IND]")


def _check_alu(env: Env, insn: VInsn) -> None:
    op, by_reg, wide = insn.code & 0xF0, insn.code & BY_REG, insn.code & 7 == c.BPF_ALU64
    if op == c.BPF_NEG:
        if by_reg or insn.src or insn.off or insn.imm:
            raise _reserved(env, "BPF_NEG")
    elif op == c.BPF_END:
        if insn.src or insn.off or insn.imm not in (16, 32, 64) or (wide and by_reg):
            raise _reserved(env, "BPF_END")
    elif op == c.BPF_MOV:
        _check_mov(env, insn, wide)
    elif op not in BINARY:
        raise env.reject(EINVAL, "unknown-opcode", f"invalid BPF_ALU opcode {op:x}\n")
    elif (insn.imm if by_reg else insn.src) or (insn.off and (insn.off != 1 or op not in (c.BPF_MOD, c.BPF_DIV))):
        raise _reserved(env, "BPF_ALU")


def _check_mov(env: Env, insn: VInsn, wide: bool) -> None:
    if not insn.code & BY_REG:
        good = not insn.src and not insn.off
    elif wide and insn.off == c.BPF_ADDR_SPACE_CAST:
        if insn.imm not in (1, 1 << 16):
            text = "addr_space_cast insn can only convert between address space 1 and 0\n"
            raise env.reject(EINVAL, "addr-space-cast", text)
        good = True
    else:
        good = insn.off in (WIDTHS_64 if wide else WIDTHS_32) and not insn.imm
    if not good:
        raise _reserved(env, "BPF_MOV")


def _check_jump(env: Env, insn: VInsn) -> None:
    op, by_reg, half = insn.code & 0xF0, insn.code & BY_REG, insn.code & 7 == c.BPF_JMP32
    if op == c.BPF_CALL:
        kernel = insn.src == c.BPF_PSEUDO_KFUNC_CALL
        if by_reg or half or insn.dst or insn.src not in CALLED or (insn.off and not kernel):
            raise _reserved(env, "BPF_CALL")
    elif op == c.BPF_JA:
        if by_reg:
            if insn.src or insn.imm or insn.off:
                raise _reserved(env, "BPF_JA|BPF_X")
        elif insn.src or insn.dst or (insn.off if half else insn.imm):
            raise _reserved(env, "BPF_JA")
    elif op == c.BPF_EXIT:
        if by_reg or half or insn.imm or insn.src or insn.dst:
            raise _reserved(env, "BPF_EXIT")
    elif op == JCOND:
        if half or by_reg or insn.src or insn.dst or insn.imm:
            raise env.reject(EINVAL, "may-goto", f"invalid may_goto imm {insn.imm}\n")
    elif insn.imm if by_reg else insn.src:
        raise _reserved(env, "BPF_JMP/JMP32")
