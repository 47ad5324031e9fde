"""A decoded program becomes native code that can be called: emit, compile or take from the cache, load."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from osmia._version import __version__
from osmia.isa import encode
from osmia.maps.base import Map
from osmia.maps.handle import WORD
from osmia.raw import ld64
from osmia.vm.decode import Code
from osmia.vm.env import FastBody
from osmia.vm.jit import llvm
from osmia.vm.jit.cache import Cache, directory, key_of
from osmia.vm.jit.loader import Loaded, load
from osmia.vm.jit.symbols import Names
from osmia.vm.jit.unit import CALL, ENTRY, Options, Symbol, Unit, shape_of

Kinds = Mapping[int, Mapping[int, frozenset[str]]]
"""Slot → register → what the verifier saw it hold (``verifier.facts``)."""


@dataclass(frozen=True, slots=True)
class Native:
    """A program in native code; ``entry`` and ``call`` as in ``unit``.  ``level`` says how well it was compiled."""

    entry: int
    call: int
    level: int
    size: int
    loaded: Loaded

    def __repr__(self) -> str:
        return f"<Native O{self.level}, object of {self.size} bytes>"


class Recipe:
    """What it takes to compile one program.  Nothing here changes, so that any thread may do it."""

    def __init__(
        self, code: Code, maps: Sequence[Any], ksyms: Mapping[str, int], checked: bool, kinds: Kinds | None = None
    ) -> None:
        self.code, self.maps, self.ksyms = code, maps, ksyms
        self.checked, self.kinds = checked, kinds
        self._unit: Unit | None = None

    def unit(self) -> Unit:
        """The program as LLVM IR."""
        if self._unit is None:
            from osmia.vm.jit.emit import emit

            self._unit = emit(self.code, options_of(self.code, self.maps, self.checked, self.kinds))
        return self._unit

    def cached(self, level: int = llvm.FULL) -> Native | None:
        """The code that was compiled some time before, if there is any.  Raises Unavailable."""
        data = store().load(self.key(level))
        return None if data is None else self.native(data, level)

    def compiled(self, level: int = llvm.FULL) -> Native:
        """The code, from the cache or from LLVM.  Raises Unavailable when there is no way to it."""
        key = self.key(level)
        data = store().load(key)
        if data is None:
            unit = self.unit()
            data = packed(unit.symbols, llvm.object_of(unit.ir, level))
            store().store(key, data)
        return self.native(data, level)

    def key(self, level: int) -> str:
        """The name of this program's object in the cache: of all that the emitter and LLVM are given."""
        program, options = self.code.program, options_of(self.code, self.maps, self.checked, None)
        known = (program.name, program.prog_type, *((e.insn, e.name) for e in program.externs))
        given = (options.checked, tuple(options.maps), sorted(options.fast.items()), sorted(options.always))
        words = (known, program.fd_array, sorted(program.poisoned), given, _plain(self.kinds))
        return key_of((__version__, stamp(), llvm.fingerprint(), str(level), encode(program.insns), repr(words)))

    def native(self, data: bytes, level: int) -> Native:
        """An object with the names that it wants, loaded.  Raises Unavailable."""
        symbols, code = unpacked(data)
        loaded = load(code, Names(self.code, self.maps, self.ksyms).addresses(symbols), [ENTRY, CALL])
        return Native(loaded.addresses[ENTRY], loaded.addresses[CALL], level, len(code), loaded)


def packed(symbols: Mapping[str, Symbol], code: bytes) -> bytes:
    """An object and what its names stand for, as the cache keeps them: one line of JSON, then the object."""
    rows = [[name, s.kind, s.number, s.offset, s.name] for name, s in symbols.items()]
    return json.dumps(rows).encode() + b"\n" + code


def unpacked(data: bytes) -> tuple[dict[str, Symbol], bytes]:
    """The reverse of ``packed``."""
    head, _, code = data.partition(b"\n")
    return {name: Symbol(*fields) for name, *fields in json.loads(head)}, code


def _plain(kinds: Kinds | None) -> object:
    """Facts in an order that does not change from one process to the next."""
    if kinds is None:
        return None
    return [(slot, [(n, sorted(types)) for n, types in sorted(known.items())]) for slot, known in sorted(kinds.items())]


@cache
def stamp() -> str:
    """What tells this copy of Osmia from another of its version: names, sizes and times of the code's sources."""
    root = Path(__file__).parents[2]
    found = [
        (path.name, about.st_size, about.st_mtime_ns)
        for room in ("vm/jit", "vm", "maps", "helpers", "isa")
        for path in sorted((root / room).glob("*.py"))
        for about in (path.stat(),)
    ]
    return repr(found)


def options_of(code: Code, maps: Sequence[Any], checked: bool, kinds: Kinds | None) -> Options:
    """What the emitter may know of a program's surroundings."""
    fast = [body for body in code.bodies if isinstance(body, FastBody) and body.address]
    return Options(
        checked=checked,
        maps=[shape_of(m, native=is_native(m)) for m in maps],
        fast={body.number: body.name for body in fast},
        always=frozenset(body.name for body in fast if body.python is None),
        kinds=kinds,
    )


def is_native(map_: Any) -> bool:
    """Are the map's operations compiled functions?  Its handle holds their addresses then."""
    return isinstance(map_, Map) and bool(ld64(map_.address + WORD["lookup"]))


@cache
def store() -> Cache:
    """The cache on disk, as the environment says when the first program asks."""
    return Cache(directory())
