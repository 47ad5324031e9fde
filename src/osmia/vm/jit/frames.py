"""How a function begins: its frame, in the run or on the native stack, and the zeros that it may read there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osmia.vm.ops import FRAME_SIZE, FRAME_STRIDE
from osmia.vm.runwords import OFFSETS

if TYPE_CHECKING:
    from osmia.vm.jit.writer import Writer


def prologue(w: Writer) -> str:
    """The first lines: ``%fp`` is R10; in the run's frames ``%room`` and ``%above`` are the bytes in use before and now."""
    lines = ["entry:"]
    if w.module.framed[w.function.entry]:
        lines += _in_run()
    else:
        lines += [
            f"  %frame = alloca [{FRAME_SIZE} x i8], align 16",
            f"  %fp = getelementptr i8, ptr %frame, i64 {FRAME_SIZE}",
        ]
    lines += _zeros(w)
    if w.wants_packet:
        lines += _packet()
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


def _zeros(w: Writer) -> list[str]:
    return [f"  call void @llvm.memset.p0.i64(ptr %frame, i8 0, i64 {FRAME_SIZE}, i1 false)"]


def _packet() -> list[str]:
    return [
        f"  %packet.at = getelementptr i8, ptr %run, i64 {OFFSETS['packet']}",
        "  %packet.now = load ptr, ptr %packet.at, align 8",
        "  %packet.none = icmp eq ptr %packet.now, null",
        "  %packet = select i1 %packet.none, ptr @nowhere, ptr %packet.now",
    ]
