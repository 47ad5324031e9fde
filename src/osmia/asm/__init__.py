"""How is an instruction written?  Four dialects, each a printer and a parser over the same ``Insn``.

``DIALECTS[name]`` is the dialect's module, imported when it is asked for::

    from osmia.asm import DIALECTS
    text = DIALECTS["llvm"].format(insns)
    assert DIALECTS["llvm"].parse(text) == insns
"""

from osmia.asm.dialect import DIALECTS, Dialect, Labels, jump_targets

__all__ = ["DIALECTS", "Dialect", "Labels", "jump_targets"]
