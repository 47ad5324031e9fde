"""Golden programs: readable files of small programs with the answer that the kernel gave.

A file holds cases, each a block of lines::

    # name: sdiv64_reg
    # type: socket_filter
    # data: 00010203
    b700000001000000  r0 = 1
    9500000000000000  exit
    # retval: 0x1
    # out: 00010203

The hexadecimal column is the program, the text behind it is for people.  ``out`` is left out where the packet
did not change.  For a socket filter the first 14 bytes do not count: the kernel blanks them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from osmia.isa import Insn, decode
from osmia.obj.model import Program
from osmia.vm import Context, SkbContext, XdpContext

ETH_HLEN = 14


@dataclass
class Case:
    name: str
    prog_type: str
    data: bytes
    insns: list[Insn]
    retval: int = 0
    out: bytes = b""

    @property
    def program(self) -> Program:
        return Program(self.name[:15], self.prog_type, self.insns, license="GPL")

    def context(self) -> Context:
        """What BPF_PROG_TEST_RUN would make of the packet."""
        if self.prog_type == "xdp":
            return XdpContext(self.data)
        start = "network" if self.prog_type == "socket_filter" else None
        return SkbContext(self.data, prog_type=self.prog_type, start=start)

    def visible(self, data: bytes | None) -> bytes:
        """The part of the resulting packet that is compared."""
        return (data or b"")[ETH_HLEN if self.prog_type == "socket_filter" else 0 :]


def write(case: Case) -> str:
    lines = [f"# name: {case.name}", f"# type: {case.prog_type}", f"# data: {case.data.hex()}"]
    texts = dict(_texts(case.insns))
    lines += [f"{insn.encode().hex()}  {texts.get(pc, '')}".rstrip() for pc, insn in enumerate(case.insns)]
    lines += [f"# retval: {case.retval:#x}"]
    if case.visible(case.out) != case.visible(case.data):
        lines += [f"# out: {case.out.hex()}"]
    return "\n".join(lines) + "\n"


def _texts(insns: list[Insn]) -> Iterator[tuple[int, str]]:
    from osmia.asm import DIALECTS

    for line in DIALECTS["kernel"].format(insns).splitlines():
        number, _, text = line.partition(": ")
        if number.strip().isdigit():
            yield int(number), text.split(") ", 1)[-1]


def read(path: Path) -> list[Case]:
    blocks = path.read_text().split("# name: ")[1:]
    return [_case(block) for block in blocks]


def _case(block: str) -> Case:
    name, *lines = block.strip().splitlines()
    facts = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# ") and ": " in line)
    code = bytes.fromhex("".join(line[:16] for line in lines if line and line[0] != "#"))
    data = bytes.fromhex(facts.get("data", ""))
    out = bytes.fromhex(facts["out"]) if "out" in facts else data
    return Case(name, facts["type"], data, decode(code), int(facts["retval"], 0), out)
