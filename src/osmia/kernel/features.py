"""Which behaviours a kernel of some version has: the table of ``data/features.txt``.

A feature is the name of one rule that changed between kernels.  The verifier asks for features, never for versions, so
a kernel that carries a later fix (or lacks one) is described by a row of its profile.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from osmia.errors import InternalError

DATA = Path(__file__).parent / "data"
TABLE = DATA / "features.txt"
Version = tuple[int, ...]
CONFIG = "config"


@dataclass(frozen=True, slots=True)
class Feature:
    """One behaviour: kernels from version ``since`` to before ``until`` have it; None where no version decides."""

    name: str
    since: Version | None
    until: Version | None
    commit: str
    meaning: str

    @property
    def attribute(self) -> str:
        """Its name in ``env.rules``."""
        return self.name.replace("-", "_")

    def holds(self, version: Version) -> bool:
        """Does mainline of that version behave so?"""
        return self.since is not None and self.since <= version and (self.until is None or version < self.until)


def parse_version(text: str) -> Version:
    """``(6, 18)`` of "6.18"; raises ValueError."""
    return tuple(int(part) for part in text.split("."))


@cache
def features() -> dict[str, Feature]:
    """Every feature by name, in the table's order."""
    lines = TABLE.read_text("utf-8").splitlines()
    rows = [_parse(line) for line in lines if line and not line.startswith("#")]
    return {row.name: row for row in rows}


def features_of(version: Version) -> frozenset[str]:
    """The names of what mainline of a version does."""
    return frozenset(row.name for row in features().values() if row.holds(version))


def changed(base: frozenset[str], rows: list[str]) -> frozenset[str]:
    """The features of a profile: its version's, and its rows ``+name``, ``-name``.  Raises InternalError."""
    made = set(base)
    for row in rows:
        sign, name = row[0], row[1:].split()[0]
        if sign not in "+-" or name not in features():
            raise InternalError(f"a profile has {row!r} among its features")
        (made.add if sign == "+" else made.discard)(name)
    return frozenset(made)


def _parse(line: str) -> Feature:
    name, versions, commit, meaning = line.split(" ", 3)
    since, _, until = versions.partition("..")
    return Feature(
        name,
        None if since == CONFIG else parse_version(since),
        parse_version(until) if until else None,
        "" if commit == "-" else commit,
        meaning,
    )
