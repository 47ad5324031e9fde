"""What the emitter hands to LLVM and the linker: the text of a module, and what its external names stand for.

Nothing in a unit is an address of this process, so that the object made of it can be kept on disk: everything outside
is a symbol, and the linker binds each to an address anew.  All functions take and give u64 words.

What a unit defines (``Unit.exports``):

``entry``  ``u64 entry(run, r1, r2, r3, r4, r5)``: the program from its first slot, in the next frame of ``run``.
``call``   ``u64 call(run, pointer, r1, r2, r3, r4, r5)``: the function behind a callback pointer, in the next frame.
           Pointers that are no function of this program go to ``elsewhere``.

Both answer R0, or anything when ``run``'s word ``fault`` is set afterwards: then the whole stack of functions has
returned, ``pc`` is the slot, and ``address`` and ``size`` are those of a bad access.  The caller keeps and restores
the words of the frames in use after a fault, as no function puts them back then.

What a unit may want (``Unit.symbols``: name → ``Symbol``; only those that occur in the text):

``map3``             the handle of map 3 of the program
``map3.values``      its word ``values``: the first byte of the first value (arrays)
``map3.value+8``     the address that a ``map_value`` load of offset 8 names (families other than arrays)
``map3.lookup`` …    a function of the handle, of the signature ``u64 f(object, a, b, c, d)``; only those in the map's
                     ``MapShape.operations``
``map3.object``      the handle's first word: what those functions take first
``code``             ``Code.address``: the decoder's rows; the callback pointer of slot n is ``code + n * ROW.size``
``ksym.<name>``      the address of a kernel variable, 0 for a weak one that is not there
``fast.<helper>``    the native body of a helper (``helpers.fast``): ``u64 f(run, r1, r2, r3, r4, r5)``
``python``           ``u64 python(run, row, r1, r2, r3, r4, r5)``: runs the Python body of the call whose decoder row
                     stands at the address ``row`` (``code + slot * ROW.size``; ``Code.bodies[row.imm]``).  An exception
                     is kept by the engine, and ``fault`` is set.
``packet``           ``u64 packet(run, row, offset)``: a legacy packet load for that row; -1 (all ones) when it is
                     outside
``tail``             ``u64 tail(run, row, table, slot)``: the ``entry`` of the target and one more tail call counted,
                     or 0 when there is none or when 33 have been done; may set ``fault``
``elsewhere``        ``u64 elsewhere(run, pointer, r1, …, r5)``: runs a callback of another program (after a tail call),
                     or sets ``fault``
``refill``           ``u64 refill(run)``: ``fuel`` is below 1 and there is more to run, at the slot in ``pc``.  Counts
                     what was used, looks at budget, stop flag and signals; grants new fuel and answers 0, or sets
                     ``fault`` and answers 1.
``may``              ``u64 may(run, address, size, write)``: may the program touch these bytes?  1 or 0
``probe``            ``u64 probe(run, address, size)``: what stands there, zero extended, or 0 for an address that can't
                     be read; never crashes
``relax``            ``u64 relax(run)``: called by a loop that waits for a lock of another thread; sets ``fault`` to end
                     the wait
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from osmia.maps.base import Map
from osmia.maps.handle import OPERATIONS, WORD
from osmia.raw import ld64

ENTRY, CALL = "entry", "call"

CALL_SIGNATURES: dict[str, int] = {
    "python": 7, "packet": 3, "tail": 4, "elsewhere": 7, "refill": 1, "may": 4, "probe": 3, "relax": 1,
}  # fmt: skip
"""How many words each function of the engine takes."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """What an external name stands for.

    ``kind``: "map", "values", "value", "object", "lookup" … (a function of the handle), "code", "ksym", "fast", or a
    key of ``CALL_SIGNATURES``.  ``number`` is the map's, ``offset`` that of "value", ``name`` the variable's or the
    helper's.
    """

    kind: str
    number: int = -1
    offset: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class MapShape:
    """What the emitter knows of a map, constants in the object code.  ``operations``: its compiled functions, by the
    words of the handle ("lookup", "update" …).
    """

    type: str
    key_size: int
    value_size: int
    max_entries: int
    flags: int = 0
    copies: int = 1
    operations: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Options:
    """What is known when a program is compiled, beyond its rows.

    ``checked``: nobody verified the program, so every access is checked and every instruction counted.
    ``maps``: in the order of the program's map numbers.
    ``fast``: number of a helper → its name, for those whose native body is to be called: the compiled one is there
    and the machine was not given another body under that number.
    ``always``: names of those that never decline (``helpers.fast.ALWAYS``).
    ``kinds``: what the verifier knew: slot → register → types (``verifier.facts.Fact.types``); None without a verdict.
    """

    checked: bool = True
    maps: Sequence[MapShape] = ()
    fast: Mapping[int, str] = field(default_factory=dict)
    always: frozenset[str] = frozenset()
    kinds: Mapping[int, Mapping[int, frozenset[str]]] | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """One program as LLVM IR.  The same rows and options give the same text."""

    name: str
    ir: str
    symbols: Mapping[str, Symbol]
    exports: tuple[str, ...] = (ENTRY, CALL)

    def __repr__(self) -> str:
        return f"<Unit {self.name!r}, {len(self.ir.splitlines())} lines, {len(self.symbols)} symbols>"


def shape_of(map_: Any, native: bool = False) -> MapShape:
    """The shape of a map; ``native``: native code may call the functions in its handle.  Of what is no ``maps.Map``
    nothing is known but its address.
    """
    if not isinstance(map_, Map):
        return MapShape("", 0, 0, 0)
    found = frozenset(name for name in OPERATIONS if native and ld64(map_.address + WORD[name]))
    sizes = (map_.key_size, map_.value_size, map_.max_entries, int(map_.flags))
    return MapShape(map_.type, *sizes, copies=int(getattr(map_, "copies", 1)), operations=found)
