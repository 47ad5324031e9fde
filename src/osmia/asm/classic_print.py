"""Classic BPF as text: bpf_asm's assembly, and the three forms in which tcpdump dumps a filter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from osmia.asm.classic_insn import ANCILLARY_BY_OFFSET, BY_CODE, ClassicOp, SockFilter, is_abs

_INVERSE = {"jeq": "jne", "jgt": "jle", "jge": "jlt"}


def _number(k: int) -> str:
    return str(k) if k < 10 else f"{k:#x}"


def _offset(k: int) -> str:
    return str(k if k < 1 << 31 else k - (1 << 32))


def _operand(op: ClassicOp, insn: SockFilter) -> str:
    if is_abs(insn.code) and insn.k in ANCILLARY_BY_OFFSET and ANCILLARY_BY_OFFSET[insn.k] != "xor_x":
        return f"#{ANCILLARY_BY_OFFSET[insn.k]}"
    match op.mode.removeprefix("if_"):
        case "abs":
            return f"[{_offset(insn.k)}]"
        case "ind":
            return f"[x + {_offset(insn.k)}]"
        case "mem":
            return f"M[{insn.k}]"
        case "imm":
            return f"#{_number(insn.k)}"
        case "msh":
            return f"4*([{_offset(insn.k)}]&0xf)"
        case "len":
            return "#len"
    return op.mode.removeprefix("if_")


def _sayable(op: ClassicOp, insn: SockFilter) -> bool:
    """No distances stand in an instruction that is no conditional jump."""
    return op.mode.startswith("if_") or (insn.jt == 0 and insn.jf == 0)


def _leftover(op: ClassicOp, insn: SockFilter) -> str:
    """A constant that the instruction does not use: libpcap leaves some, and a faithful copy keeps them."""
    return f" ; with k={insn.k:#x}" if insn.k and op.mode in ("", "a", "x", "len", "if_x") else ""


def targets(filters: Sequence[SockFilter]) -> set[int]:
    """The positions to which an instruction jumps that has them written as labels."""
    found = set[int]()
    for i, insn in enumerate(filters):
        op = BY_CODE.get(insn.code)
        if op and _sayable(op, insn) and fits(op, insn, i, len(filters)):
            found.update(_jumps(op, insn, i))
    return found


def _jumps(op: ClassicOp, insn: SockFilter, at: int) -> list[int]:
    if op.mode == "jump":
        return [at + 1 + _signed(insn.k)]
    if not op.mode.startswith("if_"):
        return []
    both = (at + 1 + insn.jt, at + 1 + insn.jf)
    if insn.jt == 0 and insn.jf and op.mnemonic in _INVERSE:
        return [both[1]]
    return [both[0]] if insn.jf == 0 else list(both)


def _signed(k: int) -> int:
    return (k ^ (1 << 31)) - (1 << 31)


def fits(op: ClassicOp, insn: SockFilter, at: int, length: int) -> bool:
    """Every jump of this instruction lands in the filter or at its end, where a label can stand."""
    return all(0 <= target <= length for target in _jumps(op, insn, at))


def line(insn: SockFilter, at: int, length: int) -> str:
    """One instruction as bpf_asm takes it; ``.slot 0x6, 1, 0, 0x1`` for what it can't say."""
    op = BY_CODE.get(insn.code)
    if op is None or not _sayable(op, insn) or not fits(op, insn, at, length):
        return f".slot {insn.code:#x}, {insn.jt}, {insn.jf}, {insn.k:#x}"
    labels = [f"L{target}" for target in _jumps(op, insn, at)]
    inverse = op.mode.startswith("if_") and insn.jt == 0 and insn.jf != 0 and op.mnemonic in _INVERSE
    operands = ([] if op.mode in ("", "jump") else [_operand(op, insn)]) + labels
    text = f"{_INVERSE[op.mnemonic] if inverse else op.mnemonic} {', '.join(operands)}".rstrip()
    return text + _leftover(op, insn)


def assembly(filters: Sequence[SockFilter]) -> str:
    """A filter as bpf_asm's assembly, one line an instruction, labels before the targets of jumps."""
    named = targets(filters)
    out = []
    for i in range(len(filters) + 1):
        label = f"L{i}:" if i in named else ""
        text = line(filters[i], i, len(filters)) if i < len(filters) else ""
        if label or text:
            out.append(f"{label:<6}{text}".rstrip() + "\n")
    return "".join(out)


def numbers(filters: Sequence[SockFilter]) -> str:
    """What ``tcpdump -ddd`` prints: the count, then code, jt, jf and k in decimal."""
    return f"{len(filters)}\n" + "".join(f"{i.code} {i.jt} {i.jf} {i.k}\n" for i in filters)


def c_array(filters: Iterable[SockFilter]) -> str:
    """What ``tcpdump -dd`` prints: the initialisers of a C array."""
    return "".join(f"{{ {i.code:#x}, {i.jt}, {i.jf}, 0x{i.k:08x} }},\n" for i in filters)


def one_line(filters: Sequence[SockFilter]) -> str:
    """What bpf_asm prints, and iptables' bpf match takes: ``4,40 0 0 12,21 0 1 2048,…``."""
    return f"{len(filters)}," + "".join(f"{i.code} {i.jt} {i.jf} {i.k}," for i in filters) + "\n"
