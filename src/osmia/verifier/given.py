"""Could a loader hand such a program to bpf(2) at all?  Every number has to fit the field that it would travel in.

Whatever fits is the verifier's to judge.  What does not is no program, and no kernel ever saw it: a usage error that
names the part, before anything is allocated for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from osmia.errors import DecodeError, UsageError
from osmia.isa import Insn
from osmia.kernel.uapi import MAP_TYPE
from osmia.obj.model import MapSpec, Program

U32, U64 = (1 << 32) - 1, (1 << 64) - 1
MAP_NUMBERS = {"key_size": U32, "value_size": U32, "max_entries": U32, "flags": U32, "map_extra": U64}
MAP_NUMBERS |= {"btf_key_type_id": U32, "btf_value_type_id": U32}
TEXTS = ("prog_type", "expected_attach_type", "attach_target", "license")


def check_given(program: Program) -> None:
    """Raises UsageError for a part that no attribute of bpf(2) can hold, DecodeError for an instruction."""
    for name in TEXTS:
        if not isinstance(getattr(program, name), str):
            raise UsageError(f"{name}: text is wanted, not {_shown(getattr(program, name))}")
    _number("flags", program.flags, U32)
    check_attach_number(program)
    check_insns(program.insns)
    for at, spec in enumerate(program.maps):
        check_map(spec, f"maps[{at}]")
    check_rows("func_info", program.func_info, ("insn", "type_id"))
    check_rows("line_info", program.line_info, ("insn", "file_off", "line_off", "line_col"))
    for at, number in enumerate(program.fd_array or ()):
        _number(f"fd_array[{at}]", number, (1 << 31) - 1)
    _number("fd_array_cnt", program.fd_array_cnt, len(program.fd_array or ()))
    for at, extern in enumerate(program.externs):
        _number(f"externs[{at}].insn", extern.insn, len(program.insns) - 1)


def check_attach_number(program: Program) -> None:
    """Members of struct_ops have numbers; an attach type may be one."""
    kind = program.expected_attach_type
    if kind.isascii() and kind.isdigit():
        _number("expected_attach_type", int(kind[:20]), U32)
    elif kind and program.prog_type == "struct_ops":
        raise UsageError(f"expected_attach_type: the number of a member is wanted, not {_shown(kind)}")


def check_insns(insns: Iterable[Insn]) -> None:
    """Opcode, registers, offset and immediate fit the eight bytes of an instruction."""
    try:
        for code, dst, src, off, imm in insns:
            if not (0 <= code | 0 <= 255 and 0 <= dst | 0 <= 15 and 0 <= src | 0 <= 15):
                break
            if not (-0x8000 <= off | 0 <= 0x7FFF and -0x80000000 <= imm | 0 <= 0x7FFFFFFF):  # | 0: no fractions
                break
        else:
            return
    except (TypeError, ValueError):
        pass
    _name_insn(insns)


def _name_insn(insns: Iterable[Insn]) -> None:
    """The first instruction that can't be written down."""
    for slot, insn in enumerate(insns):
        try:
            Insn(*insn).encode()
        except DecodeError as e:
            raise e.at(insn=slot) from None
        except (TypeError, ValueError):
            raise DecodeError(f"{_shown(insn)} is no instruction", insn=slot) from None


def check_map(spec: MapSpec, where: str, template: bool = False) -> None:
    """A map and its template; what a template has for a template, nobody is told."""
    if spec.type not in MAP_TYPE:
        raise UsageError(f"{where}.type: no map type {_shown(spec.type)}")
    for name, most in MAP_NUMBERS.items():
        _number(f"{where}.{name}", getattr(spec, name), most)
    if spec.inner is not None and not template:
        check_map(spec.inner, f"{where}.inner", template=True)


def check_rows(name: str, rows: Iterable[Any], fields: tuple[str, ...]) -> None:
    """Rows of four-byte numbers."""
    for at, row in enumerate(rows):
        for field in fields:
            value = getattr(row, field)
            if type(value) is not int or not 0 <= value <= U32:
                _number(f"{name}[{at}].{field}", value, U32)


def _number(where: str, value: object, most: int) -> None:
    if not isinstance(value, int) or not 0 <= value <= most:
        raise UsageError(f"{where}: a number from 0 to {most} is wanted, not {_shown(value)}")


def _shown(value: object) -> str:
    return f"{value!r:.40}"
