"""Golden files of whole programs: C source, the instructions made of it, its maps, packets, and the kernel's answers.

A file reads from top to bottom: what it is about, the source, then everything that is needed to run it without a
compiler or a kernel::

    # two pushes into a queue of one
    # xdp, v3 by ziglang, answers of Linux 6.18.44
    == source
    …
    == map m0
    queue key 0 value 8 entries 1 flags 0x0
    == program test: xdp, maps m0
    b700000001000000  r0 = 1
    …
    == packet 0a0b…
    returns 0x1
    packet 0a0b…        only where it changed
    context 0000…
    == contents of m0
    0 = 0100000000000000
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from end_to_end.judge import Answer
from vm.golden_io import _texts as texts

import osmia
from osmia.isa import decode
from osmia.obj import model
from osmia.obj.model import MapSpec

GOLDEN = Path(__file__).parent / "golden"


@dataclass
class Golden:
    about: str
    built: str
    """``xdp, v3 by clang-19, answers of Linux 6.18``"""
    source: str
    raw: model.Collection
    packets: list[bytes]
    answer: Answer

    @property
    def collection(self) -> osmia.Collection:
        return osmia.Collection(self.raw, cpus=self.cpus)

    @property
    def cpus(self) -> int:
        """How many CPUs the kernel had whose per-CPU values are in the answer."""
        return int(self.built.rsplit(", ", 1)[1].split()[0])

    @property
    def turns(self) -> bool:
        """Whether the CPUs took turns with the packets."""
        return self.built.endswith(" by turns")

    @property
    def compiler(self) -> str:
        return self.built.split(" by ")[1].split(",")[0]

    @property
    def cpu(self) -> str:
        return self.built.split(", ")[1].split()[0]


def write(golden: Golden) -> str:
    lines = [f"# {golden.about}", f"# {golden.built}", "== source", golden.source.rstrip()]
    for spec in golden.raw.maps.values():
        lines += [f"== map {spec.name}", *_map_lines(spec)]
    for program in golden.raw.programs.values():
        names = " ".join(spec.name for spec in program.maps) or "none"
        lines += [f"== program {program.name}: {program.prog_type}, maps {names}"]
        words = dict(texts(program.insns))
        lines += [f"{insn.encode().hex()}  {words.get(pc, '')}".rstrip() for pc, insn in enumerate(program.insns)]
    for packet, (retval, out, ctx) in zip(golden.packets, golden.answer.runs, strict=True):
        changed = [f"packet {out}"] if out != packet.hex() else []
        lines += [f"== packet {packet.hex()}", f"returns {retval:#x}", *changed, f"context {ctx}"]
    for name, rows in golden.answer.maps.items():
        lines += [f"== contents of {name}", *(f"{key} = {value}" for key, value in rows)]
    return "\n".join(lines) + "\n"


def _map_lines(spec: MapSpec) -> Iterator[str]:
    yield f"{spec.type} key {spec.key_size} value {spec.value_size} entries {spec.max_entries} flags {spec.flags:#x}"
    if spec.data is not None:
        yield f"data {spec.data.hex()}"
    if spec.frozen:
        yield "frozen"
    if spec.inner is not None:
        yield from (f"inner {line}" for line in _map_lines(spec.inner))
    yield from (f"slot {slot} = {name}" for slot, name in spec.values.items())


def read(path: Path) -> Golden:
    head, *sections = path.read_text().split("\n== ")
    about, built = (line[2:] for line in head.splitlines()[:2])
    golden = Golden(about, built, "", model.Collection(path=path.name), [], Answer())
    for section in sections:
        title, _, body = section.partition("\n")
        word, _, rest = title.partition(" ")
        _READERS[word](golden, rest, body.splitlines())
    return golden


def _source(golden: Golden, _: str, lines: list[str]) -> None:
    golden.source = "\n".join(lines) + "\n"


def _map(golden: Golden, name: str, lines: list[str]) -> None:
    golden.raw.maps[name] = _spec(name, lines)


def _spec(name: str, lines: list[str]) -> MapSpec:
    words = lines[0].split()
    kind, key, value, entries, flags = words[0], *(int(word, 0) for word in words[2::2])
    spec = MapSpec(name, kind, key, value, entries, flags)
    inner = [line.removeprefix("inner ") for line in lines if line.startswith("inner ")]
    data = [line.removeprefix("data ") for line in lines if line.startswith("data ")]
    slots = [line.split()[1::2] for line in lines if line.startswith("slot ")]
    return replace(
        spec, frozen="frozen" in lines, data=bytes.fromhex(data[0]) if data else None,
        inner=_spec(f"{name}.inner", inner) if inner else None, values={int(slot): there for slot, there in slots},
    )  # fmt: skip


def _program(golden: Golden, title: str, lines: list[str]) -> None:
    name, facts = title.split(": ")
    kind, names = facts.split(", maps ")
    maps = [golden.raw.maps[n] for n in names.split() if n != "none"]
    insns = decode(bytes.fromhex("".join(line[:16] for line in lines)))
    golden.raw.programs[name] = model.Program(name, kind, insns, maps=maps, license="GPL")


def _packet(golden: Golden, data: str, lines: list[str]) -> None:
    facts = dict(line.split(" ", 1) if " " in line else (line, "") for line in lines)
    golden.packets.append(bytes.fromhex(data))
    golden.answer.runs.append((int(facts["returns"], 0), facts.get("packet", data), facts["context"]))


def _contents(golden: Golden, title: str, lines: list[str]) -> None:
    rows = [line.partition(" = ") for line in lines]
    golden.answer.maps[title.removeprefix("of ")] = [(key, value) for key, _, value in rows]


_READERS = {"source": _source, "map": _map, "program": _program, "packet": _packet, "contents": _contents}
