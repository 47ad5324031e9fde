"""Functions of the kernel that attaching treats apart: LSM hooks that sleep, functions that may not be traced …

The table is ``data/attach.txt``: sets of names by the versions that have them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from osmia.errors import InternalError
from osmia.kernel.features import Version, parse_version

TABLE = Path(__file__).parent / "data" / "attach.txt"
LSM_SETS = ("lsm-disabled", "lsm-sleepable", "lsm-untrusted", "lsm-bool", "lsm-sockopt")
TRACE_SETS = ("trace-denied", "trace-noreturn", "trace-modifiable", "trace-sleepable")
SETS = (*LSM_SETS, *TRACE_SETS, "error-injection", "injected-awake", "d-path")


def is_in(which: str, name: str, version: Version) -> bool:
    """Is a function in a set (``SETS``) as mainline of that version has it?  Raises KeyError for an unknown set."""
    names = names_in(which, version)
    return name in names or any(x[-1] == "*" and name.startswith(x[:-1]) for x in names)


@cache
def names_in(which: str, version: Version) -> frozenset[str]:
    """The functions in a set; of LSM hooks without "bpf_lsm_".  A final "*" stands for any ending.

    Raises KeyError for a set that there is none of.
    """
    if which not in SETS:
        raise KeyError(which)
    found: set[str] = set()
    for name, since, until, names in _rows():
        if name == which and since <= version and (until is None or version < until):
            found.update(names)
    return frozenset(found)


@cache
def _rows() -> list[tuple[str, Version, Version | None, tuple[str, ...]]]:
    rows = []
    for line in TABLE.read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        which, versions, *names = line.split()
        if which not in SETS or not names:
            raise InternalError(f"{TABLE.name} is damaged: {line!r}")
        since, _, until = versions.partition("..")
        rows.append((which, parse_version(since), parse_version(until) if until else None, tuple(names)))
    return rows
