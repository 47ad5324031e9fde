"""The kernel functions that programs call by BTF id: what each call does, and which programs may make it.

The rows stand in ``data/kfuncs-NAME.txt`` for the kernel NAME, recorded by ``tools/record_kfuncs.py``; prototypes come
from the kernel's BTF.  A file is read on first use.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from osmia.errors import InternalError

DATA = Path(__file__).parent / "data"


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


@cache
def kfuncs(kernel: str) -> dict[str, Kfunc]:
    """Every kernel function of a kernel by name; none for kernels without a table.  Raises InternalError."""
    path = DATA / f"kfuncs-{kernel}.txt"
    found: dict[str, Kfunc] = {}
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        if not line or line.startswith("#"):
            continue
        parts = line.split(": ")
        if len(parts) != 3:
            raise InternalError(f"{path.name} is damaged: {line!r}")
        name, flags, callers = parts
        like = callers.removeprefix("as ")
        known = found[like].callers if like != callers else frozenset(callers.split()) - {"-"}
        found[name] = Kfunc(name, frozenset(flags.split()) - {"-"}, known)
    return found
