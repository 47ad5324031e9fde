"""Helper calls: who may call what with which registers, and what R0 is afterwards.  Texts are Linux 6.18's."""

import pytest
from verifier.callkit import ARRAY, HASH, LOOK_UP, STRING, answer, live_kernel, program, said, same_as_kernel

from osmia.kernel.helpers import HELPERS
from osmia.obj.model import MapSpec
from osmia.verifier import consts
from osmia.verifier.const_arg import format_is_valid
from osmia.verifier.env import Powers
from osmia.verifier.helper_proto import func_id_name, helper_rule, parse_kind

RING = MapSpec("ring", "ringbuf", 0, 0, 4096)
FD = MapSpec("devs", "devmap", 4, 4, 4)
STACK16 = "r{0} = r10\nr{0} += -16\n"
END = "\nr0 = 0\nexit"

REFUSED = {
    "no such helper": ("xdp", "call 4242", [], 22, "invalid func unknown#4242"),
    "a negative number": ("xdp", "call -1", [], 22, "invalid func unknown#-1"),
    "helper 0": ("xdp", "call 0", [], 22, "program of this type cannot use helper bpf_unspec#0"),
    "another type's": ("xdp", "call 9", [], 22, "program of this type cannot use helper bpf_skb_store_bytes#9"),
    "sleeping": ("kprobe", "call 148", [], 22, "helper call might sleep in a non-sleepable prog"),
    "unwritten register": ("xdp", "call 51", ["r1 = r2"], 13, "R2 !read_ok"),
    "context for a map": ("xdp", "call 51", ["r1 = r1"], 13, "R1 type=ctx expected=map_ptr"),
    "number for the context": ("xdp", "r1 = 4\nr2 = 0\ncall 44", [], 13, "R1 type=scalar expected=ctx"),
    "moved context": ("xdp", "r1 += 4\nr2 = 0\ncall 44", [], 13, "dereference of modified ctx ptr R1 off=4 disallowed"),
    "null for memory": (
        "xdp", "r1 = 0\nr2 = 8\nr3 = 0\ncall 4", [], 22, "program of this type cannot use helper bpf_probe_read#4"),
    "number for memory": (
        "kprobe", "r1 = 1\nr2 = 8\nr3 = 0\ncall 113", [], 13,
        "R1 type=scalar expected=fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf, trusted_ptr_"),
    "packet where it may not go": (
        "xdp",
        "r6 = *(u32 *)(r1 + 0)\nr2 = *(u32 *)(r1 + 4)\nr3 = r6\nr3 += 8\nif r3 <= r2 goto +2\nr0 = 0\nexit\n"
        "r1 = r6\nr2 = 8\ncall 6", [], 13, "helper access to the packet is not allowed"),
    "sizes unbounded": (
        "kprobe", "call 7\nr2 = r0\nr1 = r10\nr1 += -16\nr3 = 0\ncall 113", [], 13,
        "R2 min value is negative, either use unsigned or 'var &= const'"),
    "sizes far too large": (
        "kprobe", "call 7\nr2 = r0\nr2 >>= 1\nr1 = r10\nr1 += -16\nr3 = 0\ncall 113", [], 13,
        "R2 unbounded memory access, use 'var &= const' or 'if (var < const)'"),
    "reserve what is not constant": (
        "xdp", "call 7\nr2 = r0\nr1 = map 0\nr3 = 0\ncall 131", [RING], 13, "R2 is not a known constant'"),
    "release without a reference": (
        "xdp", "r1 = r10\nr2 = 0\ncall 132", [], 13, "R1 type=fp expected=ringbuf_mem"),
    "leaving a reference": (
        "xdp", "r1 = map 0\nr2 = 8\nr3 = 0\ncall 131", [RING], 22,
        "BPF_EXIT instruction in main prog would lead to reference leak"),
    "releasing what may be null": (
        "xdp", "r1 = map 0\nr2 = 8\nr3 = 0\ncall 131\nr1 = r0\nr2 = 0\ncall 132", [RING], 13,
        "R1 type=ringbuf_mem_or_null expected=ringbuf_mem"),
    "releasing from its middle": (
        "xdp", "r1 = map 0\nr2 = 8\nr3 = 0\ncall 131\nif r0 == 0 goto +4\nr1 = r0\nr1 += 4\nr2 = 0\ncall 132", [RING],
        22, "R1 must have zero offset when passed to release func or trusted arg to kfunc"),
    "using it afterwards": (
        "xdp", "r1 = map 0\nr2 = 8\nr3 = 0\ncall 131\nif r0 == 0 goto +5\nr6 = r0\nr1 = r0\nr2 = 0\ncall 132\n"
        "r0 = *(u8 *)(r6 + 0)", [RING], 13, "R6 invalid mem access 'scalar'"),
    "tail call holding a reference": (
        "xdp", "r6 = r1\nr1 = map 0\nr2 = 8\nr3 = 0\ncall 131\nr1 = r6\nr2 = map 1\nr3 = 0\ncall 12",
        [RING, MapSpec("progs", "prog_array", 4, 4, 1)], 22, "tail_call would lead to reference leak"),
    "device maps are read-only": (
        "xdp", "*(u32 *)(r10 - 4) = 0\nr1 = map 0\nr2 = r10\nr2 += -4\ncall 3", [FD], 13, "write into map forbidden"),
    "key beyond the stack": (
        "xdp", "r1 = map 0\nr2 = r10\nr2 += -2\ncall 1", [ARRAY], 22,
        "invalid read from stack R2 off=-2 size=4"),
    "storage with flags": (
        "cgroup_skb", "r1 = map 0\nr2 = 1\ncall 81", [MapSpec("own", "cgroup_storage", 16, 8, 0)], 22,
        "get_local_storage() doesn't support non-zero flags"),
    "format in a map that changes": (
        "kprobe", "r1 = r10\nr1 += -8\n*(u64 *)(r10 - 8) = 0\nr2 = 8\nr3 = value 0 0\nr4 = 0\nr5 = 0\ncall 165",
        [MapSpec("a", "array", 4, 8, 1)], 13, "R3 does not point to a readonly map'"),
    "format with too few values": (
        "kprobe",
        "r1 = r10\nr1 += -8\n*(u64 *)(r10 - 8) = 0\nr2 = 8\nr3 = value 0 0\nr4 = r10\nr4 += -8\nr5 = 8\ncall 165",
        [STRING], 22, "Invalid format string"),
    "function's address of no function": (
        "raw_tracepoint", "call 173", [], 524, "func bpf_get_func_ip#173 not supported for program type 17"),
}  # fmt: skip


def _made(name):
    prog_type, text, maps, *_ = REFUSED[name]
    lines = maps if maps and isinstance(maps[0], str) else []
    attach = {"cgroup_skb": "cgroup_inet_ingress"}.get(prog_type, "")
    text = "\n".join([*lines, text]) + END
    return program(prog_type, text, *([] if lines else maps), expected_attach_type=attach)


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_is_refused(name):
    *_, errno, message = REFUSED[name]
    assert said(_made(name)) == (errno, message)


@live_kernel
@pytest.mark.live
@pytest.mark.parametrize("name", list(REFUSED))
def test_refused_as_the_kernel_does(name):
    same_as_kernel(_made(name))


def test_gpl():
    text = "r1 = r10\nr1 += -8\nr2 = 8\nr3 = 0\ncall 113" + END
    assert said(program("kprobe", text))[0] == 0
    closed = said(program("kprobe", text, license="Proprietary"))
    assert closed == (22, "cannot call GPL-restricted function from non-GPL compatible program")


def test_stack_ids_of_perf_events_are_free():
    text = "r2 = map 0\nr3 = 0\ncall 27" + END
    stacks = MapSpec("stacks", "stack_trace", 4, 64, 4)
    assert said(program("perf_event", text, stacks, license="MIT"))[0] == 0
    assert said(program("kprobe", text, stacks, license="MIT"))[0] == 22


def _r0(made):
    """What stands behind the last call about R0."""
    lines = [line for line in answer(made).log.splitlines() if ") call " in line]
    return lines[-1].partition("; ")[2]


def test_returned_numbers():
    assert _r0(program("xdp", "call 5" + END)) == "R0=scalar()"
    assert _r0(program("xdp", "call 8" + END)).startswith("R0=scalar(smin=smin32=0,smax=umax=smax32=umax32=")
    text = "r1 = r10\nr1 += -16\nr2 = 16\nr3 = 0\ncall 115" + END
    log = answer(program("kprobe", text)).log
    assert "R0=scalar(smin=smin32=-4095,smax=smax32=16) fp-8=mmmmmmmm fp-16=mmmmmmmm" in log


def test_a_known_key_in_range_finds_its_value():
    known = LOOK_UP.replace("= 9", "= 3")
    assert "R0=map_value(map=array,ks=4,vs=16)" in answer(program("xdp", known + END, ARRAY)).log
    assert "R0=map_value_or_null(id=1,map=array,ks=4,vs=16)" in answer(program("xdp", LOOK_UP + END, ARRAY)).log
    unknown = "call 7\n*(u32 *)(r10 - 8) = r0\nr1 = map 0\nr2 = r10\nr2 += -8\ncall 1"
    assert "map_value_or_null" in _r0(program("xdp", unknown + END, ARRAY))
    assert "map_value_or_null" in _r0(program("xdp", "*(u64 *)(r10 - 8) = 0" + LOOK_UP + END, HASH))


def test_references_share_their_number():
    text = "r1 = map 0\nr2 = 8\nr3 = 0\ncall 131\nif r0 == 0 goto +3\nr1 = r0\nr2 = 0\ncall 133" + END
    log = answer(program("xdp", text, RING)).log
    assert "R0=ringbuf_mem_or_null(id=2,ref_obj_id=2,sz=8) refs=2" in log


def test_packets_move():
    text = "r6 = r1\nr7 = *(u32 *)(r1 + 0)\nr2 = 0\ncall 44\nr0 = *(u8 *)(r7 + 0)" + END
    assert said(program("xdp", text)) == (13, "R7 invalid mem access 'scalar'")


def test_pointers_may_not_leak_into_numbers():
    text = "r1 = r10\nr2 = 0\ncall 23" + END
    weak = Powers(perfmon=False, sys_admin=False)
    assert said(program("xdp", text))[0] == 0
    assert said(program("xdp", text), weak) == (13, "R1 leaks addr into helper function")


@pytest.mark.parametrize(
    ("fmt", "args", "good"),
    [
        (b"", 0, True), (b"plain", 0, True), (b"100%%", 0, True), (b"%d", 1, True), (b"%d", 0, False),
        (b"%5lld %lu %x %i %X", 5, True), (b"%5lld", 1, True), (b"%o", 1, False), (b"%ld%", 1, False),
        (b"%s %c", 2, True), (b"%sx", 1, False), (b"%s,", 1, True), (b"%p", 1, True), (b"%px", 1, True),
        (b"%pz", 1, False), (b"%pI4 %pi6", 2, True), (b"%pI5", 1, False), (b"%pks", 1, True), (b"%pksz", 1, False),
        (b"%-08d", 1, True), (b"\xc3", 0, False), (b"\x01", 0, False), (b"a\n\tb", 0, True), (b"%d", 3, True),
    ],
)  # fmt: skip
def test_formats(fmt, args, good):
    assert format_is_valid(fmt, args) == good


@live_kernel
@pytest.mark.live
@pytest.mark.parametrize(
    "fmt",
    ["%d", "%o", "%sx", "%s,", "%pz", "%pB", "%pks", "%pI5", "%ld%", "% 5d", "%llld", "%5", "%d%d", "a\tb", "\x01"],
)
def test_formats_as_the_kernel_does(fmt):
    spec = MapSpec("fmt", "array", 4, 8, 1, 128, data=fmt.encode().ljust(8, b"\0"), frozen=True)
    text = "*(u64 *)(r10 - 8) = 0\nr1 = r10\nr1 += -16\nr2 = 8\nr3 = value 0 0\nr4 = r10\nr4 += -8\nr5 = 8\ncall 165"
    same_as_kernel(program("kprobe", text + END, spec))


def test_every_kind_has_a_number():
    for row in HELPERS:
        for prog_type in ("xdp", "tracing", *(t for v in row.variants for t in v.prog_types)):
            rule = helper_rule(row.id, prog_type)
            assert rule.n_args == len(row.kinds(prog_type)[1])
    assert parse_kind("ARG_", "PTR_TO_UNINIT_MEM") == (consts.ARG_PTR_TO_MEM, consts.MEM_UNINIT | consts.MEM_WRITE)
    assert parse_kind("RET_", "PTR_TO_RINGBUF_MEM_OR_NULL") == (
        consts.RET_PTR_TO_MEM,
        consts.MEM_RINGBUF | consts.PTR_MAYBE_NULL,
    )


def test_names():
    assert [func_id_name(i) for i in (-1, 0, 1, 211, 212)] == [
        *("unknown", "bpf_unspec", "bpf_map_lookup_elem", "bpf_cgrp_storage_delete", "unknown"),
    ]
