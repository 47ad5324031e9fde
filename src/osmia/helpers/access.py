"""What Python bodies ask in common: the CPU, and memory and strings that may not be there, without faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osmia.raw import ld64, read
from osmia.vm.runwords import OFFSETS

if TYPE_CHECKING:
    from osmia.memory import Memory
    from osmia.vm.env import Env


def cpu_of(env: Env) -> int:
    """The CPU that the program runs on: several threads may be on different ones."""
    return ld64(env.run + OFFSETS["cpu"]) if env.run else env.host.cpu


def read_string(memory: Memory, address: int, room: int) -> bytes | None:
    """The bytes before the NUL, at most ``room`` - 1; None when neither NUL nor limit comes before the memory's end."""
    out = bytearray()
    while len(out) < room:
        here = address + len(out)
        region = memory.find(here)
        if region is None:
            return None
        window = region.low(here) + min(region.room(), region.end - region.low(here)) - here
        if window <= 0:
            return None
        chunk = read(here, min(window, room - len(out)))
        head, nul, _ = chunk.partition(b"\0")
        out += head
        if nul:
            return bytes(out[: room - 1])
    return bytes(out[: room - 1])
