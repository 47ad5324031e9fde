"""A collection as text that people can read and compare: the golden files of this folder.

``python -m obj.golden_text`` (in tests/) compiles c/*.bpf.c again, with clang at -mcpu=v3, and writes the objects
(base64, without debug sections) and texts anew; look at the difference before committing it.
"""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from osmia.btf import Btf
from osmia.isa import Insn, Known, classify
from osmia.obj import load
from osmia.obj.elf import ElfFile
from osmia.obj.model import Collection, MapSpec, Program

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
NAMES = ("calls", "core", "externs", "globals", "legacy", "maps", "sections", "structops")
KCONFIG = {"CONFIG_HZ": "250", "CONFIG_BPF_SYSCALL": "y", "CONFIG_TEST_BPF": "m", "CONFIG_DEFAULT_HOSTNAME": '"bee"',
           "CONFIG_BPF_JIT": "y", "CONFIG_NR_CPUS": "0x40"}  # fmt: skip
KALLSYMS = {"schedule": 0xFFFFFFFF81234560}


def read(name: str) -> bytes:
    """A checked-in object."""
    return base64.b64decode((GOLDEN / f"{name}.o.b64").read_text())


def target() -> Btf:
    """The types of c/kernel.c."""
    elf = ElfFile(read("kernel"))
    return Btf.parse(elf.contents(elf.section(".BTF")))


def linked(name: str) -> Collection:
    """A checked-in object, linked against c/kernel.c."""
    path = f"{name.removesuffix('.be')}.bpf.o"
    btf = target() if not name.endswith(".be") else None
    return load(read(name), path=path, target_btf=btf, kconfig=KCONFIG, kallsyms=KALLSYMS, cpus=4)


def render(collection: Collection) -> str:
    """All of it, one fact a line."""
    return "\n".join(_lines(collection)) + "\n"


def _lines(collection: Collection) -> Iterator[str]:
    yield f"license {collection.license} version {collection.version:#x} {collection.byteorder}-endian"
    for name, spec in collection.maps.items():
        yield ""
        yield f"map {name}"
        yield from _map(spec)
    for program in collection.programs.values():
        yield ""
        yield from _program(program)


def _map(spec: MapSpec) -> Iterator[str]:
    yield f"  {spec.type} key {spec.key_size} value {spec.value_size} entries {spec.max_entries} flags {spec.flags:#x}"
    names = ("map_extra", "numa_node", "pinning", "btf_key_type_id", "btf_value_type_id", "btf_vmlinux_value_type")
    for name in (*names, "frozen", "mmapable"):
        if getattr(spec, name) not in (None, "", 0, False):
            yield f"  {name} {getattr(spec, name)}"
    if not spec.autocreate:
        yield "  not created"
    for slot, value in spec.values.items():
        yield f"  [{slot}] = {value}"
    if spec.data is not None:
        yield f"  data {spec.data.hex(' ', -8)}"
    if spec.inner:
        yield f"  inner {spec.inner.name}"
        yield from ("  " + line for line in _map(spec.inner))


def _program(program: Program) -> Iterator[str]:
    yield f"program {program.name} section {program.section} type {program.prog_type} flags {program.flags:#x}"
    if program.expected_attach_type or program.attach_target:
        yield f"  attach {program.expected_attach_type or '-'} {program.attach_target}"
    if not program.autoload:
        yield "  not loaded by default"
    if program.maps:
        yield "  maps " + " ".join(f"{n}:{m.name}" for n, m in enumerate(program.maps))
    externs = {x.insn: x for x in program.externs}
    funcs = {f.insn: f.type_id for f in program.func_info}
    lines = {x.insn: f"{x.line}:{x.column}" for x in program.line_info}
    starts = {s.start: s.name for s in program.subprogs}
    for at, insn in enumerate(program.insns):
        if at in starts:
            yield f" {starts[at]}: func_info {funcs.get(at)}"
        notes = [f"line {lines[at]}"] if at in lines else []
        notes += [f"extern {externs[at].kind} {externs[at].name}"] if at in externs else []
        notes += ["poisoned"] if at in program.poisoned else []
        yield f"  {at:3}: {_insn(insn)}{'  ; ' + ', '.join(notes) if notes else ''}".rstrip()


def _insn(insn: Insn) -> str:
    found = classify(insn)
    name = found.op.name if isinstance(found, Known) else f"{insn.code:#04x}"
    fields = (("dst", insn.dst_reg), ("src", insn.src_reg), ("off", insn.off), ("imm", insn.imm))
    return f"{name:<13} " + " ".join(f"{key}={value}" for key, value in fields if value)


def make() -> None:
    """Compile and write everything."""
    for name in ("kernel", *NAMES, "calls.be", "maps.be", "globals.be"):
        source = HERE / "c" / (name.removesuffix(".be") + (".c" if name == "kernel" else ".bpf.c"))
        with TemporaryDirectory() as folder:
            out = Path(folder) / "out.o"
            triple = "bpfeb" if name.endswith(".be") else "bpfel"
            flags = ["-target", triple, "-O2", "-g", "-mcpu=v3", f"-ffile-prefix-map={HERE}/c=."]
            subprocess.run(["clang-19", *flags, "-c", source, "-o", out], check=True, cwd=HERE / "c")
            subprocess.run(["llvm-strip-19", "-g", out], check=True)
            (GOLDEN / f"{name}.o.b64").write_text(base64.encodebytes(out.read_bytes()).decode())
        if name != "kernel":
            (GOLDEN / f"{name}.txt").write_text(render(linked(name)))


if __name__ == "__main__":
    sys.exit(make())
