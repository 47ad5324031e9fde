"""Rows of a profile, one kind a function.  All raise RecordError with the file and line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from osmia.kernel.features import Version, changed, features, parse_version
from osmia.kernel.helpers import HELPERS, helper_by_id
from osmia.kernel.profile_file import key, refuse
from osmia.kernel.uapi import MAP_FLAGS, MAP_TYPE

Helper = Literal["offered", "sleepable", "refused", "unknown"]
SLEEPABLE = ("no", "may", "must")
RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)")
PLACES = re.compile(r"(-?\d+)(?:\.\.(-?\d+)(?:\+(\d+))?)?")
TYPE = re.compile(r"[A-Z_]+(\|[A-Z_]+)*")
SIZES = ("1", "2", "4", "8")
SIZED = ("max_key", "max_value")
VERSION = re.compile(r"\d{1,3}\.\d{1,3}(\.\d{1,5})?")


@dataclass(frozen=True, slots=True)
class CtxField:
    """What one load or store of the context means.

    ``type`` is the register type after a load in the kernel's names (``"PTR_TO_SOCKET | PTR_MAYBE_NULL"``), with the
    struct in ``btf`` where it is ``PTR_TO_BTF_ID``.  ``signed`` loads may extend the sign.  ``cap`` names a capability
    without which the access is refused ("bpf"), or is empty.
    """

    type: str
    btf: str = ""
    signed: bool = True
    cap: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """Offsets from ``first`` to ``last``, every ``step`` of them, that mean the same."""

    first: int
    last: int
    step: int
    field: CtxField


Context = dict[tuple[str, int], list[Run]]


def shape_facts(row: str) -> dict[str, Any]:
    """What a row of ``[shapes]`` says behind its three words, as keyword arguments of ``Shape``."""
    words, _, message = row.partition(" message=")
    made: dict[str, Any] = {"message": message} if message else {}
    for word in words.split()[3:]:
        name, _, value = word.partition("=")
        if (name in ("ctx", "helpers") and value) or (name == "sleepable" and value in SLEEPABLE):
            made[name] = value
        elif name == "errno" and value.isdigit():
            made[name] = int(value)
        elif word == "believed":
            made[word] = True
        elif word == "returns=rule":
            made["returns_by_rule"] = True
        elif name == "returns" and (span := RANGE.fullmatch(value)):
            made[name] = int(span[1]), int(span[2])
        else:
            refuse(row, f"{word!r} means nothing about a kind of program")
    return made


def read_context(rows: list[str]) -> Context:
    """Rows such as ``r 4 0..68+4 SCALAR_VALUE``, ``r 8 184 PTR_TO_SOCKET|PTR_MAYBE_NULL``, ``w 4 8 cap=bpf``."""
    found: Context = {}
    for row in rows:
        kind, size, places, *words = [*row.split(), "", "", ""]
        span = PLACES.fullmatch(places)
        if kind not in ("r", "w") or size not in SIZES or not span:
            refuse(row, f"{row!s:.60} is no field of a context (r or w, size, offsets, type)")
        cap = next((w.removeprefix("cap=") for w in words if w.startswith("cap=")), "")
        names = [w for w in words if w and w != "unsigned" and not w.startswith("cap=")]
        if names and not TYPE.fullmatch(names[0]):
            refuse(row, f"{names[0]!r} is no type of a register")
        names += ["", ""]
        made = CtxField(names[0].replace("|", " | "), names[1], "unsigned" not in words, cap)
        first, last, step = int(span[1]), int(span[2] or span[1]), int(span[3] or 1)
        found.setdefault((kind, int(size)), []).append(Run(first, last, step or 1, made))
    return found


def read_helpers(rows: list[str], other: Callable[[str, str], Mapping[int, Helper]]) -> dict[int, Helper]:
    """A set of helpers; ``other(name, row)`` gives the sets that ``like`` names."""
    found: dict[int, Helper] = {}
    for row in rows:
        sign, _, words = row.partition(" ")
        if sign == "like":
            found |= other(words, row)
        elif sign not in ("+", "-", "!"):
            refuse(row, f"{row!s:.60} is no row of a set of helpers (like, +, -, !)")
        else:
            for word in words.split():
                number = helper_number(word, row)
                found.pop(number, None)
                if sign != "-":
                    found[number] = "refused" if sign == "!" else offered(number)
    return found


def offered(number: int) -> Helper:
    """How a helper is offered where it is."""
    return "sleepable" if helper_by_id(number).might_sleep else "offered"


@cache
def _numbers() -> dict[str, int]:
    return {h.name.removeprefix("bpf_"): h.id for h in HELPERS}


def helper_number(name: str, row: str) -> int:
    """The number of a helper by its name without prefix."""
    if name not in _numbers():
        refuse(row, f"no helper is called bpf_{name}")
    return _numbers()[name]


def read_numbers(rows: list[str]) -> dict[str, int]:
    """Rows ``name number``."""
    found = {}
    for row in rows:
        name, _, number = row.partition(" ")
        if not re.fullmatch(r"\d{1,10}", number):
            refuse(row, f"{row!s:.60} is no name with a number")
        found[name] = int(number)
    return found


@dataclass(frozen=True, slots=True)
class MapFacts:
    """What a kernel makes of a map type: the ``flags`` that it takes one by one, and the largest sizes in bytes.

    A size is 0 where none was too large.
    """

    flags: int = 0
    max_key: int = 0
    max_value: int = 0


def read_maps(rows: list[str]) -> dict[str, MapFacts]:
    """Rows ``type flags=a,b max_key=512 max_value=4096``."""
    found = {}
    for row in rows:
        name, *words = row.split()
        given = dict(word.partition("=")[::2] for word in words)
        flags = given.pop("flags", "")
        names = flags.split(",") if flags else []
        bad = [word for word in names if word not in MAP_FLAGS] + [word for word in given if word not in SIZED]
        if name not in MAP_TYPE or bad or not all(number.isdigit() for number in given.values()):
            refuse(row, f"{row!s:.60} is no map type with what it takes")
        numbers = {key: int(number) for key, number in given.items()}
        found[name] = MapFacts(sum(MAP_FLAGS[word] for word in names), **numbers)
    return found


def read_words(rows: list[str]) -> dict[str, list[str]]:
    """Rows ``name word word …``."""
    return {key(row, 1): row.split()[1:] for row in rows}


def read_features(rows: list[str], version: Version) -> frozenset[str]:
    """The behaviours of mainline at a version, with the rows ``+name`` and ``-name``."""
    for row in rows:
        if row[0] not in "+-" or row[1:].split()[:1] == [] or row[1:].split()[0] not in features():
            refuse(row, f"{row!s:.60} names no behaviour that this Osmia knows")
    return changed(frozenset(f.name for f in features().values() if f.holds(version)), list(rows))


def read_version(text: str, row: str) -> Version:
    """``(6, 18)`` of "6.18"."""
    if not VERSION.fullmatch(text):
        refuse(row, f"{text!r} is no version of Linux")
    return parse_version(text)[:2]
