"""BPF_BTF_LOAD, the first half: header, strings, and each type by itself.

Stricter than ``osmia.btf.check``, which takes what a linker may still complete; the answer is the kernel's errno.
(``btf_parse_hdr``, ``btf_parse_str_sec``, ``btf_check_all_metas`` in kernel/bpf/btf.c, Linux 6.18.)
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from errno import E2BIG, EINVAL
from typing import NamedTuple

ENOTSUPP = 524
MAGIC, HEADER = 0xEB9F, 24
MAX_SIZE, MAX_TYPE, MAX_NAME_OFFSET = 1 << 24, 0xFFFFF, 0xFFFFFF
INFO_MASK, INT_MASK = 0x9F00FFFF, 0x0FFFFFFF
NAME_LEN = 512
(VOID, INT, PTR, ARRAY, STRUCT, UNION, ENUM, FWD, TYPEDEF, VOLATILE, CONST, RESTRICT, FUNC, FUNC_PROTO, VAR, DATASEC,
 FLOAT, DECL_TAG, TYPE_TAG, ENUM64) = range(20)  # fmt: skip
WORDS = {INT: (1, 0), ARRAY: (3, 0), STRUCT: (0, 3), UNION: (0, 3), ENUM: (0, 2), FUNC_PROTO: (0, 2), VAR: (1, 0),
         DATASEC: (0, 3), DECL_TAG: (1, 0), ENUM64: (0, 3)}  # fmt: skip
"""Words behind a type's three: fixed ones, and how many for each of its ``vlen`` entries."""
LETTERS = frozenset(
    (*range(0x41, 0x5B), *range(0x61, 0x7B), *range(0xC0, 0xD7), *range(0xD8, 0xF7), *range(0xF8, 0x100))
)
DIGITS = frozenset(range(0x30, 0x3A))
FIRST, LATER = LETTERS | {0x5F, 0x2E}, LETTERS | DIGITS | {0x5F, 0x2E}
PRINTABLE = frozenset((*range(0x20, 0x7F), *range(0xA0, 0x100)))
ENCODINGS = (0, 1, 2, 4)


class BtfRefused(Exception):
    """The kernel refuses the types, with an errno and for a reason."""

    def __init__(self, errno: int, reason: str) -> None:
        super().__init__(reason)
        self.errno = errno


class RawType(NamedTuple):
    """One type as it stands in the section; ``size`` is also the type id of those that have one."""

    name: int
    kind: int
    vlen: int
    kflag: bool
    size: int
    extra: tuple[int, ...]

    def entries(self, width: int) -> list[tuple[int, ...]]:
        """Members, parameters, values: ``width`` words each."""
        return [self.extra[i : i + width] for i in range(0, len(self.extra), width)]


class Strings:
    """The string section."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def known(self, offset: int) -> bool:
        """Does the offset lie in the section?"""
        return offset < len(self.data)

    def at(self, offset: int) -> bytes:
        """The string there."""
        return self.data[offset : self.data.index(0, offset)]

    def identifier(self, offset: int) -> bool:
        """A name as C has them, and points."""
        name = self.at(offset)
        return bool(name) and name[0] in FIRST and len(name) < NAME_LEN and LATER.issuperset(name[1:])

    def section(self, offset: int) -> bool:
        """A section's name: anything printable."""
        name = self.at(offset)
        return bool(name) and len(name) < NAME_LEN and PRINTABLE.issuperset(name)


def refuse_if(wrong: bool, reason: str, errno: int = EINVAL) -> None:
    """Raises BtfRefused."""
    if wrong:
        raise BtfRefused(errno, reason)


def read_types(data: bytes) -> tuple[list[RawType], Strings]:
    """Every type, void first, each sound by itself.  Raises BtfRefused."""
    refuse_if(len(data) > MAX_SIZE, "too long", E2BIG)
    start, end = check_header(data)
    strings = Strings(data[end:])
    words = struct.unpack_from(f"<{(end - start) // 4}I", data, start)
    types, at = [RawType(0, VOID, 0, False, 0, ())], 0
    while at < len(words):
        made = read_type(words, at, strings)
        CHECKS[made.kind](made, strings)
        types.append(made)
        at += 3 + len(made.extra)
    refuse_if(bool((end - start) % 4), "the last type is cut")
    return types, strings


def check_header(data: bytes) -> tuple[int, int]:
    """Where the types begin and end: both sections have to fill what is behind the header, types first."""
    refuse_if(len(data) < HEADER, "the header is cut")
    magic, version, flags, length, types_off, types_len, strings_off, strings_len = struct.unpack_from("<HBB5I", data)
    refuse_if(length > len(data) or length < HEADER, "header length")
    refuse_if(any(data[HEADER:length]), "a longer header", E2BIG)
    refuse_if(magic != MAGIC, "magic")
    refuse_if(version != 1, "version", ENOTSUPP)
    refuse_if(flags != 0, "flags", ENOTSUPP)
    refuse_if(types_off != 0 or types_len != strings_off, "another order of sections")
    refuse_if(length + strings_off + strings_len != len(data), "sections do not fit")
    strings = data[length + strings_off :]
    refuse_if(not strings or len(strings) - 1 > MAX_NAME_OFFSET or bool(strings[0] or strings[-1]), "string section")
    refuse_if(types_len == 0, "no types")
    return length, length + types_len


def read_type(words: tuple[int, ...], at: int, strings: Strings) -> RawType:
    """What all kinds have in common."""
    refuse_if(at + 3 > len(words), "the last type is cut")
    name, info, size = words[at : at + 3]
    kind, vlen = info >> 24 & 0x1F, info & 0xFFFF
    refuse_if(bool(info & ~INFO_MASK), "info")
    refuse_if(kind == VOID or kind > ENUM64, "kind")
    refuse_if(not strings.known(name), "name offset")
    fixed, each = WORDS.get(kind, (0, 0))
    count = fixed + each * vlen
    refuse_if(at + 3 + count > len(words), "the last type is cut")
    return RawType(name, kind, vlen, bool(info >> 31), size, words[at + 3 : at + 3 + count])


# -- one check per kind


def plain(t: RawType) -> None:
    """No entries, no flag."""
    refuse_if(bool(t.vlen), "vlen != 0")
    refuse_if(t.kflag, "kind flag")


def type_id(number: int) -> None:
    """An id that could be one."""
    refuse_if(number > MAX_TYPE, "type id")


def member_id(number: int) -> None:
    """An id of something that is not void."""
    refuse_if(number == 0 or number > MAX_TYPE, "type id")


def check_int(t: RawType, strings: Strings) -> None:
    """Bits fit into bytes; one encoding."""
    plain(t)
    (word,) = t.extra
    refuse_if(bool(word & ~INT_MASK), "int data")
    bits = (word & 0xFF) + (word >> 16 & 0xFF)
    refuse_if(bits > 128, "more than 128 bits")
    refuse_if((bits + 7) // 8 > t.size, "more bits than bytes")
    refuse_if(word >> 24 not in ENCODINGS, "encoding", ENOTSUPP)


def check_ref(t: RawType, strings: Strings) -> None:
    """Pointers, qualifiers, typedefs, type tags."""
    refuse_if(bool(t.vlen), "vlen != 0")
    refuse_if(t.kflag and t.kind != TYPE_TAG, "kind flag")
    type_id(t.size)
    if t.kind == TYPEDEF:
        refuse_if(not strings.identifier(t.name), "name")
    elif t.kind == TYPE_TAG:
        refuse_if(not strings.at(t.name), "name")
    else:
        refuse_if(bool(t.name), "name")


def check_array(t: RawType, strings: Strings) -> None:
    """Nameless, of something, indexed by something."""
    refuse_if(bool(t.name), "name")
    plain(t)
    refuse_if(bool(t.size), "size != 0")
    member_id(t.extra[0])
    member_id(t.extra[1])


def check_composite(t: RawType, strings: Strings) -> None:
    """Members in order, inside the struct."""
    refuse_if(bool(t.name) and not strings.identifier(t.name), "name")
    before = 0
    for name, kind, offset in t.entries(3):
        refuse_if(not strings.known(name), "member name offset")
        refuse_if(bool(name) and not strings.identifier(name), "member name")
        member_id(kind)
        bits = offset & 0xFFFFFF if t.kflag else offset
        refuse_if(t.kind == UNION and bool(bits), "member offset in a union")
        refuse_if(before > bits, "member order")
        refuse_if((bits + 7) // 8 > t.size, "member offset")
        before = bits


def check_enum(t: RawType, strings: Strings) -> None:
    """Names for all values."""
    refuse_if(t.size > 8 or t.size & (t.size - 1) != 0 or t.size == 0, "size")
    refuse_if(bool(t.name) and not strings.identifier(t.name), "name")
    for name, *_ in t.entries(2 if t.kind == ENUM else 3):
        refuse_if(not strings.known(name), "value name offset")
        refuse_if(not strings.identifier(name), "value name")


def check_fwd(t: RawType, strings: Strings) -> None:
    """A name and nothing else."""
    refuse_if(bool(t.vlen), "vlen != 0")
    refuse_if(bool(t.size), "type != 0")
    refuse_if(not strings.identifier(t.name), "name")


def check_func(t: RawType, strings: Strings) -> None:
    """Static or global, with a name."""
    refuse_if(not strings.identifier(t.name), "name")
    refuse_if(t.vlen > 1, "linkage")
    refuse_if(t.kflag, "kind flag")


def check_proto(t: RawType, strings: Strings) -> None:
    """Nameless."""
    refuse_if(bool(t.name), "name")
    refuse_if(t.kflag, "kind flag")


def check_var(t: RawType, strings: Strings) -> None:
    """A name, a type, static or allocated."""
    plain(t)
    refuse_if(not strings.identifier(t.name), "name")
    member_id(t.size)
    refuse_if(t.extra[0] not in (0, 1), "linkage")


def check_datasec(t: RawType, strings: Strings) -> None:
    """Variables one behind the other."""
    refuse_if(t.size == 0, "size")
    refuse_if(t.kflag, "kind flag")
    refuse_if(not strings.section(t.name), "name")
    end = 0
    for kind, offset, size in t.entries(3):
        member_id(kind)
        refuse_if(offset < end or offset >= t.size, "offset")
        refuse_if(size == 0 or size > t.size or offset + size > t.size, "size")
        end = offset + size


def check_float(t: RawType, strings: Strings) -> None:
    """Sizes that machines have."""
    plain(t)
    refuse_if(t.size not in (2, 4, 8, 12, 16), "size")


def check_decl_tag(t: RawType, strings: Strings) -> None:
    """A word, on a type or on one of its parts."""
    refuse_if(not strings.at(t.name), "value")
    refuse_if(bool(t.vlen), "vlen != 0")
    refuse_if(0x80000000 <= t.extra[0] < 0xFFFFFFFF, "component")


CHECKS: dict[int, Callable[[RawType, Strings], None]] = {
    **{INT: check_int, ARRAY: check_array, STRUCT: check_composite, UNION: check_composite, ENUM: check_enum},
    **{FWD: check_fwd, FUNC: check_func, FUNC_PROTO: check_proto, VAR: check_var, DATASEC: check_datasec},
    **{FLOAT: check_float, DECL_TAG: check_decl_tag, ENUM64: check_enum},
    **dict.fromkeys((PTR, TYPEDEF, VOLATILE, CONST, RESTRICT, TYPE_TAG), check_ref),
}
