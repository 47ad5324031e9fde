"""What the emitter asks about the program: helpers, maps and constants behind the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osmia.isa import consts as c
from osmia.vm.jit.kinds import Kind
from osmia.vm.jit.unit import MapShape, Options, Symbol
from osmia.words import s64

if TYPE_CHECKING:
    from osmia.vm.decode import Code

LD_IMM64 = c.BPF_LD | c.BPF_IMM | c.BPF_DW
MAP, MAP_VALUE, VARIABLE, FUNCTION = (1, 5), (2, 6), 3, 4
"""What src_reg of a 64-bit load says that its constant is."""
BY_INDEX = (5, 6)
ARRAY = "array"


class Source:
    """A decoded program with what is known of its maps and helpers."""

    def __init__(self, code: Code, options: Options) -> None:
        self.code, self.options = code, options
        self.insns = code.program.insns
        self.poisoned = code.program.poisoned
        self.externs = {extern.insn: extern for extern in code.program.externs}

    def shape(self, number: int) -> MapShape | None:
        """The map of that number, where it is known."""
        return self.options.maps[number] if 0 <= number < len(self.options.maps) else None

    def helper_at(self, slot: int) -> int:
        """The number of the helper that a row calls; -1 for a kfunc or a call that must not be reached."""
        insn = self.insns[slot]
        return insn.imm if insn.src_reg == 0 and slot not in self.poisoned else -1

    def helper_name(self, slot: int) -> str:
        """The name of the helper that a row calls, where its native body is the one to be called; else empty."""
        return self.options.fast.get(self.helper_at(slot), "")

    def map_number(self, slot: int) -> int:
        """The map that a 64-bit load means; by index, what stands there in the program's fd_array."""
        insn, array = self.insns[slot], self.code.program.fd_array
        return array[insn.imm] if array is not None and insn.src_reg in BY_INDEX else insn.imm

    def wide_kind(self, slot: int) -> Kind | None:
        """What a 64-bit load puts into its register."""
        insn, how = self.insns[slot], self.insns[slot].src_reg
        if how == 0:
            return Kind("const", offset=s64(self.code.rows[slot].imm))
        if how in MAP:
            return Kind("map", self.map_number(slot), 0)
        if how in MAP_VALUE:
            return Kind("value", self.map_number(slot), self.insns[slot + 1].imm)
        return Kind("function", slot + 1 + insn.imm) if how == FUNCTION else Kind("memory")

    def wide_symbol(self, slot: int) -> tuple[str, Symbol, int]:
        """Name of the symbol that a 64-bit load names, what it stands for, and the distance from it."""
        insn, how = self.insns[slot], self.insns[slot].src_reg
        number = self.map_number(slot)
        if how in MAP:
            return f"map{number}", Symbol("map", number), 0
        if how in MAP_VALUE:
            offset, shape = self.insns[slot + 1].imm, self.shape(number)
            if shape is not None and shape.type == ARRAY:
                return f"map{number}.values", Symbol("values", number), offset
            return f"map{number}.value+{offset}", Symbol("value", number, offset), 0
        extern = self.externs.get(slot)
        name = extern.name if extern else f"BTF id {insn.imm}"
        return f"ksym.{name}", Symbol("ksym", name=name), 0

    def plain(self, slot: int) -> bool:
        """Is an access an ordinary one, not load_acquire or store_release?"""
        code = self.insns[slot].code
        return code & 7 == c.BPF_ST or code & 0xE0 != c.BPF_ATOMIC
