"""Work in a child process, piece by piece, so that a crash or a hang of native code costs one piece and is reported."""

from __future__ import annotations

import faulthandler
import os
import pickle
import select
import signal
import struct
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")
SECONDS = 20.0
_LENGTH = struct.Struct("=q")


@dataclass(frozen=True, slots=True)
class Died:
    """The child ended within a piece of work: how, in words."""

    why: str


@dataclass(slots=True)
class _Child(Generic[Item, Answer]):
    """A process that is given items and gives answers, one at a time."""

    pid: int
    to: int
    back: int

    def close(self) -> int:
        """End it; its exit status as of waitpid."""
        for fd in (self.to, self.back):
            os.close(fd)
        return os.waitpid(self.pid, 0)[1]


def each(
    items: Iterable[Item], work: Callable[[Item], Answer], seconds: float = SECONDS
) -> Iterator[tuple[Item, Answer | Died]]:
    """Every item with what ``work`` made of it, or with how the child died of it; then another child goes on.

    Items and answers are pickled; an exception of ``work`` is a death, too.
    """
    child: _Child[Item, Answer] | None = None
    try:
        for item in items:
            if child is None:
                child = _start(work)
            answer = _ask(child, item, seconds)
            if isinstance(answer, Died):
                child.close()
                child = None
            yield item, answer
    finally:
        if child is not None:
            child.close()


def _start(work: Callable[[Item], Answer]) -> _Child[Item, Answer]:
    ask, to = os.pipe()
    back, say = os.pipe()
    pid = os.fork()
    if pid:
        os.close(ask)
        os.close(say)
        return _Child(pid, to, back)
    status = 1
    faulthandler.disable()  # how it died is told by whoever asked
    try:
        os.close(to)
        os.close(back)
        while True:
            data = _read(ask)
            if data is None:
                status = 0
                break
            _write(say, pickle.dumps(_done(work, pickle.loads(data))))
    finally:
        os._exit(status)


def _done(work: Callable[[Item], Answer], item: Item) -> Answer | Died:
    try:
        return work(item)
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        return Died(f"raised {type(error).__name__}: {error} ({last.filename.rpartition('/')[2]}:{last.lineno})")


def _ask(child: _Child[Item, Answer], item: Item, seconds: float) -> Answer | Died:
    try:
        _write(child.to, pickle.dumps(item))
    except BrokenPipeError:
        return Died("was gone before it began")
    if not select.select([child.back], [], [], seconds)[0]:
        os.kill(child.pid, signal.SIGKILL)
        return Died(f"hung for {seconds:g} seconds")
    data = _read(child.back)
    if data is None:
        return Died(_ending(child.pid))
    answer: Answer | Died = pickle.loads(data)
    return answer


def _ending(pid: int) -> str:
    """How a process ended; it stays for ``close`` to collect."""
    info = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    if info is not None and info.si_code != os.CLD_EXITED:
        return f"was killed by {signal.Signals(info.si_status).name}"
    return "ended by itself"


def _write(fd: int, data: bytes) -> None:
    rest = memoryview(_LENGTH.pack(len(data)) + data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def _read(fd: int) -> bytes | None:
    head = _exactly(fd, _LENGTH.size)
    return None if head is None else _exactly(fd, _LENGTH.unpack(head)[0])


def _exactly(fd: int, size: int) -> bytes | None:
    """That many bytes, or None at the end."""
    parts, left = [], size
    while left:
        part = os.read(fd, min(left, 1 << 16))
        if not part:
            return None
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
