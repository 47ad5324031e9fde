"""THE table: every eBPF instruction that Linux 6.18 knows, one row each.

A row says what each field of the slot holds, which conformance group (RFC 9669 section 2.4) it belongs
to, the lowest ``-mcpu`` of LLVM that emits it, the Linux release that first took it, and what it does.
Everything else (classification, constructors' tests, printers, parsers, the reference page) reads this.

A field is a ``Kind`` where it is an operand, or a number where it must hold just that number: zero where
the field is reserved, another number where it selects the instruction.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from osmia.isa import consts as c


class Kind(Enum):
    """What an operand field holds."""

    REG = "register, 0 to 10"
    IMM = "signed 32-bit constant"
    MEM = "signed byte offset from a base register"
    JUMP = "signed slot offset from the next instruction"
    SLOTS = "signed slot offset (a subprogram, or a long jump) from the next instruction"
    HELPER = "number of a helper"
    BTF_ID = "BTF id of a kernel function, variable or helper"
    FD = "file descriptor of a map, or its number where the program is not loaded yet"
    INDEX = "index into the fd array (of a map, or of a module's BTF; 0 is vmlinux)"
    SPACES = "destination address space in the upper half, source in the lower"
    LOW = "low 32 bits of a 64-bit constant; the next slot's imm is the rest"


Field = Kind | int
R, I = Kind.REG, Kind.IMM  # noqa: E741 (the two most common columns of the table)


class Op(NamedTuple):
    """One instruction: ``name`` is unique, ``semantics`` is pseudo-C over u64 registers."""

    name: str
    code: int
    dst: Field
    src: Field
    off: Field
    imm: Field
    group: str
    cpu: str
    since: str
    semantics: str

    @property
    def cls(self) -> int:
        """The instruction class (BPF_LD … BPF_ALU64)."""
        return self.code & 7

    @property
    def wide(self) -> bool:
        """Takes two slots."""
        return self.code == c.LD_IMM64


_SIZES = {
    "b": (c.BPF_B, "u8", "s8"), "h": (c.BPF_H, "u16", "s16"),
    "w": (c.BPF_W, "u32", "s32"), "dw": (c.BPF_DW, "u64", "s64"),
}  # fmt: skip
_ARITH = {
    "add": (c.BPF_ADD, "+="), "sub": (c.BPF_SUB, "-="), "or": (c.BPF_OR, "|="), "and": (c.BPF_AND, "&="),
    "lsh": (c.BPF_LSH, "<<="), "rsh": (c.BPF_RSH, ">>="), "xor": (c.BPF_XOR, "^="), "mov": (c.BPF_MOV, "="),
    "arsh": (c.BPF_ARSH, "s>>="),
}  # fmt: skip
_DIVMUL = {"mul": (c.BPF_MUL, 0, "*=", "v1"), "div": (c.BPF_DIV, 0, "/=", "v1"), "mod": (c.BPF_MOD, 0, "%=", "v1"),
           "sdiv": (c.BPF_DIV, 1, "s/=", "v4"), "smod": (c.BPF_MOD, 1, "s%=", "v4")}  # fmt: skip
_CONDS = {
    "jeq": (c.BPF_JEQ, "==", "v1"), "jgt": (c.BPF_JGT, ">", "v1"), "jge": (c.BPF_JGE, ">=", "v1"),
    "jset": (c.BPF_JSET, "&", "v1"), "jne": (c.BPF_JNE, "!=", "v1"), "jsgt": (c.BPF_JSGT, "s>", "v1"),
    "jsge": (c.BPF_JSGE, "s>=", "v1"), "jlt": (c.BPF_JLT, "<", "v2"), "jle": (c.BPF_JLE, "<=", "v2"),
    "jslt": (c.BPF_JSLT, "s<", "v2"), "jsle": (c.BPF_JSLE, "s<=", "v2"),
}  # fmt: skip
_SINCE = {"v1": "3.18", "v2": "4.14", "v3": "5.1", "v4": "6.6"}
_WIDTHS = (("64", c.BPF_ALU64, ""), ("32", c.BPF_ALU, "(u32)"))
_SOURCES = (("imm", c.BPF_K, 0, I), ("reg", c.BPF_X, R, 0))


def _assign(sign: str, operand: str, cast: str) -> str:
    if not cast:
        return f"dst {sign} {operand}"
    kind = "(s32)" if sign in ("s>>=", "s/=", "s%=") else cast
    return f"dst = {cast}{operand}" if sign == "=" else f"dst = (u32)({kind}dst {sign.strip('s=')} {kind}{operand})"


def _arithmetic() -> Iterator[Op]:
    for width, cls, cast in _WIDTHS:
        for how, bit, src, imm in _SOURCES:
            operand = "imm" if how == "imm" else "src"
            for name, (op, sign) in _ARITH.items():
                text = _assign(sign, operand, cast)
                yield Op(f"{name}{width}_{how}", cls | op | bit, R, src, 0, imm, f"base{width}", "v1", "3.18", text)
            for name, (op, off, sign, cpu) in _DIVMUL.items():
                text, since = _assign(sign, operand, cast), _SINCE[cpu]
                yield Op(f"{name}{width}_{how}", cls | op | bit, R, src, off, imm, f"divmul{width}", cpu, since, text)
        neg = "dst = -dst" if not cast else "dst = (u32)-dst"
        yield Op(f"neg{width}", cls | c.BPF_NEG, R, 0, 0, 0, f"base{width}", "v1", "3.18", neg)


def _moves_and_swaps() -> Iterator[Op]:
    for width, cls, cast in _WIDTHS:
        for bits in (8, 16, 32)[: 3 if width == "64" else 2]:
            code, text = cls | c.BPF_MOV | c.BPF_X, f"dst = {cast}(s{width})(s{bits})src"
            yield Op(f"movsx{width}_s{bits}", code, R, R, bits, 0, f"base{width}", "v4", "6.6", text)
    for bits in (16, 32, 64):
        group = "base64" if bits == 64 else "base32"
        for name, to in (("le", c.BPF_TO_LE), ("be", c.BPF_TO_BE)):
            code, text = c.BPF_ALU | c.BPF_END | to, f"dst = hto{name}{bits}(dst)"
            yield Op(f"{name}{bits}", code, R, 0, 0, bits, group, "v1", "3.18", text)
        code = c.BPF_ALU64 | c.BPF_END
        yield Op(f"bswap{bits}", code, R, 0, 0, bits, group, "v4", "6.6", f"dst = bswap{bits}(dst)")
    code, text = c.BPF_ALU64 | c.BPF_MOV | c.BPF_X, "dst = addr_space_cast(src, imm >> 16, imm & 0xffff)"
    yield Op("addr_space_cast", code, R, R, c.BPF_ADDR_SPACE_CAST, Kind.SPACES, "base64", "v1", "6.9", text)


def _jumps() -> Iterator[Op]:
    J = Kind.JUMP
    for width, cls, cast, floor in (("", c.BPF_JMP, "", "v1"), ("32", c.BPF_JMP32, "(u32)", "v3")):
        for how, bit, src, imm in _SOURCES:
            operand = f"{cast}{'imm' if how == 'imm' else 'src'}"
            for name, (op, sign, cpu) in _CONDS.items():
                code, need = cls | op | bit, max(cpu, floor)
                text = f"if ({cast}dst {sign} {operand}) pc += off"
                yield Op(f"{name}{width}_{how}", code, R, src, J, imm, f"base{width or 64}", need, _SINCE[need], text)
    yield Op("ja", c.BPF_JMP | c.BPF_JA, 0, 0, J, 0, "base32", "v1", "3.18", "pc += off")
    yield Op("gotol", c.BPF_JMP32 | c.BPF_JA, 0, 0, 0, Kind.SLOTS, "base32", "v4", "6.6", "pc += imm")
    text = "if (iteration budget spent) pc += off"
    yield Op("may_goto", c.BPF_JMP | c.BPF_JCOND, 0, c.BPF_MAY_GOTO, J, 0, "base32", "v1", "6.9", text)
    call = c.BPF_JMP | c.BPF_CALL
    yield Op("call", call, 0, 0, 0, Kind.HELPER, "base32", "v1", "3.18", "r0 = helper imm(r1, r2, r3, r4, r5)")
    text = "call the subprogram at pc + imm"
    yield Op("call_local", call, 0, c.BPF_PSEUDO_CALL, 0, Kind.SLOTS, "base32", "v1", "4.16", text)
    text = "r0 = kernel function (or helper) of BTF id imm(r1, r2, r3, r4, r5)"
    yield Op("call_kfunc", call, 0, c.BPF_PSEUDO_KFUNC_CALL, Kind.INDEX, Kind.BTF_ID, "base32", "v1", "5.13", text)
    text = "call the function at the address in dst (LLVM emits it; Linux refuses it)"
    yield Op("callx", call | c.BPF_X, R, 0, 0, 0, "base32", "v1", "never", text)
    yield Op("exit", c.BPF_JMP | c.BPF_EXIT, 0, 0, 0, 0, "base32", "v1", "3.18", "return r0")


def _memory() -> Iterator[Op]:
    M = Kind.MEM
    for name, (size, u, s) in _SIZES.items():
        group = "base64" if name == "dw" else "base32"
        at = f"*({u} *)(dst + off)"
        text = f"dst = *({u} *)(src + off)"
        yield Op(f"ldx_{name}", c.BPF_LDX | c.BPF_MEM | size, R, R, M, 0, group, "v1", "3.18", text)
        yield Op(f"st_{name}", c.BPF_ST | c.BPF_MEM | size, R, 0, M, I, group, "v1", "3.18", f"{at} = imm")
        yield Op(f"stx_{name}", c.BPF_STX | c.BPF_MEM | size, R, R, M, 0, group, "v1", "3.18", f"{at} = src")
        if name != "dw":
            code, text = c.BPF_LDX | c.BPF_MEMSX | size, f"dst = *({s} *)(src + off)"
            yield Op(f"ldxsx_{name}", code, R, R, M, 0, "base64", "v4", "6.6", text)
            text = f"r0 = ntoh(*({u} *)(skb data + imm))"
            yield Op(f"ldabs_{name}", c.BPF_LD | c.BPF_ABS | size, 0, 0, 0, I, "packet", "v1", "3.18", text)
            text = f"r0 = ntoh(*({u} *)(skb data + src + imm))"
            yield Op(f"ldind_{name}", c.BPF_LD | c.BPF_IND | size, 0, R, 0, I, "packet", "v1", "3.18", text)


_PSEUDO = (
    ("ld_imm64", 0, Kind.LOW, "3.18", "dst = imm64"),
    ("ld_map_fd", c.BPF_PSEUDO_MAP_FD, Kind.FD, "3.18", "dst = map(imm)"),
    ("ld_map_value", c.BPF_PSEUDO_MAP_VALUE, Kind.FD, "5.2", "dst = address of the value of map(imm) + next_imm"),
    ("ld_btf_id", c.BPF_PSEUDO_BTF_ID, Kind.BTF_ID, "5.10", "dst = address of the kernel variable imm"),
    ("ld_func", c.BPF_PSEUDO_FUNC, Kind.SLOTS, "5.13", "dst = address of the subprogram at pc + imm"),
    ("ld_map_idx", c.BPF_PSEUDO_MAP_IDX, Kind.INDEX, "5.14", "dst = map(fd_array[imm])"),
    ("ld_map_idx_value", c.BPF_PSEUDO_MAP_IDX_VALUE, Kind.INDEX, "5.14",
     "dst = address of the value of map(fd_array[imm]) + next_imm"),
)  # fmt: skip


def _wide() -> Iterator[Op]:
    for name, src, imm, since, text in _PSEUDO:
        yield Op(name, c.LD_IMM64, R, src, 0, imm, "base64", "v1", since, text)


def _atomics() -> Iterator[Op]:
    M = Kind.MEM
    for width, size in (("32", c.BPF_W), ("64", c.BPF_DW)):
        code, at, group = c.BPF_STX | c.BPF_ATOMIC | size, f"*(u{width} *)(dst + off)", f"atomic{width}"
        for name in ("add", "or", "and", "xor"):
            op, sign = _ARITH[name]
            since, cpu = ("3.18", "v1") if name == "add" else ("5.12", "v3")
            yield Op(f"atomic_{name}{width}", code, R, R, M, op, group, cpu, since, f"lock {at} {sign} src")
            text = f"src = atomic_fetch_{name}({at}, src)"
            yield Op(f"atomic_fetch_{name}{width}", code, R, R, M, op | c.BPF_FETCH, group, "v3", "5.12", text)
        yield Op(f"xchg{width}", code, R, R, M, c.BPF_XCHG, group, "v3", "5.12", f"src = xchg({at}, src)")
        text = f"r0 = cmpxchg({at}, r0, src)"
        yield Op(f"cmpxchg{width}", code, R, R, M, c.BPF_CMPXCHG, group, "v3", "5.12", text)
    for name, (size, u, _) in _SIZES.items():
        code, group = c.BPF_STX | c.BPF_ATOMIC | size, "atomic64" if name == "dw" else "atomic32"
        text = f"dst = load_acquire(*({u} *)(src + off))"
        yield Op(f"load_acquire_{name}", code, R, R, M, c.BPF_LOAD_ACQ, group, "v4", "6.15", text)
        text = f"store_release(*({u} *)(dst + off), src)"
        yield Op(f"store_release_{name}", code, R, R, M, c.BPF_STORE_REL, group, "v4", "6.15", text)


OPS: tuple[Op, ...] = (*_arithmetic(), *_moves_and_swaps(), *_memory(), *_atomics(), *_wide(), *_jumps())
BY_NAME: dict[str, Op] = {op.name: op for op in OPS}
GROUPS: dict[str, tuple[str, ...]] = {  # each group with those it includes (RFC 9669 section 2.4)
    "base32": (), "base64": ("base32",), "atomic32": (), "atomic64": ("atomic32",),
    "divmul32": (), "divmul64": ("divmul32",), "packet": (),
}  # fmt: skip
