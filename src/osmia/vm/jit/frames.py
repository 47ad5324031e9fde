"""How a function begins: its frame, in the run or on the native stack, and the zeros that it may read there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osmia.vm.jit.scopes import STATE_ACCESS
from osmia.vm.ops import FRAME_SIZE, FRAME_STRIDE
from osmia.vm.packetwords import OFFSETS as PACKET
from osmia.vm.runwords import OFFSETS

if TYPE_CHECKING:
    from osmia.vm.jit.writer import Writer


def prologue(w: Writer) -> str:
    """The first lines: ``%fp`` is R10; ``%room`` and ``%above`` are the bytes of the run's frames before and now."""
    lines = ["entry:"]
    frame = w.module.frames[w.function.entry]
    if frame.in_run:
        lines += _in_run()
    elif frame.wanted:
        lines += [
            f"  %frame = alloca [{FRAME_SIZE} x i8], align 16",
            f"  %fp = getelementptr i8, ptr %frame, i64 {FRAME_SIZE}",
        ]
    lines += _zeros(frame.zeros)
    if w.wants_packet or w.packet_words:
        w.module.tool("nowhere")
        lines += [*_packet(), *(line for name in sorted(w.packet_words) for line in _packet_word(name))]
    return "\n".join(lines)


def _in_run() -> list[str]:
    """Take the next frame of the run's stack, and note the most that was ever in use, for who clears it."""
    words = {name: OFFSETS[name] for name in ("room", "stack", "used")}
    lines = [f"  %{name}.at = getelementptr i8, ptr %run, i64 {offset}" for name, offset in words.items()]
    return [
        *lines,
        "  %room = load i64, ptr %room.at, align 8",
        f"  %above = add i64 %room, {FRAME_STRIDE}",
        "  store i64 %above, ptr %room.at, align 8",
        "  %stack = load ptr, ptr %stack.at, align 8",
        "  %frame = getelementptr i8, ptr %stack, i64 %room",
        f"  %fp = getelementptr i8, ptr %frame, i64 {FRAME_SIZE}",
        "  %used = load i64, ptr %used.at, align 8",
        "  %most = call i64 @llvm.umax.i64(i64 %used, i64 %above)",
        "  store i64 %most, ptr %used.at, align 8",
    ]


def _zeros(mask: int) -> list[str]:
    """Zero the bytes in a mask, one range at a time."""
    lines, low = [], 0
    while mask >> low:
        if not mask >> low & 1:
            low += 1
            continue
        size = 1
        while mask >> low + size & 1:
            size += 1
        lines += [
            f"  %zeros{low} = getelementptr i8, ptr %frame, i64 {low}",
            f"  call void @llvm.memset.p0.i64(ptr %zeros{low}, i8 0, i64 {size}, i1 false)",
        ]
        low += size
    return lines


def _packet() -> list[str]:
    return [
        f"  %packet.at = getelementptr i8, ptr %run, i64 {OFFSETS['packet']}",
        "  %packet.now = load ptr, ptr %packet.at, align 8",
        "  %packet.none = icmp eq ptr %packet.now, null",
        "  %packet = select i1 %packet.none, ptr @nowhere, ptr %packet.now",
    ]


def _packet_word(name: str) -> list[str]:
    return [
        f"  %packet.{name}.at = getelementptr i8, ptr %packet, i64 {PACKET[name]}",
        f"  %packet.{name} = load i64, ptr %packet.{name}.at, align 8{STATE_ACCESS}",
    ]
