"""A smaller program with the same trouble: fewer instructions, simpler numbers, fewer maps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from osmia.isa import Insn
from osmia.isa import consts as c
from osmia.obj.model import FuncInfo, Program

Test = Callable[[Program], bool]
MAX_TRIES = 3000


def shrink(program: Program, still: Test, tries: int = MAX_TRIES) -> Program:
    """The smallest program found for which ``still`` holds; it holds for the one given."""
    hunt = _Hunt(still, tries)
    best, size = program, (-1, -1)
    while hunt.left > 0 and _size(best) != size:
        size = _size(best)
        best = hunt.cut(best)
        best = hunt.cut_jumps(best)
        best = hunt.simplify(best)
        best = hunt.drop_maps(best)
    return best


def _size(program: Program) -> tuple[int, int]:
    return len(program.insns), sum(i.imm.bit_length() for i in program.insns)


class _Hunt:
    """The tries that are left."""

    def __init__(self, still: Test, tries: int) -> None:
        self.still = still
        self.left = tries

    def holds(self, program: Program) -> bool:
        """One try."""
        self.left -= 1
        return self.left >= 0 and self.still(program)

    def cut(self, program: Program) -> Program:
        """Leave out runs of instructions, long ones first."""
        length = max(1, len(program.insns) // 2)
        while length:
            at = 0
            while at < len(program.insns):
                smaller = without(program, at, min(length, len(program.insns) - at))
                if smaller is not None and smaller.insns and self.holds(smaller):
                    program = smaller
                else:
                    at += length
            length //= 2
        return program

    def cut_jumps(self, program: Program) -> Program:
        """Leave out jumps with what they jump over."""
        at = 0
        while at < len(program.insns):
            leads = target(program.insns[at], at)
            smaller = without(program, at, leads - at) if at + 1 < leads <= len(program.insns) else None
            if smaller is not None and smaller.insns and self.holds(smaller):
                program = smaller
            else:
                at += 1
        return program

    def simplify(self, program: Program) -> Program:
        """Smaller constants, lower registers' operations."""
        for at in range(len(program.insns)):
            for insn in simpler(program.insns[at]):
                changed = replace(program, insns=[*program.insns[:at], insn, *program.insns[at + 1 :]])
                if self.holds(changed):
                    program = changed
                    break
        return program

    def drop_maps(self, program: Program) -> Program:
        """Leave out maps that nothing names, and BTF where it is not needed."""
        used = sorted({i.imm for i in program.insns if is_map_load(i)})
        if used != list(range(len(program.maps))) and all(0 <= n < len(program.maps) for n in used):
            insns = [i._replace(imm=used.index(i.imm)) if is_map_load(i) else i for i in program.insns]
            smaller = replace(program, insns=insns, maps=[program.maps[n] for n in used])
            if self.holds(smaller):
                program = smaller
        if program.btf is not None:
            bare = replace(program, btf=None, func_info=[], line_info=[])
            if self.holds(bare):
                program = bare
        return program


def is_map_load(insn: Insn) -> bool:
    """A 64-bit load that names a map by number."""
    return insn.is_wide and insn.src_reg in (c.BPF_PSEUDO_MAP_FD, c.BPF_PSEUDO_MAP_VALUE)


def simpler(insn: Insn) -> list[Insn]:
    """Other instructions to try in its place, the simplest first."""
    if insn.is_wide or (insn.code & 7 in (c.BPF_JMP, c.BPF_JMP32) and insn.code & 0xF0 == c.BPF_CALL):
        return []
    tries = [insn._replace(imm=imm) for imm in (0, 1, insn.imm // 2) if abs(imm) < abs(insn.imm)]
    return tries


def target(insn: Insn, at: int) -> int:
    """Where a jump or a call inside the program leads; -1 for other instructions."""
    kind, op = insn.code & 7, insn.code & 0xF0
    if insn.is_wide and insn.src_reg == c.BPF_PSEUDO_FUNC:
        return at + 1 + insn.imm
    if kind not in (c.BPF_JMP, c.BPF_JMP32) or op == c.BPF_EXIT:
        return -1
    if op == c.BPF_CALL:
        return at + 1 + insn.imm if insn.src_reg == c.BPF_PSEUDO_CALL else -1
    return at + 1 + (insn.imm if insn.code == c.BPF_JMP32 | c.BPF_JA else insn.off)


def retarget(insn: Insn, by: int) -> Insn:
    """The jump or call with another distance."""
    in_imm = insn.is_wide or insn.code & 0xF0 == c.BPF_CALL or insn.code == c.BPF_JMP32 | c.BPF_JA
    return insn._replace(imm=by) if in_imm else insn._replace(off=by)


def without(program: Program, at: int, count: int) -> Program | None:
    """The program without some instructions; jumps into the gap lead behind it.  None if a jump gets lost."""
    insns = program.insns
    new = [n if n < at else max(at, n - count) for n in range(len(insns) + 1)]
    kept = []
    for old, insn in enumerate(insns):
        if at <= old < at + count:
            continue
        leads = target(insn, old)
        if leads >= 0:
            if leads > len(insns):
                return None
            insn = retarget(insn, new[leads] - new[old] - 1)
        kept.append(insn)
    funcs = [
        FuncInfo(new[f.insn], f.type_id) for f in program.func_info if not at <= f.insn < at + count or f.insn == 0
    ]
    lines = [replace(x, insn=new[x.insn]) for x in program.line_info if not at <= x.insn < at + count]
    externs = [replace(x, insn=new[x.insn]) for x in program.externs if not at <= x.insn < at + count]
    return replace(program, insns=kept, func_info=funcs, line_info=lines, externs=externs)
