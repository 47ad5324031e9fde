"""The text of a profile: sections of rows, whole or as what differs from a parent's (``kernel.profile_file``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from osmia.kernel.profile_file import KEYED, Sections, helper_names, helper_set, key

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
    for name, rows in child.items():
        known = parent.get(name)
        if known is None:
            changes = rows
        elif name in KEYED:
            changes = _rows(known, rows, KEYED[name])
        elif name.startswith("helpers "):
            changes = _helpers(known, name.removeprefix("helpers "), child)
        elif name.startswith("ctx "):
            changes = [f"-{row}" for row in known if row not in rows] + [row for row in rows if row not in known]
            changes = changes if len(changes) <= len(rows) else ["new", *rows]
        else:
            changes = rows if rows != known else []
        if changes:
            made[name] = changes
    return made


def _helpers(known: list[str], name: str, child: Sections) -> list[str]:
    """What to add to a parent's rows, which are read with the child's other sets."""
    wanted = helper_set(child, name)
    try:
        return helper_changes(helper_names(known, lambda like: helper_set(child, like)), wanted)
    except KeyError:  # the parent's set is like one that the child has not
        return ["new", *helper_changes(frozenset(), wanted)]


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
