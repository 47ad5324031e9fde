"""The verifier log as the kernel keeps it: text that can be taken back, and a window of it for the user.

Positions are bytes of all text ever written, so ``reset`` can drop what a finished path said (``kernel/bpf/log.c``).
"""

from __future__ import annotations

from osmia.verifier.consts import BPF_LOG_FIXED, BPF_LOG_LEVEL1, BPF_LOG_LEVEL2


class Log:
    """What was said so far.  ``level`` is the BPF_LOG_… mask; 0 keeps nothing."""

    def __init__(self, level: int, size: int = 0) -> None:
        self.level = level
        self.verbose = bool(level & (BPF_LOG_LEVEL1 | BPF_LOG_LEVEL2))
        self.level2 = bool(level & BPF_LOG_LEVEL2)
        self.fixed = bool(level & BPF_LOG_FIXED)
        self.size = size
        self.text = bytearray()

    @property
    def end_pos(self) -> int:
        """Where the next byte goes."""
        return len(self.text)

    def write(self, text: str) -> None:
        """Say something; the newline is the caller's."""
        if self.level:
            self.text += text.encode("utf-8", "surrogateescape")

    def reset(self, pos: int) -> None:
        """Take back everything behind a position."""
        del self.text[pos:]

    def __str__(self) -> str:
        return self.text.decode("utf-8", "surrogateescape")
