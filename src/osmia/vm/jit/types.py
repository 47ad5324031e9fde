"""Which register holds which kind of pointer: a fixpoint over all functions of a program.

A kind steers how a register's value is written in IR (``ptr`` or ``i64``), which alias scope an access gets, and in
checked code which test comes first.  It is a proof only where ``Kind.exact`` says so; then checked code needs
no test.  Nothing here trusts a verifier: kinds follow from the rows alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from osmia.vm.jit import blocks as b
from osmia.vm.jit.unit import MapShape
from osmia.vm.ops import FRAME_SIZE, IMM, OPS
from osmia.words import s64

if TYPE_CHECKING:
    from osmia.vm.decode import Row
    from osmia.vm.jit.blocks import Function
    from osmia.vm.jit.source import Source

MOV64, ADD64, SUB64, MOV32 = OPS["MOV64"], OPS["ADD64"], OPS["SUB64"], OPS["MOV32"]
LDX32, LDX64, ST64 = OPS["LDX32"], OPS["LDX64"], OPS["ST64"]
EQUAL, UNEQUAL = OPS["JEQ64"], OPS["JNE64"]

LOOKUP = 1
"""Number of bpf_map_lookup_elem."""
VALUE_MAPS = frozenset("array percpu_array hash percpu_hash lru_hash lru_percpu_hash lpm_trie".split())
"""Map types whose look-up gives the address of ``value_size`` bytes."""
DATA = {"xdp": (0, 8), **dict.fromkeys(
    ("sched_cls", "sched_act", "cgroup_skb", "lwt_in", "lwt_out", "lwt_xmit", "lwt_seg6local", "sk_skb"), (76, 140)
)}  # fmt: skip
"""Program type → where its context has the packet's start and its metadata's (32-bit loads give addresses)."""


class Kind(NamedTuple):
    """``name``: "const" (``offset`` is the value), "stack" (this function's), "frame" (a caller's stack), "ctx",
    "packet", "meta", "value" (of map ``number``), "map" (its handle), "function" (at slot ``number``), "memory" (some
    pointer).

    ``offset``: bytes from its start, None when it is not the same on all paths (for "stack" from R10).
    ``null``: -1, or the slot of the look-up whose answer it is, as long as nobody asked whether it is null.
    """

    name: str
    number: int = -1
    offset: int | None = None
    null: int = -1

    @property
    def is_pointer(self) -> bool:
        """Is it kept as ``ptr``?"""
        return self.name not in ("const", "function")

    def moved(self, by: int | None) -> Kind:
        """The pointer after an addition; ``None``: of an unknown number."""
        offset = None
        if self.offset is not None and by is not None and abs(self.offset + by) < 1 << 31:
            offset = self.offset + by
        return Kind(self.name, self.number, offset, UNSURE if self.null >= 0 else -1)

    def inside(self, offset: int, size: int, shape: MapShape | None) -> bool:
        """Are these bytes certainly the program's to touch?"""
        if self.offset is None or self.null >= 0:
            return False
        at = self.offset + offset
        if self.name == "stack":
            return at >= -FRAME_SIZE and at + size <= 0
        return self.name == "value" and shape is not None and at >= 0 and at + size <= shape.value_size


State = list[Kind | None]
"""One kind per register; None: anything."""

ZERO = Kind("const", offset=0)


def join(a: Kind | None, c: Kind | None) -> Kind | None:
    """What holds on both of two paths."""
    if a == c:
        return a
    if a is None or c is None:
        return None
    if not a.is_pointer or not c.is_pointer:
        return _or_null(a, c)
    if a.name != c.name or a.number != c.number:
        return Kind("memory")
    return Kind(a.name, a.number, a.offset if a.offset == c.offset else None, a.null if a.null == c.null else UNSURE)


UNSURE = 1 << 30
"""A ``null`` of more than one look-up: no single question settles it."""


def _or_null(a: Kind, c: Kind) -> Kind | None:
    pointer = c if a == ZERO else a if c == ZERO else None
    return pointer._replace(null=UNSURE) if pointer is not None and pointer.is_pointer else None


class Types:
    """The kinds before each row: ``at[function entry][block start]`` at block starts, ``step`` from there on."""

    def __init__(self, source: Source, found: Mapping[int, Function]) -> None:
        self.source, self.found = source, found
        self.rows = source.code.rows
        self.at: dict[int, dict[int, State]] = {entry: {} for entry in found}
        data = DATA.get(source.code.program.prog_type, (-1, -1))
        self.data = {data[0]: Kind("packet", offset=0), data[1]: Kind("meta", offset=0)} if data[0] >= 0 else {}
        self._waiting: list[tuple[int, int]] = []
        self._enter(0, [Kind("ctx", offset=0), None, None, None, None])
        for entry in b.callbacks(source.code):
            self._enter(entry, [None] * 5)
        self._run()

    def _enter(self, entry: int, arguments: list[Kind | None]) -> None:
        state: State = [ZERO, *arguments, *([ZERO] * 4), Kind("stack", offset=0)]
        self._arrive(entry, entry, state)

    def _arrive(self, entry: int, start: int, state: State) -> None:
        known = self.at[entry].get(start)
        joined = list(state) if known is None else [join(x, y) for x, y in zip(known, state, strict=True)]
        if joined != known:
            self.at[entry][start] = joined
            self._waiting.append((entry, start))

    def _run(self) -> None:
        while self._waiting:
            entry, start = self._waiting.pop()
            block = self.found[entry].blocks[start]
            state = list(self.at[entry][start])
            for slot in block.slots[:-1]:
                self.step(slot, state)
            last = block.slots[-1]
            self.step(last, state)
            for target in block.next:
                self._arrive(entry, target, self.after(last, target, state))

    def after(self, slot: int, target: int, state: State) -> State:
        """The state where a row's jump arrives: a comparison with 0 settles what is null."""
        row = self.rows[slot]
        if row.op not in (EQUAL, UNEQUAL) or row.src != IMM or row.imm or row.off == 0:
            return state
        kind = state[row.dst]
        if kind is None or kind.null < 0 or kind.null == UNSURE:
            return state
        taken = target == slot + 1 + row.off
        settled = ZERO if taken == (row.op == EQUAL) else None
        return [
            k if k is None or k.null != kind.null or k.name != kind.name else settled or k._replace(null=-1)
            for k in state
        ]

    def step(self, slot: int, state: State) -> None:
        """Change the state by one row."""
        row = self.rows[slot]
        op, dst = row.op, row.dst
        if op == MOV64:
            state[dst] = state[row.src] if row.src != IMM else Kind("const", offset=s64(row.imm))
        elif op in (ADD64, SUB64):
            state[dst] = _sum(state[dst], self._operand(row, state), op == SUB64)
        elif op == LDX32 and self.data:
            state[dst] = self._field(row, state)
        elif op == MOV32 and row.src == IMM:
            state[dst] = Kind("const", offset=row.imm & 0xFFFFFFFF)
        elif op == b.WIDE:
            state[dst] = self.source.wide_kind(slot)
        elif op == b.HELPER:
            answer = self._answer(slot, state)
            state[:] = (k._replace(null=UNSURE) if k and k.null == slot else k for k in state)  # of a round before
            state[0] = answer
        elif op == b.LOCAL:
            self._call(slot, state)
        elif op in b.BRANCHES or op in b.STORES:
            return
        else:
            for number in b.registers(b.effect(row)[1]):
                state[number] = None

    def walk(self, function: Function, ops: Collection[int]) -> Iterator[tuple[int, int, State]]:
        """Slot, op and the kinds before it, for every row of a function that has one of those ops."""
        for start, block in function.blocks.items():
            state = list(self.at[function.entry][start])
            for slot in block.slots:
                op = self.rows[slot].op
                if op in ops:
                    yield slot, op, state
                self.step(slot, state)

    def _operand(self, row: Row, state: State) -> Kind | None:
        return Kind("const", offset=s64(row.imm)) if row.src == IMM else state[row.src]

    def _field(self, row: Row, state: State) -> Kind | None:
        base = state[row.src]
        if base is None or base.name != "ctx" or base.offset is None:
            return None
        return self.data.get(base.offset + row.off)

    def _answer(self, slot: int, state: State) -> Kind | None:
        table = state[1]
        if self.source.helper_at(slot) != LOOKUP or LOOKUP not in self.source.options.fast:
            return None
        if table is None or table.name != "map" or table.offset != 0:
            return None
        shape = self.source.shape(table.number)
        return Kind("value", table.number, 0, slot) if shape and shape.type in VALUE_MAPS else None

    def _call(self, slot: int, state: State) -> None:
        target = slot + 1 + self.rows[slot].off
        given: State = [None if k is None or k.name == "const" else k for k in state]
        given = [Kind("frame") if k is not None and k.name == "stack" else k for k in given]
        given[10] = Kind("stack", offset=0)
        self._arrive(target, target, given)
        state[0] = None


def _sum(a: Kind | None, c: Kind | None, minus: bool) -> Kind | None:
    """The kind of a sum: a pointer and a number make a pointer again."""
    if a is not None and a.is_pointer:
        if c is not None and c.is_pointer:
            return None
        by = None if c is None or c.offset is None else c.offset
        return a.moved(-by if minus and by is not None else by)
    if c is not None and c.is_pointer:
        return None if minus else c.moved(None if a is None else a.offset)
    if a is None or c is None or a.offset is None or c.offset is None:
        return None
    total = a.offset - c.offset if minus else a.offset + c.offset
    return Kind("const", offset=s64(total & 0xFFFFFFFFFFFFFFFF))
