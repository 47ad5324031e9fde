"""How is an instruction written?  Four dialects, each a printer and a parser over the same ``Insn``.

``DIALECTS[name]`` is the dialect's module, imported when it is asked for::

    from osmia.asm import DIALECTS
    text = DIALECTS["llvm"].format(insns)
    assert DIALECTS["llvm"].parse(text) == insns
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from osmia.asm.dialect import DIALECTS, Dialect, Labels, jump_targets

__all__ = ["DIALECTS", "Dialect", "Labels", "jump_targets"]


def __getattr__(name: str) -> Any:
    """Import on first use: a disassembler needs the printer only."""
    import importlib

    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("osmia.asm.dialect"), name)
