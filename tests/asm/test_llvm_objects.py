"""Whole objects: our listing and llvm-objdump's are the same bytes; clang's own assembly reads back."""

import random
import re
import struct
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from asm.llvm_tools import HERE, listing, needs, objdump, raw_object, same, tool
from asm.test_llvm_parse import sections, symbols

from osmia.asm import elf_write, llvm
from osmia.errors import OsmiaError, UsageError
from osmia.isa import macros as m
from osmia.obj.disasm import Listing, Options
from osmia.obj.elf import ElfFile

ROOT = HERE.parent.parent
SHAPES = HERE / "c" / "shapes.c"
INSTALLED = sorted(Path("/usr/lib").glob("*/bpf/*.o"))[:6]
TOOLS = [Path("/usr/sbin") / name for name in ("biolatency", "tcpconnect", "opensnoop", "runqlat")]
MODES = {
    "plain": ((), {}),
    "reloc": (("-r",), {"reloc": True}),
    "all": (("-D", "-r"), {"all_sections": True, "reloc": True}),
    "bare": (("--no-show-raw-insn", "-z"), {"raw_insn": False, "zeroes": True}),
    "sections": (("-j", "xdp", "-j", ".text"), {"sections": ("xdp", ".text")}),
    "symbols": (("--disassemble-symbols=shared,first",), {"symbols": ("shared", "first")}),
    "v4": (("--mcpu=v4", "-r"), {"cpu": "v4", "reloc": True}),
}


def clang(source, out, *args):
    """Compile; a source that needs newer headers than there are skips the test."""
    command = [tool("clang"), "-target", "bpf", "-O2", "-g", "-c", str(source), "-o", str(out), *args]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"clang does not compile {Path(source).name}: {done.stderr.splitlines()[:1]}")
    return out


def without_dwarf(path):
    """The object with .BTF.ext as its only source of line numbers."""
    subprocess.run([tool("llvm-strip"), "-g", str(path)], check=True)
    return path


@needs("clang", "llvm-objdump")
@pytest.mark.parametrize("target", ["bpfel", "bpfeb"])
@pytest.mark.parametrize("cpu", ["v1", "v2", "v3", "v4"])
def test_every_cpu_and_mode(tmp_path, cpu, target):
    path = clang(SHAPES, tmp_path / "x.o", f"-mcpu={cpu}", "-target", target)
    for args, options in MODES.values():
        same(path, *args, **options)


@needs("clang", "llvm-objdump", "llvm-strip")
@pytest.mark.parametrize("cpu", ["v1", "v3", "v4"])
def test_source_lines_from_btf(tmp_path, cpu):
    """Without DWARF, LLVM too takes the lines from .BTF.ext: the same bytes."""
    path = without_dwarf(clang(SHAPES, tmp_path / "x.o", f"-mcpu={cpu}"))
    same(path, "-S", source=True)
    same(path, "-S", "-r", source=True, reloc=True)


@needs("clang", "llvm-objdump")
def test_source_lines_beside_dwarf(tmp_path):
    """Beside DWARF the listings differ only in lines that DWARF and BTF hold differently."""
    path = clang(SHAPES, tmp_path / "x.o", "-mcpu=v3")
    theirs, ours = objdump(path, "-S").splitlines(), listing(path, source=True).splitlines()

    def code(lines):
        return [line for line in lines if not line.startswith(";")]

    assert code(theirs) == code(ours)
    shared = sum(1 for line in ours if line.startswith(";"))
    differing = set(_headed(theirs)) ^ set(_headed(ours))
    assert shared > 20 and len(differing) <= shared // 3


def _headed(lines):
    """Source lines with the instruction below them."""
    return [(a, b) for a, b in pairwise(lines) if a.startswith(";")]


@needs("clang", "llvm-objdump")
@pytest.mark.parametrize("source", sorted((ROOT / "examples").glob("*.bpf.c")), ids=lambda p: p.name)
def test_examples(tmp_path, source):
    from osmia import cc
    from osmia.errors import CompileError

    path = tmp_path / "x.o"
    for cpu in ("v1", "v2", "v3", "v4"):
        try:
            path.write_bytes(cc.compile(source, cpu=cpu))
        except CompileError as e:
            pytest.skip(str(e)[:80])
        same(path, "-r", reloc=True)
        same(path)


@needs("llvm-objdump")
@pytest.mark.skipif(not INSTALLED, reason="no eBPF objects are installed")
@pytest.mark.parametrize("path", INSTALLED, ids=lambda p: p.name)
def test_installed_objects(path):
    for args, options in MODES.values():
        if "symbols" not in options and "sections" not in options:
            same(path, *args, **options)
    same(path, "-S", source=True)


@needs("llvm-objdump")
@pytest.mark.parametrize("program", TOOLS, ids=lambda p: p.name)
def test_objects_inside_programs(tmp_path, program):
    """The skeletons of libbpf-tools carry their object whole."""
    if not program.exists():
        pytest.skip(f"{program} is not installed")
    data, at, found = program.read_bytes(), 1, 0
    while (at := data.find(b"\x7fELF\x02\x01", at)) > 0:
        if data[at + 18 : at + 20] == b"\xf7\0":
            table = struct.unpack_from("<Q", data, at + 40)[0]
            count = struct.unpack_from("<H", data, at + 60)[0]
            path = tmp_path / "x.o"
            path.write_bytes(data[at : at + table + 64 * count])
            same(path, "-r", reloc=True)
            same(path, "-S", source=True)
            found += 1
        at += 4
    assert found


@needs("clang")
@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("cpu", ["v1", "v3", "v4"])
def test_reads_what_clang_writes(tmp_path, cpu, order):
    """clang -S, assembled by us, has the sections of clang -c, .BTF and .BTF.ext included."""
    text = tmp_path / "x.s"
    triple = "bpfel" if order == "little" else "bpfeb"
    command = [tool("clang"), "-target", triple, f"-mcpu={cpu}", "-O2", "-g", "-S", str(SHAPES), "-o", str(text)]
    subprocess.run(command, check=True, capture_output=True)
    ours = elf_write.write(llvm.assemble(text.read_text(), order=order))
    theirs = clang(SHAPES, tmp_path / "x.o", f"-mcpu={cpu}", "-target", triple).read_bytes()
    assert sections(ours) == sections(theirs)
    assert ".BTF.ext" in sections(ours)
    debug = {s for s in symbols(theirs) if str(s[6]).startswith(".debug_")}
    assert {s for s in symbols(ours) if not s[0].startswith("LBB")} == symbols(theirs) - debug


# -- without LLVM


def test_unknown_names_are_warned_about(tmp_path):
    path = raw_object(tmp_path / "x.o", bytes.fromhex("9500000000000000"))
    made = Listing(path.read_bytes(), "x.o", Options(sections=("nowhere",), symbols=("nothing",)))
    assert "".join(made.chunks()) == "\nx.o:\tfile format elf64-bpf\n"
    assert len(made.warnings) == 2


def test_unknown_cpu_is_refused(tmp_path):
    path = raw_object(tmp_path / "x.o", bytes(8))
    with pytest.raises(UsageError, match="v9"):
        listing(path, cpu="v9")


def _sample_object():
    return elf_write.write(llvm.assemble((HERE / "golden" / "llvm-sample.s").read_text()))


def test_assembled_and_disassembled():
    text = "".join(Listing(_sample_object(), "x.o", Options(reloc=True)).chunks())
    assert "\t\t0000000000000010:  R_BPF_64_32\tg\n" in text
    assert "goto +0x1 <f+0x48>" in text and "Disassembly of section foo:" in text


def test_damaged_objects_end_in_one_error():
    rng = random.Random(5)
    whole = _sample_object()
    table = int.from_bytes(whole[40:48], "little")
    outcomes = set()
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(rng.choice((1, 2, 8))):
            where = rng.choice((range(64), range(table, len(data)), range(len(data))))
            data[rng.choice(where)] = rng.choice((0, 1, 0x7F, 0xFF, rng.randrange(256)))
        if rng.random() < 0.1:
            del data[rng.randrange(len(data)) :]
        chosen = Options(reloc=rng.random() < 0.7, source=rng.random() < 0.5, all_sections=rng.random() < 0.5)
        try:
            "".join(Listing(bytes(data), "x.o", chosen).chunks())
            outcomes.add("listed")
        except OsmiaError as e:
            outcomes.add(type(e).__name__)
    assert outcomes >= {"listed", "ElfError"}


def test_command(tmp_path):
    from click.testing import CliRunner

    from osmia.cli import asm, disasm

    source, out = tmp_path / "x.s", tmp_path / "x.o"
    source.write_text("\tr0 = 2\n\tcall helper\n\texit\n")
    assert CliRunner().invoke(asm.command, [str(source), "-o", str(out)]).exit_code == 0
    shown = CliRunner().invoke(disasm.command, ["-r", str(out)])
    assert shown.output.splitlines()[-2:] == [
        "\t\t0000000000000008:  R_BPF_64_32\thelper",
        "       2:\t95 00 00 00 00 00 00 00\texit",
    ]
    source.write_text("r0 = 2\nexit")
    for form, text in (("hex", "b700000002000000\n9500000000000000\n"), ("c", "{ .code = 0xb7, .dst_reg = 0,")):
        assert text in CliRunner().invoke(asm.command, ["--format", form, str(source)]).output
    assert CliRunner().invoke(asm.command, ["--format", "raw", "-o", str(out), str(source)]).exit_code == 0
    assert out.read_bytes() == bytes.fromhex("b7000000020000009500000000000000")
    out = out.rename(tmp_path / "x.bin")
    assert CliRunner().invoke(disasm.command, [str(out)]).output == "\tr0 = 0x2\n\texit\n"


def test_the_quick_way_prints_the_same(tmp_path, capsys):
    from click.testing import CliRunner

    from osmia.cli import disasm, main, quick

    path = tmp_path / "x.o"
    path.write_bytes(_sample_object())
    for flags in ([], ["-r"], ["-D", "-z"], ["-d", "-S"]):
        assert main.main(["disasm", *flags, str(path)]) == 0
        assert capsys.readouterr().out == CliRunner().invoke(disasm.command, [*flags, str(path)]).output
    assert quick.disasm(["-j", ".text", str(path)]) is None
    assert quick.disasm([str(tmp_path / "nothing")]) is None
    path.write_bytes(b"\x7fELF")
    assert quick.disasm([str(path)]) is None
    assert main.main(["disasm", str(path)]) == 2
    assert "ELF header" in capsys.readouterr().err


def _patched(section, **fields):
    """A small object with fields of one section header, and the value of its symbol, replaced."""
    data = bytearray(elf_write.bare([m.BPF_MOV64_IMM(0, 2), m.BPF_EXIT_INSN()], section="xdp"))
    file = ElfFile(bytes(data))
    header = struct.unpack_from("<Q", data, 40)[0] + 64 * file.section(section).number
    symbols_at = file.section(".symtab").offset + 24 * (len(file.symbols) - 1)
    for name, value in fields.items():
        place, form = {"type": (header + 4, "<I"), "addr": (header + 16, "<Q"), "symbol": (symbols_at + 8, "<Q")}[name]
        struct.pack_into(form, data, place, value)
    return bytes(data)


@pytest.mark.parametrize("fields", [{"type": 0}, {"type": 0, "addr": 16}, {"addr": 1 << 12, "symbol": (1 << 64) - 64},
                                    {"symbol": 1 << 20}, {"symbol": 12}])  # fmt: skip
def test_nothing_beside_the_file_is_read(fields):
    """Compiled code would read what stands there."""
    for options in (Options(), Options(all_sections=True, reloc=True, zeroes=True)):
        text = "".join(Listing(_patched("xdp", **fields), "x.o", options).chunks())
        lines = [line for line in text.splitlines() if ":\t" in line and "format" not in line]
        assert all(re.match(r" *\d+:\t[0-9a-f]{2}[ \t]", line) for line in lines) and len(lines) < 60
