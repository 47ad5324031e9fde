"""Any form a program comes in, as one Collection: object, C, assembly, JSON records, raw or hex instructions."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from osmia.errors import AsmError, DecodeError, InputError, UsageError

if TYPE_CHECKING:
    from osmia.btf import Btf
    from osmia.isa import Insn
    from osmia.obj.model import Collection

KINDS = ("object", "c", "asm", "raw", "hex", "records")
_SUFFIXES = {
    ".o": "object", ".elf": "object", ".c": "c", ".h": "c", ".s": "asm", ".asm": "asm", ".bpfasm": "asm",
    ".bin": "raw", ".raw": "raw", ".hex": "hex", ".jsonl": "records",
}  # fmt: skip
_HEX = re.compile(rb"[0-9a-fA-F\s]+\Z")
_FILTER = re.compile(rb"\s*\d+\s*\n(\d+ \d+ \d+ \d+\s*\n)+\Z")  # tcpdump -ddd: digits, but not hexadecimal code
_RECORD = re.compile(rb'\s*\{\s*"')
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_C_SIGNS = re.compile(
    r'^[ \t]*#\s*(include|define|pragma|if|ifdef|ifndef)\b|\bSEC\s*\(\s*"|^[ \t]*(static|int|long|void|struct|char)\b',
    re.M,
)
_DIALECT_SIGNS = (
    ("kernel", re.compile(r"^[ \t]*(\d+:\s*)?\([0-9a-f]{2}\)\s", re.M)),
    ("llvm", re.compile(r"^[ \t]*([\w.$]+:\s*)?([rw]\d+\s*[-+*/%&|^<>s]*=|\.(text|section|globl)\b|goto |if r)", re.M)),
    ("ubpf", re.compile(r"%r\d|^[ \t]*(mov|add|ja|ldx?|stx?|ld)\w*\s+r?\d*%|^[ \t]*exit\s*\Z", re.M)),
    ("classic", re.compile(r"^[ \t]*(\w+:[ \t]*)?(ret\s+(#|a\b)|ld[bh]?\s+[#[M]|j(eq|gt|ge|set)\s+#|tax\b|txa\b)"
                           r"|^[ \t]*(\(\d{3}\)\s+[a-z]|\{\s*0x[0-9a-f]+,\s*\d+,\s*\d+,\s*0x"
                           r"|\d+ \d+ \d+ \d+$)", re.M)),
)


class Input(NamedTuple):
    """What a path or ``-`` held: the bytes, a name for messages ("<stdin>" for ``-``), and one of ``KINDS``."""

    data: bytes
    name: str
    kind: str


def read(path: str | Path) -> Input:
    """Read a file, or standard input for ``-``.  Raises UsageError when it can't be read or is empty."""
    if str(path) == "-":
        data, name = read_file(path), "<stdin>"
    else:
        name = str(path)
        data = read_file(name)
    if not data:
        raise UsageError("the input is empty", file=name)
    return Input(data, name, kind_of(data, name))


def read_file(path: str | Path) -> bytes:
    """The bytes of a file, or of standard input for ``-``.  Raises UsageError with the system's reason."""
    try:
        if str(path) != "-":
            return Path(path).read_bytes()
        if sys.stdin is not None:
            return sys.stdin.buffer.read()
    except (OSError, ValueError) as e:
        raise UsageError(getattr(e, "strerror", None) or str(e), file=called(path)) from None
    raise UsageError("standard input is closed")


def called(path: str | Path) -> str:
    """The name of an input in messages."""
    return "<stdin>" if str(path) == "-" else str(path)


def kind_of(data: bytes, name: str = "") -> str:
    """Tell the kinds apart: ELF magic first, then the name's suffix, then the content.

    >>> kind_of(bytes.fromhex("9500000000000000")), kind_of(b"95 00 00 00 00 00 00 00"), kind_of(b"r0 = 0; exit")
    ('raw', 'hex', 'asm')
    """
    if data[:4] == b"\x7fELF":
        return "object"
    suffix = suffix_kind(name)
    if suffix:
        return suffix
    if _HEX.match(data) and not _FILTER.match(data):
        return "hex"
    text = _text(data)
    if text is None:
        return "raw"
    if _RECORD.match(data):
        return "records"
    return "c" if _C_SIGNS.search(text) else "asm"


def suffix_kind(name: str) -> str | None:
    """What a file's name alone says."""
    return _SUFFIXES.get(Path(name).suffix.lower())


def _text(data: bytes) -> str | None:
    """The data as text, None where it is none."""
    if _BINARY.search(data):
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def dialect_of(text: str) -> str:
    """Which of ``osmia.asm``'s dialects a text is written in; "llvm" when nothing tells."""
    return next((name for name, sign in _DIALECT_SIGNS if sign.search(text)), "llvm")


def load(
    source: str | Path | Input, *, btf: str | Path | Btf | None = None, cpu: str = "v3",
    dialect: str | None = None, prog_type: str = "socket_filter", kind: str | None = None, **linking: Any,
) -> Collection:  # fmt: skip
    """Any program input as a Collection.

    ``btf`` is the target of CO-RE relocations, ``cpu`` what C is compiled for; ``dialect`` says how assembly is
    written and ``prog_type`` what program bare instructions are (an object says so itself).  ``linking`` goes to
    ``obj.load`` (name, kconfig, kallsyms, cpus); bare instructions need none of it.
    Raises the InputError of whatever room reads it.
    """
    given = source if isinstance(source, Input) else read(source)
    target = load_btf(btf) if btf is not None else None
    try:
        return _loaders(given._replace(kind=kind or given.kind), target, cpu, dialect, prog_type, linking)
    except InputError as e:
        raise e.at(file=given.name) from None


def _loaders(
    given: Input, target: Btf | None, cpu: str, dialect: str | None, prog_type: str, linking: dict[str, Any]
) -> Collection:
    if given.kind == "object":
        return _object(given.data, given.name, target, linking)
    if given.kind == "c":
        from osmia import cc

        from_file = Path(given.name) if given.name != "<stdin>" else text_of(given)
        return _object(cc.compile(from_file, cpu=cpu), given.name, target, linking)
    if given.kind == "records":
        from osmia.obj import record

        return record.load(given.data, given.name)
    return bare(instructions(given, dialect), given.name, prog_type)


def _object(data: bytes, name: str, target: Btf | None, linking: dict[str, Any]) -> Collection:
    from osmia import obj

    return obj.load(data, path=name, target_btf=target, **linking)


def object_of(given: Input, *, cpu: str = "v3", section: str = ".text") -> bytes:
    """The object that an input is, or becomes: C is compiled, LLVM's assembly keeps its sections, everything else is
    the code of ``section``.  Raises the InputError of whatever room reads it.
    """
    if given.kind == "object":
        return given.data
    if given.kind == "c":
        from osmia import cc

        return cc.compile(text_of(given) if given.name == "<stdin>" else Path(given.name), cpu=cpu)
    from osmia.asm import elf_write, llvm

    if given.kind == "asm" and dialect_of(text_of(given)) == "llvm":
        return elf_write.write(llvm.assemble(text_of(given), file=given.name))
    return elf_write.bare(instructions(given), section=section)


def text_of(given: Input) -> str:
    """The input as text.  Raises AsmError when it is none."""
    try:
        return given.data.decode()
    except UnicodeDecodeError as e:
        raise AsmError("not text in UTF-8", offset=e.start, file=given.name) from None


def instructions(given: Input, dialect: str | None = None) -> list[Insn]:
    """The slots of an assembly, raw or hex input."""
    from osmia.isa import decode

    if given.kind == "raw":
        return decode(given.data)
    if given.kind == "hex" and dialect != "classic":  # tcpdump -ddd prints nothing but digits
        return decode(_unhex(given.data))
    text = text_of(given)
    from osmia import asm

    name = dialect or dialect_of(text)
    if name not in asm.DIALECTS:
        raise UsageError(f"unknown dialect {name!r} (known: {', '.join(sorted(asm.DIALECTS))})")
    if name == "classic":
        from osmia.asm import classic

        return classic.to_ebpf(classic.parse(text, file=given.name))
    insns: list[Insn] = asm.DIALECTS[name].parse(text, file=given.name)
    return insns


def _unhex(data: bytes) -> bytes:
    digits = b"".join(data.split())
    try:
        return bytes.fromhex(digits.decode("ascii"))
    except ValueError as e:
        raise DecodeError(f"not hexadecimal: {e}") from None


def bare(insns: list[Insn], name: str = "", prog_type: str = "socket_filter", **fields: Any) -> Collection:
    """A Collection of one program made of bare instructions."""
    from osmia.obj.model import Collection, Program

    check_prog_type(prog_type)
    stem = re.sub(r"\W", "_", Path(name).stem).strip("_")[:15] or "prog"
    program = Program(stem, prog_type, insns, license="GPL", **fields)
    return Collection(name, {stem: program}, license="GPL")


def check_prog_type(name: str) -> None:
    """Raises UsageError for a type of program that Linux does not have."""
    from osmia.kernel.uapi import PROG_TYPES

    if name not in PROG_TYPES:
        raise UsageError(f"unknown program type {name!r} (known: {', '.join(PROG_TYPES)})")


def load_btf(source: str | Path | Btf, *, base: Btf | None = None) -> Btf:
    """BTF from a raw file (/sys/kernel/btf/vmlinux), the .BTF section of an ELF file, or what C compiles to; a Btf
    passes through.

    ``-`` reads standard input; ``base`` is what split BTF (a kernel module's) stands on.
    """
    from osmia.btf import Btf

    if isinstance(source, Btf):
        return source
    data, name = read_file(source), called(source)
    if kind_of(data, name) == "c":
        data = object_of(Input(data, name, "c"))
    try:
        return Btf.parse(_btf_section(data) if data[:4] == b"\x7fELF" else data, base)
    except InputError as e:
        raise e.at(file=name) from None


def _btf_section(data: bytes) -> bytes:
    """The .BTF section of an ELF file.  Raises ElfError or BtfError."""
    import io

    from elftools.elf.elffile import ELFFile

    from osmia.errors import BtfError, ElfError

    try:
        section = ELFFile(io.BytesIO(data)).get_section_by_name(".BTF")
        found = section.data() if section is not None else None
    except Exception as e:  # damaged files make pyelftools raise almost anything
        raise ElfError(f"not readable as ELF: {e}") from None
    if found is None:
        raise BtfError("no .BTF section in this file")
    return bytes(found)
