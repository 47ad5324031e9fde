"""Every message the verifier can write, read from its source, and which of them the kept cases show.

A message is a text that ends in a newline; ``{}`` stands for what is filled in.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from osmia import verifier

SOURCE = Path(verifier.__file__).parent
GAP = "{}"
SHORTEST = 6
"""Texts with fewer letters of their own ("{}: {}\\n") say nothing that could be looked for."""


@dataclass(frozen=True, slots=True, order=True)
class Message:
    """A text with gaps, and the module that writes it."""

    module: str
    text: str

    @property
    def pattern(self) -> re.Pattern[str]:
        """What it looks like when the gaps are filled."""
        parts = [re.escape(part) for part in self.text.rstrip("\n").split(GAP)]
        return re.compile(".*?".join(parts))

    def shown_by(self, text: str) -> bool:
        """Does the text hold it?"""
        longest = max(self.text.rstrip("\n").split(GAP), key=len)
        return longest in text and self.pattern.search(text) is not None

    @property
    def slug(self) -> str:
        """A file name for a case that shows it."""
        words = re.findall(r"[a-z0-9]+", self.text.replace(GAP, "").lower())
        return "-".join(words)[:60].rstrip("-")

    def __str__(self) -> str:
        return f"{self.module}: {self.text.rstrip()!r}"


def messages() -> list[Message]:
    """All of them, in order."""
    return sorted({message for path in SOURCE.glob("*.py") for message in _of_module(path)})


def _of_module(path: Path) -> Iterator[Message]:
    tree = ast.parse(path.read_text("utf-8"))
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        text = "" if id(node) in inside or id(node) in docs else _text(node)
        if text.endswith("\n") and len(re.sub(r"\W|{}", "", text)) >= SHORTEST:
            yield Message(path.stem, text)


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) if isinstance(part, ast.Constant) else GAP for part in node.values)
    return ""


def unseen(texts: Iterable[str]) -> list[Message]:
    """The messages that none of the texts shows."""
    left = messages()
    for text in texts:
        left = [message for message in left if not message.shown_by(text)]
    return left
