"""What one kind of program may do: load at all, sleep, return, call helpers, reach into its context."""

from __future__ import annotations

import re
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from osmia.isa import consts as c
from osmia.isa.macros import (
    BPF_EMIT_CALL,
    BPF_EXIT_INSN,
    BPF_LDX_MEM,
    BPF_LDX_MEMSX,
    BPF_MOV64_IMM,
    BPF_ST_MEM,
    BPF_STX_MEM,
)
from osmia.kernel.helpers import HELPERS, helper_by_id
from osmia.live.record.asker import Answer, Question
from osmia.live.record.shapes import SLEEPABLE, Shape

Asking = Generator[list[Question], list[Answer], Any]
FAR, GRID = 32768, 64
SIZES = {1: c.BPF_B, 2: c.BPF_H, 4: c.BPF_W, 8: c.BPF_DW}
WINDOW = {True: 128, False: 320}
IN_RANGE = re.compile(r"should have been in \[(-?\d+), (-?\d+)\]")
IN_MASK = re.compile(r"should have been in \(0x([0-9a-f]+); 0x([0-9a-f]+)\)")
LOADED = re.compile(r"\bR6(?:_w)?=(-?\w+)")
UNUSABLE = ("cannot use helper", "unknown func", "invalid func")
RANDOM = 7  # bpf_get_prandom_u32: nearly every type has it
STORE = (BPF_MOV64_IMM(2, 1),)


class Row(NamedTuple):
    """One run of offsets of a context table."""

    kind: str
    size: int
    first: int
    last: int
    step: int
    type: str

    def __str__(self) -> str:
        places = f"{self.first}" if self.first == self.last else f"{self.first}..{self.last}"
        step = f"+{self.step}" if self.first != self.last and self.step != 1 else ""
        return f"{self.kind} {self.size} {places}{step} {self.type}".rstrip()


@dataclass
class Facts:
    """What the kernel said about one shape; equal facts share a row."""

    errno: int = 0
    message: str = ""
    sleepable: str = "no"
    returns: str = ""
    value: int = 0
    helpers: frozenset[str] = frozenset()
    outline: tuple[bool, ...] = ()
    ctx: tuple[Row, ...] = field(default=(), compare=False)


def outline(shape: Shape) -> Asking:
    """The verdict on the smallest program, whether it may sleep, what it may return; and a part of the rest."""
    asleep = replace(shape, flags=SLEEPABLE)
    said = yield [s.asks(value=value, level=1) for s in (shape, asleep) for value in (0, 1)]
    facts = Facts()
    if all(a.errno for a in said):
        facts.errno, facts.message = said[0].errno, said[0].last
        return shape, facts, ()
    must = all(a.errno for a in said[:2])
    facts.sleepable = "must" if must else "no" if all(a.errno for a in said[2:]) else "may"
    shape = asleep if must else shape
    facts.value = next(v for v, a in enumerate(said[2:] if must else said[:2]) if not a.errno)
    facts.returns = yield from returns(shape)
    sample = yield from sampled(shape, facts)
    return shape, facts, sample


READS = [(off, size) for size in (4, 8) for off in range(0, 256, size)]
SOME_READS = [(off, 4) for off in (*range(0, 32, 4), 40, 48, 60, 76, 80, 152)]
BY_ATTACH = """
bind get_attach_cookie get_cgroup_classid get_func_arg get_func_ip get_local_storage get_netns_cookie get_retval
getsockopt get_socket_cookie perf_event_output probe_write_user redirect set_retval setsockopt sk_lookup_tcp
sk_storage_get sock_map_update store_hdr_opt strtol sysctl_get_name tcp_sock
""".split()
"""Helpers that some attach types of a program type have and others have not."""


def sampled(shape: Shape, facts: Facts) -> Asking:
    """A part of what can be asked: enough to tell attach types apart."""
    numbers = [h.id for h in HELPERS if h.id % 32 == 4 or helper_name(h.id) in BY_ATTACH]
    helpers = yield from probe_helpers(shape, facts.value, numbers=numbers)
    reads = yield [read(shape, off, size, facts.value) for off, size in SOME_READS]
    return facts.returns, facts.sleepable, helpers, tuple(not a.errno for a in reads)


def in_full(shape: Shape, facts: Facts) -> Asking:
    """All helpers, and the context, coarsely."""
    facts.helpers = yield from probe_helpers(shape, facts.value)
    answers = yield [read(shape, off, size, facts.value) for off, size in READS]
    facts.outline = tuple(a.errno == 0 for a in answers)


def returns(shape: Shape) -> Asking:
    """The range of R0 at the end, "" where all is well."""
    (answer,) = yield [shape.asks(BPF_EMIT_CALL(RANDOM), BPF_EXIT_INSN(), level=1)]
    if not answer.errno:
        return ""
    if said := IN_RANGE.search(answer.log):
        return f"{said[1]}..{said[2]}"
    if said := IN_MASK.search(answer.log):
        low, mask = int(said[1], 16), int(said[2], 16)
        return f"{low}..{low | mask}"
    return ""


def probe_helpers(shape: Shape, value: int, caps: tuple[str, ...] | None = None, numbers: Sequence[int] = ()) -> Asking:
    """The helpers that it may call, of these or all; ``!name`` where the kernel knows it and refuses it here."""
    asked = numbers or [h.id for h in HELPERS]
    answers = yield [replace(shape.asks(BPF_EMIT_CALL(n), value=value, level=1), caps=caps) for n in asked]
    found = set()
    for number, answer in zip(asked, answers, strict=True):
        if not answer.errno or (answer.log and not any(x in answer.log for x in UNUSABLE)):
            refused = "helper call is not allowed" in answer.log
            found.add(f"{'!' if refused else ''}{helper_name(number)}")
    return frozenset(found)


def last_helper(shape: Shape, value: int) -> Asking:
    """The largest number that is a helper's, whoever may call it."""
    numbers = range(100, 320)
    answers = yield [shape.asks(BPF_EMIT_CALL(n), value=value, level=1) for n in numbers]
    return max(n for n, a in zip(numbers, answers, strict=True) if not a.errno or "invalid func" not in a.log)


def helper_name(number: int) -> str:
    """A helper's name without its prefix."""
    return helper_by_id(number).name.removeprefix("bpf_")


# -- the context


def read(shape: Shape, off: int, size: int, value: int, level: int = 0) -> Question:
    """A load from the context."""
    return shape.asks(BPF_LDX_MEM(SIZES[size], 6, 1, off), value=value, level=level)


def write(shape: Shape, off: int, size: int, value: int) -> Question:
    """A store to the context."""
    return shape.asks(*STORE, BPF_STX_MEM(SIZES[size], 1, 2, off), value=value)


def extend(shape: Shape, off: int, size: int, value: int) -> Question:
    """A load that extends the sign."""
    return shape.asks(BPF_LDX_MEMSX(SIZES[size], 6, 1, off), value=value)


def sign_extension(shape: Shape, value: int) -> Asking:
    """Does the kernel know loads that extend the sign?"""
    zero = BPF_ST_MEM(c.BPF_W, 10, -4, 0)
    (answer,) = yield [shape.asks(zero, BPF_LDX_MEMSX(c.BPF_W, 6, 10, -4), value=value)]
    return answer.errno == 0


def probe_context(shape: Shape, value: int, extends: bool) -> Asking:
    """Every offset and size that may be read or written, as runs; ``extends``: see ``sign_extension``.

    Contexts are read at multiples of the size; other offsets are tried where one of them can be read.
    """
    places = _places(shape)
    reads = yield [read(shape, off, size, value) for off, size in places]
    readable = [place for place, a in zip(places, reads, strict=True) if not a.errno]
    odd = [(off + 1, size) for off, size in readable if size > 1]
    reads = yield [read(shape, off, size, value) for off, size in odd]
    if not all(a.errno for a in reads):
        others = sorted({(off + n, size) for off, size in places for n in range(1, size)})
        reads = yield [read(shape, off, size, value) for off, size in others]
        readable += [place for place, a in zip(others, reads, strict=True) if not a.errno]
    places = sorted({*readable, *((off, size) for off, size in places if size >= 4)})
    writes = yield [write(shape, off, size, value) for off, size in places]
    logs = yield [read(shape, off, size, value, level=2) for off, size in readable]
    signs = yield [extend(shape, off, size, value) for off, size in readable] if extends else []
    cells: dict[tuple[str, int, str], list[int]] = {}
    for number, ((off, size), log) in enumerate(zip(readable, logs, strict=True)):
        unsigned = extends and size != 8 and signs[number].errno
        text = type_name(LOADED.findall(log.log)[-1]) + (" unsigned" if unsigned else "")
        cells.setdefault(("r", size, text), []).append(off)
    for (off, size), answer in zip(places, writes, strict=True):
        if not answer.errno:
            cells.setdefault(("w", size, ""), []).append(off)
    near: dict[tuple[str, int], set[int]] = {}
    for (kind, size, _), offsets in cells.items():
        near.setdefault((kind, size), set()).update(offsets)
    far = yield from _far(shape, value, near)
    for (kind, size, _), offsets in cells.items():
        more = far.get((kind, size), ())
        offsets += more if {*offsets} & {*more} else ()
    return runs(cells)


def _places(shape: Shape) -> list[tuple[int, int]]:
    """Aligned offsets worth a try, with the size: those of a window around 0."""
    window = range(-16, WINDOW[shape.by_btf])
    return [(off, size) for size in SIZES for off in window if off % size == 0]


def _far(shape: Shape, value: int, near: Mapping[tuple[str, int], Collection[int]]) -> Asking:
    """Offsets beyond the window by (kind, size), where the context has no end in it: as far as access goes.

    Between the last offset that is known to be fine and the first that is not, ``GRID`` places are asked at once.
    """
    edges = {}
    for kind, size in near:
        for inside, outside in ((-16, -FAR - size), (WINDOW[shape.by_btf] // size * size - size, FAR)):
            if inside in near[kind, size]:
                edges[kind, size, inside] = inside, outside
    while open_ones := {k: span for k, span in edges.items() if abs(span[1] - span[0]) > k[1]}:
        asked = [(k, off) for k, span in open_ones.items() for off in _between(*span, k[1])]
        make = {"r": read, "w": write}
        answers = yield [make[kind](shape, off, size, value) for (kind, size, _), off in asked]
        said = {question: a.errno == 0 for question, a in zip(asked, answers, strict=True)}
        for key, (inside, outside) in open_ones.items():
            places = [inside, *_between(inside, outside, key[1]), outside]
            end = next(i for i, off in enumerate(places) if off == outside or (i and not said[key, off]))
            edges[key] = places[end - 1], places[end]
    found: dict[tuple[str, int], list[int]] = {}
    for (kind, size, start), (last, _) in edges.items():
        found.setdefault((kind, size), []).extend(range(min(start, last), max(start, last) + 1, size))
    return found


def _between(inside: int, outside: int, size: int) -> list[int]:
    """Some multiples of ``size`` from one to the other, both left out."""
    step = max(abs(outside - inside) // GRID // size, 1) * size
    return list(range(inside + step, outside, step)) if outside > inside else list(range(inside - step, outside, -step))


BASES = {
    "scalar": "SCALAR_VALUE",
    "inv": "SCALAR_VALUE",
    "ctx": "PTR_TO_CTX",
    "pkt": "PTR_TO_PACKET",
    "pkt_meta": "PTR_TO_PACKET_META",
    "pkt_end": "PTR_TO_PACKET_END",
    "flow_keys": "PTR_TO_FLOW_KEYS",
    "sock": "PTR_TO_SOCKET",
    "sock_common": "PTR_TO_SOCK_COMMON",
    "tcp_sock": "PTR_TO_TCP_SOCK",
    "tp_buffer": "PTR_TO_TP_BUFFER",
    "buf": "PTR_TO_BUF",
    "rdwr_buf": "PTR_TO_BUF",
    "mem": "PTR_TO_MEM",
}
FLAGS = {"trusted_": "PTR_TRUSTED", "untrusted_": "PTR_UNTRUSTED", "rcu_": "MEM_RCU", "rdonly_": "MEM_RDONLY"}


def type_name(printed: str) -> str:
    """The kernel's name of a register type that its log prints as ``trusted_ptr_or_null_task_struct``."""
    flags, rest = [], printed
    for prefix, flag in FLAGS.items():
        if rest.startswith(prefix):
            flags.append(flag)
            rest = rest.removeprefix(prefix)
    if rest.startswith("ptr_"):
        btf = rest.removeprefix("ptr_")
        null = btf.startswith("or_null_")
        flags += ["PTR_MAYBE_NULL"] if null else []
        return f"{'|'.join(['PTR_TO_BTF_ID', *flags])} {btf.removeprefix('or_null_')}"
    if rest.endswith("_or_null"):
        flags.append("PTR_MAYBE_NULL")
        rest = rest.removesuffix("_or_null")
    if re.fullmatch(r"-?\d+|inv-?\d+", rest):
        rest = "scalar"
    return "|".join([BASES[rest], *flags])


def runs(cells: dict[tuple[str, int, str], list[int]]) -> tuple[Row, ...]:
    """Offsets of equal meaning as arithmetic runs, by kind, size and offset."""
    made = [Row(kind, size, *run, text) for (kind, size, text), offsets in cells.items() for run in _steps(offsets)]
    return tuple(sorted(made))


def _steps(offsets: list[int]) -> list[tuple[int, int, int]]:
    left, found = sorted(set(offsets)), []
    while left:
        step = left[1] - left[0] if len(left) > 1 else 1
        count = next((i for i in range(1, len(left)) if left[i] - left[i - 1] != step), len(left))
        if count == 2 and step > 8:
            count = 1
        found.append((left[0], left[count - 1], step))
        left = left[count:]
    return found
