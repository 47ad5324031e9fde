"""What a program gets in R1: bytes in native memory, made from Python values, read back when it ends.

``Context`` is plain bytes and the base of the rest: ``packet.XdpContext``, ``packet.SkbContext``,
``ptregs.PtRegsContext``; ``sim`` adds those that kernel objects and BTF describe.
"""

from __future__ import annotations

from dataclasses import dataclass

from osmia.memory import Memory, Region
from osmia.raw import read, write
from osmia.vm.packetstate import PLAIN, PacketState


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run leaves behind: the packet (None where there is none) and the context's bytes."""

    data: bytes | None
    ctx: bytes | None


class Context:
    """Bytes at ``address``.  Programs read and write them, and legacy packet loads see them as the packet."""

    kind = "ctx"
    writable = True
    func_ip = 0
    """Address of the traced function, for bpf_get_func_ip."""
    cookie = 0
    """The number given when the program was attached, for bpf_get_attach_cookie."""

    def __init__(self, data: bytes = b"") -> None:
        self._hold(PacketState(PLAIN, data))

    def _hold(self, state: PacketState) -> None:
        """Take in the state, which holds the context's bytes; it is complete."""
        self.state = state
        self.packet_words = state.address
        """Address of the packet's state (``vm.packetwords``)."""
        self.address = state.ctx
        self.size = state.size
        self._attached: list[Memory] = []
        self._regions = self._own_regions()

    def _own_regions(self) -> list[Region]:
        return [Region(self.kind, self.address, self.size, self.writable, "ctx", owner=self.state)]

    @property
    def arguments(self) -> tuple[int, ...]:
        """What R1, R2 … hold when the program starts: the context's address."""
        return (self.address,)

    @property
    def regions(self) -> tuple[Region, ...]:
        """The memory that the program may touch through the context."""
        return tuple(self._regions)

    def attach(self, memory: Memory) -> None:
        """List the regions in ``memory``, and keep them right there until ``detach``."""
        for region in self._regions:
            memory.add(region)
        self._attached.append(memory)

    def detach(self, memory: Memory) -> None:
        """Take the regions off ``memory``."""
        self._attached.remove(memory)
        for region in self._regions:
            memory.remove(region)

    @property
    def packet(self) -> bytes:
        """The packet as it is now: here, all of the bytes."""
        return read(self.address, self.size)

    def load_bytes(self, offset: int, size: int) -> bytes | None:
        """``size`` bytes of the packet from ``offset`` on; None where that is outside of it."""
        at = self.state.at(offset, size)
        return read(at, size) if at else None

    def store_bytes(self, offset: int, data: bytes) -> bool:
        """Overwrite bytes of the packet; False where that is outside of it."""
        at = self.state.at(offset, len(data))
        if at:
            write(at, data)
        return at != 0

    def result(self) -> Outcome:
        """The bytes as they are now."""
        return Outcome(None, read(self.address, self.size))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.size} bytes at {self.address:#x}>"


class MemoryContext(Context):
    """A block of memory: R1 points at it and R2 holds its size, as the public conformance runner has it."""

    kind = "memory"

    @property
    def arguments(self) -> tuple[int, ...]:
        """Address and size; two zeros where there is no memory."""
        return (self.address if self.size else 0, self.size)
