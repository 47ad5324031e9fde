"""One program on both machines: Osmia's and the running kernel's, on the same packets, and what each left behind.

An ``Answer`` holds plain values that compare: for each packet the return value, the packet and the context
afterwards; in the end the contents of all maps.  Elements of hashes are sorted by key, per-CPU values stand for all
possible CPUs, ring buffers give their records, queues and stacks what popping gives.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import osmia
from osmia.errors import KernelError, MapError, OsmiaError
from osmia.live.maps import LiveMap, possible_cpus
from osmia.live.ringbuf import consume
from osmia.maps import commands
from osmia.sim import World

SKB_FIELDS = (8, 32, 48, 52, 56, 60, 64)  # mark, priority, cb[0..4]
OBJECTS = ("prog_array", "array_of_maps", "hash_of_maps", "perf_event_array", "devmap", "bloom_filter")
"""Types whose contents bpf(2) does not tell, or not as it was told them."""


class Refused(Exception):
    """The kernel does not take the program."""


@dataclass
class Answer:
    runs: list[tuple[int, str, str]] = field(default_factory=list)
    """Return value; packet and fields of the context as hexadecimal digits."""
    maps: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Keys with values as hexadecimal digits; positions for what has no keys."""

    def __str__(self) -> str:
        """For people: packets as their lengths."""
        runs = [f"{retval:#010x}, {len(packet) // 2} bytes, {ctx or 'no ctx'}" for retval, packet, ctx in self.runs]
        return "\n".join([*runs, *(f"{name}: {rows}" for name, rows in self.maps.items())])

    def difference(self, other: Answer) -> str | None:
        """In a word, what differs first; None where nothing does."""
        if len(self.runs) != len(other.runs):
            return "runs"
        for mine, theirs in zip(self.runs, other.runs, strict=True):
            for what, a, b in zip(("retval", "packet", "ctx"), mine, theirs, strict=True):
                if a != b:
                    return what
        names = [n for n in self.maps if self.maps[n] != other.maps.get(n)]
        return f"map {names[0]}" if names else None


@contextlib.contextmanager
def on_cpu(number: int) -> Iterator[None]:
    """Stay on one CPU, for programs in the kernel that shall run there."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {number})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def visible_ctx(prog_type: str, ctx: bytes | None) -> str:
    """The part of the context that both say something about."""
    if ctx is None:
        return ""
    if prog_type == "xdp":
        return ctx[:12].hex()
    if prog_type == "socket_filter":
        return ctx[48:68].hex()
    return "".join(ctx[at : at + 4].hex() for at in SKB_FIELDS)


def by_us(
    collection: osmia.Collection,
    name: str,
    packets: list[bytes],
    cpus: int = 0,
    checked: bool = True,
    turns: bool = False,
) -> Answer:
    """Raises OsmiaError when our machine thinks that the program does wrong.

    With ``turns`` the CPUs take turns; otherwise all runs are on the first.
    """
    executable = collection[name].load(checked=checked, world=World(cpus=cpus or possible_cpus()))
    answer = Answer()
    kind = executable.program.prog_type
    for number, packet in enumerate(packets):
        executable.world.cpu = number % executable.world.cpus if turns else 0
        got = executable.run(data=packet)
        answer.runs.append((got.retval, (got.data or b"").hex(), visible_ctx(kind, got.ctx)))
    for spec in reachable(collection, name):
        answer.maps[spec] = list(contents(collection.maps[spec]))
    return answer


def reachable(collection: osmia.Collection, name: str) -> list[str]:
    """Names of maps with contents to compare: the program's, those of programs that it tail-calls, inner ones."""
    found: list[str] = []

    def visit(names: Any) -> None:
        for n in names:
            if n in found:
                continue
            found.append(n)
            spec = collection.specs[n]
            if spec.type == "prog_array":
                for target in spec.values.values():
                    visit(s.name for s in collection[target].maps)
            elif spec.inner is not None:
                visit(spec.values.values())

    visit(spec.name for spec in collection[name].maps)
    return [n for n in found if collection.specs[n].type not in OBJECTS]


def contents(m: Any) -> Iterator[tuple[str, str]]:
    """The elements of one of our maps."""
    kind = m.spec.type
    if kind == "ringbuf":
        yield from ((str(i), record.hex()) for i, record in enumerate(m.consume()))
    elif kind in ("queue", "stack"):
        yield from _popped(lambda: commands.lookup_and_delete_elem(m, None))
    else:
        keys, key = [], commands.next_key(m, None)
        while key is not None:
            keys.append(key)
            key = commands.next_key(m, key)
        yield from _elements(keys, lambda k: commands.lookup_elem(m, k))


def _popped(take: Any) -> Iterator[tuple[str, str]]:
    with contextlib.suppress(MapError):
        for i in range(1 << 20):
            yield str(i), take().hex()


def _elements(keys: list[bytes], lookup: Any) -> Iterator[tuple[str, str]]:
    assert len(set(keys)) == len(keys)
    yield from ((k.hex(), lookup(k).hex()) for k in sorted(keys))


def by_kernel(collection: osmia.Collection, name: str, packets: list[bytes], turns: bool = False) -> Answer:
    """Raises Refused when the verifier says no."""
    kind, answer = collection[name].prog_type, Answer()
    try:
        loaded = collection[name].load("live")
    except KernelError as error:
        raise Refused(error.log.strip() or str(error)) from None
    with loaded:
        for number, packet in enumerate(packets):
            with on_cpu(number % possible_cpus() if turns else 0):
                got = loaded.run(data=packet)
            answer.runs.append((got.retval, (got.data or b"").hex(), visible_ctx(kind, got.ctx)))
        for spec in reachable(collection, name):
            answer.maps[spec] = list(kernel_contents(loaded.maps[spec]))
    return answer


def kernel_contents(m: LiveMap) -> Iterator[tuple[str, str]]:
    """The elements of a map of the kernel."""
    if m.spec.type == "ringbuf":
        yield from ((str(i), record.hex()) for i, record in enumerate(consume(m)))
    elif m.spec.type in ("queue", "stack"):
        yield from _popped(m.take)
    else:
        yield from _elements(list(m), m.__getitem__)


def compare(
    collection: osmia.Collection, name: str, packets: list[bytes], turns: bool = False
) -> tuple[str | None, Answer | str, Answer]:
    """The difference in a word (None: there is none), our answer or our error, the kernel's answer.  Raises Refused."""
    theirs = by_kernel(collection, name, packets, turns)
    try:
        ours = by_us(collection, name, packets, turns=turns)
    except OsmiaError as error:
        return f"error {type(error).__name__}", str(error), theirs
    return ours.difference(theirs), ours, theirs
