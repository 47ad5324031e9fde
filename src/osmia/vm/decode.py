"""From slots to the rows that the interpreter runs: everything a load can settle is settled here.

A row is ``(op, dst, src, off, imm)``: ``op`` of ``vm.ops``; ``src`` a register or ``IMM``; ``off`` the byte offset
of an access, or how far a jump or call goes from the next row (in rows; in bytes in the native copy);
``imm`` 64 bits, sign extended or an address.  The native copy also points at the second operand.
Refused at once, as every kernel does: unknown and reserved instructions, registers from R11 on, writes
to R10, jumps out of the program or into the second slot of a 64-bit load.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from osmia.errors import BadInsn, MissingBody
from osmia.isa import OPS as OPS_OF_ISA
from osmia.isa import Insn, Kind, Op, Reserved, Unknown, classify
from osmia.isa import consts as c
from osmia.isa.classify import BY_CODE
from osmia.isa.insn import imm64
from osmia.raw import Buffer, write
from osmia.vm.env import FastBody, HelperBody
from osmia.vm.ops import FUSED, IMM, OPS

if TYPE_CHECKING:
    from osmia.obj.model import Program

M64 = 0xFFFFFFFFFFFFFFFF
TAIL_CALL = 12
ROW = struct.Struct("=HBBiQQ")
"""A row in native memory: op, dst, src, off, the address of the operand, imm."""

_SWAPPED, _UNSWAPPED = ("be", "le") if sys.byteorder == "little" else ("le", "be")
_BITS = {"b": "8", "h": "16", "w": "32", "dw": "64"}


class Row(NamedTuple):
    """One decoded slot."""

    op: int
    dst: int = 0
    src: int = 0
    off: int = 0
    imm: int = 0


def _plain_names() -> dict[str, str]:
    """The interpreter's name of every instruction that needs no resolving, by its name in the table."""
    names: dict[str, str] = {}
    for bits in ("64", "32"):
        for op in "mov add sub mul div sdiv mod smod or and xor lsh rsh arsh".split():
            names |= {f"{op}{bits}_{how}": f"{op}{bits}".upper() for how in ("imm", "reg")}
        for op in "jeq jne jgt jge jlt jle jsgt jsge jslt jsle jset".split():
            names |= {f"{op}{bits if bits == '32' else ''}_{how}": f"{op}{bits}".upper() for how in ("imm", "reg")}
        names |= {f"movsx{bits}_s{low}": f"SX{low}_{bits}" for low in ("8", "16", "32")}
        names |= {f"{op}{bits}": f"ATOMIC{bits}" for op in ("xchg", "cmpxchg")}
        for op in ("add", "or", "and", "xor"):
            names |= {f"atomic_{fetch}{op}{bits}": f"ATOMIC{bits}" for fetch in ("", "fetch_")}
        names[f"neg{bits}"] = f"NEG{bits}"
    for size, bits in _BITS.items():
        names |= {f"{op}_{size}": f"LDX{bits}" for op in ("ldx", "load_acquire")}
        names |= {f"{op}_{size}": f"ST{bits}" for op in ("st", "stx", "store_release")}
        names |= {f"ldxsx_{size}": f"LDSX{bits}", f"ldabs_{size}": "LDABS", f"ldind_{size}": "LDIND"}
    for bits in ("16", "32", "64"):
        names |= {f"bswap{bits}": f"SWAP{bits}", f"{_SWAPPED}{bits}": f"SWAP{bits}"}
        names[f"{_UNSWAPPED}{bits}"] = f"CUT{bits}" if bits != "64" else "MOV64"
    names |= {"addr_space_cast": "MOV64", "ja": "JA", "gotol": "JA", "may_goto": "MAY_GOTO"}
    return names | {"call_local": "LOCAL", "callx": "CALLX", "exit": "EXIT"}


PLAIN: dict[str, int] = {name: OPS[ours] for name, ours in _plain_names().items() if ours in OPS}


_S16, _S32 = range(-0x8000, 0x8000), range(-(1 << 31), 1 << 31)
_OPEN: dict[Kind | str, range] = {Kind.REG: range(11), "off": _S16, "imm": _S32}


def _shape(op: Op) -> tuple[Op, range, range, range, range]:
    """The row of the table with the values that each field may hold."""
    pairs = ((Kind.REG, op.dst), (Kind.REG, op.src), ("off", op.off), ("imm", op.imm))
    dst, src, off, imm = (range(f, f + 1) if isinstance(f, int) else _OPEN[kind] for kind, f in pairs)
    return op, dst, src, off, imm


SHAPES = tuple(tuple(_shape(op) for op in rows) for rows in BY_CODE)


UNCHECKED = (("exit", ("off",)),)
"""Reserved fields that Linux (6.18) does not look at: programs run with anything in them."""


def known(insn: Insn, pc: int) -> Op:
    """The instruction's row in the table.  Raises BadInsn where it has none."""
    code, dst, src, off, imm = insn
    for op, dsts, srcs, offs, imms in SHAPES[code & 0xFF]:
        if dst in dsts and src in srcs and off in offs and imm in imms and code == op.code:
            return op
    found = classify(insn)
    if isinstance(found, Reserved) and (found.op.name, found.fields) in UNCHECKED:
        return found.op
    if isinstance(found, Reserved):
        fields = ", ".join(f"{name} {getattr(insn, name)}" for name in found.fields)
        raise BadInsn(f"{found.op.name} (opcode {code:#04x}) does not take {fields}", pc)
    if isinstance(found, Unknown):
        raise BadInsn(f"unknown opcode {code:#04x}", pc)
    raise BadInsn(f"{insn} does not fit into 8 bytes", pc)


_WRITING = (c.BPF_ALU, c.BPF_ALU64, c.BPF_LDX, c.BPF_LD)
WRITES_DST = frozenset(
    op.name for op in OPS_OF_ISA
    if op.dst is Kind.REG and (op.cls in _WRITING or op.name.startswith("load_acquire"))
)  # fmt: skip
WRITES_SRC = frozenset(op.name for op in OPS_OF_ISA if op.name.startswith(("atomic_fetch", "xchg")))


def writes_frame_pointer(op: Op, insn: Insn) -> bool:
    """Would the instruction change R10?"""
    return (insn.dst_reg == 10 and op.name in WRITES_DST) or (insn.src_reg == 10 and op.name in WRITES_SRC)


JUMPS = frozenset(n for name, n in OPS.items() if name.startswith("J") or name in ("MAY_GOTO", "LOCAL"))
"""Rows whose ``off`` is a distance in the program."""


def _as_sum(row: Row) -> Row:
    """Subtracting a constant is adding another one."""
    return row._replace(op=OPS["ADD64"], imm=-row.imm & M64) if row.op == OPS["SUB64"] and row.src == IMM else row


PAIRS = {(OPS[first], OPS[second]): OPS[both] for (first, second), both in FUSED.items()}


def _native(row: Row, after: Row, address: int, registers: int, bodies: list[HelperBody]) -> bytes:
    body = bodies[row.imm] if row.op == OPS["HELPER"] else None
    if isinstance(body, FastBody) and body.address:
        return ROW.pack(OPS["FAST"], 0, IMM, row.imm, address + ROW.size - 8, body.address)
    off = row.off * ROW.size if row.op in JUMPS else row.off
    operand = address + ROW.size - 8 if row.src == IMM else registers + 8 * row.src
    return ROW.pack(PAIRS.get((row.op, after.op), row.op), row.dst, row.src, off, operand, row.imm)


class Code:
    """A decoded program.  ``rows`` for the uncompiled loop, ``address`` of the same rows for the compiled one;
    ``count`` slots, then a row that catches what runs out of the program, then an exit for legacy packet loads.

    A callback pointer is the address of the row it starts at: unique, and never an accessible address.
    """

    def __init__(
        self, program: Program, rows: list[Row], bodies: list[HelperBody], native: Buffer, registers: int
    ) -> None:
        self.program = program
        self.rows = rows
        self.bodies = bodies
        self.count = len(rows) - 2
        self.address = native.address
        self._native = native
        places = range(native.address, native.address + native.size, ROW.size)
        fast = [_as_sum(row) for row in rows]
        pairs = zip(fast, [*fast[1:], fast[-1]], places, strict=True)
        write(native.address, b"".join(_native(row, after, at, registers, bodies) for row, after, at in pairs))

    def slot_of(self, pointer: int) -> int:
        """The slot behind a callback pointer, or -1."""
        slot, rest = divmod(pointer - self.address, ROW.size)
        return slot if rest == 0 and 0 <= slot < self.count and self.rows[slot][0] != OPS["BEYOND"] else -1

    def name_of(self, slot: int) -> str:
        """The function that holds the slot."""
        names = [s.name for s in self.program.subprogs if s.start <= slot < s.end]
        return names[-1] if names else self.program.name


class Decoder:
    """Decodes one program.  What the program names (maps, helpers, kfuncs, variables) is given by the machine,
    and the address of its registers.
    """

    def __init__(
        self,
        program: Program,
        maps: Sequence[Any],
        helpers: Mapping[int, HelperBody],
        kfuncs: Mapping[str, HelperBody],
        ksyms: Mapping[str, int],
        registers: int = 0,
    ) -> None:
        self.program, self.maps, self.helpers, self.kfuncs, self.ksyms = program, maps, helpers, kfuncs, ksyms
        self.insns, self.registers = program.insns, registers
        self.externs = {extern.insn: extern for extern in program.externs}
        self.bodies: list[HelperBody] = []
        self.native = Buffer(ROW.size * (len(self.insns) + 2))
        self._numbers: dict[object, int] = {}
        self._seconds = self._second_slots()

    def decode(self) -> Code:
        """The program, ready to run.  Raises BadInsn with its slot."""
        if not self.insns:
            raise BadInsn("the program has no instructions", 0)
        beyond, leave = Row(OPS["BEYOND"]), Row(OPS["EXIT"])
        rows = [beyond if pc in self._seconds else self._row(pc, insn) for pc, insn in enumerate(self.insns)]
        return Code(self.program, [*rows, beyond, leave], self.bodies, self.native, self.registers)

    def _second_slots(self) -> frozenset[int]:
        found, pc = [], 0
        while pc < len(self.insns):
            if self.insns[pc].is_wide:
                pc += 1
                found.append(pc)
            pc += 1
        return frozenset(found)

    def _target(self, pc: int, offset: int) -> int:
        target = pc + 1 + offset
        if not 0 <= target < len(self.insns):
            raise BadInsn(f"goes to {target}, out of the program of {len(self.insns)} slots", pc)
        if target in self._seconds:
            raise BadInsn(f"goes to {target}, the second slot of a 64-bit load", pc)
        return target

    def _row(self, pc: int, insn: Insn) -> Row:
        op = known(insn, pc)
        if writes_frame_pointer(op, insn):
            raise BadInsn("writes R10, the frame pointer", pc)
        if op.wide:
            return self._wide(pc, insn, op)
        if op.name in ("call", "call_kfunc"):
            return self._call(pc, insn, op)
        off = insn.off
        if op.off is Kind.JUMP:
            self._target(pc, insn.off)
        elif op.imm is Kind.SLOTS:
            off = self._target(pc, insn.imm) - pc - 1
        elif op.name.startswith(("ldabs", "ldind")):
            off = c.SIZE_BYTES[insn.code & 0x18]
        src = insn.src_reg if op.src is Kind.REG else IMM
        if op.name == _UNSWAPPED + "64":  # changes nothing
            src = insn.dst_reg
        return Row(PLAIN[op.name], insn.dst_reg, src, off, insn.imm & M64)

    def _wide(self, pc: int, insn: Insn, op: Op) -> Row:
        if pc + 1 >= len(self.insns):
            raise BadInsn("a 64-bit load without its second slot", pc)
        high = self.insns[pc + 1]
        if high[:4] != (0, 0, 0, 0):
            raise BadInsn("the second slot of a 64-bit load holds more than a constant", pc + 1)
        return Row(OPS["WIDE"], insn.dst_reg, IMM, 0, self._wide_value(pc, insn, high, op.name) & M64)

    def _wide_value(self, pc: int, insn: Insn, high: Insn, name: str) -> int:
        if name == "ld_imm64":
            return imm64(insn, high)
        if name == "ld_func":
            return self.native.address + ROW.size * self._target(pc, insn.imm)
        if name == "ld_btf_id":
            return self._variable(pc, insn)
        map_ = self._map(pc, self._descriptor(pc, insn.imm) if name.startswith("ld_map_idx") else insn.imm)
        return int(map_.address) if "value" not in name else self._map_value(pc, map_, high.imm)

    def _descriptor(self, pc: int, index: int) -> int:
        """What stands at a place of the program's fd_array: the number of a map; the place itself if there is none."""
        array = self.program.fd_array
        if array is None:
            return index
        if not 0 <= index < len(array):
            raise BadInsn(f"names place {index} of an fd_array of {len(array)}", pc)
        return array[index]

    def _map(self, pc: int, number: int) -> Any:
        if not 0 <= number < len(self.maps):
            raise BadInsn(f"names map {number} of {len(self.maps)}", pc)
        return self.maps[number]

    def _map_value(self, pc: int, map_: Any, offset: int) -> int:
        address = int(map_.direct_value(offset))
        if address <= 0:
            raise BadInsn(f"map {map_.name} has no value to be named, with offset {offset} (errno {-address})", pc)
        return address

    def _variable(self, pc: int, insn: Insn) -> int:
        extern = self.externs.get(pc)
        name = extern.name if extern else f"BTF id {insn.imm}"
        if name in self.ksyms:
            return self.ksyms[name]
        if extern and extern.weak:
            return 0
        raise BadInsn(f"nothing here is the kernel variable {name}", pc)

    def _call(self, pc: int, insn: Insn, op: Op) -> Row:
        why = self.program.poisoned.get(pc)
        if why is not None:
            return Row(OPS["HELPER"], imm=self._number(("poison", pc), lambda: poisoned(why, pc)))
        if op.name == "call_kfunc":
            extern = self.externs.get(pc)
            name = extern.name if extern else f"kernel function with BTF id {insn.imm}"
            return Row(OPS["HELPER"], imm=self._number(name, lambda: self.kfuncs.get(name) or missing(name)))
        if insn.imm == TAIL_CALL:
            return Row(OPS["TAIL"])
        number = insn.imm
        return Row(OPS["HELPER"], imm=self._number(number, lambda: self.helpers.get(number) or missing_helper(number)))

    def _number(self, key: object, find: Callable[[], HelperBody]) -> int:
        if key not in self._numbers:
            self._numbers[key] = len(self.bodies)
            self.bodies.append(find())
        return self._numbers[key]


def missing(name: str) -> HelperBody:
    """A body that raises MissingBody when the program gets there."""

    def body(env: Any, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
        raise MissingBody(name)

    return body


def missing_helper(number: int) -> HelperBody:
    """The same for a helper, by its name where the table knows the number."""
    from osmia.errors import OsmiaError
    from osmia.kernel.helpers import helper_by_id

    try:
        return missing(f"bpf_{helper_by_id(number).name.removeprefix('bpf_')}")
    except (OsmiaError, LookupError):
        return missing(f"helper {number}")


def poisoned(why: str, pc: int) -> HelperBody:
    """A body that explains the unresolved relocation when the program gets there."""

    def body(env: Any, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
        raise BadInsn(f"reached an instruction that could not be relocated: {why}", pc)

    return body
