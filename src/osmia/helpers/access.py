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


def read_memory(memory: Memory, address: int, size: int) -> bytes | None:
    """Exactly ``size`` bytes, across neighbouring regions if need be; None where any of them is missing."""
    out = bytearray()
    while len(out) < size:
        here = address + len(out)
        region = memory.find(here)
        if region is None:
            return None
        step = min(region.low(here) + room_of(region.room(), region.end - region.low(here)) - here, size - len(out))
        if step <= 0:
            return None
        out += read(here, step)
    return bytes(out)


def room_of(window: int, rest: int) -> int:
    """A window of a strided region, cut at the region's end."""
    return min(window, rest)


def read_string(memory: Memory, address: int, room: int) -> bytes | None:
    """The bytes before the NUL, at most ``room`` - 1; None when neither NUL nor limit comes before the memory's end."""
    out = bytearray()
    while len(out) < room:
        here = address + len(out)
        region = memory.find(here)
        if region is None:
            return None
        window = region.low(here) + room_of(region.room(), region.end - region.low(here)) - here
        if window <= 0:
            return None
        chunk = read(here, min(window, room - len(out)))
        head, nul, _ = chunk.partition(b"\0")
        out += head
        if nul:
            return bytes(out[: room - 1])
    return bytes(out[: room - 1])


class EnvReader:
    """``printk.Reader`` over a running program's memory; symbols come from the host where it knows any."""

    def __init__(self, env: Env) -> None:
        self.env = env

    def string(self, address: int, room: int) -> bytes | None:
        """A string, or None."""
        return read_string(self.env.memory, address, room)

    def memory(self, address: int, size: int) -> bytes | None:
        """Some bytes, or None."""
        return read_memory(self.env.memory, address, size)

    def symbol(self, address: int, offset: bool) -> str:
        """From ``host.symbol(address) -> (name, offset, size) | None``, a method that a host may have."""
        ask = getattr(self.env.host, "symbol", None)
        found = ask(address) if ask else None
        if not found:
            return f"{address:#x}"
        name, inside, size = found
        return f"{name}+{inside:#x}/{size:#x}" if offset else str(name)
