"""What a program wants from the kernel: ``__kconfig`` values and ``__ksym`` functions and variables.

The order (kconfig by alignment and size, then kernel symbols by name) is libbpf's, because offsets in ``.kconfig``
and the numbers of poisoned calls follow from it.  Source: tools/lib/bpf/libbpf.c, bpf_object__collect_externs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum as PyEnum
from typing import Final

from osmia.btf import Array, Btf, Datasec, Enum, Enum64, Func, FuncProto, Int, Param, Type, Var
from osmia.btf.layout import align_of
from osmia.btf.types import BOOL, EXTERN, GLOBAL
from osmia.btf.types import VarSec as Slot
from osmia.errors import BtfError
from osmia.obj import elf as e
from osmia.obj.parts import Parts

MAX_SIZE: Final = 1 << 20
"""Bytes that a kconfig variable may have; real ones have a few."""
KSYMS: Final = ".ksyms"
KCONFIG: Final = ".kconfig"
DUMMY: Final = "dummy_ksym"


class Form(PyEnum):
    """What a kconfig variable can hold."""

    BOOL = "bool"
    TRISTATE = "tristate"
    CHAR = "char"
    INT = "int"
    CHARS = "char array"


@dataclass(eq=False, slots=True)
class Wanted:
    """One extern.  ``type_id`` is its Var's or Func's type, typedefs skipped (0 is void: an untyped ksym)."""

    name: str
    symbol: int
    weak: bool
    is_func: bool
    type_id: int
    form: Form | None = None  # of kconfig variables
    size: int = 0
    align: int = 1
    signed: bool = False
    offset: int = 0  # in .kconfig


def collect(parts: Parts) -> list[Wanted]:
    """Every extern symbol, sorted.  Raises LinkError for one that BTF does not describe."""
    symbols = [s for s in parts.elf.symbols if _is_extern(s) and s.name]
    places = _places(parts.btf) if parts.btf and symbols else {}
    found = [_extern(parts, symbol, places) for symbol in symbols]
    found.sort(key=lambda x: (x.form is None, -x.align, x.size, x.name) if x.form else (True, 0, 0, x.name))
    offset = 0
    for wanted in (x for x in found if x.form):
        wanted.offset = -(-offset // wanted.align) * wanted.align
        offset = wanted.offset + wanted.size
    return found


def _is_extern(symbol: e.Symbol) -> bool:
    bound = symbol.bind in (e.STB_GLOBAL, e.STB_WEAK)
    return symbol.section == e.SHN_UNDEF and bound and symbol.type == e.STT_NOTYPE


def _places(btf: Btf) -> dict[int, str]:
    """The section of each extern in BTF, by type id."""
    found: dict[int, str] = {}
    for section in (KSYMS, KCONFIG):
        number = btf.find(section, Datasec)
        datasec = btf.type(number) if number is not None else None
        if isinstance(datasec, Datasec):
            found |= {v.type_id: section for v in datasec.vars}
    return found


def _extern(parts: Parts, symbol: e.Symbol, places: dict[int, str]) -> Wanted:
    btf = parts.btf
    type_id = next(_candidates(btf, symbol.name), None) if btf else None
    section = places.get(type_id) if type_id is not None else None
    if btf is None or type_id is None or section is None:
        known = "defined nowhere and declared neither __ksym nor __kconfig"
        how = known if type_id is not None else "BTF has no extern of that name"
        raise parts.fail(f"extern {symbol.name!r}: {how}", ".symtab")
    described = btf.type(type_id)
    wanted = Wanted(symbol.name, symbol.number, symbol.weak, isinstance(described, Func), 0)
    try:
        wanted.type_id = btf.resolve(_inner(described))
        if section == KCONFIG:
            _measure(parts, btf, wanted, _inner(described))
    except BtfError as error:
        raise parts.fail(f"extern {symbol.name!r}: {error.reason}", section) from None
    return wanted


def _inner(described: Type) -> int:
    assert isinstance(described, Var | Func)
    return described.type_id


def _candidates(btf: Btf, name: str) -> Iterator[int]:
    """Extern variables and functions of that name."""
    found = (i for i in btf.find_all(name, Var, Func))
    return (i for i in found if getattr(btf.type(i), "linkage", None) == EXTERN)


def _measure(parts: Parts, btf: Btf, wanted: Wanted, type_id: int) -> None:
    if wanted.is_func:
        raise parts.fail(f"extern function {wanted.name!r} can't be __kconfig", KCONFIG)
    wanted.size, wanted.align = btf.size_of(type_id), align_of(btf, type_id)
    wanted.form = form_of(btf, type_id)
    found = btf.type(btf.resolve(type_id))
    wanted.signed = isinstance(found, Int) and found.signed
    if wanted.form is None or wanted.size > MAX_SIZE:
        raise parts.fail(f"extern {wanted.name!r} has a type that __kconfig can't have", KCONFIG)


def form_of(btf: Btf, type_id: int, depth: int = 0) -> Form | None:
    """Which form a type is; None for types that no kconfig value fits."""
    found = btf.type(btf.resolve(type_id))
    if isinstance(found, Int):
        if found.encoding & BOOL:
            return Form.BOOL if found.size == 1 else None
        return {1: Form.CHAR, 2: Form.INT, 4: Form.INT, 8: Form.INT}.get(found.size)
    if isinstance(found, Enum | Enum64):
        return Form.TRISTATE if found.name == "libbpf_tristate" and found.size == 4 else None
    if isinstance(found, Array) and found.nelems and depth == 0:
        return Form.CHARS if form_of(btf, found.type_id, 1) is Form.CHAR else None
    return None


def rewrite_btf(btf: Btf, externs: list[Wanted]) -> None:
    """Turn externs into allocated variables in the BTF, since the kernel accepts no others.

    Kernel symbols become ints in a row, functions among them one variable ``dummy_ksym``; functions turn global
    and nameless parameters get that name.  Kconfig variables get their offsets.  Changes ``btf``.
    """
    dummy = _add_dummy(btf)
    by_name = {x.name: x for x in externs}
    ksyms = btf.find(KSYMS, Datasec)
    kconfig = btf.find(KCONFIG, Datasec)
    if ksyms is not None and any(x.form is None for x in externs):
        _rewrite_ksyms(btf, ksyms, dummy, by_name)
    if kconfig is not None and any(x.form for x in externs):
        _rewrite_kconfig(btf, kconfig, by_name)


def _add_dummy(btf: Btf) -> int:
    number = btf.find(KSYMS, Datasec)
    datasec = btf.type(number) if number is not None else None
    if not isinstance(datasec, Datasec) or not any(isinstance(btf.type(v.type_id), Func) for v in datasec.vars):
        return 0
    return btf.add(Var(DUMMY, _int_id(btf), GLOBAL))


def _int_id(btf: Btf) -> int:
    return next((i for i, found in btf if isinstance(found, Int) and found.bits == 32), 0)


def _rewrite_ksyms(btf: Btf, number: int, dummy: int, known: dict[str, Wanted]) -> None:
    datasec = btf.type(number)
    assert isinstance(datasec, Datasec)
    slots, int_id = list[Slot](), _int_id(btf)
    for slot in datasec.vars:
        found = btf.type(slot.type_id)
        if found.name not in known:
            raise BtfError(f"{KSYMS} has {found.name!r}, but no symbol is called that", section=".BTF")
        slots.append(Slot(dummy if isinstance(found, Func) else slot.type_id, 4 * len(slots), 4))
        if isinstance(found, Func):
            _name_params(btf, found)
            btf.replace(slot.type_id, Func(found.name, found.type_id, GLOBAL))
        elif isinstance(found, Var):
            btf.replace(slot.type_id, Var(found.name, int_id, GLOBAL))
    btf.replace(number, Datasec(KSYMS, 4 * len(slots), tuple(slots)))


def _name_params(btf: Btf, func: Func) -> None:
    proto = btf.type(func.type_id)
    if isinstance(proto, FuncProto) and any(p.type_id and not p.name for p in proto.params):
        params = tuple(Param(p.name or (DUMMY if p.type_id else ""), p.type_id) for p in proto.params)
        btf.replace(func.type_id, FuncProto(proto.type_id, params))


def _rewrite_kconfig(btf: Btf, number: int, known: dict[str, Wanted]) -> None:
    datasec = btf.type(number)
    assert isinstance(datasec, Datasec)
    slots = list[Slot]()
    for slot in datasec.vars:
        var = btf.type(slot.type_id)
        wanted = known.get(var.name)
        if not isinstance(var, Var) or wanted is None:
            raise BtfError(f"{KCONFIG} has {var.name!r}, but no symbol is called that", section=".BTF")
        btf.replace(slot.type_id, Var(var.name, var.type_id, GLOBAL))
        slots.append(Slot(slot.type_id, wanted.offset, slot.size))
    size = max((x.offset + x.size for x in known.values() if x.form), default=0)
    btf.replace(number, Datasec(KCONFIG, size, tuple(slots)))
