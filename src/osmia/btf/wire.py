"""BTF on the wire: the header, and each kind as 32-bit words.

Every field of the type section is one 32-bit word, so a type is a run of words and the byte order is
settled once for the whole section.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar, cast

from osmia.btf import types as t
from osmia.errors import BtfError

MAGIC = 0xEB9F
HEADER_LEN = 24
MAX_VLEN = 0xFFFF

FIXED_WORDS = (3, 4, 3, 6, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 3, 3, 4, 3, 3)
"""Words of a type before its list; the index is the kind."""
ITEM_WORDS = (0, 0, 0, 0, 3, 3, 2, 0, 0, 0, 0, 0, 0, 2, 0, 3, 0, 0, 0, 3)
"""Words of each of the ``vlen`` items; the index is the kind."""

Words = array  # array("I"): native 32-bit words


class Header(NamedTuple):
    """Where the two sections lie, as offsets from the start of the data, and the byte order."""

    order: str
    types: int
    types_len: int
    strs: int
    strs_len: int
    flags: int


def read_header(data: bytes) -> Header:
    """Raises BtfError for what is no BTF, or whose sections do not lie inside the data."""
    if len(data) < HEADER_LEN:
        raise BtfError(f"{len(data)} bytes are too few for a BTF header", offset=0)
    order = {b"\x9f\xeb": "little", b"\xeb\x9f": "big"}.get(bytes(data[:2]))
    if order is None:
        raise BtfError("no BTF: the magic number is missing", offset=0)
    mark = "<" if order == "little" else ">"
    version, flags, hdr_len, type_off, type_len, str_off, str_len = struct.unpack_from(mark + "2xBB5I", data)
    if version != 1:
        raise BtfError(f"BTF version {version} is not known", offset=2)
    if hdr_len < HEADER_LEN or hdr_len > len(data):
        raise BtfError(f"header length {hdr_len} is impossible", offset=4)
    head = Header(order, hdr_len + type_off, type_len, hdr_len + str_off, str_len, flags)
    _check_sections(head, type_off, len(data))
    return head


def _check_sections(head: Header, type_off: int, size: int) -> None:
    if type_off % 4 or head.types_len % 4:
        raise BtfError("the type section is not aligned to 4 bytes", offset=8)
    if head.types + head.types_len > size:
        raise BtfError("the type section ends beyond the data", offset=8)
    if head.strs + head.strs_len > size:
        raise BtfError("the string section ends beyond the data", offset=16)
    first, second = sorted([(head.types, head.types_len), (head.strs, head.strs_len)])
    if first[0] + first[1] > second[0]:
        raise BtfError("the type and string sections overlap", offset=8)


def write_header(order: str, types_len: int, strs_len: int, flags: int) -> bytes:
    """A header with the types right after it and the strings after them."""
    mark = "<" if order == "little" else ">"
    return struct.pack(mark + "HBB5I", MAGIC, 1, flags, HEADER_LEN, 0, types_len, types_len, strs_len)


def to_words(data: bytes, order: str) -> array[int]:
    """Bytes of the type section as native words."""
    words = array("I", data)
    if order != sys.byteorder:
        words.byteswap()
    return words


def from_words(words: array[int], order: str) -> bytes:
    """Native words as bytes."""
    if order == sys.byteorder:
        return words.tobytes()
    swapped = words[:]
    swapped.byteswap()
    return swapped.tobytes()


def index_types(words: array[int], at: int) -> array[int]:
    """The position (in words) of every type.  ``at``: byte offset of the section, for messages."""
    starts, pos, end = array("I"), 0, len(words)
    kinds, fixed, item = len(FIXED_WORDS), FIXED_WORDS, ITEM_WORDS
    add = starts.append
    while pos < end - 2:
        info = words[pos + 1]
        kind = info >> 24 & 0x7F
        if not 0 < kind < kinds or info & 0xFF0000:
            raise BtfError(f"type {len(starts) + 1} has unknown info {info:#x}", offset=at + pos * 4)
        add(pos)
        pos += fixed[kind] + item[kind] * (info & 0xFFFF)
    if pos != end:
        last = starts[-1] if starts else 0
        raise BtfError(f"type {len(starts)} ends beyond the type section", offset=at + last * 4)
    return starts


class Strings(Protocol):
    """What reading and writing types needs of the string section."""

    def str_at(self, offset: int) -> str:
        """The string at an offset."""

    def add_str(self, text: str) -> int:
        """The offset of a string, added where missing."""


def _s32(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value


def _s64(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _read_int(s: Strings, w: array[int], name: str) -> t.Type:
    return t.Int(name, w[2], w[3] >> 24 & 0xF, w[3] >> 16 & 0xFF, w[3] & 0xFF)


def _read_members(s: Strings, w: array[int]) -> tuple[t.Member, ...]:
    if w[1] >> 31:
        at = range(3, len(w), 3)
        return tuple(t.Member(s.str_at(w[i]), w[i + 1], w[i + 2] & 0xFFFFFF, w[i + 2] >> 24) for i in at)
    return tuple(t.Member(s.str_at(w[i]), w[i + 1], w[i + 2]) for i in range(3, len(w), 3))


def _read_enum(s: Strings, w: array[int], name: str) -> t.Type:
    signed = bool(w[1] >> 31)
    pairs = [(w[i], _s32(w[i + 1]) if signed else w[i + 1]) for i in range(3, len(w), 2)]
    return t.Enum(name, w[2], tuple(t.EnumValue(s.str_at(o), v) for o, v in pairs), signed)


def _read_enum64(s: Strings, w: array[int], name: str) -> t.Type:
    signed = bool(w[1] >> 31)
    wide = [(w[i], w[i + 1] | w[i + 2] << 32) for i in range(3, len(w), 3)]
    return t.Enum64(name, w[2], tuple(t.EnumValue(s.str_at(o), _s64(v) if signed else v) for o, v in wide), signed)


def _read_proto(s: Strings, w: array[int], name: str) -> t.Type:
    return t.FuncProto(w[2], tuple(t.Param(s.str_at(w[i]), w[i + 1]) for i in range(3, len(w), 2)))


def _read_datasec(s: Strings, w: array[int], name: str) -> t.Type:
    return t.Datasec(name, w[2], tuple(t.VarSec(w[i], w[i + 1], w[i + 2]) for i in range(3, len(w), 3)))


_READ: tuple[Callable[[Strings, array[int], str], t.Type], ...] = (
    lambda s, w, n: t.VOID,
    _read_int,
    lambda s, w, n: t.Ptr(w[2]),
    lambda s, w, n: t.Array(w[3], w[4], w[5]),
    lambda s, w, n: t.Struct(n, w[2], _read_members(s, w), bool(w[1] >> 31)),
    lambda s, w, n: t.Union(n, w[2], _read_members(s, w), bool(w[1] >> 31)),
    _read_enum,
    lambda s, w, n: t.Fwd(n, bool(w[1] >> 31)),
    lambda s, w, n: t.Typedef(n, w[2]),
    lambda s, w, n: t.Volatile(w[2]),
    lambda s, w, n: t.Const(w[2]),
    lambda s, w, n: t.Restrict(w[2]),
    lambda s, w, n: t.Func(n, w[2], w[1] & 0xFFFF),
    _read_proto,
    lambda s, w, n: t.Var(n, w[2], w[3]),
    _read_datasec,
    lambda s, w, n: t.Float(n, w[2]),
    lambda s, w, n: t.DeclTag(n, w[2], _s32(w[3]), bool(w[1] >> 31)),
    lambda s, w, n: t.TypeTag(n, w[2], bool(w[1] >> 31)),
    _read_enum64,
)


def read_type(strings: Strings, words: array[int]) -> t.Type:
    """The value of one type from its own words."""
    name = strings.str_at(words[0]) if words[0] else ""
    return _READ[words[1] >> 24 & 0x1F](strings, words, name)


T = TypeVar("T", bound=t.Type)
_Writer = Callable[[Strings, t.Type], tuple[int, int, bool, list[int]]]
_WRITE: dict[type[t.Type], _Writer] = {}


def _writes(*kinds: type[t.Type]) -> Callable[[Callable[[Strings, T], tuple[int, int, bool, list[int]]]], None]:
    def keep(fn: Callable[[Strings, T], tuple[int, int, bool, list[int]]]) -> None:
        _WRITE.update(dict.fromkeys(kinds, cast(_Writer, fn)))

    return keep


# Each writer answers (size or type id, vlen, kind_flag, the words that follow).


@_writes(t.Int)
def _write_int(s: Strings, x: t.Int) -> tuple[int, int, bool, list[int]]:
    return x.size, 0, False, [x.encoding << 24 | x.offset << 16 | x.bits]


@_writes(t.Ptr, t.Volatile, t.Const, t.Restrict, t.Typedef)
def _write_ref(s: Strings, x: t.Ptr | t.Typedef) -> tuple[int, int, bool, list[int]]:
    return x.type_id, 0, False, []


@_writes(t.TypeTag)
def _write_type_tag(s: Strings, x: t.TypeTag) -> tuple[int, int, bool, list[int]]:
    return x.type_id, 0, x.kind_flag, []


@_writes(t.Array)
def _write_array(s: Strings, x: t.Array) -> tuple[int, int, bool, list[int]]:
    return 0, 0, False, [x.type_id, x.index_type_id, x.nelems]


@_writes(t.Struct, t.Union)
def _write_composite(s: Strings, x: t.Composite) -> tuple[int, int, bool, list[int]]:
    flag = x.kind_flag or any(m.bitfield_size for m in x.members)
    tail = [v for m in x.members for v in (s.add_str(m.name), m.type_id, m.bitfield_size << 24 | m.bit_offset)]
    return x.size, len(x.members), flag, tail


@_writes(t.Enum)
def _write_enum(s: Strings, x: t.Enum) -> tuple[int, int, bool, list[int]]:
    return x.size, len(x.values), x.signed, [w for v in x.values for w in (s.add_str(v.name), v.value & 0xFFFFFFFF)]


@_writes(t.Enum64)
def _write_enum64(s: Strings, x: t.Enum64) -> tuple[int, int, bool, list[int]]:
    tail = [w for v in x.values for w in (s.add_str(v.name), v.value & 0xFFFFFFFF, v.value >> 32 & 0xFFFFFFFF)]
    return x.size, len(x.values), x.signed, tail


@_writes(t.Fwd)
def _write_fwd(s: Strings, x: t.Fwd) -> tuple[int, int, bool, list[int]]:
    return 0, 0, x.is_union, []


@_writes(t.Func)
def _write_func(s: Strings, x: t.Func) -> tuple[int, int, bool, list[int]]:
    return x.type_id, x.linkage, False, []


@_writes(t.FuncProto)
def _write_proto(s: Strings, x: t.FuncProto) -> tuple[int, int, bool, list[int]]:
    return x.type_id, len(x.params), False, [w for p in x.params for w in (s.add_str(p.name), p.type_id)]


@_writes(t.Var)
def _write_var(s: Strings, x: t.Var) -> tuple[int, int, bool, list[int]]:
    return x.type_id, 0, False, [x.linkage]


@_writes(t.Datasec)
def _write_datasec(s: Strings, x: t.Datasec) -> tuple[int, int, bool, list[int]]:
    return x.size, len(x.vars), False, [w for v in x.vars for w in v]


@_writes(t.Float)
def _write_float(s: Strings, x: t.Float) -> tuple[int, int, bool, list[int]]:
    return x.size, 0, False, []


@_writes(t.DeclTag)
def _write_decl_tag(s: Strings, x: t.DeclTag) -> tuple[int, int, bool, list[int]]:
    return x.type_id, 0, x.kind_flag, [x.component_idx & 0xFFFFFFFF]


def write_type(strings: Strings, made: t.Type) -> array[int]:
    """The words of one type; its strings are added.  Raises BtfError for values that do not fit the format."""
    writer = _WRITE.get(type(made))
    if writer is None:
        raise BtfError(f"{type(made).__name__} can't be stored as a type")
    name = strings.add_str(made.name) if made.name else 0
    third, vlen, flag, tail = writer(strings, made)
    if vlen > MAX_VLEN:
        raise BtfError(f"{made.name or type(made).__name__} has {vlen} items; the format ends at {MAX_VLEN}")
    try:
        return array("I", [name, flag << 31 | made.kind << 24 | vlen, third, *tail])
    except OverflowError:
        raise BtfError(f"a number in {made} does not fit in 32 bits") from None
