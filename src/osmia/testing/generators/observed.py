"""Programs made to be run: what they compute ends in a map, in the packet or in R0, and is the same everywhere.

Numbers that the verifier can't know come from a map's value, which is part of the trial.  A program starts with its
stack and registers set, and ends with writing every register and slot that holds a number to the map ``out``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from random import Random

from osmia.isa import Insn
from osmia.kernel.helpers import HelperProto
from osmia.obj.model import MapSpec, Program
from osmia.testing.generate import ACTIONS, add_btf, link, shape_of
from osmia.testing.generators import calls as k
from osmia.testing.generators import memory as m
from osmia.testing.generators import scalars as s
from osmia.testing.generators.builder import CTX, SCALAR, SIZES, Builder, Function, Unit, World
from osmia.testing.generators.shapes import Kind
from osmia.testing.trials import Trial

LENGTHS = (64, 64, 64, 14, 60, 100, 254, 1500)
NOISE_WORDS, OUT_WORDS = 16, 24
SLOTS = range(-80, 0, 8)
EDGES = (
    0, 1, 2, 3, 7, 8, 15, 31, 32, 63, 64, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000,
    0xFFFFFFFF, 0x100000000, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFF80000000, 0xFFFFFFFFFFFFFFFF,
    0xFFFFFFFFFFFFFFFE, 0xFFFFFFFFFFFFFF80, 0x0123456789ABCDEF, 0x8000000080000000,
)  # fmt: skip
"""Numbers at which an operation may go wrong."""

TYPES = (
    Kind("xdp", weight=4), Kind("sched_cls", weight=3), Kind("socket_filter", weight=2), Kind("sched_act"),
)  # fmt: skip
WEIGHTED = tuple(kind for kind in TYPES for _ in range(kind.weight))
_HELPERS = (
    "map_lookup_elem", "map_update_elem", "map_delete_elem", "map_push_elem", "map_pop_elem", "map_peek_elem",
    "csum_diff", "strtol", "strtoul", "strncmp", "skb_load_bytes", "skb_store_bytes", "xdp_load_bytes",
    "xdp_store_bytes", "get_smp_processor_id",
)  # fmt: skip
"""Helpers that answer the same to the same, whatever kernel they run in."""
_CHANCE = ("get_prandom_u32", "ktime_get_ns", "ktime_get_boot_ns", "get_current_pid_tgid", "get_current_comm",
           "xdp_adjust_head", "xdp_adjust_tail", "xdp_adjust_meta", "ringbuf_output", "jiffies64",
           "map_lookup_percpu_elem", "skb_load_bytes_relative")  # fmt: skip
"""Those that do so here, in worlds that begin alike."""

MAPS = ("array", "hash", "percpu_array", "percpu_hash", "lpm_trie", "queue", "stack", "array_of_maps", "hash_of_maps")
LOCAL_MAPS = ("lru_hash", "lru_percpu_hash", "bloom_filter", "ringbuf")
"""Those of which the kernel forgets or affirms what it likes."""

_CONTROL = (s.branch, s.branch, s.alu, s.alu, s.unknown)
KINDS: dict[str, tuple[Callable[[Builder], None], ...]] = {
    name: ACTIONS[name] for name in (
        "alu", "branches", "stack", "packets", "maps", "helpers", "loops", "calls", "tail_calls", "atomics", "ld_abs",
        "context",
    )
}  # fmt: skip
KINDS["callbacks"] = (k.callback, k.callback, k.function, *_CONTROL, m.stack_store, m.stack_load, m.value_access)
KINDS["mixed"] = tuple(action for actions in KINDS.values() for action in actions)


def trial(rng: Random, kind: str, *, anywhere: bool = True) -> Trial:
    """A trial of that kind.  ``anywhere``: also the kernel has this outcome, if it takes the program."""
    shape = rng.choice(WEIGHTED)
    if kind == "ld_abs" and shape.prog_type == "xdp":
        shape = TYPES[1]
    noise = MapSpec("noise", "array", 4, 8 * NOISE_WORDS, 1, data=b"".join(_word(rng) for _ in range(NOISE_WORDS)))
    out = MapSpec("out", "array", 4, 8 * OUT_WORDS, 1)
    names = [f"tail{n}" for n in range(3)] if kind in ("tail_calls", "mixed") else []
    tails = MapSpec("tails", "prog_array", 4, 4, 4, values=dict(enumerate(names))) if names else None
    world = World(noise, helpers(shape, anywhere), MAPS if anywhere else MAPS + LOCAL_MAPS, tails)
    made = [_program(rng, kind, shape, world, out, 4 + int(rng.random() ** 2 * 90), name) for name in ("main", *names)]
    data = bytes(6) + rng.randbytes(rng.choice(LENGTHS) - 6)
    ctx = None if shape.prog_type == "xdp" else _skb(rng)
    return Trial(made[0], data, ctx, dict(zip(names, made[1:], strict=True)))


def _skb(rng: Random) -> bytes:
    """A ``struct __sk_buff`` of the first device with a mark, a priority and numbers in cb."""
    head = struct.pack("=8xI20xI4xI4x", rng.getrandbits(32), rng.getrandbits(8), 1)
    return (head + rng.randbytes(20)).ljust(192, b"\0")


def _word(rng: Random) -> bytes:
    roll = rng.random()
    number = int(rng.random() * 16) if roll < 0.4 else rng.choice(EDGES) if roll < 0.8 else rng.getrandbits(64)
    return number.to_bytes(8, "little")


@cache
def helpers(kind: Kind, anywhere: bool) -> tuple[HelperProto, ...]:
    """The helpers that programs of a type may call in a trial."""
    wanted = _HELPERS if anywhere else _HELPERS + _CHANCE
    offered = k.offered(shape_of(kind, "6.18"))
    return tuple(h for h in offered if h.name.removeprefix("bpf_") in wanted)


def _program(rng: Random, kind: str, shape: Kind, world: World, out: MapSpec, size: int, name: str) -> Program:
    unit = Unit(rng, shape_of(shape, "6.18"), KINDS[kind], context=shape.context, world=world)
    bodies = [_main(unit, out, size)]
    while len(bodies) <= len(unit.functions):
        number = len(bodies)
        bodies.append(_called(unit, number, unit.functions[number - 1], size // 2))
    insns, starts = link(bodies, unit.calls)
    program = Program(name, shape.prog_type, insns, maps=unit.maps, license="GPL", expected_attach_type=shape.attach)
    types = kind == "tail_calls" or any(function.callback for function in unit.functions)
    if types or (unit.functions and rng.random() < 0.2):
        add_btf(program, unit.functions, starts, unit.context)
    return program


def _main(unit: Unit, out: MapSpec, size: int) -> list[Insn]:
    b = Builder(unit, 0, (CTX,), size)
    b.copy(6, 1)
    b.keep.add(6)
    _prepare(b, (0, 2, 3, 7, 8, 9))
    b.budget = size
    while b.budget > 0:
        b.statement()
    return _end(b, out)


def _called(unit: Unit, number: int, function: Function, size: int) -> list[Insn]:
    """A function; a callback changes the bytes it is given, and goes on while their lowest bits say so."""
    b = Builder(unit, number, function.args, size)
    if function.callback:
        b.copy(9, 2)
        b.keep.add(9)
    _prepare(b, (0,))
    b.budget = size
    while b.budget > 0:
        b.statement()
    if function.callback:
        b.load(8, 1, 9, 0)
        b.emit(0x0F, 1, b.pick("scalar"))
        b.emit(0x7B, 9, 1)
    return _answer(b, bool(function.callback))


def _prepare(b: Builder, regs: tuple[int, ...]) -> None:
    """Numbers in some registers and in all of the stack that is used."""
    for reg in regs:
        if b.chance(0.5):
            b.mov(reg, b.number_like())
        else:
            b.value_of(reg, b.unit.world.noise, 8 * b.below(NOISE_WORDS)) if b.unit.world else None
            b.load(8, reg, reg, 0)
    for slot in SLOTS:
        if b.chance(0.3):
            b.emit(0x7B, 10, regs[b.below(len(regs))], slot)
        else:
            b.emit(0x7A, 10, 0, slot, b.number_like())
        b.stack[slot] = SCALAR


def _answer(b: Builder, narrow: bool) -> list[Insn]:
    """The end of a function: a mixture of all numbers at hand in R0, one bit of it for a callback."""
    _mix(b)
    if narrow:
        b.emit(0x57, 0, 0, 0, 1)
    b.emit(0x95)
    if b.outs:
        for slot in b.outs:
            b.patch(slot)
        b.mov(0, int(not narrow and b.number))
        b.emit(0x95)
    return b.insns


def _mix(b: Builder) -> None:
    """All scalar registers in R0."""
    rest = [reg for reg in b.having("scalar") if reg]
    if b.regs[0].kind != "scalar":
        b.mov(0, 0)
    for reg in rest:
        b.emit(0x27, 0, 0, 0, 0x01000193)
        b.emit(0xAF, 0, reg)


def _end(b: Builder, out: MapSpec) -> list[Insn]:
    """The end of a program: registers and slots go to ``out``; ways out before this one don't pass here."""
    numbers = b.having("scalar")
    b.value_of(6, out)
    for reg in numbers:
        b.emit(0x63 | SIZES[8], 6, reg, 8 * reg)
    spare = next((reg for reg in (1, 2, 3, 4, 5) if reg not in numbers), 1)
    stored = [off for off, value in b.stack.items() if value.kind == "scalar" and off in SLOTS]
    _mix(b)
    for off in stored:
        b.emit(0x61 | SIZES[8], spare, 10, off)
        b.emit(0x63 | SIZES[8], 6, spare, 88 - off)
    b.emit(0x95)
    if b.outs:
        for slot in b.outs:
            b.patch(slot)
        b.mov(0, 1 + b.below(3))
        b.emit(0x95)
    return b.insns
