"""How LLVM writes each row of the instruction table: one pattern a row, read by the printer and by the parser.

Fields of a pattern::

    {dst} {src}     a 64-bit register, r0 … r11       {wdst} {wsrc}  its lower half, w0 … w11
    {imm}           the immediate, signed             {off}          " + 0x4", " - 0x4": a signed distance in bytes
    {jump} {far}    "+0x3", "-0x3": off, imm, in slots   {imm64}     both halves of a 64-bit immediate load
    {low}           imm, unsigned                     {pseudo}       src_reg as a number
    {to} {from}     the two 16-bit halves of imm (address spaces)

Facts: llvm/lib/Target/BPF/BPFInstrInfo.td of LLVM 19 and 20 (load_acquire and store_release came with 20), checked
against what llvm-objdump prints for every opcode.
"""

from __future__ import annotations

from osmia.isa.table import OPS, Op

_ARITH = {
    "add": "+=", "sub": "-=", "or": "|=", "and": "&=", "lsh": "<<=", "rsh": ">>=", "xor": "^=", "mov": "=",
    "arsh": "s>>=", "mul": "*=", "div": "/=", "mod": "%=", "sdiv": "s/=", "smod": "s%=",
}  # fmt: skip
_CONDS = {
    "jeq": "==", "jgt": ">", "jge": ">=", "jset": "&", "jne": "!=", "jsgt": "s>", "jsge": "s>=", "jlt": "<",
    "jle": "<=", "jslt": "s<", "jsle": "s<=",
}  # fmt: skip
_BITS = {"b": "8", "h": "16", "w": "32", "dw": "64"}
_PLAIN = {
    "neg64": "{dst} = -{dst}",
    "neg32": "{wdst} = -{wdst}",
    "addr_space_cast": "{dst} = addr_space_cast({src}, {to}, {from})",
    "ld_imm64": "{dst} = {imm64} ll",
    "ja": "goto {jump}",
    "gotol": "gotol {far}",
    "may_goto": "may_goto {jump}",
    "call": "call {imm}",
    "callx": "callx {dst}",
    "exit": "exit",
}
_PSEUDO = "ld_pseudo\t{dst}, {pseudo}, {low}"
_NO_SYNTAX = ("call_local", "call_kfunc")  # LLVM writes them as "call imm": the kinds are told apart by relocation


def _arithmetic(width: str, how: str, sign: str) -> str:
    w = "w" if width == "32" else ""
    return f"{{{w}dst}} {sign} " + ("{imm}" if how == "imm" else f"{{{w}src}}")


def _arithmetic_rows() -> dict[str, str]:
    rows = {
        f"{name}{width}_{how}": _arithmetic(width, how, sign)
        for name, sign in _ARITH.items()
        for width in ("64", "32")
        for how in ("imm", "reg")
    }
    rows |= {f"movsx64_s{bits}": f"{{dst}} = (s{bits}){{src}}" for bits in (8, 16, 32)}
    rows |= {f"movsx32_s{bits}": f"{{wdst}} = (s{bits}){{wsrc}}" for bits in (8, 16)}
    swaps = [f"{name}{bits}" for name in ("le", "be", "bswap") for bits in (16, 32, 64)]
    return rows | {name: f"{{dst}} = {name} {{dst}}" for name in swaps}


def _jump_rows() -> dict[str, str]:
    rows = {}
    for name, sign in _CONDS.items():
        rows[f"{name}_imm"] = f"if {{dst}} {sign} {{imm}} goto {{jump}}"
        rows[f"{name}_reg"] = f"if {{dst}} {sign} {{src}} goto {{jump}}"
        rows[f"{name}32_imm"] = f"if {{wdst}} {sign} {{imm}} goto {{jump}}"
        rows[f"{name}32_reg"] = f"if {{wdst}} {sign} {{wsrc}} goto {{jump}}"
    return rows


def _memory_rows() -> dict[str, str]:
    rows = {}
    for name, bits in _BITS.items():
        w = "" if name == "dw" else "w"
        rows[f"ldx_{name}"] = f"{{dst}} = *(u{bits} *)({{src}}{{off}})"
        rows[f"ldxsx_{name}"] = f"{{dst}} = *(s{bits} *)({{src}}{{off}})"
        rows[f"st_{name}"] = f"*(u{bits} *)({{dst}}{{off}}) = {{imm}}"
        rows[f"stx_{name}"] = f"*(u{bits} *)({{dst}}{{off}}) = {{src}}"
        rows[f"ldabs_{name}"] = f"r0 = *(u{bits} *)skb[{{imm}}]"
        rows[f"ldind_{name}"] = f"r0 = *(u{bits} *)skb[{{src}}]"
        rows[f"load_acquire_{name}"] = f"{{{w}dst}} = load_acquire((u{bits} *)({{src}}{{off}}))"
        rows[f"store_release_{name}"] = f"store_release((u{bits} *)({{dst}}{{off}}), {{{w}src}})"
    return rows


def _atomic_rows() -> dict[str, str]:
    rows = {}
    for bits, w in (("64", ""), ("32", "w")):
        at, src, r0 = f"*(u{bits} *)({{dst}}{{off}})", f"{{{w}src}}", "r0" if not w else "w0"
        for name in ("add", "or", "and", "xor"):
            rows[f"atomic_{name}{bits}"] = f"lock {at} {_ARITH[name]} {src}"
            rows[f"atomic_fetch_{name}{bits}"] = f"{src} = atomic_fetch_{name}({at[1:]}, {src})"
        suffix = "_64" if not w else "32_32"
        rows[f"xchg{bits}"] = f"{src} = xchg{suffix}({{dst}}{{off}}, {src})"
        rows[f"cmpxchg{bits}"] = f"{r0} = cmpxchg{suffix}({{dst}}{{off}}, {r0}, {src})"
    return rows


def _syntax() -> dict[str, str]:
    rows = {**_PLAIN, **_arithmetic_rows(), **_jump_rows(), **_memory_rows(), **_atomic_rows()}
    pseudo = {op.name: _PSEUDO for op in OPS if op.wide and op.name != "ld_imm64"}
    return {op.name: (pseudo | rows)[op.name] for op in OPS if op.name not in _NO_SYNTAX}


SYNTAX: dict[str, str] = _syntax()
"""Name of the row → its pattern.  Calls of subprograms and of kernel functions have none of their own."""

HALVES: dict[str, str] = {
    name: SYNTAX[name].replace("{src}" if name[:3] == "stx" else "{dst}", "{wsrc}" if name[:3] == "stx" else "{wdst}")
    for name in ("ldx_b", "ldx_h", "ldx_w", "stx_b", "stx_h", "stx_w")
}
"""The same instructions as LLVM writes them for a cpu with 32-bit registers (v3 and later)."""

OLD_XADD = "lock *(u32 *)({dst}{off}) += {src}"
"""The only 32-bit atomic that LLVM knows for a cpu without 32-bit registers."""

ALSO_READ: dict[str, str] = {"atomic_add32": OLD_XADD, "mov32_reg": "{dst} = {wsrc}"}
"""Further forms: the second is how clang writes a 32-bit move that widens (llvm-mc itself does not read it)."""


def variants(code: int, *, alu32: bool = False) -> list[tuple[Op, str]]:
    """The rows of an opcode with their patterns, as they look with or without 32-bit registers."""
    choose = SYNTAX | HALVES if alu32 else SYNTAX
    return [(op, choose[op.name]) for op in OPS if op.code == code and op.name in choose]
