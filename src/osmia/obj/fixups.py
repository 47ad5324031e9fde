"""The object's BTF as the kernel is to get it: sizes and offsets of sections filled in, hidden symbols made static.

Clang leaves DATASEC sizes and the offsets of global variables zero; only the ELF file knows them.
Source: tools/lib/bpf/libbpf.c, btf_fixup_datasec and bpf_object__sanitize_and_load_btf.
"""

from __future__ import annotations

from osmia.btf import Btf, Datasec, Func, Var
from osmia.btf.types import GLOBAL, STATIC, VarSec
from osmia.errors import LinkError
from osmia.obj import elf as e
from osmia.obj.externs import KCONFIG, KSYMS
from osmia.obj.parts import Parts


def fix_datasecs(parts: Parts, btf: Btf) -> None:
    """Fill in every DATASEC of ``btf``.  Raises LinkError for a section or variable that the file does not have."""
    symbols: dict[str, e.Symbol] = {}
    for symbol in parts.elf.symbols:
        if symbol.type == e.STT_OBJECT and not symbol.is_local:
            symbols.setdefault(symbol.name, symbol)
    for type_id, found in list(btf):
        if isinstance(found, Datasec):
            _fix(parts, btf, type_id, found, symbols)


def _fix(parts: Parts, btf: Btf, type_id: int, datasec: Datasec, symbols: dict[str, e.Symbol]) -> None:
    size, slots = datasec.size, list(datasec.vars)
    if datasec.name not in (KCONFIG, KSYMS):
        if not size:
            section = parts.elf.section(datasec.name)
            size = section.size if section else 0
            if not size:
                raise parts.fail(f"BTF has section {datasec.name!r}, the file has not (or it is empty)", ".BTF")
        place = not datasec.size
        slots = [_fix_slot(parts, btf, datasec.name, slot, symbols, place) for slot in slots]
    fixed = Datasec(datasec.name, size, tuple(sorted(slots, key=lambda s: s.offset)))
    if fixed != datasec:
        btf.replace(type_id, fixed)


def _fix_slot(
    parts: Parts, btf: Btf, section: str, slot: VarSec, symbols: dict[str, e.Symbol], place: bool
) -> VarSec:
    var = btf.type(slot.type_id)
    if not isinstance(var, Var):
        raise parts.fail(f"section {section!r} of BTF holds {var.name!r}, which is no variable", ".BTF")
    if var.linkage != GLOBAL:
        return slot
    symbol = symbols.get(var.name)
    if symbol is None:
        raise parts.fail(f"BTF has variable {var.name!r} in {section!r}, the symbol table has not", ".BTF")
    if symbol.hidden:
        btf.replace(slot.type_id, Var(var.name, var.type_id, STATIC))
    return slot._replace(offset=symbol.value) if place else slot


def make_hidden_static(parts: Parts, btf: Btf) -> None:
    """Global subprograms declared ``__hidden`` become static: the verifier then checks them with their callers."""
    for function in parts.functions:
        if not function.hidden or not parts.is_subprog(function):
            continue
        for type_id in btf.find_all(function.name, Func):
            found = btf.type(type_id)
            if isinstance(found, Func) and found.linkage == GLOBAL:
                btf.replace(type_id, Func(found.name, found.type_id, STATIC))
                break


def object_name(path: str, name: str | None) -> str:
    """libbpf's name of an object: given, or the file's name up to its first dot; at most 15 bytes.

    >>> object_name("build/probe.bpf.o", None)
    'probe'
    """
    if name is not None and "\0" in name:
        raise LinkError(f"{name!r} can't name an object")
    return (name if name is not None else path.rsplit("/", 1)[-1].split(".")[0])[:15]
