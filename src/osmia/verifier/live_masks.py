"""The tables behind the live stack slots: masks per instruction and frame, per function and way to it.

(``struct per_frame_masks``, ``func_instance`` and ``bpf_liveness`` in kernel/bpf/liveness.c, Linux 6.18.)
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython


class InsnMasks:
    """One instruction and one frame, a bit per stack slot.

    ``written`` is what the instruction and every way on from it write; ``next`` and ``branch`` are the successors'.
    """

    next: InsnMasks | None
    branch: InsnMasks | None

    def __init__(self, idx: int, logged: bool) -> None:
        self.idx = idx
        self.logged = logged
        self.may_read = self.must_write = self.written = self.live = 0
        self.next = self.branch = None


class Instance:
    """A function as reached through ``callsites``; the last of these is its own first slot.

    ``frames[i]`` holds the masks for frame i in order of slots, ``orders[i]`` the same in postorder; None until needed.
    ``seen`` says of each instruction whether its writes are known: 0 no, 1 it wrote nothing, 2 it wrote.
    """

    callsites: tuple[int, ...]
    frames: list[list[InsnMasks] | None]
    orders: list[list[InsnMasks] | None]

    def __init__(self, callsites: tuple[int, ...], number: int, start: int, size: int) -> None:
        self.callsites = callsites
        self.number = number
        self.curframe = len(callsites) - 1
        self.start = start
        self.seen = bytearray(size)
        self.updated = self.must_write_dropped = False
        self.frames = [None] * len(callsites)
        self.orders = [None] * len(callsites)


class LiveStack:
    """All instances, the current one, what the current instruction has written so far, and the state being asked about.

    ``write_masks`` counts by frame; ``wrote`` tells whether any of them is set.
    """

    instances: dict[tuple[int, ...], Instance]
    current: Instance | None
    write_masks: list[int]
    query: list[Instance]

    def __init__(self) -> None:
        self.instances = {}
        self.current = None
        self.write_insn_idx = 0
        self.wrote = False
        self.query = []
        self.query_idx = 0
        if not cython.compiled:
            self.write_masks = [0] * 8

    def reset_writes(self, insn_idx: int) -> None:
        """Begin with another instruction."""
        self.write_insn_idx = insn_idx
        if self.wrote:
            self.wrote = False
            for i in range(8):
                self.write_masks[i] = 0

    def add_write(self, frameno: int, mask: int) -> None:
        """Note slots that the instruction writes."""
        if mask:
            self.wrote = True
            self.write_masks[frameno] |= mask
