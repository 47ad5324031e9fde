"""Programs that use maps, on our machine and on the running kernel: the same insns, the same results.

Each program is a row of helper calls with constants; what each gives (R0, or the value behind the pointer) goes into
an array that both sides are compared by.  Pointers from lookups are kept and read again later.
"""

import os

import pytest
from helpers import realprog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from maps import realmap

from osmia import helpers
from osmia.isa import macros as m
from osmia.isa.consts import BPF_ADD, BPF_DW, BPF_JNE
from osmia.kernel.helpers import helper_by_name
from osmia.kernel.uapi import MAP_FLAGS
from osmia.maps import commands, create
from osmia.obj.model import MapSpec, Program
from osmia.vm import BareHost, Machine

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(realmap.unavailable()), reason=str(realmap.unavailable()))]

CPUS = realmap.possible_cpus()
SLOTS = 64
MARK = 0x5EED
KEYED = ["array", "hash", "percpu_array", "percpu_hash", "lru_hash", "lru_percpu_hash"]
NAMES = {"L": "bpf_map_lookup_elem", "U": "bpf_map_update_elem", "D": "bpf_map_delete_elem", "+": "bpf_map_push_elem",
         "-": "bpf_map_pop_elem", "?": "bpf_map_peek_elem"}  # fmt: skip


def assemble(ops, target, out):
    """The slots of a program; ``target`` and ``out`` are what a map load has in its imm."""
    code = [m.BPF_MOV64_IMM(7, 0), m.BPF_ST_MEM(BPF_DW, 10, -24, 0)]
    for slot, (op, key, value, flags) in enumerate(ops[:SLOTS]):
        if op == "R":  # read through the pointer of an earlier lookup, add to what is there
            code += [m.BPF_MOV64_IMM(0, MARK), m.BPF_LDX_MEM(BPF_DW, 7, 10, -24), m.BPF_JMP_IMM(BPF_JNE, 7, 0, 1)]
            code += [m.BPF_JMP_A(3), m.BPF_LDX_MEM(BPF_DW, 0, 7, 0), m.BPF_MOV64_IMM(1, value)]
            code += [m.BPF_STX_XADD(BPF_DW, 7, 1, 0)]
        else:
            code += [m.BPF_ST_MEM(BPF_DW, 10, -8, key), m.BPF_ST_MEM(BPF_DW, 10, -16, value)]
            code += target(1)
            first, second = (-16, 0) if op in "+-?" else (-8, -16)
            code += [m.BPF_MOV64_REG(2, 10), m.BPF_ALU64_IMM(BPF_ADD, 2, first)]
            if op == "U":
                code += [m.BPF_MOV64_REG(3, 10), m.BPF_ALU64_IMM(BPF_ADD, 3, second), *m.BPF_LD_IMM64(4, flags)]
            if op == "+":
                code += m.BPF_LD_IMM64(3, flags)
            code.append(m.BPF_EMIT_CALL(helper_by_name(NAMES[op]).id))
            if op == "L":
                code += [m.BPF_STX_MEM(BPF_DW, 10, 0, -24), m.BPF_JMP_IMM(BPF_JNE, 0, 0, 2)]
                code += [m.BPF_MOV64_IMM(0, MARK), m.BPF_JMP_A(1), m.BPF_LDX_MEM(BPF_DW, 0, 0, 0)]
            if op in "-?":
                code += [m.BPF_LDX_MEM(BPF_DW, 1, 10, -16), m.BPF_ALU64_REG(BPF_ADD, 0, 1)]
        code += [*out(1, 8 * slot), m.BPF_STX_MEM(BPF_DW, 1, 0, 0)]
    return [*code, m.BPF_MOV64_IMM(0, 0), m.BPF_EXIT_INSN()]


def spec_of(type_, entries, flags=0):
    return MapSpec("m", type_, 0 if type_ in ("queue", "stack") else 8 if "hash" in type_ else 4, 8, entries, flags)


def on_kernel(ops, spec):
    fd = realmap.create(spec)
    out = realprog.RealArray(bytes(8 * SLOTS))
    prog = realprog.load(
        assemble(ops, lambda r: m.BPF_LD_MAP_FD(r, fd), lambda r, o: m.BPF_LD_MAP_VALUE(r, out.fd, o)), log=True
    )
    assert prog >= 0, realprog.load.log[-400:]
    try:
        assert realprog.run(prog)[0] == 0
        return out.value, elements(realmap.RealMap(spec, fd))
    finally:
        for n in (prog, fd, out.fd):
            os.close(n)


def elements(real):
    found, key = {}, real.next_key(None) if real.key_size else -2
    while not isinstance(key, int):
        found[key] = real.lookup(key)
        key = real.next_key(key)
    return found


def here(ops, spec):
    ours, out = create(spec, cpus=CPUS), create(MapSpec("out", "array", 4, 8 * SLOTS, 1))
    insns = assemble(ops, lambda r: m.BPF_LD_MAP_FD(r, 0), lambda r, o: m.BPF_LD_MAP_VALUE(r, 1, o))
    program = Program("p", "socket_filter", insns, maps=[spec, out.spec])
    Machine(program, maps=[ours, out], helpers=helpers.table(), host=BareHost(cpus=CPUS)).run(bytes(64))
    found, key = {}, commands.next_key(ours, None) if spec.key_size else None
    while key is not None:
        found[key] = commands.lookup_elem(ours, key)
        key = commands.next_key(ours, key)
    return commands.lookup_elem(out, bytes(4)), found


FLAGS = st.sampled_from([0, 0, 0, 0, 1, 2, 3, 4, 8, 1 << 40])
VALUES = st.integers(1, 1 << 20)


def check(ops, spec):
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {0})
    try:
        (real, real_map), (mine, my_map) = on_kernel(ops, spec), here(ops, spec)
    finally:
        os.sched_setaffinity(0, before)
    words = [(op, mine[8 * i : 8 * i + 8], real[8 * i : 8 * i + 8]) for i, op in enumerate(ops[:SLOTS])]
    assert all(a == b for _, a, b in words), words
    assert my_map == real_map


@pytest.mark.parametrize("type_", KEYED)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_keyed_maps(type_, data):
    entries = data.draw(st.sampled_from([1, 3, 4]))
    flags = data.draw(st.sampled_from([0, 0, MAP_FLAGS["no_prealloc"]])) if type_ in ("hash", "percpu_hash") else 0
    letters = "UULR" if "array" in type_ else "UUULLDR"
    ops = data.draw(st.lists(st.tuples(st.sampled_from(letters), st.integers(0, 5), VALUES, FLAGS), max_size=30))
    check(ops, spec_of(type_, entries, flags))


@pytest.mark.parametrize("flags", [0, MAP_FLAGS["no_prealloc"]])
def test_a_pointer_outlives_its_element(flags):
    again = [("U", 0, 3, 0), ("R", 0, 100, 0), ("L", 0, 0, 0), ("D", 0, 0, 0), ("R", 0, 1, 0), ("U", 5, 9, 0)]
    check([("U", 0, 1, 0), ("L", 0, 0, 0), ("U", 0, 2, 0), ("R", 0, 100, 0), *again, *again], spec_of("hash", 4, flags))


@pytest.mark.parametrize("type_", ["queue", "stack"])
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_queues_and_stacks(type_, data):
    ops = data.draw(st.lists(st.tuples(st.sampled_from("++-?"), st.just(0), VALUES, FLAGS), max_size=30))
    check(ops, spec_of(type_, data.draw(st.sampled_from([1, 2, 4]))))
