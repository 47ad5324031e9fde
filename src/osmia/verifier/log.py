"""The verifier log as the kernel keeps it: text that can be taken back, and a window of it for the user.

Positions count the bytes of all text that was written and not taken back, so ``reset`` can drop what a finished path
said.  A buffer of limited size holds the end of the text, or with BPF_LOG_FIXED its beginning; the byte for C's
closing NUL counts (``kernel/bpf/log.c`` of Linux 6.18).
"""

from __future__ import annotations

from collections.abc import Callable
from errno import EINVAL, ENOSPC

from osmia.verifier.consts import BPF_LOG_FIXED, BPF_LOG_LEVEL1, BPF_LOG_LEVEL2, BPF_LOG_STATS

MAX_SIZE = ((1 << 32) - 1) >> 2
MAX_TRUE_SIZE = (1 << 32) - 1
LEVELS = BPF_LOG_LEVEL1 | BPF_LOG_LEVEL2 | BPF_LOG_STATS | BPF_LOG_FIXED
STREAM_AT = 1 << 16
STREAM_KEEPS = 1 << 12

Sink = Callable[[bytes], object]


def attr_errno(level: int, size: int = 0, buffer: bool | None = None) -> int:
    """EINVAL for log attributes that BPF_PROG_LOAD refuses, else 0.  ``buffer``: is there one (by default if sized)?"""
    has_buffer = size > 0 if buffer is None else buffer
    unfit = has_buffer != (size > 0) or (has_buffer and level == 0) or level & ~LEVELS or size > MAX_SIZE
    return EINVAL if unfit else 0


class Log:
    """What was said so far.  ``level`` is the BPF_LOG_… mask; 0 keeps nothing.

    ``size`` is the user's buffer in bytes, 0 for one without end.  ``end_pos`` is where the next byte goes, and
    ``true_size`` the buffer that would have been large enough.  ``sink`` takes a level-2 log as it grows, in pieces:
    what it got is not in ``text`` any more.
    """

    def __init__(self, level: int, size: int = 0, sink: Sink | None = None) -> None:
        self.level = level
        self.verbose = bool(level & (BPF_LOG_LEVEL1 | BPF_LOG_LEVEL2))
        self.level2 = bool(level & BPF_LOG_LEVEL2)
        self.fixed = bool(level & BPF_LOG_FIXED)
        self.size = size
        self.sink = sink if self.level2 else None
        self.bounded = size > 0 or self.sink is not None
        self.text = bytearray()
        self.base = 0
        self.start_pos = 0
        self.end_pos = 0
        self.len_max = 0

    def write(self, text: str) -> None:
        """Say something; the newline is the caller's."""
        if not self.level:
            return
        try:
            data = text.encode("utf-8")
        except UnicodeEncodeError:  # bytes of a source line that are no text
            data = text.encode("utf-8", "surrogateescape")
        self.write_bytes(data)

    def write_bytes(self, data: bytes) -> None:
        """Say what is encoded already."""
        if not self.level:
            return
        self.text += data
        self.end_pos += len(data)
        if self.end_pos >= self.len_max:
            self.len_max = self.end_pos + 1
        if self.bounded:
            self._trim()

    def _trim(self) -> None:
        """Keep what the buffer has room for, and hand over what nobody can take back any more."""
        if self.fixed:
            if self.size and len(self.text) >= self.size:
                del self.text[self.size - 1 :]
        elif self.size and self.end_pos + 1 - self.start_pos >= self.size:
            self.start_pos = self.end_pos + 1 - self.size
            if self.start_pos - self.base > STREAM_AT:
                del self.text[: self.start_pos - self.base]
                self.base = self.start_pos
        if self.sink is not None and len(self.text) > STREAM_AT:
            self._stream(len(self.text) - STREAM_KEEPS)

    def _stream(self, count: int) -> None:
        if self.sink is not None:
            self.sink(bytes(self.text[:count]))
            del self.text[:count]
            self.base += count

    def reset(self, pos: int) -> None:
        """Take back everything behind a position.  Behind the window of a full buffer nothing is left then."""
        if not self.level:
            return
        self.end_pos = pos
        if pos < self.start_pos:
            self.start_pos = self.base = pos
        del self.text[pos - self.base :]

    def finish(self) -> int:
        """Hand over the rest to the sink, if there is one; ENOSPC when the text was once too long for the buffer."""
        if self.sink is not None:
            self._stream(len(self.text))
        return ENOSPC if self.size and self.len_max > self.size else 0

    @property
    def true_size(self) -> int:
        """The kernel's ``log_true_size``: bytes of buffer, NUL included, that would have held the longest text."""
        return min(self.len_max, MAX_TRUE_SIZE)

    def __str__(self) -> str:
        return self.text[max(self.start_pos - self.base, 0) :].decode("utf-8", "surrogateescape")
