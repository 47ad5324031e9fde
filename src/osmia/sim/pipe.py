"""The trace pipe: what bpf_trace_printk writes, in the lines that /sys/kernel/tracing/trace_pipe gives.

Source of the format: kernel/trace/trace_output.c (trace_print_context, trace_print_lat_fmt), as a 6.1 prints it.
"""

from __future__ import annotations

from typing import NamedTuple

from osmia.vm.tracewords import Line, Trace


class TraceLine(NamedTuple):
    """One event of the pipe.  ``str()`` is the kernel's line, without the newline that ends it.

    A text that ends in a newline of its own makes an empty line follow, as in the kernel.
    """

    comm: str
    pid: int
    cpu: int
    flags: str
    time_ns: int
    text: str
    event: str = "bpf_trace_printk"

    def __str__(self) -> str:
        seconds, micros = divmod(self.time_ns // 1000, 1_000_000)
        who = f"{self.comm:>16}-{self.pid:<7}"
        return f"{who} [{self.cpu:03}] {self.flags} {seconds:5}.{micros:06}: {self.event}: {self.text}"


def flags(*, softirq: bool = False, depth: int = 2, pinned: bool = True, irqs_off: bool = False) -> str:
    """The column "...21": interrupts off, need-resched, hard or soft interrupt, preempt depth, migrate-disable depth.

    >>> flags(), flags(softirq=True, depth=3), flags(pinned=False)
    ('...21', '..s31', '...2.')
    """
    return f"{'d' if irqs_off else '.'}.{'s' if softirq else '.'}{depth}{'1' if pinned else '.'}"


class TracePipe:
    """The lines since the start, or since the last ``read``.

    Native helpers write into ``native``; its lines come here when somebody looks.
    """

    def __init__(self) -> None:
        self.native = Trace()
        self._lines: list[TraceLine] = []
        self._read = 0
        self._known = [""]
        self._flags = 0
        self.flags = flags()

    @property
    def flags(self) -> str:
        """The column of flags that lines get now."""
        return self._known[self._flags]

    @flags.setter
    def flags(self, text: str) -> None:
        if text not in self._known:
            self._known.append(text)
        self._flags = self._known.index(text)
        self.native.set_flags(self._flags)

    @property
    def lines(self) -> list[TraceLine]:
        """All lines so far."""
        self._lines += [self._made(line) for line in self.native.take()]
        return self._lines

    def _made(self, line: Line) -> TraceLine:
        text = line.text.decode("utf-8", "backslashreplace")
        return TraceLine(shown(line.comm, line.pid), line.pid, line.cpu, self._known[line.flags], line.time_ns, text)

    def write(self, line: TraceLine) -> None:
        """Add a line."""
        self.lines.append(line)

    def read(self) -> str:
        """What a reader of the pipe gets since the last read: text in the kernel's format."""
        lines = self.lines
        fresh, self._read = lines[self._read :], len(lines)
        return "".join(f"{line}\n" for line in fresh)

    def __str__(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)

    def __len__(self) -> int:
        return len(self.lines)


def shown(comm: bytes, pid: int) -> str:
    """A task's name as the pipe shows it."""
    return comm.decode("utf-8", "replace") if pid else "<idle>"
