"""Map types that Linux has and that no room here serves yet: they exist, and say so when they are used.

A tool may declare such a map and never touch it on the paths that run (a cgroup filter that is off, stacks
that are not asked for): refusing to load it would help nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

from osmia.errors import MissingBody
from osmia.maps.base import Map


class Bodiless(Map):
    """A map without elements: every operation raises MissingBody with the type's name."""

    def _missing(self, *_operands: Any) -> NoReturn:
        raise MissingBody(f"map type {self.type} (map {self.name})")

    def lookup(self, key: int, cpu: int) -> int:
        """Raises MissingBody."""
        self._missing()

    def update(self, key: int, value: int, flags: int, cpu: int) -> int:
        """Raises MissingBody."""
        self._missing()

    def delete(self, key: int) -> int:
        """Raises MissingBody."""
        self._missing()

    def next_key(self, key: int, out: int) -> int:
        """Raises MissingBody."""
        self._missing()

    def direct_value(self, offset: int) -> int:
        """Raises MissingBody."""
        self._missing()

    def __getitem__(self, key: Any) -> Any:
        self._missing()

    def __setitem__(self, key: Any, value: Any) -> None:
        self._missing()

    def __delitem__(self, key: Any) -> None:
        self._missing()

    def __contains__(self, key: Any) -> bool:
        self._missing()

    def __iter__(self) -> Iterator[Any]:
        self._missing()

    def __len__(self) -> int:
        self._missing()

    def __repr__(self) -> str:
        return f"<{self.name}: {self.type}, no body>"

    def to_json(self) -> Any:
        """What the spec says; there are no contents."""
        return {"name": self.name, "type": self.type, "body": False}
