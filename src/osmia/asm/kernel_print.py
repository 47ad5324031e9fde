"""The kernel's way to write one instruction, slot by slot (Linux 6.18: ``print_bpf_insn`` of kernel/bpf/disasm.c).

Every one of the 256 opcode bytes has its printer here, made once when the module is imported, so that printing
an instruction is a look-up and one formatted string.  Opcodes which the verifier refuses before it prints anything
are written as the kernel's function would write them; the one exception is 0x99 (a sign-extending load of eight
bytes): there the kernel would read past a table, and ``BUG_ldx_99`` is printed here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from osmia.isa import Insn
from osmia.isa import consts as c
from osmia.isa.insn import imm64

Printer = Callable[[Insn], str]
Kfuncs = Mapping[tuple[int, int], str]
"""Names of kernel functions by (BTF id, index into the fd array): the call's ``imm`` and ``off``."""

NULL = "(null)"  # what the kernel's printf makes of a missing name
ALU = {
    c.BPF_ADD: "+=", c.BPF_SUB: "-=", c.BPF_MUL: "*=", c.BPF_DIV: "/=", c.BPF_OR: "|=", c.BPF_AND: "&=",
    c.BPF_LSH: "<<=", c.BPF_RSH: ">>=", c.BPF_MOD: "%=", c.BPF_XOR: "^=", c.BPF_MOV: "=", c.BPF_ARSH: "s>>=",
}  # fmt: skip
SIGNED_ALU = {c.BPF_DIV: "s/=", c.BPF_MOD: "s%="}
JUMPS = {
    c.BPF_JA: "jmp", c.BPF_JEQ: "==", c.BPF_JGT: ">", c.BPF_JGE: ">=", c.BPF_JSET: "&", c.BPF_JNE: "!=",
    c.BPF_JSGT: "s>", c.BPF_JSGE: "s>=", c.BPF_JLT: "<", c.BPF_JLE: "<=", c.BPF_JSLT: "s<", c.BPF_JSLE: "s<=",
    c.BPF_EXIT: "exit",
}  # fmt: skip
SIZES = {c.BPF_W: "u32", c.BPF_H: "u16", c.BPF_B: "u8", c.BPF_DW: "u64"}
SIGNED_SIZES = {c.BPF_W: "s32", c.BPF_H: "s16", c.BPF_B: "s8"}
MOVSX = {8: "(s8)", 16: "(s16)", 32: "(s32)"}
ATOMICS = {c.BPF_ADD: "add", c.BPF_OR: "or", c.BPF_AND: "and", c.BPF_XOR: "xor"}
ADDR_PERCPU = -1
"""The ``off`` of a move that the kernel itself makes to reach per-CPU data; it refuses it from users."""
NOSPEC = 0xC0
"""The mode of a speculation barrier (class ST): the kernel's own too."""
POINTER_SOURCES = frozenset((c.BPF_PSEUDO_MAP_FD, c.BPF_PSEUDO_MAP_VALUE))
"""Loads whose address is hidden from loaders who may not see it; those by index are shown."""


def format_call(insn: Insn, helpers: Mapping[int, str], kfuncs: Kfuncs) -> str:
    """A call of any kind: ``call bpf_map_lookup_elem#1``, ``call pc+5``, ``call bpf_task_acquire#71234``."""
    _, _, src, off, imm = insn
    if src == c.BPF_PSEUDO_CALL:
        return f"({insn.code:02x}) call pc{imm:+d}"
    name = "unknown"
    if src == 0:
        name = helpers.get(imm, "unknown") if imm else "bpf_unspec"
    elif src == c.BPF_PSEUDO_KFUNC_CALL:
        name = kfuncs.get((imm, off), "kernel-function" if imm or off else "")  # BTF id 0 is void: no name
    return f"({insn.code:02x}) call {name}#{imm}"


def format_wide(insn: Insn, following: Insn | None, ptr_leaks: bool) -> str:
    """A 64-bit immediate load; addresses print as 0 for those who may not see them."""
    value = imm64(insn, following or Insn(0))
    if not ptr_leaks and insn.src_reg in POINTER_SOURCES:
        value = 0
    return f"(18) r{insn.dst_reg} = {value:#x}"


def _alu_imm(code: int, letter: str) -> Printer:
    op = code & 0xF0
    head, plain = f"({code:02x}) {letter}", ALU.get(op, NULL)
    signed = SIGNED_ALU.get(op, plain)

    def text(insn: Insn) -> str:
        _, dst, _, off, imm = insn
        return f"{head}{dst} {signed if off == 1 else plain} {imm}"

    return text


def _alu_reg(code: int, letter: str) -> Printer:
    op = code & 0xF0
    head, plain = f"({code:02x}) {letter}", ALU.get(op, NULL)
    signed = SIGNED_ALU.get(op, plain)
    casts = MOVSX if op == c.BPF_MOV else {}

    def text(insn: Insn) -> str:
        _, dst, src, off, _ = insn
        if not off:
            return f"{head}{dst} {plain} {letter}{src}"
        return f"{head}{dst} {signed if off == 1 else plain} {casts.get(off, '')}{letter}{src}"

    return text


def _mov64_reg(insn: Insn) -> str:
    _, dst, src, off, imm = insn
    if off == c.BPF_ADDR_SPACE_CAST:
        return f"(bf) r{dst} = addr_space_cast(r{src}, {(imm >> 16) & 0xFFFF}, {imm & 0xFFFF})"
    if off == ADDR_PERCPU:
        return f"(bf) r{dst} = &(void __percpu *)(r{src})"
    return f"(bf) r{dst} = {MOVSX.get(off, '')}r{src}"


def _alu(code: int) -> Printer:
    op, letter = code & 0xF0, "w" if code & 7 == c.BPF_ALU else "r"
    if op == c.BPF_END:
        name = "bswap" if letter == "r" else "be" if code & c.BPF_TO_BE else "le"
        return lambda i: f"({code:02x}) r{i.dst_reg} = {name}{i.imm} r{i.dst_reg}"
    if op == c.BPF_NEG:
        return lambda i: f"({code:02x}) {letter}{i.dst_reg} = -{letter}{i.dst_reg}"
    if code == c.BPF_ALU64 | c.BPF_MOV | c.BPF_X:
        return _mov64_reg
    return _alu_reg(code, letter) if code & c.BPF_X else _alu_imm(code, letter)


def _jump(code: int) -> Printer:
    fixed = {
        c.BPF_JMP | c.BPF_JA: lambda i: f"(05) goto pc{i.off:+d}",
        c.BPF_JMP32 | c.BPF_JA: lambda i: f"(06) gotol pc{i.imm:+d}",
        c.BPF_JMP | c.BPF_EXIT: lambda _: "(95) exit",
    }
    if code in fixed:
        return fixed[code]
    letter, sign = "w" if code & 7 == c.BPF_JMP32 else "r", JUMPS.get(code & 0xF0, NULL)
    head = f"({code:02x}) if {letter}"
    if code & c.BPF_X:
        return lambda i: f"{head}{i.dst_reg} {sign} {letter}{i.src_reg} goto pc{i.off:+d}"
    compare: Printer = lambda i: f"{head}{i.dst_reg} {sign} {i.imm & 0xFFFFFFFF:#x} goto pc{i.off:+d}"  # noqa: E731
    if code == c.BPF_JMP | c.BPF_JCOND:
        return lambda i: compare(i) if i.src_reg else f"(e5) may_goto pc{i.off:+d}"
    return compare


def _load(code: int) -> Printer:
    signed = code & 0xE0 == c.BPF_MEMSX
    size = (SIGNED_SIZES if signed else SIZES).get(code & 0x18)
    if size is None or (not signed and code & 0xE0 != c.BPF_MEM):
        return lambda _: f"BUG_ldx_{code:02x}"
    return lambda i: f"({code:02x}) r{i.dst_reg} = *({size} *)(r{i.src_reg} {i.off:+d})"


def _packet_load(code: int) -> Printer:
    head = f"({code:02x}) r0 = *({SIZES[code & 0x18]} *)skb["
    if code & 0xE0 == c.BPF_ABS:
        return lambda i: f"{head}{i.imm}]"
    if code & 0xE0 == c.BPF_IND:
        return lambda i: f"{head}r{i.src_reg} + {i.imm}]"
    return lambda _: f"BUG_ld_{code:02x}"


def _store_imm(code: int) -> Printer:
    if code & 0xE0 == c.BPF_MEM:
        return lambda i: f"({code:02x}) *({SIZES[code & 0x18]} *)(r{i.dst_reg} {i.off:+d}) = {i.imm}"
    text = f"({code:02x}) nospec" if code & 0xE0 == NOSPEC else f"BUG_st_{code:02x}"
    return lambda _: text


def _store_reg(code: int) -> Printer:
    if code & 0xE0 == c.BPF_MEM:
        return lambda i: f"({code:02x}) *({SIZES[code & 0x18]} *)(r{i.dst_reg} {i.off:+d}) = r{i.src_reg}"
    return _atomic(code) if code & 0xE0 == c.BPF_ATOMIC else lambda _: f"BUG_{code:02x}"


def _atomic(code: int) -> Printer:
    size, wide = SIZES[code & 0x18], "64" if code & 0x18 == c.BPF_DW else ""

    def text(insn: Insn) -> str:
        _, dst, src, off, imm = insn
        at = f"({size} *)(r{dst} {off:+d})"
        if imm in ATOMICS:
            return f"({code:02x}) lock *{at} {ALU[imm]} r{src}"
        if imm ^ c.BPF_FETCH in ATOMICS:
            return f"({code:02x}) r{src} = atomic{wide}_fetch_{ATOMICS[imm ^ c.BPF_FETCH]}({at}, r{src})"
        if imm == c.BPF_CMPXCHG:
            return f"({code:02x}) r0 = atomic{wide}_cmpxchg({at}, r0, r{src})"
        if imm == c.BPF_XCHG:
            return f"({code:02x}) r{src} = atomic{wide}_xchg({at}, r{src})"
        if imm == c.BPF_LOAD_ACQ:
            return f"({code:02x}) r{dst} = load_acquire(({size} *)(r{src} {off:+d}))"
        return f"({code:02x}) store_release({at}, r{src})" if imm == c.BPF_STORE_REL else f"BUG_{code:02x}"

    return text


_BY_CLASS: dict[int, Callable[[int], Printer]] = {
    c.BPF_LD: _packet_load, c.BPF_LDX: _load, c.BPF_ST: _store_imm, c.BPF_STX: _store_reg,
    c.BPF_ALU: _alu, c.BPF_JMP: _jump, c.BPF_JMP32: _jump, c.BPF_ALU64: _alu,
}  # fmt: skip


def is_call(code: int) -> bool:
    """Any call: the kernel's printer takes both jump classes and both source bits for one."""
    return code & 7 in (c.BPF_JMP, c.BPF_JMP32) and code & 0xF0 == c.BPF_CALL


PRINTERS: tuple[Printer | None, ...] = tuple(
    None if is_call(code) or code == c.LD_IMM64 else _BY_CLASS[code & 7](code) for code in range(256)
)
"""By opcode byte; None where more than the slot is needed (calls need names, wide loads their second slot)."""
