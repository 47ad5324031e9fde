"""What the LLVM tests share: LLVM's own tools where they are installed, objects, and slots worth printing."""

import functools
import shutil
import subprocess
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import strategies as st

from osmia.asm import elf_write
from osmia.isa import OPS, Insn, decode
from osmia.isa.table import Kind
from osmia.obj.disasm import Listing, Options

HERE = Path(__file__).parent
imms = st.one_of(st.sampled_from([0, 1, 5, 16, 0x41, 0xE1, 0xF1, 0x100, 0x110]), st.integers(-(1 << 31), (1 << 31) - 1))
offs = st.one_of(st.sampled_from([0, 1, -1, 8, 16, 32, -(1 << 15)]), st.integers(-(1 << 15), (1 << 15) - 1))
slots = st.builds(Insn, st.integers(0, 255), st.integers(0, 15), st.integers(0, 15), offs, imms)


@st.composite
def valid(draw):
    """A valid instruction of any row: one slot, or both of a 64-bit immediate load."""
    op = draw(st.sampled_from(OPS))

    def field(value, strategy):
        return value if isinstance(value, int) else draw(strategy)

    regs = st.integers(0, 10)
    insn = Insn(op.code, field(op.dst, regs), field(op.src, regs), field(op.off, offs), field(op.imm, imms))
    if not op.wide:
        return [insn]
    high = draw(imms) if op.imm is Kind.LOW or op.name.endswith("value") else 0
    return [insn, Insn(0, 0, 0, 0, high)]


programs = st.lists(st.one_of(valid(), slots.map(lambda s: [s])), max_size=30).map(lambda p: [*chain(*p)])


def tool(name):
    """The path of an LLVM 19 tool, None where it is missing or of another version."""
    for candidate in (f"{name}-19", name):
        path = shutil.which(candidate)
        if path and "version 19." in _version(path):
            return path
    return None


@functools.cache
def _version(path):
    return subprocess.run([path, "--version"], capture_output=True, text=True).stdout


def needs(*names):
    """A test that compares with LLVM's tools."""
    missing = [name for name in names if tool(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"LLVM 19's {', '.join(missing)} is not installed")


def objdump(path, *args):
    """What llvm-objdump prints of a file."""
    command = [tool("llvm-objdump"), "-d", *args, str(path)]
    return subprocess.run(command, capture_output=True, text=True, errors="backslashreplace", check=True).stdout


def listing(path, **options):
    """What we print of it."""
    return "".join(Listing(Path(path).read_bytes(), str(path), Options(**options)).chunks())


def same(path, *args, **options):
    """Both listings are equal, byte for byte."""
    theirs, ours = objdump(path, *args), listing(path, **options)
    if theirs != ours:
        pairs = zip(theirs.splitlines(), ours.splitlines(), strict=False)
        first = next(((a, b) for a, b in pairs if a != b), ("", "one is longer"))
        raise AssertionError(f"{path} {args}\nLLVM: {first[0]}\nours: {first[1]}")


def raw_object(path, data, order="little"):
    """An object with these bytes, instructions or not, in .text under the symbol ``text``."""
    whole = len(data) // 8 * 8
    unit_bytes = elf_write.bare(decode(data[:whole], order), order=order, tail=data[whole:])
    Path(path).write_bytes(unit_bytes)
    return path


def llvm_mc(text, tmp_path, order="little"):
    """The object that llvm-mc makes of a text; its complaint as a string where it refuses."""
    out = tmp_path / "mc.o"
    triple = "bpfel" if order == "little" else "bpfeb"
    command = [tool("llvm-mc"), f"-triple={triple}", "-mcpu=v4", "-filetype=obj", "-o", str(out)]
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    return out.read_bytes() if done.returncode == 0 else done.stderr
