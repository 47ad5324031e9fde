"""Where a function keeps its stack, and which bytes of it may be read before they are written.

The interpreter's frames lie in the run and start as zeros.  Where LLVM is to see a frame through and through it must
be on the native stack, which is full of leftovers; so the bytes that may be read first are set to zero at the
start, and only those: a forward pass over the writes at constant offsets finds which bytes are certainly written.
A frame whose address Python code may be given stays in the run, where ``memory`` knows it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from osmia.vm.jit import blocks as b
from osmia.vm.jit.kinds import Kind
from osmia.vm.jit.mapcalls import FLAGS, OUT, known
from osmia.vm.jit.types import State
from osmia.vm.ops import FRAME_SIZE, IMM, OPS

if TYPE_CHECKING:
    from osmia.vm.decode import Row
    from osmia.vm.jit.blocks import Block, Function
    from osmia.vm.jit.module import Module
    from osmia.vm.jit.source import Source

ALL = (1 << FRAME_SIZE) - 1
_WIDTHS = {op: int(name.lstrip("LDXST")) // 8 for name, op in OPS.items() if op in b.LOADS | b.STORES}
_WIDTHS |= {OPS["ATOMIC32"]: 4, OPS["ATOMIC64"]: 8}
_KEEPS = b.BRANCHES | {OPS[name] for name in ("MOV64", "ADD64", "SUB64")}
"""Rows after which a pointer is still known for one, or is one no more."""
_LEAVING = b.LEGACY | {b.LOCAL, b.CALLX, b.TAIL, b.BEYOND}
_SEARCHING = re.compile("bpf_(probe_|copy_from_)")
"""Helpers that look addresses up in the run's memory, whether the run is checked or not."""


def is_settled(source: Source, slot: int, state: State) -> bool:
    """Does a call do all of its work in native code, in memory that it is given?"""
    name = source.helper_name(slot)
    return (name in source.options.always and not _SEARCHING.match(name)) or bool(known(source, slot, state))


def never_fails(source: Source, slot: int, state: State) -> bool:
    """Such a call can't fail in code that needs no checks, unless it calls back."""
    return not source.options.checked and source.helper_name(slot) != "bpf_loop" and is_settled(source, slot, state)


class Frame(NamedTuple):
    """``wanted``: is R10 used at all; ``in_run``: does the frame lie in the run; ``zeros``: bytes to be cleared at
    the start, as bits from R10 - 512 upwards."""

    wanted: bool
    in_run: bool
    zeros: int


Event = tuple[bool, int]
"""A read (False) or write (True) of the bytes in the mask."""


def frames_of(module: Module, passes: Mapping[int, Pass]) -> dict[int, Frame]:
    """The frame of every function, by entry."""
    asks = any(one.asks for one in passes.values())
    return {
        entry: Frame(one.wanted, module.checked or (asks and one.given), one.zeros()) for entry, one in passes.items()
    }


class Pass:
    """One function.  ``asks``: does it call what looks addresses up; ``given``: does it hand out its own stack;
    ``fails``: does it do what may set a fault, in code without checks?"""

    def __init__(self, module: Module, function: Function) -> None:
        self.module, self.function = module, function
        self.source, self.types = module.source, module.types
        self.rows = module.source.code.rows
        self.asks = self.given = self.fails = False
        self.lowest = 0
        slots = [slot for block in function.blocks.values() for slot in block.slots]
        self.wanted = any(10 in (self.rows[slot].dst, self.rows[slot].src) for slot in slots)
        self.events = {start: self._events(block) for start, block in function.blocks.items()}

    def zeros(self) -> int:
        """The bytes that may be read before they are written."""
        if not self.wanted:
            return 0
        blocks, extent = self.function.blocks, bits(self.lowest, -self.lowest)
        before = dict.fromkeys(blocks, ALL)
        before[self.function.entry] = 0
        waiting, needed = [self.function.entry], 0
        seen: set[int] = set()
        while waiting:
            start = waiting.pop()
            written = before[start]
            for is_write, mask in self.events[start]:
                if is_write:
                    written |= mask
                else:
                    needed |= mask & extent & ~written
            seen.add(start)
            for target in blocks[start].next:
                if before[target] & written != before[target] or target not in seen:
                    before[target] &= written
                    waiting.append(target)
        return needed

    # -- what happens to the stack in a block ------------------------------------------------------------------

    def _events(self, block: Block) -> list[Event]:
        state = list(self.types.at[self.function.entry][block.start])
        events: list[Event] = []
        for slot in block.slots:
            row = self.rows[slot]
            op = row.op
            if op in b.BRANCHES:
                continue
            if op in _WIDTHS:
                self._access(row, state, events)
            elif op == b.HELPER:
                self._helper(slot, state, events)
            elif op in _LEAVING:
                self.fails |= op != b.LOCAL
                self._hand_out(state, events)
            elif op not in _KEEPS and self._touched(row, state):
                self._escape(events)
            self.types.step(slot, state)
            self._note(state[row.dst])
        self._lost(block, state, events)
        return events

    def _access(self, row: Row, state: State, events: list[Event]) -> None:
        size, writes = _WIDTHS[row.op], row.op not in b.LOADS
        base = state[row.dst if writes else row.src]
        if row.op in b.STORES | b.ATOMICS and row.src != IMM and _is_stack(state[row.src]):
            self.given = True
            self._escape(events)
        if base is None or base.name != "stack":
            return
        mask = self._mask(base, row.off, size)
        if row.op not in b.STORES:
            events.append((False, ALL if mask is None else mask))
        if writes and mask is not None:
            events.append((True, mask))

    def _helper(self, slot: int, state: State, events: list[Event]) -> None:
        call, settled = known(self.source, slot, state), is_settled(self.source, slot, state)
        self.asks |= not settled
        self.fails |= not settled or self.source.helper_name(slot) == "bpf_loop"
        if call is None:
            self._hand_out(state, events)
            return
        for register, what in enumerate(call.call.registers, 2):
            kind = state[register]
            if what == FLAGS or kind is None or kind.name != "stack":
                continue
            mask = self._mask(kind, 0, call.size(what))
            events.append((False, ALL if mask is None else mask))
            if what == OUT:
                continue  # it may find nothing to write

    def _hand_out(self, state: State, events: list[Event]) -> None:
        if any(_is_stack(kind) for kind in state[1:6]):
            self.given = True
            self._escape(events)

    def _touched(self, row: Row, state: State) -> bool:
        reads = b.effect(row)[0]
        return any(_is_stack(state[number]) for number in b.registers(reads))

    def _lost(self, block: Block, state: State, events: list[Event]) -> None:
        """Pointers that are none any more where paths meet may be used without our noticing."""
        for number in range(10):
            if not _is_stack(state[number]):
                continue
            for target in block.next:
                there = self.types.at[self.function.entry][target][number]
                if self.function.blocks[target].live >> number & 1 and not _is_stack(there):
                    self.given = True
                    self._escape(events)

    def _escape(self, events: list[Event]) -> None:
        events.append((False, ALL))

    def _note(self, kind: Kind | None) -> None:
        if kind is not None and kind.name == "stack":
            self.lowest = -FRAME_SIZE if kind.offset is None else max(min(self.lowest, kind.offset), -FRAME_SIZE)

    def _mask(self, kind: Kind, offset: int, size: int) -> int | None:
        """The bytes of an access; None where it is not known which."""
        if kind.offset is None:
            return None
        low = kind.offset + offset
        self.lowest = max(min(self.lowest, low), -FRAME_SIZE)
        return bits(low, size)


def bits(low: int, size: int) -> int:
    """``size`` bytes from R10 + ``low`` on, as far as they lie in the frame."""
    first, end = max(low + FRAME_SIZE, 0), min(low + size, 0) + FRAME_SIZE
    return ((1 << end) - 1) & ~((1 << first) - 1) if end > first else 0


def _is_stack(kind: Kind | None) -> bool:
    return kind is not None and kind.name == "stack"
