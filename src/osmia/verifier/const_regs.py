"""Registers that hold a constant whichever way the program came: known before the walk, by flow over each function.

Jumps that compare such constants become plain jumps, so that nothing is kept for what they never lead to.
(``kernel/bpf/const_fold.c``, Linux 7.1.)
"""

from __future__ import annotations

from errno import EINVAL
from operator import eq, ge, gt, le, lt, ne

from osmia.isa import consts as c
from osmia.isa.insn import Insn
from osmia.kernel.uapi import MAP_TYPE
from osmia.verifier.env import Env
from osmia.verifier.flow import insn_successors, is_may_goto
from osmia.verifier.insn import VInsn
from osmia.verifier.order import compute_postorder
from osmia.words import s32, s64

Known = tuple[str, int, int]
"""What a register holds: "const" and the number; "map" and its number among the used ones; "value", that, and the
offset; "function" and its number; or "" for anything else."""

UNKNOWN: Known = ("", 0, 0)
M64, M32 = 0xFFFFFFFFFFFFFFFF, 0xFFFFFFFF
REGISTERS = 11
NEW, OPEN, DONE = 0, 1, 2
"""Of a function that is being put in order: not met, on the way, placed."""
CALLER_SAVED = 6
SIGN_EXTENSIONS = (8, 16, 32)
BPF_F_RDONLY_PROG = 1 << 7
SIZES = {c.BPF_W: 4, c.BPF_H: 2, c.BPF_B: 1, c.BPF_DW: 8}
UNSIGNED = {c.BPF_JEQ: eq, c.BPF_JNE: ne, c.BPF_JGT: gt, c.BPF_JGE: ge, c.BPF_JLT: lt, c.BPF_JLE: le}
SIGNED = {c.BPF_JSGT: gt, c.BPF_JSGE: ge, c.BPF_JSLT: lt, c.BPF_JSLE: le}
_ARRAY = MAP_TYPE["array"]


def compute_const_regs(env: Env) -> None:
    """Fill ``env.room["const_regs"]``: for each instruction what its registers hold before it; None if out of reach."""
    before: list[list[Known] | None] = [None] * env.n_insns
    for subprog in env.subprogs:
        if subprog.start < env.n_insns:
            before[subprog.start] = [UNKNOWN] * REGISTERS
    changed = True
    while changed:
        changed = False
        for idx in reversed(env.insn_postorder):
            known = before[idx]
            if known is None:
                continue
            after = list(known)
            transfer(env, env.insns[idx], after)
            for successor in insn_successors(env, idx):
                if successor >= 0 and join(before, successor, after):
                    changed = True
    env.room["const_regs"] = before


def join(before: list[list[Known] | None], idx: int, after: list[Known]) -> bool:
    """Another way leads to an instruction: what differs there is unknown.  Did anything change?"""
    known = before[idx]
    if known is None:
        before[idx] = list(after)
        return True
    changed = False
    for r, (old, new) in enumerate(zip(known, after, strict=True)):
        if old != new and old is not UNKNOWN:
            known[r] = UNKNOWN
            changed = True
    return changed


def transfer(env: Env, insn: VInsn, regs: list[Known]) -> None:
    """What an instruction makes of the registers."""
    kind = insn.code & 7
    if kind in (c.BPF_ALU, c.BPF_ALU64):
        found = _alu(insn, regs)
        if kind == c.BPF_ALU and found is not UNKNOWN:
            found = ("const", found[1] & M32, 0) if found[0] == "const" else UNKNOWN
        regs[insn.dst] = found
    elif kind == c.BPF_LDX:
        regs[insn.dst] = _load(env, insn, regs[insn.src])
    elif insn.code == c.LD_IMM64:
        regs[insn.dst] = _wide(env, insn)
    elif kind == c.BPF_LD or insn.code == c.BPF_JMP | c.BPF_CALL:
        regs[:CALLER_SAVED] = [UNKNOWN] * CALLER_SAVED
    elif kind == c.BPF_STX and insn.code & 0xE0 == c.BPF_ATOMIC:
        written = atomic_load_reg(insn)
        if written >= 0:
            regs[written] = UNKNOWN


def atomic_load_reg(insn: VInsn) -> int:
    """The register that an atomic operation loads, or -1."""
    if insn.imm == c.BPF_CMPXCHG:
        return 0
    if insn.imm == c.BPF_LOAD_ACQ:
        return insn.dst
    return insn.src if insn.imm & c.BPF_FETCH else -1


def _alu(insn: VInsn, regs: list[Known]) -> Known:
    op, dst = insn.code & 0xF0, regs[insn.dst]
    if insn.code & c.BPF_X:
        src = regs[insn.src]
        if op == c.BPF_MOV:
            return _moved(src, insn.off)
        return _anded(dst, src) if op == c.BPF_AND else UNKNOWN
    if op == c.BPF_MOV:
        return ("const", insn.imm & M64, 0)
    if op == c.BPF_AND:
        return _anded(dst, ("const", insn.imm & M64, 0))
    if op not in (c.BPF_ADD, c.BPF_SUB):
        return UNKNOWN
    by = insn.imm if op == c.BPF_ADD else -insn.imm
    if dst[0] == "const":
        return ("const", (dst[1] + by) & M64, 0)
    return ("value", dst[1], (dst[2] + by) & M64) if dst[0] == "value" else UNKNOWN


def _moved(src: Known, width: int) -> Known:
    if not width:
        return src
    if src[0] != "const" or width not in SIGN_EXTENSIONS:
        return UNKNOWN
    low = src[1] & ((1 << width) - 1)
    return ("const", (low - (1 << width) if low >> (width - 1) else low) & M64, 0)


def _anded(a: Known, b: Known) -> Known:
    if a[:2] == ("const", 0) or b[:2] == ("const", 0):
        return ("const", 0, 0)
    return ("const", a[1] & b[1], 0) if a[0] == b[0] == "const" else UNKNOWN


def _wide(env: Env, insn: VInsn) -> Known:
    if insn.src == c.BPF_PSEUDO_FUNC:
        number = env.find_subprog(insn.idx + insn.imm + 1)
        return ("function", number, 0) if number >= 0 else UNKNOWN
    if insn.map is not None:
        at = next(i for i, used in enumerate(env.used_maps) if used is insn.map)
        if insn.src in (c.BPF_PSEUDO_MAP_VALUE, c.BPF_PSEUDO_MAP_IDX_VALUE):
            return ("value", at, insn.map_off)
        return ("map", at, 0)
    if insn.src:
        return UNKNOWN
    return ("const", (insn.imm & M32) | (env.insns[insn.idx + 1].imm & M32) << 32, 0)


def _load(env: Env, insn: VInsn, src: Known) -> Known:
    """A number from a map's value that nobody can change."""
    if src[0] != "value":
        return UNKNOWN
    found, size = env.used_maps[src[1]], SIZES[insn.code & 0x18]
    off = s32((src[2] + insn.off) & M32)
    fixed = found.frozen and found.flags & BPF_F_RDONLY_PROG and found.type == _ARRAY and found.max_entries == 1
    if not fixed or off < 0 or off + size > found.value_size:
        return UNKNOWN
    data = (found.data or b"")[off : off + size].ljust(size, b"\0")
    signed = insn.code & 0xE0 == c.BPF_MEMSX
    return ("const", int.from_bytes(data, "little", signed=signed) & M64, 0)


def const_reg(env: Env, idx: int, reg: int) -> int:
    """The constant of 32 bits that a register holds before an instruction; -1 for any other content."""
    known = env.room["const_regs"][idx]
    return known[reg][1] if known is not None and known[reg][0] == "const" and known[reg][1] <= M32 else -1


def prune_dead_branches(env: Env) -> None:
    """Make plain jumps of the conditional ones that go one way only."""
    changed = False
    for insn in env.insns:
        op = insn.code & 0xF0
        if insn.code & 7 not in (c.BPF_JMP, c.BPF_JMP32) or is_may_goto(insn):
            continue
        if op not in UNSIGNED and op not in SIGNED and op != c.BPF_JSET:
            continue
        a = const_reg(env, insn.idx, insn.dst)
        b = const_reg(env, insn.idx, insn.src) if insn.code & c.BPF_X else insn.imm & M64
        if a < 0 or b < 0:
            continue
        if insn.code & 7 == c.BPF_JMP32:
            a, b = s32(a & M32) & M64, s32(b & M32) & M64
        become_jump(env, insn, insn.off if is_taken(op, a, b) else 0)
        changed = True
    if changed:
        compute_postorder(env)


def is_taken(op: int, a: int, b: int) -> bool:
    """Does ``a op b`` hold, of two u64?"""
    if op == c.BPF_JSET:
        return a & b != 0
    return bool(UNSIGNED[op](a, b) if op in UNSIGNED else SIGNED[op](s64(a), s64(b)))


def become_jump(env: Env, insn: VInsn, off: int) -> None:
    """``goto pc+off``."""
    insn.insn = Insn(c.BPF_JMP | c.BPF_JA, 0, 0, off, 0)
    insn.code, insn.dst, insn.src, insn.off, insn.imm = insn.insn
    texts = env.room.get("texts")
    if texts is not None:
        texts[insn.idx] = None


def sort_subprogs_topo(env: Env) -> None:
    """``env.room["topo_order"]``: the functions, those that are called before those that call; level 2 prints them.

    Raises Rejected.
    """
    order: list[int] = []
    state = [NEW] * len(env.subprogs)
    for number in range(len(env.subprogs)):
        stack = [number]
        while stack:
            at = stack[-1]
            if state[at] == NEW:
                state[at] = OPEN
                stack += [callee for callee in called_by(env, at, state) if state[callee] == NEW]
                continue
            stack.pop()
            if state[at] == OPEN:
                state[at] = DONE
                order.append(at)
    env.room["topo_order"] = order
    if env.log.level2:
        for i, number in enumerate(order):
            env.say(f"topo_order[{i}] = {env.subprogs[number].name or ''}\n")


def called_by(env: Env, number: int, state: list[int]) -> list[int]:
    """The functions that a function leads to.  Raises Rejected when it calls one that led to it, or itself."""
    found = []
    for callee, is_call in callees(env, number):
        if is_call and state[callee] == OPEN:
            names = [env.subprogs[n].name or "" for n in (number, callee)]
            raise env.reject(EINVAL, "recursion", f"recursive call from {names[0]}() to {names[1]}()\n")
        found.append(callee)
    return found


def callees(env: Env, number: int) -> list[tuple[int, bool]]:
    """The functions that a function calls (True), or whose address it takes, in the order of its code."""
    found = []
    for idx in range(env.subprogs[number].start, env.subprog_end(number)):
        insn = env.insns[idx]
        call = insn.code == c.BPF_JMP | c.BPF_CALL and insn.src == c.BPF_PSEUDO_CALL
        if call or (insn.code == c.LD_IMM64 and insn.src == c.BPF_PSEUDO_FUNC):
            found.append((env.find_subprog(idx + insn.imm + 1), call))
    return [row for row in found if row[0] >= 0]
