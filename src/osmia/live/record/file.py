"""The file that a recording becomes: what differs from the nearest profile that Osmia brings along."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from osmia.btf import Btf
from osmia.errors import Unavailable, UsageError
from osmia.kernel import profile
from osmia.kernel.features import parse_version
from osmia.kernel.kfuncs import read_kfuncs
from osmia.kernel.profile_file import Sections
from osmia.kernel.types import path_of
from osmia.live import available
from osmia.live.record import text
from osmia.live.record.asker import Asker, LiveAsker, Progress
from osmia.live.record.profile import record
from osmia.live.record.types import shipped
from osmia.live.record.witness import differing

HEAD = """\
# What Linux {release} offers each kind of program.  Written by osmia profile record; osmia profile show FILE reads it.
# Only what differs from Linux {parent}: -row takes one of its rows away, new starts a table over.
# shapes: type, attach type, target, then the tables that hold; * is any.  ctx: r(ead) or w(rite), size in bytes,
# first..last+step offsets, register type; "unsigned" may not extend the sign.  helpers: like another set, + more,
# - fewer, ! known and refused.  features: +name, -name where the kernel behaves otherwise than mainline of its version.
parent {parent}
version {version}
release {release}
"""


def place(release: str) -> tuple[str, str]:
    """The version of a release, and the nearest recorded kernel that is not newer.

    Raises UsageError for a release that is no version.
    """
    found = re.match(r"\d+\.\d+", release)
    if not found:
        raise UsageError(f"{release!r} does not begin with a version of Linux")
    older = [name for name in profile.names() if parse_version(name) <= parse_version(found[0])]
    return found[0], older[-1] if older else profile.names()[0]


def compose(release: str, sections: Sections) -> str:
    """The file's text; ``sections`` are whole.  Raises UsageError for a release that is no version."""
    version, parent = place(release)
    known = {name: rows for name, rows in profile.recorded(parent).items() if name not in ("head", "features")}
    said = text.delta(known, sections)
    return text.written(HEAD.format(release=release, parent=parent, version=version), said)


def behaviours(asker: Asker, sections: Sections, progress: Progress | None) -> list[str]:
    """The rows ``+name``, ``-name``.  Raises what the asker raises."""
    version, parent = place(asker.release)
    carried = profile.recorded(parent).get("features", []) if parent == version else []
    return differing(asker, profile.made_of(parent, version, {**sections, "features": carried}), progress)


@dataclass(frozen=True, slots=True)
class Recording:
    """What a kernel answered: ``release`` (``uname -r``), the profile's text, its types, how many programs it took."""

    release: str
    text: str
    types: Btf
    questions: int
    kfuncs: frozenset[str] = frozenset()

    @classmethod
    def of(cls, asker: Asker, progress: Callable[[str], Progress | None] | None = None) -> Recording:
        """Ask a kernel everything.  Raises what the asker raises, and UsageError for a release without a version."""
        place(asker.release)
        sections = record(asker, progress)
        rows = behaviours(asker, sections, progress("behaviours") if progress else None)
        sections = {"features": rows, **sections} if rows else sections
        kfuncs = frozenset(read_kfuncs(sections.get("kfuncs", [])))
        return cls(asker.release, compose(asker.release, sections), asker.btf, asker.asked, kfuncs)

    @classmethod
    def of_running_kernel(cls, progress: Callable[[str], Progress | None] | None = None) -> Recording:
        """Ask the running kernel.  Raises Unavailable where bpf(2) is not for us, KernelError where it has no BTF."""
        why = available()
        if why:
            raise Unavailable(why)
        return cls.of(LiveAsker(), progress)

    def write(self, path: Path, *, types: bool = True) -> list[str]:
        """Write the profile, and beside it the types; the names of the further files."""
        path.write_text(self.text, "utf-8")
        if not types:
            return []
        beside = path_of(str(path.parent / path.name) if path.suffix == ".txt" else f"{path}.txt")
        beside.write_bytes(shipped(self.types, self.kfuncs))
        return [str(beside)]
