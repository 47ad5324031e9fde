"""func_info and line_info: every message, and random records put to the running kernel."""

import errno
import os
import random

import pytest

from osmia.btf import Btf, Enum, EnumValue, Func, FuncProto, Int, Param, Ptr, Struct
from osmia.isa import Insn
from osmia.isa.macros import BPF_CALL_REL, BPF_EMIT_CALL, BPF_EXIT_INSN, BPF_LD_ABS, BPF_MOV64_IMM, BPF_MOV64_REG
from osmia.live import available
from osmia.obj.model import FuncInfo, LineInfo, MapSpec, Program
from osmia.testing.answers import Kernel, masked
from osmia.verifier.env import Powers
from osmia.verifier.judge import judge

live = pytest.mark.skipif(available() is not None, reason="no bpf(2)")
MAIN = [BPF_CALL_REL(2), BPF_MOV64_IMM(0, 0), BPF_EXIT_INSN()]
LEAF = [BPF_MOV64_IMM(0, 1), BPF_EXIT_INSN()]
TAIL = [BPF_MOV64_IMM(3, 0), Insn(0x18, 2, 1, 0, 0), Insn(0, 0, 0, 0, 0), BPF_EMIT_CALL(12), *LEAF]
PACKET = [BPF_MOV64_REG(6, 1), BPF_LD_ABS(0x10, 0), *LEAF]
PROGS = MapSpec("progs", "prog_array", 4, 4, 1)


class Types:
    """BTF of two functions, with the ids that rows need."""

    def __init__(self):
        self.btf = btf = Btf()
        self.number = btf.add(Int("int", 4, 1))
        self.odd, self.big = btf.add(Int("odd", 3, 0)), btf.add(Int("__int128", 16, 0))
        pointer = btf.add(Ptr(0))
        kinds = {"int": self.number, "void": 0, "ptr": pointer, "odd": self.odd, "big": self.big}
        kinds["enum"] = btf.add(Enum("e", 4, (EnumValue("A", 1),)))
        protos = {name: btf.add(FuncProto(kind)) for name, kind in kinds.items()}
        self.main = btf.add(Func("main", btf.add(FuncProto(self.number, (Param("ctx", pointer),)))))
        self.leaf = {name: btf.add(Func(f"leaf_{name}", proto)) for name, proto in protos.items()}
        self.struct = btf.add(Struct("s", 4))
        self.file, self.text = btf.add_str("a/prog.c"), btf.add_str("  return 0;")


T = Types()


def program(funcs, lines=(), leaf=LEAF, btf=T.btf, kind="socket_filter"):
    made = Program("p", kind, [*MAIN, *leaf], license="GPL", btf=btf, maps=[PROGS])
    made.func_info = [FuncInfo(*row) for row in funcs]
    made.line_info = [LineInfo(*row) for row in lines]
    return made


def message(made, powers=None):
    verdict = judge(made, power=powers)
    return verdict.errno, verdict.log.partition("processed ")[0]


GOOD = [(0, T.main), (3, T.leaf["int"])]


def line(insn, text=T.text, file=T.file, number=1):
    return insn, file, text, number << 10 | 3


LINES = [line(0), line(3)]

FUNCS = [
    ([(1, T.main)], "nonzero insn_off 1 for the first func info record"),
    ([(0, T.main), (0, T.main)], "same or smaller insn offset (0) than previous func info record (0)"),
    ([(0, T.number)], f"invalid type id {T.number} in func info"),
    ([(0, 0)], "invalid type id 0 in func info"),
    ([(0, 0xFFFFFFFF)], "invalid type id -1 in func info"),
    ([(0, T.main)], "number of funcs in func_info doesn't match number of subprogs\n"),
    ([(0, T.main), (4, T.leaf["int"])], "func_info BTF section doesn't match subprog layout in BPF program\n"),
]


@pytest.mark.parametrize(("rows", "text"), FUNCS, ids=[row[1].strip() for row in FUNCS])
def test_functions(rows, text):
    found = message(program(rows))
    assert found == (errno.EINVAL, text)


LINE_ROWS = [
    ([line(0), line(0)], "Invalid line_info[1].insn_off:0 (prev_offset:0 prog->len:5)\n"),
    ([line(0), line(5)], "Invalid line_info[1].insn_off:5 (prev_offset:0 prog->len:5)\n"),
    ([line(0, text=99999)], "Invalid line_info[0].line_off or .file_name_off\n"),
    ([line(0, file=99999)], "Invalid line_info[0].line_off or .file_name_off\n"),
    ([line(1)], "missing bpf_line_info for func#0\n"),
    ([line(0), line(4)], "missing bpf_line_info for func#1\n"),
    ([line(0)], "missing bpf_line_info for 1 funcs starting from func#1\n"),
]


@pytest.mark.parametrize(("rows", "text"), LINE_ROWS, ids=[row[1].strip() for row in LINE_ROWS])
def test_lines(rows, text):
    assert message(program(GOOD, rows)) == (errno.EINVAL, text)


def test_a_line_in_the_middle_of_a_load():
    made = program([(0, T.main)], [line(0), line(1)])
    made.insns = [Insn(0x18, 1, 0, 0, 0), Insn(0, 0, 0, 0, 0), *LEAF]
    assert message(made) == (errno.EINVAL, "Invalid insn code at line_info[1].insn_off\n")


def test_good_ones():
    assert judge(program(GOOD, LINES)).ok
    assert judge(program([], LINES)).ok
    assert judge(program(GOOD)).ok


def test_rows_without_types():
    assert message(program(GOOD, btf=None)) == (errno.EINVAL, "")


@pytest.mark.parametrize("result", ["void", "ptr", "big"])
def test_functions_that_may_end_early_return_numbers(result):
    rows = [(0, T.main), (3, T.leaf[result])]
    assert message(program(rows, leaf=TAIL))[1] == "tail_call is only allowed in functions that return 'int'.\n"
    assert message(program(rows, leaf=PACKET))[1] == "LD_ABS is only allowed in functions that return 'int'.\n"


def test_functions_that_may_end_early_need_types():
    assert message(program([], leaf=TAIL))[1] == "tail_call is not allowed in subprogs without BTF\n"
    assert message(program([], leaf=PACKET))[1] == "LD_ABS is not allowed in subprogs without BTF\n"


# -- the running kernel


def random_program(rng):
    """Rows near good ones."""
    funcs, lines = list(GOOD), list(LINES)
    if rng.random() < 0.3:
        lines.insert(1, line(rng.randrange(5)))
    ids = (T.main, *T.leaf.values(), T.number, T.struct, 0, 99, 0xFFFFFFFF)
    if rng.random() < 0.3:
        funcs[1] = 3, rng.choice(list(T.leaf.values()))
    if rng.random() < 0.3:
        funcs[rng.randrange(2)] = rng.randrange(6), rng.choice(ids)
    if rng.random() < 0.2:
        funcs.pop(rng.randrange(2))
    if rng.random() < 0.3:
        strings = (0, T.text, T.file, 1, 2, T.btf.strings_size - 1, T.btf.strings_size, 0xFFFFFFFF)
        lines[rng.randrange(len(lines))] = line(rng.randrange(7), rng.choice(strings), rng.choice(strings))
    if rng.random() < 0.2:
        lines.pop(rng.randrange(len(lines)))
    made = program(funcs if rng.random() < 0.8 else [], lines if rng.random() < 0.6 else [])
    made.insns = [*MAIN, *rng.choice((LEAF, TAIL, PACKET))]
    if rng.random() < 0.1:
        made.insns = [Insn(0x18, 1, 0, 0, 0), Insn(0, 0, 0, 0, 0), *LEAF]
    return made


@live
@pytest.mark.parametrize("level", [1, 2])
def test_random_rows_against_the_kernel(level):
    rng = random.Random(os.environ.get("OSMIA_SEED", f"rows{level}"))
    wrong = []
    with Kernel() as kernel:
        for _ in range(int(os.environ.get("OSMIA_PROGRAMS", "700"))):
            made = random_program(rng)
            verdict = judge(made, log_level=level)
            said = kernel.ask(made, level, Powers())
            if verdict.unsupported:
                continue
            if (verdict.errno, first(masked(verdict.log, made))) != (said.errno, first(said.log)):
                wrong.append((made.func_info, made.line_info, verdict.errno, verdict.log, said.errno, said.log))
    assert not wrong, f"{len(wrong)}: {wrong[:2]}"


def first(log):
    """What is said before the walk ends, or of a refusal."""
    return log.partition("processed ")[0]
