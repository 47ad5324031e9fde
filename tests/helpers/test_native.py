"""Helpers with native bodies, in all engines: what the program sees, and what Python sees of it."""

from __future__ import annotations

import importlib
import re
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import osmia.helpers
from osmia import helpers, maps
from osmia.errors import Fault
from osmia.helpers import fast
from osmia.helpers.registry import BODIES, ON_THEIR_OWN, load_bodies
from osmia.isa import macros as m
from osmia.isa.consts import BPF_ADD, BPF_B, BPF_DW, BPF_JEQ, BPF_JNE, BPF_MUL, BPF_SUB, BPF_W
from osmia.kernel.helpers import helper_by_name
from osmia.memory import Memory, Region
from osmia.obj.model import MapSpec, Program, Subprog
from osmia.raw import Buffer, ld32
from osmia.sim.world import World
from osmia.vm import BareHost, Context, Machine
from osmia.vm.hostwords import HOST, TASK

COMPILED = not importlib.import_module("osmia.vm.interp").__file__.endswith(".py")
HOME = Path(osmia.helpers.__file__).parent.parent
ENGINES = [("interp", True), ("interp", False), ("jit", True), ("jit", False)]
every_engine = pytest.mark.parametrize(("engine", "checked"), ENGINES)
R, A, I = m.BPF_MOV64_REG, m.BPF_ALU64_IMM, m.BPF_MOV64_IMM  # noqa: E741


def call(name):
    return m.BPF_EMIT_CALL(helper_by_name(f"bpf_{name}").id)


def stack(reg, offset):
    return [R(reg, 10), A(BPF_ADD, reg, offset)]


def machine(code, specs=(), living=(), engine="interp", checked=True, host=None, memory=None, subprogs=(), **more):
    program = Program("p", "kprobe", list(code), maps=list(specs), subprogs=list(subprogs))
    made = Machine(program, maps=living, helpers=helpers.table(), host=host or BareHost(), memory=memory,
                   engine=engine, checked=checked, **more)  # fmt: skip
    made.settle(60)
    assert engine == "interp" or made.native, made.note
    return made


def run(code, *args, **kwargs):
    return machine(code, *args, **kwargs).run(Context(bytes(64))).r0


# -- the tables --------------------------------------------------------------------------------------------------------


def test_every_row_is_a_native_function_of_a_run_and_five_words():
    for name, (module, function) in fast.FAST.items():
        pxd = (HOME / "helpers" / f"{module.rpartition('.')[2]}.pxd").read_text()
        found = re.search(rf"^cdef uint64_t {function}\(([^)]*)\) noexcept nogil$", pxd, re.M)
        assert found and found[1].count("uint64_t") == 6, name
        assert bool(fast.address(name)) == COMPILED, name
        assert fast.summary(name)


def test_those_that_work_alone_have_no_python_body():
    load_bodies()
    assert {name for name in fast.FAST if name not in BODIES and name not in ON_THEIR_OWN} == fast.ALONE


@pytest.mark.parametrize("module", ["vm.hostwords", "vm.tracewords", "helpers.fallback", "helpers.fast_maps",
                                    "helpers.fast_control", "helpers.fast_ring", "helpers.fast_format"])  # fmt: skip
def test_twins_have_the_same_numbers(module):
    text = (HOME / f"{module.replace('.', '/')}.pxd").read_text()
    enums = "".join(re.findall(r"^c(?:p)?def enum:.*\n((?:    .*\n)+)", text, re.M))
    numbers = dict(re.findall(r"(\w+) = (\d+)", enums))
    assert numbers
    found = importlib.import_module(f"osmia.{module}")
    for name, value in numbers.items():
        assert COMPILED or getattr(found, name) == int(value), name


# -- the host ----------------------------------------------------------------------------------------------------------


class Plain:
    """A host that keeps no words."""

    class task:
        pid, tgid, uid, gid, comm, address = 7, 8, 9, 10, b"foreign", 0x1230

    cpu, cpus = 1, 2

    def __init__(self):
        self.lines = []

    ktime_ns = boot_ns = tai_ns = lambda self: 111
    jiffies = prandom_u32 = lambda self: 222

    def trace(self, text):
        self.lines.append(text)

    def redirect(self, ifindex, flags):
        raise AssertionError


@every_engine
@pytest.mark.parametrize(("name", "plain", "ours"), [
    ("ktime_get_ns", 111, 1_000_001_000), ("ktime_get_boot_ns", 111, 1_000_001_000), ("jiffies64", 222, 250),
    ("ktime_get_tai_ns", 111, 1_000_001_000), ("ktime_get_coarse_ns", 111, 1_000_001_000),
    ("get_smp_processor_id", 1, 0), ("get_numa_node_id", 0, 0), ("get_current_task", 0x1230, 0),
    ("get_current_pid_tgid", 8 << 32 | 7, 1 << 32 | 1), ("get_current_uid_gid", 10 << 32 | 9, 0),
])  # fmt: skip
def test_a_host_answers_with_words_and_without(name, plain, ours, engine, checked):
    code = [call(name), m.BPF_EXIT_INSN()]
    assert run(code, engine=engine, checked=checked, host=Plain()) == plain
    assert run(code, engine=engine, checked=checked) == ours


@every_engine
def test_a_host_without_words_prints_and_names_its_task(engine, checked):
    host = Plain()
    code = [
        *stack(1, -16),
        I(2, 16),
        call("get_current_comm"),
        *m.BPF_LD_IMM64(1, int.from_bytes(b"%s %d\0", "little")),
    ]
    code += [m.BPF_STX_MEM(BPF_DW, 10, 1, -24), *stack(1, -24), I(2, 6), *stack(3, -16), I(4, 5)]
    code += [call("trace_printk"), m.BPF_EXIT_INSN()]
    assert run(code, engine=engine, checked=checked, host=host) == len("foreign 5")
    assert host.lines == ["foreign 5"]


def test_python_and_programs_move_one_clock_and_one_row_of_numbers():
    world, again = World(seed=5), World(seed=5)
    draw = machine([call("get_prandom_u32"), m.BPF_EXIT_INSN()], host=world)
    row = [draw.run().r0, world.prandom_u32(), draw.run().r0]
    assert row == [again.prandom_u32() for _ in range(3)] and len(set(row)) == 3
    assert World(seed=6).prandom_u32() != row[0]
    clock = machine([call("ktime_get_ns"), m.BPF_EXIT_INSN()], host=world)
    assert [clock.run().r0, world.ktime_ns(), clock.run().r0] == [4_000_001_000, 4_000_002_000, 4_000_003_000]
    world.advance(10)
    assert clock.run().r0 == world.now_ns == 4_000_004_010


@every_engine
def test_a_class_of_its_own_answers_itself(engine, checked):
    class Still(World):
        def ktime_ns(self):
            return 77

    code = [call("ktime_get_ns"), m.BPF_EXIT_INSN()]
    assert run(code, engine=engine, checked=checked, host=Still()) == 77
    assert run([call("get_current_pid_tgid"), m.BPF_EXIT_INSN()], engine=engine, checked=checked, host=Still()) == (
        1000 << 32 | 1000
    )


def test_splitmix64_is_the_one_of_the_paper():
    world = World(seed=1234567)
    assert [world.prandom_u32() for _ in range(3)] == [6457827717110365317 >> 32, 3203168211198807973 >> 32,
                                                       9817491932198370423 >> 32]  # fmt: skip


def test_what_happens_to_the_current_task_is_seen_at_once():
    world = World()
    ids = machine([call("get_current_pid_tgid"), m.BPF_EXIT_INSN()], host=world)
    comm = machine([*stack(1, -16), I(2, 16), call("get_current_comm"), m.BPF_LDX_MEM(BPF_DW, 0, 10, -16),
                    m.BPF_EXIT_INSN()], host=world)  # fmt: skip
    world.task.tgid = 77
    world.task.rename("abcdefg")
    assert ids.run().r0 == 77 << 32 | 1000 and comm.run().r0.to_bytes(8, "little") == b"abcdefg\0"
    with world.running(world.idle):
        assert ids.run().r0 == 0
    assert ids.run().r0 == 77 << 32 | 1000


def test_the_task_struct_is_made_once():
    world = World()
    task = machine([call("get_current_task"), m.BPF_EXIT_INSN()], host=world, memory=world.memory)
    assert world.task.struct == 0
    first = task.run().r0
    assert first == task.run().r0 == world.task.address == world.task.struct != 0


def test_words_have_names():
    assert len(set(HOST.values())) == len(HOST) and len(set(TASK.values())) == len(TASK)


# -- loops and walks ---------------------------------------------------------------------------------------------------


def with_callback(setup, name, rest, callback):
    """``setup``, R2 = callback, ``rest``, the call; R0 of it is the answer."""
    tail = [*rest, call(name), m.BPF_EXIT_INSN()]
    start = len(setup) + 2 + len(tail)
    load = m.BPF_LD_IMM64(2, 0)
    distance = start - len(setup) - 1
    load = [load[0]._replace(src_reg=4, imm=distance), load[1]]
    code = [*setup, *load, *tail, *callback]
    return code, [Subprog("p", 0, start), Subprog("cb", start, len(code))]


SPECS = [MapSpec("m", kind, 4, 8, 16) for kind in ("array", "percpu_array", "hash", "percpu_hash", "lru_hash")]
BOX = MapSpec("box", "array", 4, 16, 1)


def digesting(stop):
    """A callback for walks: box.first = box.first * 31 + key * 1000 + value; enough after ``stop`` elements."""
    code = [m.BPF_LDX_MEM(BPF_DW, 5, 4, 0), A(BPF_MUL, 5, 31), m.BPF_LDX_MEM(BPF_W, 0, 2, 0), A(BPF_MUL, 0, 1000)]
    code += [m.BPF_ALU64_REG(BPF_ADD, 5, 0), m.BPF_LDX_MEM(BPF_DW, 0, 3, 0), m.BPF_ALU64_REG(BPF_ADD, 5, 0)]
    code += [m.BPF_STX_MEM(BPF_DW, 4, 5, 0), m.BPF_LDX_MEM(BPF_DW, 0, 4, 8), A(BPF_ADD, 0, 1)]
    code += [m.BPF_STX_MEM(BPF_DW, 4, 0, 8), m.BPF_JMP_IMM(BPF_JEQ, 0, stop, 2), I(0, 0), m.BPF_EXIT_INSN()]
    return [*code, I(0, 1), m.BPF_EXIT_INSN()]


def in_order(walked):
    """The keys as bpf(2) lists them."""
    room, keys = Buffer(8), []
    bad = walked.next_key(0, room.address)
    while not bad:
        keys.append(ld32(room.address))
        bad = walked.next_key(room.address, room.address)
    return keys


@every_engine
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.type)
@pytest.mark.parametrize("stop", [1, 3, 99])
def test_walks_see_keys_and_values_in_one_order(spec, stop, engine, checked):
    walked, box = maps.create(spec), maps.create(BOX)
    for key in range(16):
        walked[key] = [key * 10] if "percpu" in spec.type else key * 10
    rest = [*m.BPF_LD_MAP_VALUE(3, 1, 0), I(4, 0)]
    code, subprogs = with_callback([*m.BPF_LD_MAP_FD(1, 0)], "for_each_map_elem", rest, digesting(stop))
    seen = run(code, [spec, BOX], [walked, box], engine=engine, checked=checked, subprogs=subprogs)
    digest = 0
    for key in in_order(walked)[:stop]:
        digest = digest * 31 + key * 1010 & (1 << 64) - 1
    assert seen == min(stop, 16)
    assert box[0] == digest.to_bytes(8, "little") + seen.to_bytes(8, "little")


@every_engine
@pytest.mark.parametrize(("count", "flags", "result"), [
    (0, 0, 0), (5, 0, 5), (1 << 23, 1, -22 & (1 << 64) - 1), ((1 << 23) + 1, 0, -7 & 0xFFFFFFFF), (1000, 0, 1000),
])  # fmt: skip
def test_loops_count(count, flags, result, engine, checked):
    code, subprogs = with_callback([I(1, count)], "loop", [I(3, 0), I(4, flags)], [I(0, 0), m.BPF_EXIT_INSN()])
    assert run(code, engine=engine, checked=checked, subprogs=subprogs) == result


@every_engine
def test_a_loop_ends_when_the_callback_says_so(engine, checked):
    code, subprogs = with_callback([I(1, 100)], "loop", [I(3, 0), I(4, 0)],
                                   [I(0, 0), m.BPF_JMP_IMM(BPF_JNE, 1, 41, 1), I(0, 1), m.BPF_EXIT_INSN()])  # fmt: skip
    assert run(code, engine=engine, checked=checked, subprogs=subprogs) == 42


@pytest.mark.parametrize("engine", ["interp", "jit"])
def test_a_fault_in_a_callback_ends_the_loop(engine):
    code, subprogs = with_callback([I(1, 100)], "loop", [I(3, 0), I(4, 0)],
                                   [m.BPF_LDX_MEM(BPF_B, 0, 2, 0), m.BPF_EXIT_INSN()])  # fmt: skip
    with pytest.raises(Fault, match="null pointer"):
        run(code, engine=engine, subprogs=subprogs)


# -- locks -------------------------------------------------------------------------------------------------------------


LOCKED = MapSpec("m", "array", 4, 16, 1)
TURNS = 20_000 if COMPILED else 300


def locked_counter():
    """Add one, not atomically, under the lock in the first word, TURNS times."""
    code = [*m.BPF_LD_MAP_VALUE(6, 0, 0), I(7, TURNS), R(1, 6), call("spin_lock"), m.BPF_LDX_MEM(BPF_DW, 8, 6, 8)]
    code += [A(BPF_ADD, 8, 1), m.BPF_STX_MEM(BPF_DW, 6, 8, 8), R(1, 6), call("spin_unlock"), A(BPF_SUB, 7, 1)]
    return [*code, m.BPF_JMP_IMM(BPF_JNE, 7, 0, -9), I(0, 0), m.BPF_EXIT_INSN()]


@every_engine
def test_a_lock_is_held_by_one_thread(engine, checked):
    box = maps.create(LOCKED)
    machines = [machine(locked_counter(), [LOCKED], [box], engine, checked) for _ in range(3)]
    failed = []

    def work(one):
        try:
            one.run()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(one,)) for one in machines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed and box[0] == (0).to_bytes(8, "little") + (3 * TURNS).to_bytes(8, "little")


@every_engine
@pytest.mark.parametrize("name", ["ktime_get_ns", "get_prandom_u32"])
def test_threads_never_get_the_same_step_of_clock_or_chance(name, engine, checked):
    world = World(cpus=2)
    spec = MapSpec("seen", "array", 4, 8, TURNS // 20)
    boxes = [maps.create(spec) for _ in range(2)]
    code = [I(6, 0), call(name), m.BPF_STX_MEM(BPF_DW, 10, 0, -8), m.BPF_STX_MEM(BPF_W, 10, 6, -16)]
    code += [*m.BPF_LD_MAP_FD(1, 0), *stack(2, -16), *stack(3, -8), I(4, 0), call("map_update_elem"), A(BPF_ADD, 6, 1)]
    code += [m.BPF_JMP_IMM(BPF_JNE, 6, TURNS // 20, -13), I(0, 0), m.BPF_EXIT_INSN()]
    machines = [machine(code, [spec], [box], engine, checked, world) for box in boxes]
    threads = [threading.Thread(target=one.run) for one in machines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = [value for box in boxes for value in box.values()]
    again = World()
    step = (lambda: again.ktime_ns()) if name == "ktime_get_ns" else again.prandom_u32
    assert sorted(int.from_bytes(v, "little") if isinstance(v, bytes) else v for v in seen) == sorted(
        step() for _ in range(len(seen))
    )


# -- ring buffers ------------------------------------------------------------------------------------------------------


@every_engine
@pytest.mark.parametrize("end", ["ringbuf_submit", "ringbuf_discard"])
def test_records_are_reserved_filled_and_closed(end, engine, checked):
    spec = MapSpec("r", "ringbuf", 0, 0, 4096)
    ring = maps.create(spec)
    code = [*m.BPF_LD_MAP_FD(1, 0), I(2, 16), I(3, 0), call("ringbuf_reserve"), m.BPF_JMP_IMM(BPF_JEQ, 0, 0, 5)]
    code += [m.BPF_ST_MEM(BPF_DW, 0, 0, 5), m.BPF_ST_MEM(BPF_DW, 0, 8, 6), R(1, 0), I(2, 0), call(end)]
    code += [*m.BPF_LD_MAP_FD(1, 0), I(2, 0), call("ringbuf_query"), m.BPF_EXIT_INSN()]
    assert run(code, [spec], [ring], engine=engine, checked=checked) == 24
    data = (5).to_bytes(8, "little") + (6).to_bytes(8, "little")
    assert list(ring.consume()) == ([data] if end == "ringbuf_submit" else [])


@pytest.mark.parametrize("engine", ["interp", "jit"])
def test_a_record_is_nobodys_after_its_end(engine):
    spec = MapSpec("r", "ringbuf", 0, 0, 4096)
    code = [*m.BPF_LD_MAP_FD(1, 0), I(2, 16), I(3, 0), call("ringbuf_reserve"), R(6, 0), R(1, 0), I(2, 0)]
    code += [call("ringbuf_submit"), m.BPF_ST_MEM(BPF_DW, 6, 0, 1), m.BPF_EXIT_INSN()]
    with pytest.raises(Fault, match="write of 8 bytes"):
        run(code, [spec], [maps.create(spec)], engine=engine)


# -- printing ----------------------------------------------------------------------------------------------------------


def printing(text, value=0, times=1):
    """Print a format of up to eight bytes, so many times."""
    code = [*m.BPF_LD_IMM64(1, int.from_bytes(text, "little")), m.BPF_STX_MEM(BPF_DW, 10, 1, -8), I(6, times)]
    code += [*stack(1, -8), I(2, len(text) + 1), *m.BPF_LD_IMM64(3, value), call("trace_printk"), A(BPF_SUB, 6, 1)]
    return [*code, m.BPF_JMP_IMM(BPF_JNE, 6, 0, -8), m.BPF_EXIT_INSN()]


@every_engine
def test_lines_stand_in_the_order_they_were_printed(engine, checked):
    world = World()
    world.symbols.address("do_exit")
    for text in (b"%d", b"%ps", b"a%x"):
        machine(printing(text, 16), engine=engine, checked=checked, host=world).run()
    world.trace("by hand")
    machine(printing(b"end"), engine=engine, checked=checked, host=world).run()
    assert [line.text for line in world.pipe.lines] == ["16", "0x10", "a10", "by hand", "end"]
    times = [line.time_ns for line in world.pipe.lines]
    assert times == sorted(times) and len(set(times)) == 5
    assert {(line.comm, line.pid, line.flags) for line in world.pipe.lines} == {("sh", 1000, "...21")}


@every_engine
def test_more_lines_than_the_native_trace_holds(engine, checked):
    world = World()
    machine(printing(b"%d", 7, 2500), engine=engine, checked=checked, host=world).run()
    assert [line.text for line in world.pipe.lines] == ["7"] * 2500
    assert world.pipe.read().count("bpf_trace_printk: 7\n") == 2500 and world.pipe.read() == ""


def test_a_world_that_traces_in_its_own_way():
    class Loud(World):
        def trace(self, text):
            super().trace(text.upper())

    world = Loud()
    machine(printing(b"abc"), host=world).run()
    assert [line.text for line in world.pipe.lines] == ["ABC"]


# -- probing reads -----------------------------------------------------------------------------------------------------


PIECES = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 24), st.booleans()), max_size=5)
HOLE = b"\xaa"


def expected(known, data, start, size, space, text):
    """What a probing read answers and stores, byte by byte: ``known`` says of offsets whether they are the user's."""
    got, at = b"", start
    error = (-34 if space == "_kernel" else -14) & (1 << 64) - 1
    if size and (start not in known or (space and known[start] != (space == "_user"))):
        return error, bytes(size)
    while len(got) < size:
        if at not in known:
            return error, bytes(size)
        got += data[at : at + 1]
        if text and got[-1] == 0:
            return len(got), got
        at += 1
    return (size, got[:-1] + b"\0") if text and size else (0, got)


@settings(max_examples=200 if COMPILED else 60, deadline=None)
@given(PIECES, st.integers(0, 70), st.integers(0, 40), st.sampled_from(["", "_kernel", "_user"]), st.booleans())
def test_probing_reads_what_is_there_and_nothing_else(pieces, start, size, space, text):
    room, out, memory = Buffer.of(bytes(i % 7 for i in range(96))), Buffer.of(HOLE * 64), Memory()
    known: dict[int, bool] = {}
    for low, length, user in pieces:
        if not known.keys() & set(range(low, low + length)):
            memory.add(Region("piece", room.address + low, length, kind="user" if user else "kernel"))
            known |= dict.fromkeys(range(low, low + length), user)
    memory.add(Region("out", out.address, 64))
    code = [*m.BPF_LD_IMM64(1, out.address), I(2, size), *m.BPF_LD_IMM64(3, room.address + start)]
    code += [call(f"probe_read{space}{'_str' if text else ''}"), m.BPF_EXIT_INSN()]
    got = run(code, memory=memory)
    answer, stored = expected(known, bytes(room), start, size, space, text)
    assert got == answer and bytes(out) == stored.ljust(64, HOLE)
