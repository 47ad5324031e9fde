"""The files that profiles stand in: sections of rows, whole or as what differs from a parent's.

::

    parent 6.12
    release 6.18.44
    [shapes]
    xdp * * ctx=xdp helpers=xdp sleepable=no
    -netfilter netfilter *

A row of ``KEYED`` sections replaces the parent's with the same first words, ``-words`` takes it away.  In a context
``-row`` takes that row away.  Helper sets go on after the parent's.  ``new`` starts a section over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn

from osmia.errors import RecordError

KEYED = {"shapes": 3, "caps": 1, "limits": 1, "helper caps": 1, "kfuncs": 1, "maps": 1, "helper protos": 1}
"""Sections whose rows have a key, and how many words it takes."""
SECTIONS = (*KEYED, "features", "ctx", "helpers")
HEAD = ("parent", "version", "release", "interpolated")
MAX_SIZE = 1 << 22
Sections = dict[str, list[str]]


class Row(str):
    """A line of a file, which knows where it stands."""

    file: str
    line: int

    def __new__(cls, text: str, file: str = "", line: int = 0) -> Row:
        """The text at a place."""
        made = super().__new__(cls, text)
        made.file, made.line = file, line
        return made

    def part(self, text: str) -> Row:
        """Some of its text, at the same place."""
        return Row(text, self.file, self.line)


def refuse(row: str, reason: str) -> NoReturn:
    """Raises RecordError about a row."""
    raise RecordError(reason, file=getattr(row, "file", None) or None, line=getattr(row, "line", None) or None)


def read_sections(path: Path) -> Sections:
    """The rows of a file by section; those before the first one under "".  Raises RecordError."""
    name = str(path)
    try:
        data = path.read_bytes()
        text = data.decode("utf-8") if len(data) <= MAX_SIZE else None
    except OSError as e:
        raise RecordError(f"can't be read: {e.strerror}", file=name) from e
    except UnicodeDecodeError as e:
        line = data.count(b"\n", 0, e.start) + 1
        raise RecordError("not a profile: this line is no UTF-8 text", file=name, line=line) from e
    if text is None:
        raise RecordError(f"not a profile: {len(data)} bytes are more than any has", file=name)
    sections: Sections = {"": []}
    here = ""
    for number, read in enumerate(text.split("\n"), 1):
        row = Row(read.rstrip("\r"), name, number)
        if row.startswith("["):
            here = _section(row, sections)
        elif row.strip() and not row.startswith("#"):
            sections[here].append(row)
    return sections


def _section(row: Row, sections: Sections) -> str:
    name = row[1:-1]
    if not row.endswith("]") or (name not in SECTIONS and not name.startswith(("ctx ", "helpers "))):
        refuse(row, f"{row!s} is no section of a profile")
    if name in sections:
        refuse(row, f"the section {name!r} is there twice")
    sections[name] = []
    return name


def read_head(rows: list[str]) -> dict[str, str]:
    """The lines before the first section: ``parent``, ``version``, ``release``.  Raises RecordError."""
    found: dict[str, str] = {}
    for row in rows:
        key, _, value = row.partition(" ")
        if key not in HEAD or not value:
            refuse(row, f"{row!s:.60} is no line of a profile; before the first section stand {', '.join(HEAD)}")
        found[key] = value
    return found


def merged(parent: Sections, own: Sections) -> Sections:
    """A parent's sections with a child's changes; features are not inherited, they go by version."""
    made = {name: rows for name, rows in parent.items() if name not in ("", "features")}
    for name, rows in own.items():
        made[name] = _changed(made.get(name, []), rows, name)
    return made


def _changed(parent: list[str], rows: list[str], section: str) -> list[str]:
    if rows[:1] == ["new"]:
        return rows[1:]
    if section.startswith("ctx "):
        gone = {row[1:] for row in rows if row.startswith("-")}
        return [row for row in parent if row not in gone] + [row for row in rows if not row.startswith("-")]
    if section in KEYED:
        return without_gone([*parent, *rows], KEYED[section])
    return [*parent, *rows]


def without_gone(rows: list[str], width: int) -> list[str]:
    """One row a key: the last one, at the place of the first; those that ``-key`` takes away are not there."""
    found: dict[str, str] = {}
    for row in rows:
        name = key(row, width)
        if name.startswith("-"):
            if found.pop(name[1:], None) is None:
                refuse(row, f"{row!s:.60} takes away what the parent has not")
        else:
            found[name] = row
    return list(found.values())


def key(row: str, width: int) -> str:
    """The first words of a row."""
    return " ".join(row.split(" ", width)[:width])


def helper_names(rows: Iterable[str], other: Callable[[str], frozenset[str]]) -> frozenset[str]:
    """The set that rows describe: names, ``!name`` where refused; ``other`` gives the sets that ``like`` names."""
    found: set[str] = set()
    for row in rows:
        sign, _, words = row.partition(" ")
        if sign == "like":
            found = set(other(words))
        for word in words.split() if sign in "+-!" else ():
            found -= {word, f"!{word}"}
            found |= {"+": {word}, "!": {f"!{word}"}, "-": set()}[sign]
    return frozenset(found)


def helper_set(sections: Sections, name: str) -> frozenset[str]:
    """A set of whole sections, whatever its order among them.  Raises KeyError where one that it needs is missing."""
    return helper_names(sections[f"helpers {name}"], lambda like: helper_set(sections, like))
