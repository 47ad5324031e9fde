"""Arithmetic, moves and comparisons: one line of IR per operation, in one table (RFC 9669 section 4).

In a template ``{a}`` is the destination, ``{b}`` the second operand, both i64 (i32 in the tables of 32 bits).  Where it
takes more than one instruction, the operation is a function of the module (``MATHS``) that LLVM inlines.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from osmia.vm.jit import blocks as b
from osmia.vm.ops import IMM, OPS

if TYPE_CHECKING:
    from osmia.vm.jit.writer import Writer

SIMPLE = {name: f"{name.lower()} {{t}} {{a}}, {{b}}" for name in ("ADD", "SUB", "MUL", "OR", "AND", "XOR")}
SHIFTS = {"LSH": "shl", "RSH": "lshr", "ARSH": "ashr"}
DIVISIONS = {"DIV": "udiv", "SDIV": "sdiv", "MOD": "urem", "SMOD": "srem"}
CONDITIONS = {
    "JEQ": "eq", "JNE": "ne", "JGT": "ugt", "JGE": "uge", "JLT": "ult", "JLE": "ule",
    "JSGT": "sgt", "JSGE": "sge", "JSLT": "slt", "JSLE": "sle", "JSET": "set",
}  # fmt: skip
_BY_OP = {OPS[f"{name}{bits}"]: (name, bits) for name in (*SIMPLE, *SHIFTS, *DIVISIONS, "NEG") for bits in (32, 64)}
_JUMPS = {OPS[f"{name}{bits}"]: (condition, bits) for name, condition in CONDITIONS.items() for bits in (32, 64)}
_EXTENDED = {OPS[f"SX{low}_{bits}"]: (low, bits) for low, bits in ((8, 64), (16, 64), (32, 64), (8, 32), (16, 32))}
_CUT = {OPS["CUT16"]: 16, OPS["CUT32"]: 32}
_SWAPPED = {OPS["SWAP16"]: 16, OPS["SWAP32"]: 32, OPS["SWAP64"]: 64}
MOV64, MOV32, ADD64, SUB64 = (OPS[name] for name in ("MOV64", "MOV32", "ADD64", "SUB64"))


def write(w: Writer) -> None:
    """A row of arithmetic."""
    op = w.row.op
    if op == MOV64:
        move(w)
    elif op in (ADD64, SUB64) and _is_pointer_sum(w):
        _add_to_pointer(w)
    elif op in _BY_OP:
        name, bits = _BY_OP[op]
        w.set_num(w.row.dst, operate(w, name, w.num(w.row.dst), w.row.src, bits))
    else:
        w.set_num(w.row.dst, _convert(w, op))


def move(w: Writer) -> None:
    """MOV64 in all forms that are known."""
    if w.row.src == IMM:
        w.set_num(w.row.dst, w.operand())
    else:
        w.copy(w.row.dst, w.row.src)


def operate(w: Writer, name: str, a: str, source: int, bits: int) -> str:
    """A binary operation on i64; the upper half is zero where it is one of 32 bits."""
    second = w.operand() if name != "NEG" else "0"
    type = f"i{bits}"
    if bits == 32:
        a = w.let(f"trunc i64 {a} to i32")
        second = str(_signed32(w.row.imm)) if source == IMM else w.let(f"trunc i64 {second} to i32")
    if name in SIMPLE:
        result = w.let(SIMPLE[name].format(t=type, a=a, b=second))
    elif name in SHIFTS:
        result = _shift(w, SHIFTS[name], type, a, second, source == IMM)
    elif name == "NEG":
        result = w.let(f"sub {type} 0, {a}")
    else:
        result = _divide(w, name, type, a, second, source == IMM)
    return w.let(f"zext i32 {result} to i64") if bits == 32 else result


def _shift(w: Writer, instruction: str, type: str, a: str, count: str, constant: bool) -> str:
    mask = int(type[1:]) - 1
    count = str(int(count) & mask) if constant else w.let(f"and {type} {count}, {mask}")
    return w.let(f"{instruction} {type} {a}, {count}")


def _divide(w: Writer, name: str, type: str, a: str, divisor: str, constant: bool) -> str:
    """x / 0 is 0, x % 0 is x; the lowest number over -1 is itself, with nothing left."""
    instruction = DIVISIONS[name]
    if constant and int(divisor) not in (0, -1):
        return w.let(f"{instruction} {type} {a}, {divisor}")
    if constant and int(divisor) == 0:
        return w.let(f"{'and' if 'DIV' in name else 'or'} {type} {a}, 0")
    zero = w.let(f"icmp eq {type} {divisor}, 0")
    unsafe = zero
    if name[0] == "S":
        ones = w.let(f"icmp eq {type} {divisor}, -1")
        unsafe = w.let(f"or i1 {zero}, {ones}")
    safe = w.let(f"select i1 {unsafe}, {type} 1, {type} {divisor}")
    result = w.let(f"{instruction} {type} {a}, {safe}")
    if name == "SDIV":
        negative = w.let(f"sub {type} 0, {a}")
        result = w.let(f"select i1 {ones}, {type} {negative}, {type} {result}")
    return w.let(f"select i1 {zero}, {type} {'0' if 'DIV' in name else a}, {type} {result}")


def _convert(w: Writer, op: int) -> str:
    """Moves that cut, extend or swap."""
    row = w.row
    if op == MOV32:
        return str(row.imm & 0xFFFFFFFF) if row.src == IMM else _cut(w, w.num(row.src), 32)
    if op in _EXTENDED:
        low, bits = _EXTENDED[op]
        cut = w.let(f"trunc i64 {w.operand()} to i{low}")
        wide = w.let(f"sext i{low} {cut} to i{bits}")
        return w.let(f"zext i32 {wide} to i64") if bits == 32 else wide
    if op in _CUT:
        return _cut(w, w.num(row.dst), _CUT[op])
    return swap(w, w.num(row.dst), _SWAPPED[op])


def _cut(w: Writer, value: str, bits: int) -> str:
    return w.let(f"and i64 {value}, {(1 << bits) - 1}")


def swap(w: Writer, value: str, bits: int) -> str:
    """The low bytes in the other order, the rest zero."""
    if bits == 64:
        return w.let(f"call i64 @llvm.bswap.i64(i64 {value})")
    cut = w.let(f"trunc i64 {value} to i{bits}")
    swapped = w.let(f"call i{bits} @llvm.bswap.i{bits}(i{bits} {cut})")
    return w.let(f"zext i{bits} {swapped} to i64")


def from_network(w: Writer, value: str, bits: int) -> str:
    """A number that stands in memory with the highest byte first, as i64."""
    if bits > 8 and sys.byteorder == "little":
        value = w.let(f"call i{bits} @llvm.bswap.i{bits}(i{bits} {value})")
    return w.let(f"zext i{bits} {value} to i64")


# -- sums that are pointers ------------------------------------------------------------------------------------------


def _is_pointer_sum(w: Writer) -> bool:
    kind = w.types.total(w.row, w.state)
    return kind is not None and kind.is_pointer


def _add_to_pointer(w: Writer) -> None:
    """``getelementptr`` keeps what the pointer came from."""
    row = w.row
    base = w.state[row.dst]
    if base is not None and base.is_pointer:
        pointer, by = w.ptr(row.dst), w.operand()
    else:
        pointer, by = w.ptr(row.src), w.num(row.dst)
    if row.op == SUB64:
        by = str(-int(by)) if row.src == IMM else w.let(f"sub i64 0, {by}")
    w.set_ptr(row.dst, w.let(f"getelementptr i8, ptr {pointer}, i64 {by}"))


# -- comparisons -----------------------------------------------------------------------------------------------------


def condition(w: Writer) -> str:
    """The condition of a jump, an i1."""
    row = w.row
    predicate, bits = _JUMPS[row.op]
    if bits == 64 and predicate in ("eq", "ne") and row.src == IMM and row.imm == 0 and w.ptrs[row.dst] is not None:
        return w.let(f"icmp {predicate} ptr {w.ptr(row.dst)}, null")
    left, right = w.num(row.dst), w.operand()
    if bits == 32:
        left = w.let(f"trunc i64 {left} to i32")
        right = str(_signed32(row.imm)) if row.src == IMM else w.let(f"trunc i64 {right} to i32")
    if predicate == "set":
        left, right, predicate = w.let(f"and i{bits} {left}, {right}"), "0", "ne"
    return w.let(f"icmp {predicate} i{bits} {left}, {right}")


def _signed32(value: int) -> int:
    return ((value & 0xFFFFFFFF) ^ (1 << 31)) - (1 << 31)


ALL = frozenset((*_BY_OP, *_EXTENDED, *_CUT, *_SWAPPED, MOV64, MOV32)) & (b.BINARY | b.MOVES | b.UNARY)
"""The rows that ``write`` writes."""
