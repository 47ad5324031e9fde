"""libbpf as the judge: what it asks of bpf(2) for an object, and the same from a Collection, as plain values."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from osmia.isa import Insn, decode
from osmia.kernel.uapi import ATTACH_TYPE, MAP_TYPE, MAP_TYPES, PROG_TYPE
from osmia.obj.model import Collection, MapSpec, Program

VMLINUX = Path("/sys/kernel/btf/vmlinux")
MAP_LOADS = (1, 2)


def tool(*names: str) -> str:
    """The first of these programs that is installed, or skip."""
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"{names[0]} is not installed")
    return found


@cache
def dumper() -> str:
    """The compiled libbpf_dump, or skip where gcc or libbpf's headers are missing."""
    out = Path(mkdtemp()) / "libbpf_dump"
    source = Path(__file__).with_name("libbpf_dump.c")
    built = subprocess.run([tool("gcc", "cc"), "-rdynamic", "-o", out, source, "-lbpf"], capture_output=True, text=True)
    if built.returncode:
        pytest.skip("no libbpf to compile with")
    return str(out)


@cache
def clang() -> str:
    """A clang with the bpf target, or skip."""
    return tool("clang-19", "clang")


def compile_c(source: Path, out: Path, *flags: str) -> bytes:
    """Compile with the system's clang; headers of libbpf and Linux, where a source wants them, are the system's."""
    command = [clang(), "-target", "bpf", "-O2", "-g", "-c", str(source), "-o", str(out), *flags]
    arch = [f"-I{path}" for path in Path("/usr/include").glob("*-linux-gnu")]  # asm/types.h
    done = subprocess.run([*command, *arch], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out.read_bytes()


def ask_libbpf(path: Path, *, name: str, kconfig: str = "", btf: str = "") -> dict[str, object] | None:
    """What libbpf would hand to the kernel; None when it refuses the object."""
    done = subprocess.run([dumper(), path, btf, name, kconfig], capture_output=True, text=True, errors="replace")
    if done.returncode:
        return None
    return _sorted_out([json.loads(line) for line in done.stdout.splitlines()])


def _sorted_out(rows: list[dict]) -> dict[str, object]:
    """Maps and programs by their 15-byte names, several of one name in the object's order."""
    now: dict[int, dict] = {}  # descriptors are used again
    found: dict[str, object] = {"btf": max((r["data"] for r in rows if r["cmd"] == "btf"), key=len, default="")}
    found["skipped"] = {r["name"] for r in rows if r["cmd"] == "skip"}
    groups: dict[str, list[dict]] = {"map": [], "prog": []}
    for row in rows:
        if row["cmd"] in groups:
            inner = now[row["inner"]]["name"] if row.get("inner") else ""
            row |= {"data": None, "frozen": False, "slots": {}, "inner": inner}
            groups[row["cmd"]].append(row)
            now[row["fd"]] = row
        if row["cmd"] == "prog":
            row["insns"] = _named(decode(bytes.fromhex(row["insns"])), {fd: x["name"] for fd, x in now.items()})
        elif row["cmd"] == "freeze":
            now[row["fd"]]["frozen"] = True
        elif row["cmd"] == "update":
            _update(now, row)
    for kind, group in groups.items():
        found[kind + "s"] = {r["name"]: [x for x in group if x["name"] == r["name"]] for r in group}
    return found


def _update(now: dict[int, dict], row: dict) -> None:
    spec, (key,) = now[row["fd"]], struct.unpack("I", bytes.fromhex(row["key"]))
    if MAP_TYPES[spec["type"]] in ("prog_array", "array_of_maps", "hash_of_maps"):
        spec["slots"][key] = now[struct.unpack("I", bytes.fromhex(row["value"]))[0]]["name"]
    else:
        spec["data"] = row["value"]


def _named(insns: list[Insn], names: dict[int, str]) -> list[object]:
    """Instructions with the names of maps instead of their descriptors or numbers."""
    return [(i, names.get(i.imm)) if i.is_wide and i.src_reg in MAP_LOADS else i for i in insns]


def _blind(row: object) -> object:
    """Without descriptors and numbers; the call of a missing weak kfunc as libbpf 1.1 wrote it (1.2: 2002000000+)."""
    if not isinstance(row, Insn):
        return (row[0]._replace(imm=0), row[1])
    return Insn(0x85, src_reg=2) if row.code == 0x85 and 2002000000 <= row.imm < 2003000000 else row


def compare(theirs: dict, ours: Collection, *, btf: bool = True) -> list[str]:
    """Every difference, in words."""
    out: list[str] = []
    for program in (p for p in ours.programs.values() if p.autoload and p.name not in theirs["skipped"]):
        rows = theirs["progs"].get(program.name[:15])
        out += _compare_program(rows.pop(0), program) if rows else [f"libbpf loads no {program.name}"]
    for spec in ours.maps.values():
        out += _compare_map(theirs["maps"], spec) if spec.autocreate else []
    if btf and ours.btf and ours.btf.encode().hex() != theirs["btf"]:
        out.append("BTF differs")
    return out


def _compare_program(theirs: dict, ours: Program) -> list[str]:
    mine = _named(ours.insns, {n: spec.name[:15] for n, spec in enumerate(ours.maps)})
    pairs = {
        "insns": ([_blind(x) for x in theirs["insns"]], [_blind(x) for x in mine]),
        "type": (theirs["type"], PROG_TYPE[ours.prog_type]),
        "attach type": (theirs["attach_type"], _attach_type(ours)),
        "flags": (theirs["flags"], ours.flags),
        "license": (theirs["license"], ours.license[:60]),
        "func_info": (theirs["func_info"], _func_info(ours)),
        "line_info": (theirs["line_info"], b"".join(struct.pack("4I", *_words(x)) for x in ours.line_info).hex()),
    }
    return [f"{ours.name}: {what}: {_first(a, b)}" for what, (a, b) in pairs.items() if a != b]


def _func_info(program: Program) -> str:
    return b"".join(struct.pack("2I", f.insn, f.type_id) for f in program.func_info).hex()


def _words(line) -> tuple[int, int, int, int]:
    return line.insn, line.file_off, line.line_off, line.line_col


def _attach_type(program: Program) -> int:
    kind = program.expected_attach_type
    return int(kind) if kind.isdigit() else ATTACH_TYPE.get(kind, 0)


def _first(a: object, b: object) -> str:
    if isinstance(a, list) and isinstance(b, list):
        at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
        return f"at {at} of {len(a)}/{len(b)}: libbpf {a[at : at + 2]} ours {b[at : at + 2]}"
    return f"libbpf {str(a)[:200]} ours {str(b)[:200]}"


def _compare_map(theirs: dict, ours: MapSpec) -> list[str]:
    rows = theirs.get(ours.name[:15])
    if not rows:
        return [f"libbpf makes no map {ours.name}"]
    row = rows.pop(0)
    pairs = {
        "type": (row["type"], MAP_TYPE[ours.type]),
        "sizes": ((row["key"], row["value"], row["entries"]), (ours.key_size, ours.value_size, ours.max_entries)),
        "flags": (row["flags"], ours.flags),
        "extra": (row["extra"], ours.map_extra),
        "numa": (row["numa"], ours.numa_node or 0),
        "btf ids": ((row["btf_key"], row["btf_value"]), (ours.btf_key_type_id, ours.btf_value_type_id)),
        "data": (row["data"], ours.data.hex() if ours.data is not None and ours.type == "array" else row["data"]),
        "frozen": (row["frozen"], ours.frozen),
        "inner": (row["inner"], ours.inner.name[:15] if ours.inner else ""),
        "slots": (row["slots"], {} if ours.type == "struct_ops" else {n: v[:15] for n, v in ours.values.items()}),
    }
    out = [f"map {ours.name}: {what}: {_first(a, b)}" for what, (a, b) in pairs.items() if a != b]
    return out + (_compare_map(theirs, ours.inner) if ours.inner else [])
