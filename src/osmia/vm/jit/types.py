"""Which register holds which kind of pointer: a fixpoint over all functions of a program.

A kind steers how a register's value is written in IR (``ptr`` or ``i64``), which alias scope an access gets, and in
checked code which test comes first.  It is a proof only where ``Kind.inside`` says so; then checked code needs
no test.  Nothing here trusts a verifier: kinds follow from the rows alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from osmia.vm.jit import blocks as b
from osmia.vm.jit import spills
from osmia.vm.jit.kinds import UNSURE, ZERO, Kind, add, guess, join
from osmia.vm.ops import IMM, OPS
from osmia.words import s64

if TYPE_CHECKING:
    from osmia.vm.decode import Row
    from osmia.vm.jit.blocks import Function
    from osmia.vm.jit.source import Source

MOV64, ADD64, SUB64, MOV32 = OPS["MOV64"], OPS["ADD64"], OPS["SUB64"], OPS["MOV32"]
LDX32, LDX64, ST64 = OPS["LDX32"], OPS["LDX64"], OPS["ST64"]
EQUAL, UNEQUAL = OPS["JEQ64"], OPS["JNE64"]

STORED = {**{OPS[f"ST{bits}"]: bits // 8 for bits in (8, 16, 32, 64)}, OPS["ATOMIC32"]: 4, OPS["ATOMIC64"]: 8}
"""Rows that write memory, with how many bytes."""
FORGETS = (b.BINARY | b.UNARY | b.MOVES | b.LOADS) - {MOV64, ADD64, SUB64, MOV32, LDX32, LDX64}
"""Rows that leave a number."""
LOOKUP = "bpf_map_lookup_elem"
HARMLESS = ("bpf_map_lookup_elem", "bpf_map_update_elem", "bpf_map_delete_elem")
"""Helpers that write nothing behind their arguments."""
VALUE_MAPS = frozenset("array percpu_array hash percpu_hash lru_hash lru_percpu_hash lpm_trie".split())
"""Map types whose look-up gives the address of ``value_size`` bytes."""
DATA = {"xdp": (0, 8), **dict.fromkeys(
    ("sched_cls", "sched_act", "cgroup_skb", "lwt_in", "lwt_out", "lwt_xmit", "lwt_seg6local", "sk_skb"), (76, 140)
)}  # fmt: skip
"""Program type → where its context has the packet's start and its metadata's (32-bit loads give addresses)."""


State = list[Any]
"""One ``Kind`` per register (None: anything), then what was spilled."""
REGISTERS, SPILLS = 11, 11


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
        self._run()
        self._open(b.callbacks(source.code))

    def _open(self, entries: list[int]) -> None:
        """Functions whose address is taken may be called with anything: what is known of their arguments is a guess."""
        before: list[State | None] = []
        while before != (now := [self.at[entry].get(entry) for entry in entries]):
            before = now
            for entry, state in zip(entries, now, strict=True):
                self._enter(entry, [guess(kind) for kind in state[1:6]] if state else [None] * 5)
            self._run()

    def _enter(self, entry: int, arguments: list[Kind | None]) -> None:
        self._arrive(entry, entry, [ZERO, *arguments, *([ZERO] * 4), Kind("stack", offset=0), spills.NONE])

    def _arrive(self, entry: int, start: int, state: State) -> None:
        known = self.at[entry].get(start)
        if known is None:
            joined = list(state)
        else:
            joined = [x if x == y else join(x, y) for x, y in zip(known[:REGISTERS], state[:REGISTERS], strict=True)]
            joined.append(spills.joined(known[SPILLS], state[SPILLS]))
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

        def known(k: Kind | None) -> Kind | None:
            same = k is not None and k.null == kind.null and k.name == kind.name
            return k if k is None or not same else settled or k._replace(null=-1)

        spilled = {offset: known(k) for offset, k in state[SPILLS].items()}
        return [*(known(k) for k in state[:REGISTERS]), spilled]

    def step(self, slot: int, state: State) -> None:
        """Change the state by one row."""
        row = self.rows[slot]
        op, dst = row.op, row.dst
        if op in FORGETS:
            state[dst] = None
        elif op == MOV64:
            state[dst] = state[row.src] if row.src != IMM else Kind("const", offset=s64(row.imm))
        elif op in (ADD64, SUB64):
            state[dst] = self.total(row, state)
        elif op in STORED:
            self._store(row, state)
        elif op == LDX64:
            state[dst] = spills.load(state[SPILLS], row, state[row.src], self.source.options.checked)
        elif op == LDX32:
            state[dst] = self._field(row, state)
        elif op == MOV32:
            state[dst] = Kind("const", offset=row.imm & 0xFFFFFFFF) if row.src == IMM else None
        elif op == b.WIDE:
            state[dst] = self.source.wide_kind(slot)
        elif op == b.HELPER:
            self._helper(slot, state)
        elif op == b.LOCAL:
            self._call(slot, state)
        elif op == b.CALLX or op in b.LEGACY:
            state[0] = None

    def total(self, row: Row, state: State) -> Kind | None:
        """The kind that a row of ADD64 or SUB64 gives."""
        by = Kind("const", offset=s64(row.imm)) if row.src == IMM else state[row.src]
        return add(state[row.dst], by, row.op == SUB64)

    def _field(self, row: Row, state: State) -> Kind | None:
        base = state[row.src] if self.data else None
        if base is None or base.name != "ctx" or base.offset is None:
            return None
        return self.data.get(base.offset + row.off)

    def _store(self, row: Row, state: State) -> None:
        value = state[row.src] if row.src != IMM and row.op == ST64 else None
        base = state[row.dst]
        if base is not None:
            state[SPILLS] = spills.store(state[SPILLS], row, STORED[row.op], base, value)
        if row.op in b.ATOMICS:
            for number in b.registers(b.effect(row)[1]):
                state[number] = None

    def _helper(self, slot: int, state: State) -> None:
        answer, name = self._answer(slot, state), self.source.helper_name(slot)
        if name == "bpf_loop" and state[2] is not None and state[2].name == "function":
            self._loop(state[2].number, state[3])
        if not name.startswith(HARMLESS):
            calls_back = any(k is not None and k.name == "function" for k in state[1:6])
            state[SPILLS] = spills.given(state[SPILLS], state[1:6], calls_back)
        for number, kind in enumerate(state[:REGISTERS]):  # answers of a round before
            if kind is not None and kind.null == slot:
                state[number] = kind._replace(null=UNSURE)
        if state[SPILLS]:
            state[SPILLS] = {o: k if k.null != slot else k._replace(null=UNSURE) for o, k in state[SPILLS].items()}
        state[0] = answer

    def _answer(self, slot: int, state: State) -> Kind | None:
        table = state[1]
        if self.source.helper_name(slot) != LOOKUP or table is None or not table.is_map:
            return None
        shape = self.source.shape(table.number)
        return Kind("value", table.number, 0, slot) if shape and shape.type in VALUE_MAPS else None

    def _loop(self, target: int, given: Kind | None) -> None:
        """The callback of a loop gets a number and what the loop is given."""
        self._enter(target, [None, guess(given), None, None, None])

    def _call(self, slot: int, state: State) -> None:
        target = slot + 1 + self.rows[slot].off
        given: State = [None if k is None or k.name == "const" else k for k in state[:10]]
        given = [Kind("frame") if k is not None and k.name == "stack" else k for k in given]
        self._arrive(target, target, [*given, Kind("stack", offset=0), spills.NONE])
        state[SPILLS] = spills.given(state[SPILLS], state[1:6], True)
        state[0] = None
