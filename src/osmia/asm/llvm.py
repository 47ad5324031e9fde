"""The dialect of LLVM: what llvm-objdump prints and llvm-mc reads.

``format`` writes bare instructions so that ``parse`` (and llvm-mc) read the same slots back: what LLVM's text
can't say (a reserved field in use, an unknown opcode, a call of a kernel function) comes out as ``.byte``.
Whole objects are printed by ``osmia.obj.disasm`` and written by ``assemble``.
"""

from __future__ import annotations

from collections.abc import Iterable

from osmia.asm.llvm_unit import Unit
from osmia.errors import AsmError
from osmia.isa import Insn, decode
from osmia.isa.insn import ByteOrder

__all__ = ["assemble", "format", "parse"]


def format(insns: Iterable[Insn]) -> str:
    """One line an instruction; ``F<slot>:`` lines mark what local calls lead to.

    Never fails: every pattern has a text.
    """
    from osmia.asm.llvm_text import Writer

    return Writer(list(insns)).text()


def parse(text: str, *, file: str | None = None) -> list[Insn]:
    """The slots of every code section of a text, one after the other.

    Raises AsmError with line and column, also for a symbol that is not defined in the text.
    """
    unit = _read(text, "little", file)
    code = [s for s in unit.sections.values() if s.data and s.is_code]
    unit.resolve(close=True)
    for section in code:
        for reloc in section.relocs:
            place = next(f.place for f in section.fixups if f.offset == reloc.offset)
            name = reloc.symbol.strip("[]")
            raise AsmError(f"{name!r} is not in this code: only an object file can refer to it", place)
    return [insn for section in code for insn in _slots(bytes(section.data), file)]


def _slots(data: bytes, file: str | None) -> list[Insn]:
    if len(data) % 8:
        raise AsmError(f"{len(data)} bytes are no whole number of 8-byte instructions", file=file)
    return decode(data)


def assemble(text: str, *, order: ByteOrder = "little", file: str | None = None) -> Unit:
    """Sections, symbols and relocations of a text, as llvm-mc makes them.  Raises AsmError with line and column."""
    unit = _read(text, order, file)
    unit.resolve()
    return unit


def _read(text: str, order: ByteOrder, file: str | None) -> Unit:
    from osmia.asm.llvm_read import Reader

    return Reader(order, file).read(text)
