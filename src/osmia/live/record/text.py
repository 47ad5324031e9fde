"""The text of a profile: sections of rows, whole or as what differs from a parent's (``kernel.profile_file``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from osmia.kernel.profile_file import KEYED, Sections, key

WIDTH = 120
Helpers = Mapping[str, frozenset[str]]


def wrapped(sign: str, names: Iterable[str]) -> list[str]:
    """Lines ``+ name name …``, in the order of the helpers' names."""
    lines, line = [], sign
    for name in sorted(names):
        if len(line) + 1 + len(name) > WIDTH:
            lines.append(line)
            line = sign
        line += f" {name}"
    return [*lines, line] if line != sign else lines


def helper_changes(known: frozenset[str], names: frozenset[str]) -> list[str]:
    """What leads from one set to another."""
    gone = {n.removeprefix("!") for n in known} - {n.removeprefix("!") for n in names}
    new = names - known
    lines = wrapped("-", gone)
    lines += wrapped("+", (n for n in new if not n.startswith("!")))
    return [*lines, *wrapped("!", (n[1:] for n in new if n.startswith("!")))]


def helper_lines(names: frozenset[str], earlier: Helpers) -> list[str]:
    """A set as its difference from the nearest earlier one."""
    like = min(earlier, key=lambda other: len(names ^ earlier[other]), default="")
    near = like and len(names ^ earlier[like]) < len(names)
    return [f"like {like}", *helper_changes(earlier[like], names)] if near else helper_changes(frozenset(), names)


def read_helpers(lines: Iterable[str], sets: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The set that lines describe."""
    found: set[str] = set()
    for line in lines:
        sign, _, words = line.partition(" ")
        if sign == "like":
            found = set(sets[words])
        for word in words.split() if sign in "+-!" else ():
            found -= {word, f"!{word}"}
            found |= {"+": {word}, "!": {f"!{word}"}, "-": set()}[sign]
    return frozenset(found)


class Tables:
    """Tables by name: an equal one keeps the name that it got first."""

    def __init__(self) -> None:
        self.named: dict[str, Any] = {}

    def name(self, label: str, content: Any) -> str:
        """The name of a table with this content: the program type's, or all that the label says."""
        for name, known in self.named.items():
            if known == content:
                return name
        words = [word for word in label.split() if word != "*"]
        name = words[0] if words[0] not in self.named else ".".join(words)
        self.named[name] = content
        return name


def delta(parent: Sections, child: Sections) -> Sections:
    """What a file with that parent has to say.  Reading it gives the child's rows back, in the parent's order."""
    made: Sections = {}
    sets: dict[str, frozenset[str]] = {}
    for name, lines in child.items():
        known = parent.get(name)
        if name in KEYED and known is not None:
            changes = _rows(known, lines, KEYED[name])
        elif name.startswith("helpers "):
            sets[name[8:]] = wanted = read_helpers(lines, sets)
            before = read_helpers(known, sets) if known and _resolvable(known, sets) else None
            changes = lines if before is None else helper_changes(before, wanted)
            if before is None and known:
                changes = ["new", *lines]
        elif name.startswith("ctx ") and known is not None:
            changes = [f"-{line}" for line in known if line not in lines] + [x for x in lines if x not in known]
            changes = changes if len(changes) <= len(lines) else ["new", *lines]
        else:
            changes = lines if lines != known else []
        if changes:
            made[name] = changes
    return made


def _resolvable(lines: list[str], sets: Mapping[str, frozenset[str]]) -> bool:
    """Do the lines build on sets that the child has had before?"""
    return all(line[5:] in sets for line in lines if line.startswith("like "))


def _rows(parent: list[str], child: list[str], width: int) -> list[str]:
    have, want = ({key(row, width): row for row in rows} for rows in (parent, child))
    gone = [f"-{words}" for words in have if words not in want]
    return gone + [row for words, row in want.items() if have.get(words) != row]


def written(head: str, sections: Sections) -> str:
    """The file."""
    lines = head.rstrip("\n").splitlines()
    for name, rows in sections.items():
        lines += ["", f"[{name}]", *rows]
    return "\n".join([*lines, ""])
