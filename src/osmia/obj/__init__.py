"""What is in this file?  ELF objects become a ``Collection`` of programs and maps, linked as libbpf would.

``load(data)`` is the whole way; ``elf.ElfFile`` is the file as it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from osmia.obj.collection import load
    from osmia.obj.model import Collection, Extern, FuncInfo, LineInfo, MapSpec, Program, Subprog

__all__ = ["Collection", "Extern", "FuncInfo", "LineInfo", "MapSpec", "Program", "Subprog", "load"]


def __getattr__(name: str) -> Any:
    """Import on first use: a disassembler needs the ELF reader only."""
    import importlib

    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module("osmia.obj.collection" if name == "load" else "osmia.obj.model")
    return getattr(module, name)
