"""Pieces of C text in a tree, so that a program can be made smaller without parsing it again.

A ``Node`` renders as its parts one after the other.  ``kind`` says what may stand in its place: nothing for a
statement or a declaration, a number or one of the expressions inside it for an expression.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Node:
    """``kind``: "expr", "stmt", "decl", or "text" for what must stay."""

    kind: str
    parts: list[Node | str] = field(default_factory=list)

    def __str__(self) -> str:
        return "".join(map(str, self.parts))

    def inside(self) -> Iterator[Node]:
        """All nodes below this one, outermost first."""
        for part in self.parts:
            if isinstance(part, Node):
                yield part
                yield from part.inside()


def node(kind: str, template: str, *values: Node | str | int) -> Node:
    """A node from a template with ``@`` for each value."""
    texts = template.split("@")
    assert len(texts) == len(values) + 1, template
    parts: list[Node | str] = [texts[0]]
    for value, text in zip(values, texts[1:], strict=True):
        parts += [value if isinstance(value, Node) else str(value), text]
    return Node(kind, parts)


def expr(template: str, *values: Node | str | int) -> Node:
    return node("expr", template, *values)


def stmt(template: str, *values: Node | str | int) -> Node:
    return node("stmt", template, *values)


def block(statements: list[Node]) -> Node:
    """Statements in a row, which may go one by one."""
    return Node("text", list(statements))


def shrink(root: Node, keeps: Callable[[str], bool], tries: int = 2000) -> str:
    """The text of a smaller tree of which ``keeps`` still holds; ``root`` is changed."""
    budget = [tries]

    def attempt(target: Node, parts: list[Node | str]) -> bool:
        if budget[0] <= 0 or target.parts == parts:
            return False
        budget[0] -= 1
        before, target.parts = target.parts, parts
        if keeps(str(root)):
            return True
        target.parts = before
        return False

    changed = True
    while changed and budget[0] > 0:
        changed = _drop_runs(root, attempt) | _replace(root, attempt)
    return str(root)


def _removable(part: Node | str) -> bool:
    return isinstance(part, Node) and part.kind in ("stmt", "decl") and bool(part.parts)


def _drop_runs(root: Node, attempt: Callable[[Node, list[Node | str]], bool]) -> bool:
    """Take runs of statements and declarations out, long ones first, from the longest bodies first."""
    changed = False
    for parent in [*sorted(root.inside(), key=lambda node: -len(str(node))), root]:
        size = len(parent.parts)
        while size and any(map(_removable, parent.parts)):
            at = len(parent.parts) - size
            while at >= 0:
                run = parent.parts[at : at + size]
                kept = [part for part in run if not _removable(part)]
                if len(kept) < len(run) and attempt(parent, parent.parts[:at] + kept + parent.parts[at + size :]):
                    changed = True
                at -= max(1, size // 2)
            size //= 2
    return changed


def _replace(root: Node, attempt: Callable[[Node, list[Node | str]], bool]) -> bool:
    """Simpler expressions; the inside of a statement in its place."""
    changed = False
    for part in list(root.inside()):
        if part.kind == "expr" and part.parts not in (["0"], ["1"]):
            inner = [n for n in part.inside() if n.kind == "expr"]
            choices: list[list[Node | str]] = [["0"], ["1"], *([n] for n in inner[:6])]
            changed |= any(attempt(part, choice) for choice in choices)
        elif part.kind == "stmt":
            bodies = [n for n in part.parts if isinstance(n, Node) and n.kind == "text"]
            changed |= any(attempt(part, [body]) for body in bodies)
    return changed
