"""``Btf``: the types of one object or kernel.

The parsed form is the file's own words: opening indexes the types and makes no objects, so that a kernel's
BTF (5.5 MB, 140,000 types) opens in tens of milliseconds.  A type becomes a value when it is asked for.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Self

from osmia.btf import wire
from osmia.btf.types import MODIFIERS, VOID, Type, Typedef
from osmia.errors import BtfError

Kind = type[Type]
"""A kind is named by its class."""

MAX_CHAIN = 64
"""Typedefs and modifiers in a row; the kernel ends at 32."""


class Btf:
    """A table of types, read and written in place.

    Ids count from 1 (0 is void); with ``base`` (split BTF, as kernel modules have) they go on where the base's end.
    ``len(btf)`` is the number of ids, void and the base's among them: ``range(1, len(btf))`` walks them all.
    """

    def __init__(self, base: Btf | None = None, byteorder: str = "little", pointer_size: int = 8) -> None:
        self.base = base
        self.byteorder: str = base.byteorder if base else byteorder
        self.pointer_size = pointer_size
        self.flags = 0
        self._first_id = len(base) if base else 1
        self._first_str = base.strings_size if base else 0
        self._words = array("I")
        self._starts = array("I")
        self._strs = bytearray() if base else bytearray(b"\0")
        self._offset = wire.HEADER_LEN
        self._str_index: dict[bytes, int] | None = None
        self._names: dict[str, list[int]] | None = None
        self._cache: dict[int, Type] = {}
        self.alignments: dict[int, int] = {}

    @classmethod
    def parse(cls, data: bytes, base: Btf | None = None) -> Self:
        """Read BTF in either byte order (``base``: what a module's split BTF stands on).

        The header, the string section and the extent of every type are checked now; what a type refers to
        is checked when it is followed, or all at once by ``osmia.btf.check.check``.  Raises BtfError.
        """
        head = wire.read_header(data)
        made = cls(base)
        made.byteorder, made.flags, made._offset = head.order, head.flags, head.types
        made._strs = bytearray(data[head.strs : head.strs + head.strs_len])
        made._check_strings(head.strs)
        made._words = wire.to_words(data[head.types : head.types + head.types_len], head.order)
        made._starts = wire.index_types(made._words, head.types)
        return made

    def _check_strings(self, at: int) -> None:
        if not self._strs and self.base:
            return
        if not self._strs or self._strs[-1]:
            raise BtfError("the string section is empty or its last string does not end", offset=at)
        if self._strs[0] and not self.base:
            raise BtfError("the string section does not start with the empty string", offset=at)

    def encode(self, order: str | None = None) -> bytes:
        """The bytes of this table (without its base's) in ``order``, else in its own byte order."""
        order = order or self.byteorder
        types = wire.from_words(self._words, order)
        return wire.write_header(order, len(types), len(self._strs), self.flags) + types + bytes(self._strs)

    def copy(self) -> Btf:
        """An independent copy on the same base."""
        made = Btf(self.base, self.byteorder, self.pointer_size)
        made.byteorder, made.flags, made._offset = self.byteorder, self.flags, self._offset
        made._words, made._starts, made._strs = self._words[:], self._starts[:], self._strs[:]
        return made

    # Types

    def __len__(self) -> int:
        return self._first_id + len(self._starts)

    def __repr__(self) -> str:
        base = f" on {self._first_id} of a base" if self.base else ""
        return f"<Btf: {len(self._starts)} types{base}, {self.byteorder}-endian>"

    @property
    def first_id(self) -> int:
        """The first id of this table's own: 1 without a base."""
        return self._first_id

    def __iter__(self) -> Iterator[tuple[int, Type]]:
        """Every type of this table's own with its id (the base's and void are not among them)."""
        return ((i, self.type(i)) for i in range(self._first_id, len(self)))

    def type(self, type_id: int) -> Type:
        """The type of that id.  Raises BtfError when there is none."""
        found = self._cache.get(type_id)
        if found is None:
            found = self._read(type_id)
        return found

    def _read(self, type_id: int) -> Type:
        if type_id == 0:
            return VOID
        if type_id < self._first_id and self.base is not None:
            return self.base.type(type_id)
        words = self._words_of(type_id)
        try:
            found = wire.read_type(self, words)
        except BtfError as error:
            raise error.at(offset=self.offset_of(type_id)) from None
        self._cache[type_id] = found
        return found

    def _words_of(self, type_id: int) -> array[int]:
        index = type_id - self._first_id
        if not 0 <= index < len(self._starts):
            raise BtfError(f"there is no type {type_id}: the ids end at {len(self) - 1}")
        return self._words[self._starts[index] : self._end(index)]

    def _end(self, index: int) -> int:
        return self._starts[index + 1] if index + 1 < len(self._starts) else len(self._words)

    def offset_of(self, type_id: int) -> int:
        """Where in the data the type stands, in bytes."""
        return self._offset + self._starts[type_id - self._first_id] * 4

    def kind_of(self, type_id: int) -> int:
        """The number of the type's kind, without making a value of it."""
        if type_id == 0:
            return 0
        if type_id < self._first_id and self.base is not None:
            return self.base.kind_of(type_id)
        if type_id >= len(self):
            raise BtfError(f"there is no type {type_id}: the ids end at {len(self) - 1}")
        return self._words[self._starts[type_id - self._first_id] + 1] >> 24 & 0x1F

    def ids(self, *kinds: Kind) -> list[int]:
        """The ids of this table's own types of some kinds, without making values of the others."""
        wanted, words = {k.kind for k in kinds}, self._words
        return [i for i, at in enumerate(self._starts, self._first_id) if words[at + 1] >> 24 & 0x1F in wanted]

    def add(self, made: Type) -> int:
        """Append a type and return its id.  Raises BtfError for what the format can't hold."""
        words = wire.write_type(self, made)
        self._starts.append(len(self._words))
        self._words.extend(words)
        type_id = len(self) - 1
        if self._names is not None and made.name:
            self._names.setdefault(made.name, []).append(type_id)
        return type_id

    def replace(self, type_id: int, made: Type) -> None:
        """Put another type in the place of one of this table's own."""
        index = type_id - self._first_id
        start = self._starts[index] if len(self._words_of(type_id)) else 0
        old = self._end(index)
        words = wire.write_type(self, made)
        self._words[start:old] = words
        shift = len(words) - (old - start)
        if shift:
            self._starts[index + 1 :] = array("I", [s + shift for s in self._starts[index + 1 :]])
        self._cache.pop(type_id, None)
        self.alignments.clear()
        self._names = None

    # Names and strings

    def find(self, name: str, *kinds: Kind) -> int | None:
        """The first id with that name and one of the kinds (classes; none given: any kind), the base's first."""
        return next(self.find_all(name, *kinds), None)

    def find_all(self, name: str, *kinds: Kind) -> Iterator[int]:
        """Every id with that name and one of the kinds, ascending."""
        if self.base is not None:
            yield from self.base.find_all(name, *kinds)
        numbers = {k.kind for k in kinds}
        yield from (i for i in self.names().get(name, ()) if not kinds or self.kind_of(i) in numbers)

    def names(self) -> dict[str, list[int]]:
        """The ids of each name in this table (not the base's); made on first use."""
        if self._names is None:
            self._names = {}
            for offset, ids in self._ids_by_offset().items():
                known = self._names.setdefault(self.str_at(offset), ids)
                if known is not ids:  # one name at two offsets
                    known[:] = sorted(known + ids)
        return self._names

    def _ids_by_offset(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        words = self._words
        for type_id, start in enumerate(self._starts, self._first_id):
            if offset := words[start]:
                if offset in found:
                    found[offset].append(type_id)
                else:
                    found[offset] = [type_id]
        return found

    @property
    def strings_size(self) -> int:
        """The length of the string section in bytes, the base's included."""
        return self._first_str + len(self._strs)

    def str_at(self, offset: int) -> str:
        """The string at an offset.  Raises BtfError outside the section.  Bytes that are not UTF-8 show as \\xNN."""
        if offset < self._first_str and self.base is not None:
            return self.base.str_at(offset)
        start = offset - self._first_str
        if not 0 <= start < len(self._strs):
            raise BtfError(f"string offset {offset} lies outside the string section")
        return self._strs[start : self._strs.index(0, start)].decode("utf-8", "backslashreplace")

    def add_str(self, text: str) -> int:
        """The offset of a string, which is appended where it is not in the section yet."""
        if not text:
            return 0
        raw = text.encode("utf-8", "surrogateescape")
        if b"\0" in raw:
            raise BtfError(f"a zero byte in the string {text!r}")
        found = self._find_str(raw)
        if found is None:
            found = self.strings_size
            self._strs += raw + b"\0"
            assert self._str_index is not None
            self._str_index[raw] = found
        return found

    def _find_str(self, raw: bytes) -> int | None:
        if self.base is not None and (found := self.base._find_str(raw)) is not None:
            return found
        if self._str_index is None:
            self._str_index, at = {}, self._first_str
            for part in bytes(self._strs[:-1]).split(b"\0"):
                self._str_index.setdefault(part, at)
                at += len(part) + 1
        return self._str_index.get(raw)

    # Following types (the rest is in osmia.btf.layout)

    def resolve(self, type_id: int) -> int:
        """Skip typedefs and modifiers.  Raises BtfError when they go in a circle."""
        return self._skip(type_id, (*MODIFIERS, Typedef))

    def skip_modifiers(self, type_id: int) -> int:
        """Skip const, volatile, restrict and type tags; stop at typedefs."""
        return self._skip(type_id, MODIFIERS)

    def _skip(self, type_id: int, kinds: tuple[Kind, ...]) -> int:
        first = type_id
        for _ in range(MAX_CHAIN):
            found = self.type(type_id)
            if not isinstance(found, kinds):
                return type_id
            type_id = found.type_id  # type: ignore[attr-defined]
        raise BtfError(f"type {first} goes through more than {MAX_CHAIN} others, or in a circle")

    def size_of(self, type_id: int) -> int:
        """Size in bytes.  Raises BtfError for types without one (functions, forward declarations, circles)."""
        from osmia.btf.layout import size_of

        return size_of(self, type_id)
