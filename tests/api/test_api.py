"""The face for other programs: what a user's own script would do."""

import subprocess
import sys
from pathlib import Path

import pytest

import osmia
from osmia.errors import AsmError, CompileError, DecodeError, Fault, OsmiaError, Unavailable, UsageError
from osmia.isa.macros import BPF_EXIT_INSN, BPF_MOV64_IMM

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


@pytest.fixture(scope="module")
def xdp_filter():
    return open_c("xdp_filter")


def open_c(name, **options):
    try:
        return osmia.open(EXAMPLES / f"{name}.bpf.c", **options)
    except Unavailable as e:
        pytest.skip(str(e))


def test_a_program_from_instructions_text_and_bytes():
    insns = [BPF_MOV64_IMM(0, 7), BPF_EXIT_INSN()]
    from osmia.isa import encode

    for source in (insns, "r0 = 7\nexit", encode(insns), "mov %r0, 7\nexit"):
        result = osmia.Program(source).load().run(data=b"x" * 20)
        assert (result.retval, result.insns, result.action) == (7, 2, "keep 7")


@pytest.mark.parametrize(
    ("source", "error"), [("r0 = = 7", AsmError), (b"1234567", DecodeError), ([1, 2], UsageError), ("", OsmiaError)]
)
def test_what_is_no_program(source, error):
    with pytest.raises(error):
        osmia.Program(source).load().run()


def test_unknown_names_are_usage_errors(xdp_filter):
    with pytest.raises(UsageError, match="program type"):
        osmia.Program("exit", "nonesuch")
    with pytest.raises(UsageError, match="engine"):
        osmia.Program("r0 = 0\nexit").load("nonesuch")
    with pytest.raises(KeyError, match="filter"):
        xdp_filter["nonesuch"]
    with pytest.raises(KeyError, match="packets"):
        xdp_filter.maps["nonesuch"]
    with pytest.raises(AttributeError):
        _ = osmia.nonesuch


def test_maps_are_shared_and_live(xdp_filter):
    from osmia.sim import packet

    first, second = xdp_filter.load(), xdp_filter.load("filter")
    before = xdp_filter.maps["packets"][17]
    frame = packet.udp4("10.0.0.1", "10.0.0.2", 1, 9999, b"")
    assert first.run(data=frame).action == "XDP_DROP" and second.run(data=frame).action == "XDP_DROP"
    assert xdp_filter.maps["packets"][17] == before + 2
    xdp_filter.maps["packets"][17] = 0
    assert first.run(data=frame[:20]).action == "XDP_PASS" and xdp_filter.maps["packets"][17] == 0


def test_repeat_counts_like_test_run(xdp_filter):
    from osmia.sim import packet

    before = xdp_filter.maps["packets"][17]
    result = xdp_filter.load().run(data=packet.udp4("10.0.0.1", "10.0.0.2", 1, 9, b""), repeat=5)
    assert result.action == "XDP_PASS" and xdp_filter.maps["packets"][17] == before + 5 and result.duration_ns > 0
    with pytest.raises(UsageError):
        xdp_filter.load().run(repeat=0)


def test_a_tracing_program_is_unit_tested():
    collection = open_c("unlink", btf=osmia.World().btf)
    world = osmia.World()
    collection.attach(world)
    name = world.new("struct filename", name="/etc/shadow")
    task = world.add_task("mallory", uid=1000)
    result = world.fire("kprobe/do_unlinkat", task=task, args=[-100, name])[0]
    assert result.retval == 0 and result.trace[0].text == f"mallory (pid {task.pid}) removes /etc/shadow"
    assert world.fire("kretprobe/do_unlinkat", retval=0)[0].trace == ()
    assert world.fire("kprobe/nobody_watches") == []


def test_two_worlds_do_not_know_each_other():
    program = osmia.Program("r0 = 0\nexit", "xdp", section="xdp")
    executable = program.load(world=osmia.World())
    with pytest.raises(UsageError, match="another world"):
        osmia.World().attach(executable)


def test_a_fault_names_place_and_memory():
    executable = osmia.Program("r0 = *(u64 *)(r1 + 100)\nexit", "xdp").load()
    with pytest.raises(Fault) as e:
        executable.run(data=bytes(64))
    assert e.value.pc == 0 and e.value.size == 8 and "xdp_md" in str(e.value)


def test_compile_gives_the_compilers_words():
    try:
        with pytest.raises(CompileError) as e:
            osmia.compile("int f( {")
    except Unavailable as missing:
        pytest.skip(str(missing))
    assert "error:" in e.value.output


def test_context_by_fields():
    text = "r0 = *(u32 *)(r1 + 8)\nexit"  # __sk_buff.mark
    executable = osmia.Program(text, "sched_cls").load()
    assert executable.run(data=bytes(64), ctx={"mark": 77}).retval == 77
    with pytest.raises(UsageError, match="mark"):
        executable.run(data=bytes(64), ctx={"nope": 1})


def test_trace_sees_every_instruction():
    seen = []
    osmia.Program("r0 = 1\nr0 += 41\nexit", "xdp").load(trace=lambda pc, regs: seen.append((pc, regs[0]))).run()
    assert [pc for pc, _ in seen] == [0, 1, 2] and seen[2][1] == 42


def test_a_clock_that_moves_and_never_differs():
    def run():
        world = osmia.World()
        world.do("touch a; sleep 2; rm a")
        return world.now_ns, world.prandom_u32(), world.ktime_ns()

    assert run() == run() and run()[0] > 6_000_000_000


def test_import_is_light():
    script = "import sys, osmia; print([m for m in sys.modules if m in ('click', 'rich', 'dpkt', 'elftools', 'lark')])"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


DOCUMENTED = "osmia api inputs sim.kobject sim.hooks sim.packet sim.pipe sim.result sim.world".split()


@pytest.mark.parametrize("module", [m if m == "osmia" else f"osmia.{m}" for m in DOCUMENTED])
def test_the_docstrings_examples(module):
    import doctest
    import importlib

    found = doctest.testmod(importlib.import_module(module))
    assert found.attempted > 0 and not found.failed


def test_functions_have_addresses_and_attachments_cookies():
    world = osmia.World()
    text = "call 173\nexit"  # bpf_get_func_ip
    func_ip = osmia.Program(text, "kprobe", section="kprobe/do_unlinkat").load(world=world)
    cookie = osmia.Program("call 174\nexit", "kprobe").load(world=world)
    world.attach(func_ip)
    world.attach(cookie, "kprobe/do_unlinkat", cookie=0xB0B)
    ip, given = world.fire("kprobe/do_unlinkat")
    assert world.symbol(ip.r0) == ("do_unlinkat", 0, 1024) and given.retval == 0xB0B


def test_programs_of_the_other_byte_order_do_not_run():
    other = "big" if sys.byteorder == "little" else "little"
    try:
        collection = osmia.compile('__attribute__((section("xdp"))) int f(void *c) { return 1; }', order=other)
    except Unavailable as e:
        pytest.skip(str(e))
    with pytest.raises(UsageError, match=f"{other}-endian"):
        collection.load()
