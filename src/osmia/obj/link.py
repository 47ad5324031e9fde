"""From functions to programs: subprograms appended, calls and loads filled in, func_info and line_info rebuilt.

libbpf's order: each main program takes along the subprograms that it calls, at the first call, depth first; the
copies of one subprogram in two programs are independent.  Source: tools/lib/bpf/libbpf.c, bpf_object__reloc_code,
bpf_object__relocate_data, adjust_prog_btf_ext_info.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from osmia.isa import Insn
from osmia.isa.consts import (
    BPF_PSEUDO_BTF_ID,
    BPF_PSEUDO_FUNC,
    BPF_PSEUDO_KFUNC_CALL,
    BPF_PSEUDO_MAP_FD,
    BPF_PSEUDO_MAP_VALUE,
)
from osmia.isa.insn import s32
from osmia.obj.externs import Wanted
from osmia.obj.kernel_symbols import Resolution
from osmia.obj.model import Extern, FuncInfo, LineInfo, MapSpec, Program, Subprog
from osmia.obj.parts import Function
from osmia.obj.relocs import CALL, Symbols, ToData, ToMap

POISON_MAP: Final = 2001000000
POISON_KFUNC: Final = 2002000000
"""Helper numbers that no kernel has: what stands where a map or a weak kfunc is missing (libbpf's, plus an index)."""


class Linker:
    """Builds one program; use it once."""

    def __init__(self, symbols: Symbols, maps: Sequence[MapSpec], kernel: Resolution, room: int = 1 << 20) -> None:
        """``maps``: all of the object, in order; ``room``: the most slots that the program may take."""
        self.symbols, self.maps, self.kernel, self.room = symbols, maps, kernel, room
        self._numbers = {id(spec): number for number, spec in enumerate(maps)}
        self.insns: list[Insn] = []
        self.placed: dict[Function, int] = {}
        self.loads: dict[int, int] = {}  # slot -> number of the map in ``maps``
        self.externs: list[Extern] = []
        self.poisoned: dict[int, str] = {}

    def link(self, main: Function, program: Program, also: Sequence[Function] = ()) -> Program:
        """Fill in ``program``; ``also`` are subprograms to append although nothing calls them."""
        for function in (main, *also):
            if function not in self.placed:
                self._append_all(function)
        for function, start in self.placed.items():
            self._fill_in(function, start)
        self._renumber_maps(program)
        program.insns, program.externs, program.poisoned = self.insns, self.externs, self.poisoned
        program.subprogs = [Subprog(f.name, start, start + len(f.insns)) for f, start in self.placed.items()]
        self._add_info(program)
        return program

    # -- calls

    def _append_all(self, first: Function) -> None:
        """Depth first without recursion: a chain of calls may be as long as the file."""
        self._append(first)
        stack = [(first, iter(self.symbols.uses(first).calls))]
        while stack:
            function, calls = stack[-1]
            slot, target = next(calls, (-1, function))
            if slot < 0:
                stack.pop()
                continue
            if target not in self.placed:
                self._append(target)
                stack.append((target, iter(self.symbols.uses(target).calls)))
            self._call(self.placed[function] + slot, self.placed[target])

    def _append(self, function: Function) -> None:
        self.placed[function] = len(self.insns)
        self.insns += function.insns
        if len(self.insns) > self.room:
            raise self.symbols.fail(function, 0, f"the object's programs grow beyond {self.room} instructions")

    def _call(self, at: int, target: int) -> None:
        insn = self.insns[at]
        pseudo = BPF_PSEUDO_FUNC if insn.is_wide else insn.src_reg
        self.insns[at] = Insn(insn.code, insn.dst_reg, pseudo, insn.off, target - at - 1)

    # -- loads

    def _fill_in(self, function: Function, start: int) -> None:
        for slot, meaning in self.symbols.uses(function).loads.items():
            if isinstance(meaning, ToMap):
                self._load_map(start + slot, meaning.spec, BPF_PSEUDO_MAP_FD, None)
            elif isinstance(meaning, ToData):
                offset = self.insns[start + slot].imm + meaning.offset
                self._load_map(start + slot, meaning.spec, BPF_PSEUDO_MAP_VALUE, offset)
            else:
                self._extern(start + slot, meaning.extern)
        if function.poisoned:
            self.poisoned |= {start + slot: why for slot, why in function.poisoned.items()}

    def _load_map(self, at: int, spec: MapSpec, pseudo: int, offset: int | None) -> None:
        number = self._numbers[id(spec)]
        if not spec.autocreate:
            self._poison_two(at, POISON_MAP + number, f"map {spec.name!r} is not created")
            return
        self.loads[at] = number
        self.insns[at] = self.insns[at]._replace(src_reg=pseudo, imm=number)
        if offset is not None:
            self.insns[at + 1] = self.insns[at + 1]._replace(imm=s32(offset))

    def _poison_two(self, at: int, helper: int, why: str) -> None:
        for i in (at, at + 1):
            self.insns[i] = Insn(CALL, imm=helper)
            self.poisoned[i] = why

    def _extern(self, at: int, extern: Wanted) -> None:
        if extern.form:
            assert self.symbols.kconfig
            self._load_map(at, self.symbols.kconfig, BPF_PSEUDO_MAP_VALUE, extern.offset)
        elif self.insns[at].code == CALL:
            self._kfunc(at, extern)
        else:
            self._load_symbol(at, extern)

    def _kfunc(self, at: int, extern: Wanted) -> None:
        number = self.kernel.number_of(extern)
        if number is None and self.kernel.known and extern.weak:
            self.insns[at] = Insn(CALL, imm=POISON_KFUNC + self.kernel.position(extern))
            self.poisoned[at] = f"the target has no kernel function {extern.name!r} (weak)"
            return
        self.insns[at] = self.insns[at]._replace(src_reg=BPF_PSEUDO_KFUNC_CALL, imm=number or 0, off=0)
        self.externs.append(Extern(at, extern.name, "func", extern.weak))

    def _load_symbol(self, at: int, extern: Wanted) -> None:
        low, high = self.insns[at], self.insns[at + 1]
        number = self.kernel.number_of(extern)
        if extern.type_id and not (number is None and self.kernel.known):
            self.insns[at] = low._replace(src_reg=BPF_PSEUDO_BTF_ID, imm=number or 0)
            self.insns[at + 1] = high._replace(imm=0)
            self.externs.append(Extern(at, extern.name, "func" if extern.is_func else "var", extern.weak))
            return
        address = self.kernel.address_of(extern)
        self.insns[at], self.insns[at + 1] = low._replace(imm=s32(address)), high._replace(imm=s32(address >> 32))
        if not extern.type_id:
            self.externs.append(Extern(at, extern.name, "addr", extern.weak))

    def _renumber_maps(self, program: Program) -> None:
        """The program lists only the maps that it uses, in the object's order; loads hold numbers of that list."""
        used = sorted(set(self.loads.values()))
        numbers = {old: new for new, old in enumerate(used)}
        program.maps = [self.maps[old] for old in used]
        for at, old in self.loads.items():
            self.insns[at] = self.insns[at]._replace(imm=numbers[old])

    def _add_info(self, program: Program) -> None:
        infos = self.symbols.infos
        if infos is None:
            return
        funcs, lines = infos[0].moved(self.placed), infos[1].moved(self.placed)
        for found, what in ((funcs, "function"), (lines, "line")):
            if isinstance(found, Function):
                reason = f".BTF.ext has no {what} info for {found.name!r}"
                raise self.symbols.parts.fail(reason, found.section, found.start * 8)
        assert isinstance(funcs, list) and isinstance(lines, list)
        program.func_info = [FuncInfo(at, row.type_id) for at, row in funcs]
        program.line_info = [LineInfo(at, row.file_off, row.line_off, row.line_col) for at, row in lines]
