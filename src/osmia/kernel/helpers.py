"""The 211 helpers that programs call by number: ids, names, argument and return types (Linux 6.18).

The rows stand in ``data/helpers.txt``, written by ``tools/gen_helpers.py``: C prototypes from the UAPI header,
the verifier's kinds as the kernel's own ``struct bpf_func_proto`` objects hold them, versions from the kernel's
history.  A kind is the kernel's ``ARG_…`` or ``RET_…`` name without that prefix; flags follow after `` | ``
(``"PTR_TO_MEM | MEM_RDONLY"``).  The file is read on first use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from osmia.errors import InternalError, UsageError

HELPERS: tuple[HelperProto, ...]  # read on first use, see __getattr__


@dataclass(frozen=True, slots=True)
class Variant:
    """What a helper takes and gives in some program types only (``prog_types``); ``free``: whatever their licence."""

    prog_types: tuple[str, ...]
    ret: str
    args: tuple[str, ...]
    arg_structs: dict[int, str]
    free: bool = False


@dataclass(frozen=True, slots=True)
class HelperProto:
    """One helper.  Positions in ``arg_sizes`` and ``arg_structs`` count arguments from 0.

    ``c_ret`` and ``c_args`` are C: ``"long"``, ``("struct bpf_map *map", "const void *key", …)``; a variadic helper
    ends in ``"..."`` and has more ``args`` than named parameters.  ``since`` is the first kernel, as (major, minor).
    ``arg_sizes`` are the bytes behind a FIXED_SIZE_MEM argument, ``arg_structs`` the kernel structs that a BTF
    pointer must point to.  ``variants`` differ from the row by program type.
    """

    id: int
    name: str
    since: tuple[int, int]
    ret: str
    args: tuple[str, ...]
    c_ret: str
    c_args: tuple[str, ...]
    gpl_only: bool = False
    pkt_access: bool = False
    might_sleep: bool = False
    arg_sizes: dict[int, int] | None = None
    arg_structs: dict[int, str] | None = None
    variants: tuple[Variant, ...] = ()

    @property
    def declaration(self) -> str:
        """The C prototype: ``long bpf_map_delete_elem(struct bpf_map *map, const void *key)``."""
        gap = "" if self.c_ret.endswith("*") else " "
        return f"{self.c_ret}{gap}{self.name}({', '.join(self.c_args) or 'void'})"

    def kinds(self, prog_type: str) -> tuple[str, tuple[str, ...]]:
        """Return and argument kinds in that program type."""
        found = next((v for v in self.variants if prog_type in v.prog_types), None)
        return (found.ret, found.args) if found else (self.ret, self.args)


_KINDS = re.compile(r"(?P<ret>[A-Z_ |]+)\((?P<args>.*)\)")
_ARG = re.compile(r"(?P<kind>[A-Z_ |]+?)(?:\[(?P<extra>\w+)\])?")
_DECLARATION = re.compile(r"(?P<ret>.*?)(?P<name>bpf_\w+)\((?P<args>.*)\)")


def parse_rows(text: str) -> Iterator[HelperProto]:
    """The helpers of a data file (see its head for the columns); raises InternalError on a broken line."""
    for number, line in enumerate(text.splitlines(), 1):
        if line and not line.startswith("#"):
            try:
                yield _row(line.split("\t"))
            except (ValueError, AttributeError) as error:
                raise InternalError(f"helpers.txt:{number}: {error}") from error


def _row(columns: list[str]) -> HelperProto:
    number, since, flags, kinds, declaration, *others = columns
    ret, args, sizes, structs = _parse_kinds(kinds)
    c_ret, name, c_args = _matched(_DECLARATION, declaration).groups()
    major, minor = since.split(".")
    parameters = () if c_args == "void" else tuple(c_args.split(", "))
    words = flags.split(",")
    return HelperProto(
        *(int(number), name, (int(major), int(minor)), ret, args, c_ret.strip(), parameters),
        gpl_only="gpl" in words,
        pkt_access="pkt" in words,
        might_sleep="sleep" in words,
        arg_sizes=sizes or None,
        arg_structs=structs or None,
        variants=tuple(_variant(v) for v in others),
    )


def _variant(text: str) -> Variant:
    types, kinds = text.split(": ")
    ret, args, _, structs = _parse_kinds(kinds.removeprefix("!gpl "))
    return Variant(tuple(types.split(",")), ret, args, structs, kinds.startswith("!gpl "))


def _parse_kinds(text: str) -> tuple[str, tuple[str, ...], dict[int, int], dict[int, str]]:
    whole = _matched(_KINDS, text)
    arguments = [_matched(_ARG, a) for a in whole["args"].split(", ") if a]
    extras = {i: m["extra"] for i, m in enumerate(arguments) if m["extra"]}
    sizes = {i: int(e) for i, e in extras.items() if e.isdigit()}
    structs = {i: e for i, e in extras.items() if not e.isdigit()}
    return whole["ret"], tuple(m["kind"] for m in arguments), sizes, structs


def _matched(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is not of the form {pattern.pattern}")
    return found


@cache
def _helpers() -> tuple[HelperProto, ...]:
    return tuple(parse_rows((Path(__file__).parent / "data" / "helpers.txt").read_text("utf-8")))


@cache
def _by_name() -> dict[str, HelperProto]:
    return {h.name: h for h in _helpers()}


def helper_by_id(number: int) -> HelperProto:
    """The helper of that id (1…211); raises UsageError."""
    rows = _helpers()
    if not 1 <= number <= len(rows):
        raise UsageError(f"no helper has the id {number}; known: 1 to {len(rows)}")
    return rows[number - 1]


def helper_by_name(name: str) -> HelperProto:
    """The helper of that name, with ``bpf_``; raises UsageError."""
    if name not in _by_name():
        raise UsageError(f"no helper is called {name!r}")
    return _by_name()[name]


def __getattr__(name: str) -> tuple[HelperProto, ...]:
    if name == "HELPERS":
        return _helpers()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
