"""Osmia: the whole eBPF system outside the kernel.

>>> import osmia
>>> osmia.Program("r0 = 1\\nexit", "socket_filter").load().run(data=b"packet").action
'keep 1'

Everything here is imported when it is first used: ``import osmia`` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from osmia._version import __version__

if TYPE_CHECKING:
    from osmia.api import Collection, Executable, MapSpec, Program, Result, World, check, compile, open, verify
    from osmia.errors import OsmiaError
    from osmia.isa import Insn
    from osmia.maps import Map
    from osmia.verifier.verdict import Verdict

_WHERE = {
    "Collection": "osmia.api", "Executable": "osmia.api", "Insn": "osmia.isa", "Map": "osmia.maps",
    "MapSpec": "osmia.api", "OsmiaError": "osmia.errors", "Program": "osmia.api", "Result": "osmia.api",
    "Verdict": "osmia.verifier.verdict", "World": "osmia.api", "check": "osmia.api", "compile": "osmia.api",
    "open": "osmia.api", "verify": "osmia.api",
}  # fmt: skip

__all__ = [
    "Collection", "Executable", "Insn", "Map", "MapSpec", "OsmiaError", "Program", "Result", "Verdict", "World",
    "__version__", "check", "compile", "open", "verify",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'osmia' has no attribute {name!r}")
    import importlib

    found = globals()[name] = getattr(importlib.import_module(_WHERE[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
