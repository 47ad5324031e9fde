"""Real input to damage, made by the project itself when the tests run."""

from __future__ import annotations

import json
import struct
import tempfile
from functools import cache
from pathlib import Path

from obj.golden_text import KCONFIG, NAMES, linked, read

from osmia.asm import DIALECTS, classic, elf_write, llvm
from osmia.asm.classic_insn import SockFilter
from osmia.btf import Btf
from osmia.errors import AsmError
from osmia.isa import OPS, Insn, Kind, encode
from osmia.isa.table import Op
from osmia.obj import linker, record
from osmia.obj.elf import ElfFile
from osmia.sim import packet, pcap

Seeds = tuple[bytes, ...]
_VALUES = {Kind.REG: 2, Kind.IMM: 7, Kind.MEM: -8, Kind.HELPER: 6, Kind.SPACES: 1, Kind.LOW: 5}
_RETURN = [Insn(0xB7, 0, 0, 0, 1), Insn(0x95)]
IMPORTANT = (".symtab", ".strtab", ".BTF", ".BTF.ext", ".maps", "maps", ".rel.maps", ".rel.text", ".struct_ops")


def slots(op: Op) -> list[Insn]:
    """An example of one row of the table."""
    fields = (f if isinstance(f, int) else _VALUES.get(f, 0) for f in (op.dst, op.src, op.off, op.imm))
    return [Insn(op.code, *fields), *([Insn(0, 0, 0, 0, 1)] if op.wide else [])]


@cache
def programs() -> Seeds:
    """Bare instructions: every row, short programs, those of the objects."""
    every = [insn for op in OPS for insn in slots(op)]
    found = [p.insns for name in NAMES for p in linked(name).programs.values()]
    return tuple(encode(insns) for insns in (every + _RETURN, _RETURN, *found))


@cache
def hexadecimal() -> Seeds:
    """The same as digits."""
    return tuple(form for data in programs() for form in (data.hex().encode(), data.hex(" ", 1).encode()))


@cache
def objects() -> Seeds:
    """Objects of clang, of our assembler, and of our linker, in both byte orders."""
    made = [elf_write.bare(_RETURN, section="xdp"), elf_write.write(llvm.assemble(_LLVM, order="big"))]
    return (*(read(name) for name in (*NAMES, "calls.be", "maps.be")), linker.link([("a.o", read("calls"))]), *made)


def hot(data: bytes) -> list[tuple[int, int]]:
    """The parts of an object that its readers read most."""
    found = ElfFile(data).sections
    return [(0, 64), *((s.offset, s.size) for s in found if s.size and s.name in IMPORTANT),
            (len(data) - 64 * len(found), 64 * len(found))]  # fmt: skip


@cache
def _sections(name: str) -> Seeds:
    files = [ElfFile(data) for data in objects()]
    return tuple(bytes(f.contents(s)) for f in files if (s := f.section(name)))


def btf() -> Seeds:
    """Type tables."""
    return (*_sections(".BTF"), Btf().encode())


def btf_ext() -> Seeds:
    """Function, line and CO-RE rows."""
    return _sections(".BTF.ext")


@cache
def records() -> Seeds:
    """programs.jsonl of whole objects."""
    return tuple(b"".join(json.dumps(row).encode() + b"\n" for row in record.records(linked(n))) for n in NAMES)


@cache
def text(dialect: str) -> Seeds:
    """Every row that the dialect has words for, and a program of the objects."""
    if dialect == "classic":
        forms = (classic.format, classic.format_c, classic.format_numbers, classic.format_one_line)
        return (*(write(_FILTERS).encode() for write in forms), _TCPDUMP)
    return (*(b"".join(_lines(dialect, op) for op in OPS[at::7]) for at in range(7)), *_EXTRA.get(dialect, ()))


def sock_filters() -> Seeds:
    """Classic filters in bytes."""
    return (classic.encode(_FILTERS),)


def _lines(dialect: str, op: Op) -> bytes:
    try:
        return DIALECTS[dialect].format(slots(op)).encode()
    except AsmError:
        return b""


@cache
def captures() -> Seeds:
    """Packets, as pcap in both byte orders and as pcapng."""
    with tempfile.TemporaryDirectory() as folder:
        pcap.write(Path(folder) / "p", packet.samples())
        whole = (Path(folder) / "p").read_bytes()
    return whole, _pcap(">"), _pcapng()


def _pcap(order: str) -> bytes:
    made = struct.pack(order + "IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    return made + b"".join(struct.pack(order + "IIII", 1, 2, len(p), len(p)) + p for p in packet.samples())


def _pcapng() -> bytes:
    blocks = [(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)), (1, struct.pack("<HHI", 1, 0, 65535))]
    blocks += [(6, struct.pack("<5I", 0, 0, 1, len(p), len(p)) + p + bytes(-len(p) % 4)) for p in packet.samples()]
    return b"".join(struct.pack("<II", kind, len(b) + 12) + b + struct.pack("<I", len(b) + 12) for kind, b in blocks)


def configs() -> Seeds:
    """Kernel configurations."""
    return ("".join(f"{k}={v}\n" for k, v in KCONFIG.items()).encode(), b"# CONFIG_X is not set\nCONFIG_HZ=1000\n")


def acts() -> Seeds:
    """What users do."""
    return (b"touch a; cat a; rm a; unlink b; mkdir d; rmdir d; write f hello; udp 9 'x y'; getpgid 1; exec; sleep 1",)


_FILTERS = [
    *(SockFilter(0x28, 0, 0, 12), SockFilter(0x15, 0, 2, 0x800), SockFilter(0x30, 0, 0, 23), SockFilter(0x05, 0, 0, 1)),
    *(SockFilter(0x61, 0, 0, 2), SockFilter(0xB1, 0, 0, 14), SockFilter(0x7), SockFilter(0x2C)),
    *(SockFilter(0x6, k=262144), SockFilter(0x16)),
]
_TCPDUMP = b"""(000) ldh      [12]
(001) jeq      #0x800           jt 2	jf 5
(002) ldxb     4*([14]&0xf)
(003) ldh      [x + 14]
(004) ret      #262144
(005) ret      #0
"""
_LLVM = """
    .text
    .globl f
f:  r1 = 5 ll
    r2 = counts ll
    if r1 == 7 goto 1f
    call g
1:  lock *(u32 *)(r1 + 0) += w2
    r0 = bswap16 r0
    exit
.Lend:
    .size f, .Lend-f
    .section .maps,"aw",@progbits
    .p2align 3
counts: .quad 1, . - counts
    .ascii "abc\\0\\x41"
    .set x, 4*(3+counts-counts)
    .section license,"aw",@progbits
    .asciz "GPL"
"""
_EXTRA = {
    "llvm": (_LLVM.encode(),),
    "kernel": (
        b"func#0 @0\n0: R1=ctx() R10=fp0\n0: (b7) r1 = 2675                    ; R1_w=2675\n"
        b"1: (6b) *(u16 *)(r10 -8) = r1        ; frame1: R1=2675 fp-8=????2675\n"
        b"2: (18) r2 = 0xffff888100112233      ; R2=map_value(map=x.bss,ks=4,vs=4)\n"
        b"4: (85) call bpf_map_lookup_elem#1\nfrom 4 to 6: R0=0\n6: (95) exit\nprocessed 5 insns (limit 1000000)\n",
    ),
    "ubpf": (
        b"mov32 %r0, 5\nldxdw %r0, [%r1+8]\nl: jne %r0, 15, lbl\nlock fetch add [%r1], %r2\ncall local f\n"
        b"lbl: exit\nf: # comment\nlddw %r1, 0x1122334455667788\nexit\n",
    ),
}
