"""The table against the running kernel: it takes every row's plain form, and refuses every reserved field in use.

Refusals are counted only where the same program with the plain form is taken, so nothing else can be the reason.
"""

from __future__ import annotations

from functools import cache

import pytest

from osmia import live
from osmia.btf import Btf, Func, FuncProto, Int, Var
from osmia.errors import KernelError
from osmia.isa import OPS, Insn, Kind, Known, Reserved, Unknown, classify
from osmia.isa import macros as m
from osmia.isa.table import Op
from osmia.live.prog import btf_id, kernel_btf
from osmia.obj.model import FuncInfo, MapSpec, Program
from osmia.vm import Machine

WHY_NOT = live.available()
pytestmark = [pytest.mark.live, pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))]

NOT_PLAIN = {
    "callx": "Linux has no callx: every form is refused",
    "ld_map_idx": "osmia.live passes no fd_array: it loads ld_map_fd in its place",
    "ld_map_idx_value": "osmia.live passes no fd_array: it loads ld_map_value in its place",
}
"""Rows whose plain form can't be loaded here, and why."""
UNCHECKED = {"exit": ("off",)}
"""Reserved by RFC 9669, but Linux does not look at them."""

HEAD = [
    m.BPF_MOV64_REG(6, 1),
    *(m.BPF_MOV64_IMM(r, 1) for r in (0, 2, 3, 4, 5)),
    *(m.BPF_ST_MEM(0x18, 10, off, 0) for off in (-16, -8)),
]
RETURN = [m.BPF_MOV64_IMM(0, 0), m.BPF_EXIT_INSN()]
VALUES = {"dst_reg": (1, 2, 10, 15), "src_reg": (1, 2, 9, 10, 15), "off": (1, 2, 3, -1, 8, 0x100, -0x8000),
          "imm": (1, 2, 0x41, -1, 64, 0x7FFFFFFF)}  # fmt: skip
KFUNC, VARIABLE = "bpf_cast_to_kern_ctx", "bpf_prog_active"
ARRAY, ARENA = MapSpec("isa", "array", 4, 8, 1), MapSpec("isa", "arena", 0, 0, 1, 0x400, 1 << 44)
TO_STACK = ("ldx", "ldxsx", "load_acquire")


def slots(op: Op) -> list[Insn]:
    """The plain form: scalars in r2 and r3, memory on the stack, jumps to the next instruction."""
    values = {Kind.REG: 2, Kind.IMM: 3, Kind.MEM: -8, Kind.JUMP: 0, Kind.SLOTS: 2 if op.name == "call_local" else 0,
              Kind.HELPER: 5, Kind.SPACES: 1 << 16, Kind.LOW: 7}  # fmt: skip
    dst, src, off, imm = (f if isinstance(f, int) else values.get(f, 0) for f in (op.dst, op.src, op.off, op.imm))
    if op.off is Kind.MEM and op.name.startswith(TO_STACK):
        src = 10
    elif op.off is Kind.MEM:
        dst = 10
    elif op.src is Kind.REG:
        src = 3
    imm = {"call_kfunc": btf_id(KFUNC, Func), "ld_btf_id": btf_id(VARIABLE, Var), "ld_func": 3}.get(op.name, imm)
    return [Insn(op.code, dst, src, off, imm), *([Insn(0)] if op.wide else [])]


def program(op: Op, insns: list[Insn]) -> Program:
    """A whole program around it, as small as the row allows."""
    before = [*HEAD, *(m.BPF_LD_MAP_FD(1, 0) if op.name == "addr_space_cast" else ())]
    after = [] if op.name == "exit" else RETURN * (2 if op.name in ("call_local", "ld_func") else 1)
    made = Program("isa", "socket_filter", [*before, *insns, *after], license="GPL")
    if op.imm is Kind.FD or op.imm is Kind.INDEX or op.name == "addr_space_cast":
        made.maps = [ARENA if op.name == "addr_space_cast" else ARRAY]
    if op.name == "ld_func":  # only functions of known types may be pointed at
        made.btf, made.func_info = types(), [FuncInfo(0, 3), FuncInfo(len(made.insns) - 2, 3)]
    return made


@cache
def types() -> Btf:
    """int f(void), static."""
    btf = Btf()
    btf.add(Int("int", 4, 1))
    btf.add(FuncProto(1, ()))
    btf.add(Func("f", 2, 0))
    return btf


def refusal(made: Program) -> str | None:
    """What the kernel says against it; None when it takes it."""
    try:
        live.load(made).close()
    except KernelError as error:
        return f"{error}\n{error.log}"
    return None


def misuses(op: Op, plain: list[Insn]) -> list[list[Insn]]:
    """The plain form with a value in one reserved field that makes it no other row."""
    found = []
    for name, values in VALUES.items():
        for value in values:
            insn = plain[0]._replace(**{name: value})
            answer = classify(insn)
            if isinstance(answer, Reserved) and answer.fields == (name,):
                found.append([insn, *plain[1:]])
    if op.wide:
        second = [Insn(1), Insn(0, 1), Insn(0, 0, 1), Insn(0, 0, 0, 1)]
        found += [[plain[0], other] for other in second]
    return found


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_reserved_fields_are_refused_and_the_plain_form_is_not(op):
    plain = slots(op)
    assert isinstance(classify(plain[0]), Known) and classify(plain[0]).op is op
    said = refusal(program(op, plain))
    if op.name in NOT_PLAIN:
        assert op.name != "callx" or "unknown opcode 8d" in said
        return
    if said and "failed to find the address" in said:
        pytest.skip("this kernel's kallsyms hold no variables")
    assert said is None
    wrong = misuses(op, plain)
    taken = [insns[0] for insns in wrong if refusal(program(op, insns)) is None]
    assert [i for i in taken if classify(i).fields != UNCHECKED.get(op.name)] == []
    assert wrong and (op.name not in UNCHECKED or taken)


def test_unknown_opcodes_are_refused():
    codes = [code for code in range(256) if isinstance(classify(Insn(code)), Unknown)]
    assert len(codes) > 90
    frame = Op("none", 0, 0, 0, 0, 0, "", "", "", "")
    taken = [code for code in codes if refusal(program(frame, [Insn(code, 2)])) is None]
    assert not taken


def test_the_kernel_has_what_the_plain_forms_name():
    assert kernel_btf().find(KFUNC, Func) and kernel_btf().find(VARIABLE, Var)


def test_the_machine_runs_what_the_kernel_takes():
    insns = [m.BPF_MOV64_IMM(0, 3), Insn(0x95, 0, 0, 7, 0)]
    with live.load(Program("isa", "socket_filter", insns, license="GPL")) as loaded:
        assert loaded.test_run(bytes(64)).retval == Machine(Program("isa", "socket_filter", insns)).run(b"").retval == 3
