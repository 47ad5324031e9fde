"""The table of fuzz targets: every parser of the project, what it eats, and what damages that.

A target takes bytes, and returns or raises an OsmiaError.  Names given to it are ``FILE``; an InputError that a
reader of files raises must name it.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

from fuzz import mutate, seeds
from obj.golden_text import KCONFIG, read, target

from osmia import inputs
from osmia.api import Collection
from osmia.asm import DIALECTS, classic, elf_write, llvm
from osmia.asm.classic_convert import to_ebpf
from osmia.btf import Btf
from osmia.btf.c_dump import dump_c
from osmia.btf.check import check
from osmia.btf.ext import BtfExt
from osmia.btf.layout import members
from osmia.btf.merge import deduplicate
from osmia.btf.text import dump_text
from osmia.cli.main import main
from osmia.errors import InputError, InternalError, OsmiaError
from osmia.obj import linker, load, record
from osmia.obj.disasm import Listing, Options
from osmia.obj.kconfig import parse_config
from osmia.obj.survey import survey
from osmia.session import show
from osmia.sim import World, pcap

FILE = "fuzzed"
_STATUSES = (0, 1, 2, 3)
Run = Callable[[bytes], None]
Make = Callable[[Random], bytes]
Spots = list[tuple[int, int]]


class Target(NamedTuple):
    """One parser.  ``make`` gives input; ``names_file``: its InputErrors say which file."""

    name: str
    run: Run
    make: Make
    names_file: bool = True


# -- input


def binary(source: Callable[[], Sequence[bytes]], hot: Callable[[bytes], Spots] | None = None) -> Make:
    """Noise, some of it behind a real beginning, and damaged binary seeds."""
    spots = cache(hot or (lambda data: []))

    def make(rng: Random) -> bytes:
        kind, seed = rng.random(), rng.choice(source())
        if kind < 0.1:
            return (seed[: rng.choice((4, 16, 24, 64))] if kind < 0.06 else b"") + mutate.noise(rng)
        return mutate.damaged_bytes(rng, seed, source(), spots(seed))

    return make


def text(source: Callable[[], Sequence[bytes]]) -> Make:
    """Noise, words in any order, and damaged text."""

    def make(rng: Random) -> bytes:
        kind = rng.random()
        if kind < 0.05:
            return mutate.noise(rng)
        return mutate.words(rng, source()) if kind < 0.25 else mutate.damaged_text(rng, source())

    return make


def any_of(*makers: Make) -> Make:
    """One of several kinds of input."""
    return lambda rng: rng.choice(makers)(rng)


OBJECT, BTF, CODE = binary(seeds.objects, seeds.hot), binary(seeds.btf), binary(seeds.programs)
RECORDS = any_of(text(seeds.records), *[lambda rng: mutate.damaged_json(rng, rng.choice(seeds.records()))] * 3)
HEX, CAPTURE = text(seeds.hexadecimal), binary(seeds.captures)
TEXTS = {name: text(lambda name=name: seeds.text(name)) for name in DIALECTS}
ANYTHING = any_of(OBJECT, CODE, HEX, RECORDS, *TEXTS.values())


# -- parsers


@cache
def kernel() -> Btf:
    """The types that objects are linked against."""
    return target()


def link_in(data: bytes) -> None:
    """ELF → Collection → records."""
    record.records(load(data, path=FILE, target_btf=kernel(), kconfig=KCONFIG))


def relocatable(data: bytes) -> None:
    """The static linker, with a sound object beside it."""
    linker.link([("sound", read("maps")), (FILE, data)])


def listing(data: bytes) -> None:
    """llvm-objdump's text, in full."""
    for options in (Options(), Options(reloc=True, source=True, line_numbers=True, all_sections=True, cpu="v4")):
        for _ in Listing(data, FILE, options).chunks():
            pass


def types(data: bytes) -> None:
    """Everything that reads a type table; each may refuse it."""
    table = Btf.parse(data)
    for step in (check, dump_text, dump_c, deduplicate, _layouts):
        with contextlib.suppress(InputError):
            step(table)
    assert Btf.parse(table.encode()).encode() == table.encode()


def _layouts(table: Btf) -> None:
    for type_id in range(len(table)):
        with contextlib.suppress(InputError):
            table.size_of(type_id)
        with contextlib.suppress(InputError):
            list(members(table, type_id))


def ext(data: bytes) -> None:
    """.BTF.ext beside a sound table."""
    BtfExt.parse(data, Btf.parse(seeds.btf()[0]))


def core(data: bytes) -> None:
    """CO-RE against a damaged target."""
    load(read("core"), path=FILE, target_btf=Btf.parse(data))


def assembly(dialect: str) -> Run:
    """A dialect's parser; what it reads it can write, and read again."""

    def run(data: bytes) -> None:
        insns = DIALECTS[dialect].parse(data.decode(errors="replace"), file=FILE)
        assert DIALECTS[dialect].parse(DIALECTS[dialect].format(insns)) == insns

    return run


def assembled(data: bytes) -> None:
    """LLVM's text with sections and symbols, made an object that loads or is refused."""
    made = elf_write.write(llvm.assemble(data.decode(errors="replace"), file=FILE))
    with contextlib.suppress(InputError):
        load(made, path=FILE)


def classic_text(data: bytes) -> None:
    """Classic filters in any of their forms, and to eBPF."""
    to_ebpf(classic.parse(data.decode(errors="replace"), file=FILE))


def classic_bytes(data: bytes) -> None:
    """struct sock_filter."""
    filters = classic.decode(data)
    assert classic.encode(filters) == data
    with contextlib.suppress(InputError):
        to_ebpf(filters)


def guessed(data: bytes) -> None:
    """Whatever it is: what its kind's reader says of it.  C goes to a compiler, which is not ours to test."""
    kind = inputs.kind_of(data)
    if data and kind != "c":
        inputs.load(inputs.Input(data, FILE, kind))


def hexadecimal(data: bytes) -> None:
    """Digits."""
    inputs.load(inputs.Input(data, FILE, "hex"))


def program_records(data: bytes) -> None:
    """programs.jsonl, there and back."""
    found = record.records(record.load(data, FILE))
    assert found


def packets(data: bytes) -> None:
    """pcap and pcapng."""
    for frame in pcap.read(data, FILE):
        pcap.summary(frame.data)


def config(data: bytes) -> None:
    """A kernel's configuration."""
    parse_config(data, FILE)


def acts(data: bytes) -> None:
    """A script of acts."""
    World().do(data.decode(errors="replace"))


def running(data: bytes) -> None:
    """Every program of it, one after the other in one world, on whatever its type gets."""
    kind = inputs.kind_of(data)
    if not data or kind == "c":
        return
    found, world = Collection(inputs.load(inputs.Input(data, FILE, kind))), World()
    for program in list(found.values())[:8]:
        try:
            program.load(budget=2000, world=world).run()
        except InternalError:
            raise
        except OsmiaError as error:
            assert str(error).strip()
    json.dumps(show.to_json(found.maps), default=str)


# -- the command line


def command(*arguments: str, suffix: str = "", stdin: bytes = b"") -> Run:
    """A command on a file with that content: it answers with a status, and never with a bug of ours."""

    def run(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / (FILE + suffix)
            path.write_bytes(data)
            given = [a.replace("FILE", str(path)).replace("OUT", folder + "/out") for a in arguments]
            status, err = called(given, stdin)
        assert status in _STATUSES, f"osmia {' '.join(given)}: status {status}: {err}"
        assert "Traceback" not in err

    return run


def plugin(data: bytes) -> None:
    """The conformance runner's protocol: memory as argument, program on standard input."""
    text = data.decode(errors="replace").replace("\0", "")
    memory, _, program = text.partition("\n")
    for given, stdin in (([memory], program), (["--elf", "--", memory], program), (["--program", text], "")):
        status, err = called(["conformance-plugin", *given], stdin.encode())
        assert status in _STATUSES, f"status {status}: {err}"


def called(arguments: list[str], stdin: bytes) -> tuple[int, str]:
    """A command in this process: its status and what it wrote to standard error."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(stdin), "utf-8")
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            return main(arguments), err.getvalue()
    finally:
        sys.stdin = before


def _plugin_input(rng: Random) -> bytes:
    return HEX(rng) + b"\n" + any_of(HEX, lambda r: OBJECT(r).hex().encode())(rng)


_PCAP = ("--type", "xdp", "--pcap", "FILE", "--write-pcap", "OUT")
TARGETS = (
    Target("elf", link_in, OBJECT),
    Target("link", relocatable, OBJECT),
    Target("disasm", listing, OBJECT),
    Target("survey", lambda data: void(survey(data, FILE, kconfig=KCONFIG)), OBJECT),
    Target("btf", types, BTF, names_file=False),
    Target("btf-ext", ext, binary(seeds.btf_ext), names_file=False),
    Target("core", core, BTF, names_file=False),
    Target("llvm", assembly("llvm"), TEXTS["llvm"]),
    Target("llvm-object", assembled, TEXTS["llvm"]),
    Target("kernel", assembly("kernel"), TEXTS["kernel"]),
    Target("ubpf", assembly("ubpf"), TEXTS["ubpf"]),
    Target("classic", classic_text, TEXTS["classic"]),
    Target("sock_filter", classic_bytes, binary(seeds.sock_filters), names_file=False),
    Target("inputs", guessed, ANYTHING),
    Target("hex", hexadecimal, HEX),
    Target("records", program_records, RECORDS),
    Target("pcap", packets, CAPTURE),
    Target("kconfig", config, text(seeds.configs)),
    Target("acts", acts, text(seeds.acts), names_file=False),
    Target("run", running, any_of(OBJECT, CODE, RECORDS), names_file=False),
    Target("conformance-plugin", plugin, _plugin_input),
    Target("cli-inspect", command("inspect", "FILE"), ANYTHING),
    Target("cli-disasm", command("disasm", "-r", "-S", "FILE"), ANYTHING),
    Target("cli-emit", command("emit", "FILE", suffix=".o"), OBJECT),
    Target("cli-run", command("run", "--budget", "2000", "--map-dump", "FILE"), any_of(OBJECT, CODE, HEX, RECORDS)),
    Target("cli-run-trace", command("run", "--budget", "200", "--trace", "--json", "FILE", suffix=".jsonl"), RECORDS),
    Target("cli-run-pcap", command("run", *_PCAP, "-", stdin=b"r0 = 2\nexit"), CAPTURE),
    Target("cli-run-classic", command("run", "--classic", "FILE", "--budget", "2000"), TEXTS["classic"]),
    Target("cli-asm", command("asm", "-o", "OUT", "FILE"), any_of(*TEXTS.values())),
    Target("cli-btf-dump", command("btf", "dump", "-c", "FILE"), any_of(BTF, OBJECT)),
    Target("cli-btf-merge", command("btf", "merge", "-o", "OUT", "FILE", "FILE"), any_of(BTF, OBJECT)),
    Target("cli-link", command("link", "-o", "OUT", "FILE", "FILE", suffix=".o"), OBJECT),
)  # fmt: skip


def void(_: object) -> None:
    """Only errors matter."""


def settle(fuzzed: Target, data: bytes) -> None:
    """The contract: it returns, or raises an error of the tree (no bug of ours) that says which file is wrong."""
    try:
        fuzzed.run(data)
    except InternalError:
        raise
    except OsmiaError as error:
        assert str(error).strip(), "an error without words"
        if fuzzed.names_file and isinstance(error, InputError):
            assert str(error.place), f"no place: {error!r}"
