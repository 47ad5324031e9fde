"""Functions, basic blocks and live registers, from the rows of a decoded program.

A function is a slot that is called, or whose address is taken, with all rows that can be reached from it: the
interpreter knows no other boundaries, and neither does an unverified program.  Two functions may share rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from osmia.errors import Unavailable
from osmia.vm.ops import IMM, OPS

if TYPE_CHECKING:
    from osmia.vm.decode import Code, Row

ENTRY = -1
"""The predecessor of a function's first block that stands for the call."""

GROWTH = 8
"""Rows that functions share are compiled once for each: by more than this a program may not grow."""

_NAMES = {number: name for name, number in OPS.items()}
_PLAIN = ("MOV", "ADD", "SUB", "MUL", "DIV", "SDIV", "MOD", "SMOD", "OR", "AND", "XOR", "LSH", "RSH", "ARSH")
BINARY = frozenset(OPS[f"{name}{bits}"] for name in _PLAIN[1:] for bits in (32, 64))
MOVES = frozenset(OPS[name] for name in ("MOV64", "MOV32", "SX8_64", "SX16_64", "SX32_64", "SX8_32", "SX16_32"))
UNARY = frozenset(OPS[name] for name in ("NEG64", "NEG32", "CUT16", "CUT32", "SWAP16", "SWAP32", "SWAP64"))
BRANCHES = frozenset(n for name, n in OPS.items() if name[0] == "J" and name != "JA")
LOADS = frozenset(OPS[name] for name in "LDX8 LDX16 LDX32 LDX64 LDSX8 LDSX16 LDSX32".split())
STORES = frozenset(OPS[f"ST{bits}"] for bits in (8, 16, 32, 64))
ATOMICS = frozenset((OPS["ATOMIC32"], OPS["ATOMIC64"]))
LEGACY = frozenset((OPS["LDABS"], OPS["LDIND"]))
WIDE, JA, MAY_GOTO, HELPER, LOCAL, CALLX, TAIL, EXIT, BEYOND = (
    OPS[name] for name in "WIDE JA MAY_GOTO HELPER LOCAL CALLX TAIL EXIT BEYOND".split()
)
CALLS = LEGACY | {HELPER, LOCAL, CALLX, TAIL}
FORKS = BRANCHES | {MAY_GOTO}
CMPXCHG = 0xF1

_READS_DST = BINARY | UNARY | BRANCHES | STORES | ATOMICS | {CALLX}
_READS_SRC = BINARY | MOVES | BRANCHES | STORES | ATOMICS | LOADS | LEGACY
_WRITES_DST = BINARY | MOVES | UNARY | LOADS | {WIDE}
ARGUMENTS = 0b111110
"""R1 to R5, as a set of bits."""


class Block:
    """Rows that run one after the other.  ``next``: where it goes (the fall-through first); ``live``: registers, as
    bits, that are read before they are written from its start on."""

    __slots__ = ("header", "live", "next", "preds", "slots", "start")

    def __init__(self, start: int) -> None:
        self.start = start
        self.slots: list[int] = []
        self.next: tuple[int, ...] = ()
        self.preds: list[int] = []
        self.live = 0
        self.header = False

    def __repr__(self) -> str:
        return f"<Block {self.start}: {len(self.slots)} rows, to {self.next}>"


class Function:
    """The blocks reached from ``entry``, in an order in which a block comes after what dominates it."""

    def __init__(self, entry: int, rows: Sequence[Row]) -> None:
        self.entry = entry
        self.blocks = _blocks(entry, rows)
        self.calls = [s for block in self.blocks.values() for s in block.slots if rows[s].op == LOCAL]
        self.first.preds.append(ENTRY)

    @property
    def first(self) -> Block:
        """The block that a call enters."""
        return self.blocks[self.entry]

    @property
    def size(self) -> int:
        """Rows."""
        return sum(len(block.slots) for block in self.blocks.values())

    @property
    def wanted(self) -> list[int]:
        """The registers that it reads before it writes them: its parameters (R10 apart)."""
        return [number for number in range(10) if self.first.live >> number & 1]

    def callees(self, rows: Sequence[Row], code: Code) -> list[int]:
        """Entries of the functions that it calls, or may call back."""
        return [slot + 1 + rows[slot].off for slot in self.calls] + callbacks(code)

    def __repr__(self) -> str:
        return f"<Function {self.entry}: {len(self.blocks)} blocks>"


def functions(code: Code) -> dict[int, Function]:
    """The program's functions by entry, slot 0 first.  Raises Unavailable where shared rows would blow it up."""
    found: dict[int, Function] = {}
    waiting, room = [0, *callbacks(code)], GROWTH * len(code.rows) + 4096
    while waiting:
        entry = waiting.pop(0)
        if entry in found:
            continue
        function = found[entry] = Function(entry, code.rows)
        room -= function.size
        if room < 0:
            raise Unavailable("no native code: the program's functions share too many instructions")
        waiting += (slot + 1 + code.rows[slot].off for slot in function.calls)
    _find_live(found, code.rows)
    return found


def callbacks(code: Code) -> list[int]:
    """The slots whose address the program takes, in order."""
    insns = code.program.insns
    return sorted(
        {slot + 1 + insn.imm for slot, insn in enumerate(insns) if insn.code == 0x18 and insn.src_reg == 4}
    )  # BPF_PSEUDO_FUNC


def follows(slot: int, row: Row) -> tuple[int, ...]:
    """The slots that may run next, the fall-through first."""
    if row.op in FORKS:
        return (slot + 1, slot + 1 + row.off)
    if row.op == JA:
        return (slot + 1 + row.off,)
    if row.op in (EXIT, BEYOND):
        return ()
    return (slot + 2,) if row.op == WIDE else (slot + 1,)


def _leaders(entry: int, rows: Sequence[Row]) -> set[int]:
    leaders, seen, waiting = {entry}, set(), [entry]
    while waiting:
        slot = waiting.pop()
        if slot in seen:
            continue
        seen.add(slot)
        after = follows(slot, rows[slot])
        if rows[slot].op in FORKS or rows[slot].op == JA:
            leaders.update(after)
        waiting += after
    return leaders


def _blocks(entry: int, rows: Sequence[Row]) -> dict[int, Block]:
    leaders = _leaders(entry, rows)
    made: dict[int, Block] = {}
    for start in leaders:
        block = made[start] = Block(start)
        slot = start
        while True:
            block.slots.append(slot)
            block.next = follows(slot, rows[slot])
            if len(block.next) != 1 or block.next[0] in leaders:
                break
            slot = block.next[0]
    return _ordered(entry, made)


def _ordered(entry: int, made: dict[int, Block]) -> dict[int, Block]:
    """Reverse postorder; marks the heads of loops and lists predecessors (one per edge)."""
    order, done, stack = [], {entry}, [(entry, iter(made[entry].next))]
    while stack:
        start, after = stack[-1]
        for target in after:
            if target not in done:
                done.add(target)
                stack.append((target, iter(made[target].next)))
                break
        else:
            order.append(start)
            stack.pop()
    blocks = {start: made[start] for start in reversed(order)}
    place = {start: number for number, start in enumerate(blocks)}
    for start, block in blocks.items():
        for target in dict.fromkeys(block.next):
            blocks[target].preds.append(start)
            blocks[target].header |= place[target] <= place[start]
    return blocks


# -- live registers --------------------------------------------------------------------------------------------------


def effect(row: Row, callee: int = ARGUMENTS) -> tuple[int, int]:
    """Registers that a row reads and writes, as bits; a local call reads what its ``callee`` does."""
    op, dst = row.op, 1 << row.dst
    src = 1 << row.src if row.src != IMM else 0
    reads = (dst if op in _READS_DST else 0) | (src if op in _READS_SRC else 0)
    writes = dst if op in _WRITES_DST else 0
    if op in ATOMICS:
        return (reads | 1, 1) if row.imm == CMPXCHG else (reads, src if row.imm & 1 else 0)
    if op in LEGACY:
        return reads, 1
    if op == LOCAL:
        return callee, 1
    if op in (HELPER, CALLX):
        return reads | ARGUMENTS, 1
    if op == TAIL:
        return ARGUMENTS, 0
    return (1, 0) if op == EXIT else (reads, writes)


def _find_live(found: dict[int, Function], rows: Sequence[Row]) -> None:
    """Fill in ``Block.live``: backwards, again as long as what a callee reads grows."""
    changed = True
    while changed:
        changed = False
        for function in found.values():
            before = function.first.live
            _live_in(function, _effects(function, rows, found))
            changed |= function.first.live != before


def _effects(function: Function, rows: Sequence[Row], found: dict[int, Function]) -> dict[int, tuple[int, int]]:
    """What each block reads before it writes it, and what it writes."""
    sums = {}
    for start, block in function.blocks.items():
        reads = writes = 0
        for slot in reversed(block.slots):
            row = rows[slot]
            callee = found[slot + 1 + row.off].first.live & ~(1 << 10) if row.op == LOCAL else 0
            read, written = effect(row, callee)
            reads = read | (reads & ~written)
            writes |= written
        sums[start] = (reads, writes)
    return sums


def _live_in(function: Function, effects: dict[int, tuple[int, int]]) -> None:
    blocks = function.blocks
    waiting: list[int] = list(blocks)  # the last are looked at first
    while waiting:
        start = waiting.pop()
        block = blocks[start]
        reads, writes = effects[start]
        live = reads | (live_after(blocks, block) & ~writes)
        if live != block.live:
            block.live = live
            waiting += (p for p in block.preds if p != ENTRY)


def live_after(blocks: dict[int, Block], block: Block) -> int:
    """Registers alive at the end of a block."""
    live = 0
    for target in block.next:
        live |= blocks[target].live
    return live


def registers(bits: int) -> Iterable[int]:
    """The numbers in a set of bits."""
    return (number for number in range(bits.bit_length()) if bits >> number & 1)
