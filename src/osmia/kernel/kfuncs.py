"""The kernel functions that programs call by BTF id: what each call does, and which programs may make it.

The rows stand in a kernel's profile, in the section ``[kfuncs]``: ``name: flags: callers``, recorded by
``osmia.live.record``; prototypes come from the kernel's BTF.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from osmia.kernel.profile_file import refuse


@dataclass(frozen=True, slots=True)
class Kfunc:
    """One kernel function.

    ``flags``: "acquire" and "release" of a reference, "ret_null" (the pointer may be null), "trusted" and "rcu" (what
    its pointers must be), "rcu_protected" (only under RCU), "sleepable", "destructive", "iter_new", "iter_next",
    "iter_destroy", "fastcall".  ``callers``: program types, or ``type/attach type``, or ``type/attach type/target``.
    """

    name: str
    flags: frozenset[str]
    callers: frozenset[str]

    def may_be_called(self, prog_type: str, attach_type: str, target: str) -> bool:
        """Is the function offered to programs of that kind?  Of struct_ops ``attach_type`` is the member's number."""
        words = (prog_type, f"{prog_type}/{attach_type}", f"{prog_type}/{attach_type}/{target}")
        return any(word in self.callers for word in words)


def parse_kfunc(line: str) -> tuple[str, frozenset[str], str]:
    """Name, flags and callers of a row, as they stand there; raises RecordError."""
    parts = line.split(": ")
    if len(parts) != 3:
        refuse(line, f"{line!s:.60} is no kernel function (name: flags: callers)")
    return parts[0], frozenset(parts[1].split()) - {"-"}, parts[2]


def read_kfuncs(lines: Iterable[str]) -> dict[str, Kfunc]:
    """The functions of some rows; ``as NAME`` is who may call that one.  Raises RecordError."""
    rows = {name: (flags, callers, line) for line in lines for name, flags, callers in [parse_kfunc(line)]}
    found = {}
    for name, (flags, callers, line) in rows.items():
        like = callers.removeprefix("as ")
        if like != callers and like not in rows:
            refuse(line, f"{name} is like {like!r}, which is no function")
        words = (rows[like][1] if like != callers else callers).split()
        found[name] = Kfunc(name, flags, frozenset(words) - {"-"})
    return found


@cache
def kfuncs(kernel: str) -> dict[str, Kfunc]:
    """Every kernel function that programs of a kernel may call, by name.  Raises UsageError."""
    from osmia.kernel.profile import load

    return load(kernel).kfuncs
