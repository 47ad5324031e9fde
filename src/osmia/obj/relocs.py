"""What each relocation of a code section means: a map, a variable, an extern, a subprogram.

Source of the rules: tools/lib/bpf/libbpf.c, bpf_program__record_reloc.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from osmia.btf.ext import FuncRow, LineRow
from osmia.errors import LinkError
from osmia.isa.consts import BPF_CALL, BPF_JMP, BPF_PSEUDO_CALL
from osmia.obj import elf as e
from osmia.obj.externs import Wanted
from osmia.obj.info import InfoTable
from osmia.obj.model import MapSpec
from osmia.obj.parts import GLOBAL_DATA, Function, Parts, Role

CALL = BPF_JMP | BPF_CALL


@dataclass(frozen=True, slots=True)
class ToMap:
    """Load a map."""

    spec: MapSpec


@dataclass(frozen=True, slots=True)
class ToData:
    """Load the address of a global variable: ``offset`` bytes (plus the instruction's own imm) into a map's value."""

    spec: MapSpec
    offset: int


@dataclass(frozen=True, slots=True)
class ToExtern:
    """Call or load a kernel symbol, or load a kconfig value."""

    extern: Wanted


@dataclass(frozen=True, slots=True)
class ToSubprog:
    """Call a subprogram, or load its address as a callback."""

    function: Function


Load = ToMap | ToData | ToExtern
Meaning = Load | ToSubprog


@dataclass(frozen=True, slots=True)
class Uses:
    """What a function refers to, by slot: loads and externs, and subprograms called or taken the address of."""

    loads: dict[int, Load]
    calls: list[tuple[int, Function]]


@dataclass(slots=True)
class Symbols:
    """What symbols can mean: the maps by place and the externs by symbol number."""

    parts: Parts
    maps: dict[tuple[int, int], MapSpec] = field(default_factory=dict)  # (section, offset)
    data: dict[int, MapSpec] = field(default_factory=dict)  # section of global data, or of the arena's variables
    externs: dict[int, Wanted] = field(default_factory=dict)
    kconfig: MapSpec | None = None
    infos: tuple[InfoTable[FuncRow], InfoTable[LineRow]] | None = None
    _uses: dict[Function, Uses] = field(default_factory=dict)

    def uses(self, function: Function) -> Uses:
        """All that a function refers to; worked out once, however many programs take the function along."""
        if function not in self._uses:
            meanings = {slot: self.meaning(function, slot) for slot in sorted(function.relocs)}
            loads = {slot: m for slot, m in meanings.items() if not isinstance(m, ToSubprog)}
            calls = {slot: m.function for slot, m in meanings.items() if isinstance(m, ToSubprog)}
            for slot, insn in enumerate(function.insns):
                if insn.code == CALL and insn.src_reg == BPF_PSEUDO_CALL and slot not in meanings:
                    calls[slot] = self._same_section(function, slot, insn.imm)
            self._uses[function] = Uses(loads, sorted(calls.items()))
        return self._uses[function]

    def _same_section(self, function: Function, slot: int, imm: int) -> Function:
        """What a call without relocation means: a static subprogram of the same section."""
        target = function.start + slot + imm + 1
        found = self.parts.function_at(function.section.number, target) if self.parts.is_subprog(function) else None
        if found is None:
            raise self.fail(function, slot, f"slot {target} of {function.section.name} is in no subprogram")
        return found

    def meaning(self, function: Function, slot: int) -> Meaning:
        """What the relocation at a slot of a function means.  Raises LinkError with section and offset."""
        reloc = function.relocs[slot]
        symbol, insn = self.parts.elf.symbols[reloc.symbol], function.insns[slot]
        if insn.code != CALL and not insn.is_wide:
            raise self.fail(function, slot, f"opcode {insn.code:#04x} can't refer to {self.shown(symbol)!r}")
        if insn.is_wide and slot + 1 >= len(function.insns):
            raise self.fail(function, slot, "the second half of a 64-bit load is missing")
        if symbol.number in self.externs:
            return ToExtern(self.externs[symbol.number])
        if insn.code == CALL:
            return self._call(function, slot, symbol)
        return self._load(function, slot, symbol)

    def shown(self, symbol: e.Symbol) -> str:
        """The symbol's name, or its section's where it stands for a section."""
        sections = self.parts.elf.sections
        return symbol.name or (sections[symbol.section].name if symbol.section < len(sections) else "?")

    def fail(self, function: Function, slot: int, reason: str) -> LinkError:
        """A LinkError at an instruction."""
        place = (function.start + slot) * 8
        return self.parts.fail(f"{function.name}: {reason}", function.section, place)

    def _call(self, function: Function, slot: int, symbol: e.Symbol) -> ToSubprog:
        if function.insns[slot].src_reg != BPF_PSEUDO_CALL:
            raise self.fail(function, slot, f"{self.shown(symbol)!r} is called as a helper")
        if not symbol.defined or symbol.section != self.parts.text:
            where = "is not defined" if not symbol.defined else "is not in .text"
            raise self.fail(function, slot, f"the subprogram {self.shown(symbol)!r} {where}")
        if symbol.value % 8:
            raise self.fail(function, slot, f"{self.shown(symbol)!r} starts inside an instruction")
        # Static functions: the symbol is the section's, and the imm counts slots from its start.
        return self._subprog(function, slot, symbol.value // 8 + function.insns[slot].imm + 1)

    def _subprog(self, function: Function, slot: int, target: int) -> ToSubprog:
        found = self.parts.function_at(self.parts.text, target)
        if found is None:
            raise self.fail(function, slot, f"slot {target} of .text is in no subprogram")
        return ToSubprog(found)

    def _load(self, function: Function, slot: int, symbol: e.Symbol) -> Meaning:
        if not symbol.defined or symbol.section >= len(self.parts.elf.sections):
            reason = f"{self.shown(symbol)!r} is defined nowhere (a common or undefined symbol)"
            raise self.fail(function, slot, reason)
        if symbol.section == self.parts.text and symbol.type in (e.STT_FUNC, e.STT_SECTION):
            at = symbol.value + function.insns[slot].imm
            if at % 8:
                raise self.fail(function, slot, f"{self.shown(symbol)!r} plus {at} is inside an instruction")
            return self._subprog(function, slot, at // 8)
        return self._variable(function, slot, symbol)

    def _variable(self, function: Function, slot: int, symbol: e.Symbol) -> Meaning:
        role = self.parts.roles.get(symbol.section)
        section = self.parts.elf.sections[symbol.section].name
        if role in (Role.BTF_MAPS, Role.LEGACY_MAPS):
            spec = self.maps.get((symbol.section, symbol.value))
            if spec is None:
                raise self.fail(function, slot, f"no map starts at byte {symbol.value:#x} of {section}")
            return ToMap(spec)
        if role in (*GLOBAL_DATA, Role.ARENA) and symbol.section in self.data:
            return ToData(self.data[symbol.section], symbol.value)
        if role is Role.JUMP_TABLES:
            raise self.fail(function, slot, "jump tables (insn_array maps) are not supported")
        raise self.fail(function, slot, f"{self.shown(symbol)!r} is in {section!r}, which is neither maps nor data")
