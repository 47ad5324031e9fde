"""What native bodies of helpers share: handing a call on to Python, and saying what a pointer should have been."""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.raw import Buffer

if not cython.compiled:
    from osmia.memory import window
    from osmia.raw import call7, ld8, ld64, st64
    from osmia.vm.packetwords import P_END, P_START
    from osmia.vm.run import in_frames, in_packet
    from osmia.vm.runwords import (  # isort: skip
        F_MAP, F_READONLY_MAP, R_ADDRESS, R_FAULT, R_MEMORY, R_PACKET, R_PYTHON, R_SCRATCH0, R_SCRATCH1, R_SCRATCH2,
        R_SCRATCH3, R_STACK,
    )  # fmt: skip

    FRAME_SIZE, FRAME_STRIDE = 512, 1024
    WRITABLE, MAP_HANDLE, USER = 1, 2, 4
    _rooms: dict[int, Buffer] = {}

    def take_room(size: int) -> int:
        """Zeroed memory, until ``give_room``."""
        room = Buffer(size)
        _rooms[room.address] = room
        return room.address

    def give_room(address: int) -> None:
        """Give it back."""
        del _rooms[address]


def python_body(run: int, helper: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """Have the Python body of a helper, by its number, do the call; a fault of it is in the run afterwards."""
    return call7(ld64(run + R_PYTHON), run, helper, r1, r2, r3, r4, r5)


def is_map(run: int, handle: int) -> int:
    """Is it the handle of a map that the program may use?  1 or 0.  The last one that was is found at once."""
    if handle and handle == ld64(run + R_SCRATCH0):
        return 1
    if window(ld64(run + R_MEMORY), handle, run + R_SCRATCH1) == 0 or ld64(run + R_SCRATCH1) != handle:
        return 0
    if ld64(run + R_SCRATCH3) & MAP_HANDLE == 0:
        return 0
    st64(run + R_SCRATCH0, handle)
    return 1


def no_map(run: int, handle: int) -> int:
    """Note that a pointer should have been a map's handle; returns 0."""
    st64(run + R_FAULT, F_MAP)
    st64(run + R_ADDRESS, handle)
    return 0


def readonly_map(run: int, handle: int) -> int:
    """Note that programs may not change this map; returns 0."""
    st64(run + R_FAULT, F_READONLY_MAP)
    st64(run + R_ADDRESS, handle)
    return 0


def readable(run: int, address: int) -> int:
    """How many bytes from ``address`` on are the program's to read, up to the end of the object it points into.

    Looked up whatever the run checks: this is for helpers that find out.  ``flags_there`` tells more.
    """
    M64 = 0xFFFFFFFFFFFFFFFF
    st64(run + R_SCRATCH3, 1)
    if in_frames(run, address, 1):
        return FRAME_SIZE - ((address - ld64(run + R_STACK)) & M64) % FRAME_STRIDE
    packet = ld64(run + R_PACKET)
    if in_packet(packet, address, 1):
        start = ld64(packet + P_START)
        return start - address if address < start else ld64(packet + P_END) - address
    if window(ld64(run + R_MEMORY), address, run + R_SCRATCH1) == 0:
        return 0
    inside = (address - ld64(run + R_SCRATCH1)) & M64
    size = ld64(run + R_SCRATCH2)
    return size - inside if inside < size else 0


def flags_there(run: int) -> int:
    """The flags of the region in which ``readable`` just found the address: ``WRITABLE``, ``USER`` …"""
    return ld64(run + R_SCRATCH3)


def all_readable(run: int, address: int, size: int) -> int:
    """Can all of these bytes be read, across neighbouring objects if need be?"""
    M64 = 0xFFFFFFFFFFFFFFFF
    while size:
        step = readable(run, address)
        if step == 0:
            return 0
        if step >= size:
            return 1
        address = (address + step) & M64
        size -= step
    return 1


def text_length(run: int, address: int, room: int) -> int:
    """Bytes before the NUL, at most ``room`` - 1; M64 when neither NUL nor limit comes before the memory ends."""
    return text_behind(run, address, room, readable(run, address))


def text_behind(run: int, address: int, room: int, step: int) -> int:
    """``text_length`` where the first ``step`` bytes are known to be readable."""
    M64 = 0xFFFFFFFFFFFFFFFF
    length = 0
    while length < room:
        if step == 0:
            return M64
        if step > room - length:
            step = room - length
        while step:
            if ld8(address + length) == 0:
                return length
            length += 1
            step -= 1
        if length < room:
            step = readable(run, (address + length) & M64)
    return room - 1
