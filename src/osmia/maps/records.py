"""Maps that programs write records to and user space reads them from: what ring buffers and perf buffers share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from osmia.maps.base import ENOTSUPP, Map
from osmia.maps.reader import Reader, gather
from osmia.maps.wake import Waker

if TYPE_CHECKING:
    from osmia.obj.model import MapSpec


class RecordMap(Map):
    """``consume`` takes what is there; ``poll`` and ``reader`` wait for more.  One thread reads, others may produce.

    ``bell`` is the address of a waker's words (``maps.wake``), which producers ring.
    """

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self.bell = 0
        self._waker: Waker | None = None

    def consume(self, limit: int | None = None) -> Iterator[Any]:
        """Take the complete records, oldest first."""
        raise NotImplementedError  # each family has its own

    def ready(self) -> bool:
        """Whether ``consume`` would give something."""
        raise NotImplementedError  # each family has its own

    def poll(self, timeout: float | None = None) -> list[Any]:
        """The records that are complete; where there are none, wait up to ``timeout`` seconds for the first."""
        return [record for _, record in gather([self], timeout)]

    def reader(self, timeout: float | None = None) -> Reader[Any]:
        """Iterate over it for record after record; it ends ``timeout`` seconds after the last, or by ``close``."""
        return Reader(self, timeout)

    def _reading(self) -> Waker:
        """What producers wake the reader by, made when somebody first waits."""
        if self._waker is None:
            self._waker = Waker(self.bell)
        return self._waker

    def arm(self) -> int:
        """Have the next notification make a descriptor readable; the descriptor."""
        self._reading().arm()
        return self._reading().fileno()

    def disarm(self) -> None:
        """Make the descriptor unreadable again."""
        self._reading().clear()

    def fileno(self) -> int:
        """A descriptor that every notification makes readable from now on, for ``select`` and event loops: call
        ``disarm`` and ``consume`` when it is."""
        self._reading().watch()
        return self._reading().fileno()

    def copy_value(self, key: int) -> bytes | int:
        """bpf(2) tells nothing of what is in."""
        return -ENOTSUPP
