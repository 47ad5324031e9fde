"""What does a helper cost, called from a program: nanoseconds of one call, in both engines and in the kernel?

    python bench/helpers.py [--runs N]

Each program calls the helper 64 times in a row and does that over and over; what the same program takes with `r0 = 0`
in place of the call is taken off.  Medians of N runs (9 unless told), all columns by turns.  ``kernel`` is the running
kernel's JIT (BPF_PROG_TEST_RUN), and missing where bpf(2) is.  Run it on a compiled build.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import osmia.vm.interp
from osmia import helpers, live
from osmia.errors import OsmiaError
from osmia.isa import Insn
from osmia.isa import consts as c
from osmia.isa import macros as m
from osmia.kernel.helpers import helper_by_name
from osmia.maps import create
from osmia.obj.model import MapSpec, Program
from osmia.vm import Machine, SkbContext, XdpContext

COMPILED = not osmia.vm.interp.__file__.endswith(".py")
CALLS = 64
LOOPS = 60 if COMPILED else 2
PACKET = bytes(12) + b"\x08\x00\x45" + bytes(range(241)) * 6
ROOM = 1408


@dataclass
class Call:
    """A helper with its arguments: "ctx", "buf" (memory of a map), a type of maps (such a map), or a number."""

    prog_type: str
    name: str
    args: tuple[str | int, ...]
    note: str = ""
    then: tuple[str, tuple[str | int, ...]] | None = None
    """What takes it back, so that the packet stays as it is: counted with it, and halved."""


ROWS = [
    Call("sched_cls", "ktime_get_ns", ()),
    Call("sched_cls", "get_prandom_u32", ()),
    Call("sched_cls", "get_smp_processor_id", ()),
    Call("sched_cls", "get_current_pid_tgid", ()),
    Call("sched_cls", "map_lookup_elem", ("array", "buf"), "array"),
    Call("sched_cls", "map_lookup_elem", ("hash", "buf"), "hash"),
    Call("sched_cls", "map_update_elem", ("array", "buf", "buf", 0), "array"),
    Call("sched_cls", "map_update_elem", ("hash", "buf", "buf", 0), "hash"),
    Call("sched_cls", "ringbuf_output", ("ringbuf", "buf", 16, 1), "16 bytes"),
    Call("sched_cls", "perf_event_output", ("ctx", "perf_event_array", 0, "buf", 16), "nobody reads"),
    Call("sched_cls", "probe_read_kernel", ("buf", 8, "buf"), "8 bytes"),
    Call("sched_cls", "probe_read_kernel_str", ("buf", 8, "buf"), "empty"),
    Call("sched_cls", "strtol", ("buf", 8, 10, "buf"), "no number"),
    Call("sched_cls", "skb_load_bytes", ("ctx", 14, "buf", 4), "4 bytes"),
    Call("sched_cls", "skb_load_bytes", ("ctx", 14, "buf", 64), "64 bytes"),
    Call("sched_cls", "skb_load_bytes", ("ctx", 14, "buf", 1408), "1408 bytes"),
    Call("sched_cls", "skb_load_bytes_relative", ("ctx", 12, "buf", 8, 1), "8 bytes"),
    Call("sched_cls", "skb_store_bytes", ("ctx", 14, "buf", 8, 0), "8 bytes"),
    Call("sched_cls", "l3_csum_replace", ("ctx", 24, 1, 2, 2), "2 bytes"),
    Call("sched_cls", "l4_csum_replace", ("ctx", 40, 1, 2, 20), "4 bytes"),
    Call("sched_cls", "csum_diff", ("buf", 8, "buf", 8, 0), "8 and 8 bytes"),
    Call("sched_cls", "csum_diff", (0, 0, "buf", 1408, 0), "1408 bytes"),
    Call("sched_cls", "skb_pull_data", ("ctx", 60)),
    Call("sched_cls", "skb_change_tail", ("ctx", 1000, 0), "", ("skb_change_tail", ("ctx", 1020, 0))),
    Call("sched_cls", "get_hash_recalc", ("ctx",), "known"),
    Call("sched_cls", "set_hash_invalid", ("ctx",), "and made anew", ("get_hash_recalc", ("ctx",))),
    Call("sched_cls", "redirect", (1, 0)),
    Call("xdp", "xdp_adjust_head", ("ctx", 14), "", ("xdp_adjust_head", ("ctx", -14))),
    Call("xdp", "xdp_adjust_tail", ("ctx", -20), "", ("xdp_adjust_tail", ("ctx", 20))),
    Call("xdp", "xdp_adjust_meta", ("ctx", -8), "", ("xdp_adjust_meta", ("ctx", 8))),
    Call("xdp", "xdp_get_buff_len", ("ctx",)),
    Call("xdp", "xdp_load_bytes", ("ctx", 14, "buf", 64), "64 bytes"),
    Call("xdp", "xdp_store_bytes", ("ctx", 14, "buf", 64), "64 bytes"),
]


SPECS = {
    "array": MapSpec("numbers", "array", 4, 8, 64),
    "hash": MapSpec("table", "hash", 4, 8, 64),
    "ringbuf": MapSpec("ring", "ringbuf", 0, 0, 1 << 22),
    "perf_event_array": MapSpec("events", "perf_event_array", 4, 4, 8),
}


def loads(reg: int, arg: str | int) -> list[Insn]:
    """The argument in its register."""
    if arg in SPECS:
        return m.BPF_LD_MAP_FD(reg, 1)
    pointers = {"ctx": m.BPF_MOV64_REG(reg, 6), "buf": m.BPF_MOV64_REG(reg, 7)}
    return [pointers[arg] if isinstance(arg, str) else m.BPF_MOV64_IMM(reg, arg)]


def filled() -> list[Insn]:
    """Put in the element that look-ups find."""
    arguments = [insn for reg, arg in enumerate(("hash", "buf", "buf", 0), 1) for insn in loads(reg, arg)]
    return [*arguments, m.BPF_EMIT_CALL(helper_by_name("bpf_map_update_elem").id)]


def program(row: Call, real: bool) -> Program:
    """The calls, or a zero in R0 instead of each."""
    body: list[Insn] = []
    specs = [SPECS[arg] for arg in row.args if isinstance(arg, str) and arg in SPECS]
    for number in range(CALLS):
        name, args = (row.name, row.args) if row.then is None or number % 2 == 0 else row.then
        for reg, arg in enumerate(args, 1):
            body += loads(reg, arg)
        body.append(m.BPF_EMIT_CALL(helper_by_name(f"bpf_{name}").id) if real else m.BPF_MOV64_IMM(0, 0))
    back = [m.BPF_ALU64_IMM(c.BPF_SUB, 8, 1), m.BPF_JMP_IMM(c.BPF_JNE, 8, 0, -len(body) - 2)]
    start = [m.BPF_MOV64_REG(6, 1), *m.BPF_LD_MAP_VALUE(7, 0, 0), m.BPF_MOV64_IMM(8, LOOPS)]
    start += filled() if "hash" in row.args else []
    code = [*start, *body, *back, m.BPF_MOV64_IMM(0, 0), m.BPF_EXIT_INSN()]
    maps = [MapSpec("room", "array", 4, ROOM, 1), *specs]
    return Program("calls", row.prog_type, code, maps=maps, license="GPL")


def here(row: Call, real: bool, engine: str, checked: bool) -> Callable[[], float]:
    """One run of a machine, nanoseconds."""
    made = program(row, real)
    maps = [create(spec) for spec in made.maps]
    machine = Machine(made, maps=maps, helpers=helpers.table(), engine=engine, checked=checked)
    if machine.note:
        raise OsmiaError(machine.note)
    ctx = XdpContext(PACKET) if row.prog_type == "xdp" else SkbContext(PACKET)

    def run() -> float:
        begin = time.perf_counter_ns()
        machine.run(ctx)
        took = float(time.perf_counter_ns() - begin)
        for ring in maps[1:]:
            if ring.type == "ringbuf":
                list(ring.consume())
        return took

    return run


def there(row: Call, real: bool) -> Callable[[], float]:
    """One run in the kernel."""
    loaded = live.load(program(row, real))
    return lambda: float(loaded.test_run(PACKET, repeat=3).duration_ns)


def columns(row: Call) -> dict[str, Callable[[bool], Callable[[], float]]]:
    """Who is measured."""
    found: dict[str, Callable[[bool], Callable[[], float]]] = {
        "interp": lambda real: here(row, real, "interp", True),
        "jit checked": lambda real: here(row, real, "jit", True),
        "jit": lambda real: here(row, real, "jit", False),
    }
    if live.available() is None:
        found["kernel"] = lambda real: there(row, real)
    return found


def measured(row: Call, runs: int) -> dict[str, str]:
    """Nanoseconds of a call, by column."""
    pairs, out = {}, {}
    for name, make in columns(row).items():
        try:
            pairs[name] = (make(True), make(False))
        except OsmiaError as error:
            out[name] = str(error).split("\n")[0][:11]
    times: dict[str, list[float]] = {name: [] for name in pairs}
    for _ in range(runs):
        for name, (real, empty) in pairs.items():
            times[name].append((real() - empty()) / (CALLS * LOOPS))
    return out | {name: f"{statistics.median(values):.1f}" for name, values in times.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    print("compiled" if COMPILED else "not compiled", f"build; ns of a call, medians of {runs} runs")
    names = list(columns(ROWS[0]))
    print(f"{'helper':40}", *(f"{name:>11}" for name in names))
    for row in ROWS:
        got = measured(row, runs)
        print(f"{row.name + (f' ({row.note})' if row.note else ''):40}", *(f"{got[name]:>11}" for name in names))


if __name__ == "__main__":
    main()
