"""Programs with their verdict as text files: read without Python, replayed without a kernel.

    # why it is kept, any number of lines
    type: xdp
    license: GPL
    level: 2
    map: array8 array key=4 value=8 entries=1
    func: 0 7
    insns:
      0: b700000002000000  r0 = 2
      1: 9500000000000000  exit
    errno: 0
    log:
    func#0 @0
    …

The hexadecimal digits count, eight bytes for a slot; the words behind them are for the reader.  ``caps`` lists the
loader's capabilities where it had not all, ``attach`` and ``flags`` stand where they are not the usual ones.
``fd_array: 1 0 2`` names maps 0 and 2, the first one of them for good.
``attach_prog`` is the record of the program whose function ``target`` names.
``extern: 3 func bpf_iter_num_new`` names the kernel's function or variable whose number goes into instruction 3.
Everything behind ``log:`` is the verifier's log of that level, addresses masked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields

from osmia.asm.kernel import format_insn
from osmia.btf import Btf
from osmia.errors import UsageError
from osmia.isa import Insn, decode, encode
from osmia.obj.model import Extern, FuncInfo, LineInfo, MapSpec, Program
from osmia.obj.record import Lines, record
from osmia.verifier.env import Powers

NUMBERS = {"key": "key_size", "value": "value_size", "entries": "max_entries", "flags": "flags", "extra": "map_extra"}
NUMBERS |= {"btf_key": "btf_key_type_id", "btf_value": "btf_value_type_id"}
PLAIN = {"type": "prog_type", "attach": "expected_attach_type", "target": "attach_target", "license": "license"}


@dataclass(slots=True)
class Case:
    """A program, who loads it, at which log level, and what the kernel says."""

    program: Program
    level: int = 2
    powers: Powers = field(default_factory=Powers)
    errno: int = 0
    log: str = ""
    why: str = ""


def dump(case: Case) -> str:
    """The text of a case."""
    caps = [f.name for f in fields(Powers) if getattr(case.powers, f.name)]
    loader = [f"caps: {' '.join(caps) or 'none'}"] if case.powers != Powers() else []
    lines = [f"# {line}".rstrip() for line in case.why.splitlines()]
    lines += [*program_lines(case.program, [*loader, f"level: {case.level}"]), f"errno: {case.errno}", "log:"]
    return "\n".join(lines) + "\n" + case.log


def program_lines(program: Program, loader: Iterable[str] = ()) -> list[str]:
    """The lines that tell a program; ``loader``: more of them, between its types and its maps."""
    lines = [f"{key}: {value}" for key, name in PLAIN.items() if (value := getattr(program, name))]
    if program.attach_prog is not None:
        lines.append(f"attach_prog: {json.dumps(record(program.attach_prog))}")
    if program.flags:
        lines.append(f"flags: {program.flags:#x}")
    lines += loader
    for spec in program.maps:
        lines.append(f"map: {_map_text(spec)}")
        if spec.inner:
            lines.append(f"inner: {_map_text(spec.inner)}")
    btf = program.btf or next((spec.btf for spec in program.maps if spec.btf_value_type_id), None)
    if btf is not None:  # without rows of functions or lines the kernel looks at maps' types only
        lines.append(f"btf: {btf.encode().hex()}")
    lines += [f"func: {row.insn} {row.type_id}" for row in program.func_info]
    lines += [f"line: {row.insn} {row.file_off} {row.line_off} {row.line_col}" for row in program.line_info]
    lines += [f"extern: {row.insn} {row.kind} {row.name}" for row in program.externs]
    if program.fd_array is not None:
        lines.append(" ".join(["fd_array:", str(program.fd_array_cnt), *map(str, program.fd_array)]))
    return [*lines, "insns:", *_insn_lines(program.insns)]


def _insn_lines(insns: list[Insn]) -> Iterator[str]:
    half = False
    for slot, insn in enumerate(insns):
        words = "" if half else _words(insns, slot)
        yield f"{slot:3d}: {encode([insn]).hex()}  {words}".rstrip()
        half = insn.is_wide and not half


def _words(insns: list[Insn], slot: int) -> str:
    following = insns[slot + 1] if slot + 1 < len(insns) else Insn(0)
    try:
        return format_insn(insns[slot], following if insns[slot].is_wide else None)
    except Exception:  # no instruction, so no words
        return "?"


def _map_text(spec: MapSpec) -> str:
    words = [spec.name, spec.type, *(f"{key}={getattr(spec, name)}" for key, name in NUMBERS.items())]
    if spec.data is not None:
        words.append(f"data={spec.data.hex()}")
    if spec.frozen:
        words.append("frozen")
    return " ".join(word for word in words if not word.endswith("=0"))


def parse(text: str) -> Case:
    """The case of a text.  Raises UsageError."""
    head, mark, log = text.partition("\nlog:\n")
    if not mark:
        raise UsageError("a case ends in a log: line and the log")
    case = Case(Program("case", "unspec", []), log=log)
    for number, line in enumerate(head.splitlines(), 1):
        try:
            read_line(case, line)
        except (ValueError, IndexError, KeyError) as error:
            raise UsageError(f"line {number} of a case: {line!r}: {error}") from None
    return case


def read_line(case: Case, line: str) -> None:
    """One line of the head.  Raises ValueError, IndexError or KeyError for one that says nothing."""
    program = case.program
    if line.startswith("#"):
        case.why += line[1:].strip() + "\n"
        return
    key, _, value = (part.strip() for part in line.partition(":"))
    if key.isdigit():
        program.insns += decode(bytes.fromhex(value.split()[0]))
    elif key in PLAIN:
        setattr(program, PLAIN[key], value)
    elif key == "attach_prog":
        program.attach_prog = Lines().read(value.encode(), 1)[0]
    elif key == "flags":
        program.flags = int(value, 0)
    elif key in ("level", "errno"):
        setattr(case, key, int(value))
    elif key == "caps":
        case.powers = Powers(**{f.name: f.name in value.split() for f in fields(Powers)})
    elif key == "map":
        program.maps.append(_map_of(value))
    elif key == "inner":
        program.maps[-1].inner = _map_of(value)
    elif key == "btf":
        program.btf = Btf.parse(bytes.fromhex(value))
        for spec in program.maps:  # the lines before this one
            _describe(spec, program.btf)
    elif key == "func":
        program.func_info.append(FuncInfo(*map(int, value.split())))
    elif key == "line":
        program.line_info.append(LineInfo(*map(int, value.split())))
    elif key == "extern":
        slot, kind, name = value.split()
        program.externs.append(Extern(int(slot), name, kind))
    elif key == "fd_array":
        program.fd_array_cnt, *program.fd_array = map(int, value.split())
    elif key not in ("insns", ""):
        raise ValueError("unknown word")


def _describe(spec: MapSpec, btf: Btf) -> None:
    """Types of a map are the program's."""
    if spec.btf_key_type_id or spec.btf_value_type_id:
        spec.btf = btf
    if spec.inner is not None:
        _describe(spec.inner, btf)


def _map_of(text: str) -> MapSpec:
    name, kind, *words = text.split()
    spec = MapSpec(name, kind)
    for word in words:
        key, _, value = word.partition("=")
        if key == "frozen":
            spec.frozen = True
        elif key == "data":
            spec.data = bytes.fromhex(value)
        else:
            setattr(spec, NUMBERS[key], int(value, 0))
    return spec
