"""The fields of a program record, one row each: its name, what it may hold, its default.

Both directions read these tables.  A reader turns what JSON held into a plain value (bytes, int, str, tuples) or
raises RecordError that names the field; ``to_json`` writes values back and leaves out those that say nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from osmia.errors import RecordError
from osmia.kernel.uapi import ATTACH_TYPES, MAP_FLAGS, MAP_TYPES, PROG_FLAGS, PROG_TYPES

Reader = Callable[[Any], Any]
SHOWN: Final = 40
"""Characters of a wrong value that a message shows."""


class Field(NamedTuple):
    """One field.  ``read`` raises ValueError with a sentence; ``always``: written even if it is the default."""

    name: str
    read: Reader
    default: Any = None
    always: bool = False


def number(bits: int, what: str = "a number") -> Reader:
    """An unsigned integer of that many bits."""

    def read(value: Any) -> int:
        if type(value) is not int or not 0 <= value < 1 << bits:
            raise ValueError(f"{what} from 0 to {(1 << bits) - 1} is wanted")
        return value

    return read


u32: Final = number(32)
u64: Final = number(64)


def text(value: Any) -> str:
    """A string that can be written as UTF-8 and handed to C."""
    if not isinstance(value, str):
        raise ValueError("a string is wanted")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair is no text") from None
    if "\0" in value:
        raise ValueError("NUL can't be part of a name")
    return value


def one_of(*known: str) -> Reader:
    """One of a few words."""

    def read(value: Any) -> str:
        if value not in known:
            raise ValueError(f"one of {', '.join(known)} is wanted")
        return str(value)

    return read


def words(*known: str) -> Reader:
    """A list of a few words."""
    one = one_of(*known)

    def read(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise ValueError(f"a list of {', '.join(known)} is wanted")
        return tuple(one(v) for v in value)

    return read


def enum(names: tuple[str, ...], what: str) -> Reader:
    """A constant by name (without prefix) or number; comes back as name."""

    def read(value: Any) -> str:
        if type(value) is int and 0 <= value < len(names):
            return names[value]
        if not isinstance(value, str) or value not in names:
            raise ValueError(f"the name or number of {what} is wanted")
        return value

    return read


def attach_type(value: Any) -> str:
    """An attach type by name, or a number: of an attach type, or of a struct_ops member, so digits come back."""
    return str(u32(value)) if type(value) is int else enum(("", *ATTACH_TYPES), "an attach type")(value)


def flags(names: Mapping[str, int]) -> Reader:
    """Bits as a number, or as a list of names."""

    def read(value: Any) -> int:
        if not isinstance(value, list):
            return int(number(32, f"names ({', '.join(names)}) or a number")(value))
        wrong = [v for v in value if not isinstance(v, str) or v not in names]
        if wrong:
            raise ValueError(f"{_shown(wrong[0])} is none of the flags {', '.join(names)}")
        return sum({names[v] for v in value})

    return read


def hexadecimal(value: Any) -> bytes:
    """Bytes as hexadecimal digits."""
    try:
        return bytes.fromhex(text(value))
    except ValueError:
        raise ValueError("hexadecimal digits, two a byte, are wanted") from None


def truth(value: Any) -> bool:
    """True or false; 0 and 1 do as well."""
    if value not in (0, 1):
        raise ValueError("true or false is wanted")
    return bool(value)


def rows(width: int) -> Reader:
    """A list of lists of ``width`` numbers."""

    def read(value: Any) -> list[tuple[int, ...]]:
        if not isinstance(value, list) or any(not isinstance(row, list) or len(row) != width for row in value):
            raise ValueError(f"a list of lists of {width} numbers is wanted")
        return [tuple(u32(n) for n in row) for row in value]

    return read


def numbers(value: Any) -> list[int]:
    """A list of numbers."""
    if not isinstance(value, list):
        raise ValueError("a list of numbers is wanted")
    return [u32(n) for n in value]


def objects(fields: Callable[[], tuple[Field, ...]]) -> Reader:
    """A list of objects with fields of their own."""

    def read(value: Any) -> list[dict[str, Any]]:
        if not isinstance(value, list):
            raise ValueError("a list is wanted")
        return [from_json(row, fields(), f"[{n}]") for n, row in enumerate(value)]

    return read


def one_object(fields: Callable[[], tuple[Field, ...]]) -> Reader:
    """An object with fields of its own."""

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValueError("an object is wanted")
        return from_json(value, fields())

    return read


MAP: Final = (
    Field("type", enum(MAP_TYPES, "a map type"), "array", True),
    Field("key", u32, 4, True),
    Field("value", u32, 8, True),
    Field("entries", u32, 1, True),
    Field("flags", flags(MAP_FLAGS), 0),
    Field("inner", u32),
    Field("btf_key", u32, 0),
    Field("btf_value", u32, 0),
    Field("init_hex", hexadecimal, b""),
    Field("freeze", truth, False),
    Field("extra", u64, 0),
    Field("name", text, ""),
    Field("vmlinux_value", text, ""),
)
RELOC: Final = (
    Field("insn", u32, always=True),
    Field("name", text, always=True),
    Field("kind", one_of("func", "var"), "func", True),
)
PROGRAM: Final[tuple[Field, ...]] = (
    Field("name", text, "", True),
    Field("prog_type", enum(PROG_TYPES, "a program type"), always=True),
    Field("insns_hex", hexadecimal, always=True),
    Field("expected_attach_type", attach_type, ""),
    Field("attach_btf", text, ""),
    Field("attach_btf_kind", one_of("func", "typedef", "struct"), "func"),
    Field("attach_prog", one_object(lambda: PROGRAM)),
    Field("maps", objects(lambda: MAP), []),
    Field("license", text, "GPL"),
    Field("flags", flags(PROG_FLAGS), 0),
    Field("section", text, ""),
    Field("prog_name", text, ""),
    Field("btf_hex", hexadecimal, b""),
    Field("func_info", rows(2), []),
    Field("line_info", rows(4), []),
    Field("relocs", objects(lambda: RELOC), []),
    Field("fd_array", numbers, None),
    Field("fd_array_cnt", u32, 0),
)
"""``attach_prog`` is the record of the program whose function ``attach_btf`` names.  ``section`` is ours: the name that
says what the program attaches to, which bpf(2) is never told.  What else a record may hold (run, verdicts) is not about
the program."""
LOADING: Final = (
    Field("log_level", u32, 1),
    Field("unprivileged", truth, False),
    Field("caps", words("bpf", "perfmon", "net_admin", "sys_admin"), ()),
)
"""How a record wants to be loaded: ``caps`` that are not empty are all that the loader has."""


def parse(line: bytes, fields: tuple[Field, ...]) -> dict[str, Any]:
    """The values of every field of one line.  Raises RecordError, with the column where the line is no JSON."""
    try:
        return from_json(json.loads(line.decode()), fields)
    except UnicodeDecodeError as e:
        raise RecordError("not text in UTF-8", column=e.start + 1) from None
    except json.JSONDecodeError as e:
        raise RecordError(f"not JSON: {e.msg}", column=e.colno) from None
    except RecursionError:
        raise RecordError("not JSON that anybody wrote: nested too deeply") from None
    except ValueError as e:  # a number of thousands of digits
        raise RecordError(f"not JSON: {e}") from None


def from_json(row: Any, fields: tuple[Field, ...], where: str = "") -> dict[str, Any]:
    """The values of every field, defaults filled in.  Raises RecordError; other fields are passed over."""
    if not isinstance(row, dict):
        raise RecordError(f"{where}: an object is wanted, not {_shown(row)}" if where else "a record is a JSON object")
    made = {}
    for field in fields:
        value = row.get(field.name)
        if value is None and field.always and field.default is None:
            raise RecordError(f"{_join(where, field.name)} is missing")
        made[field.name] = field.default if value is None else _read(field, value, _join(where, field.name))
    return made


def _read(field: Field, value: Any, where: str) -> Any:
    try:
        return field.read(value)
    except RecordError as e:  # of a part: maps[2].key
        raise RecordError(where + e.reason) from None
    except ValueError as e:
        raise RecordError(f"{where}: {e}, not {_shown(value)}") from None


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _shown(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", type(None): "null"}
    told = kinds.get(type(value)) or ascii(value)
    return told if len(told) <= SHOWN else told[:SHOWN] + "…"


def to_json(values: Mapping[str, Any], fields: tuple[Field, ...]) -> dict[str, Any]:
    """A record's object from plain values; a field that is not among them has its default."""
    given = [(field, values.get(field.name, field.default)) for field in fields]
    return {field.name: _plain(value) for field, value in given if field.always or value != field.default}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value
