"""The same ``run`` in the running kernel: programs that BPF_PROG_TEST_RUN takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from osmia.errors import KernelError, Unavailable, UsageError
from osmia.sim.device import ETH_LEN
from osmia.sim.result import Result

if TYPE_CHECKING:
    from osmia.obj.model import Program

ENOTSUPP = 524


class LiveExecutable:
    """A program that the running kernel verified and took.  Close it, or use ``with``.

    It has maps of its own, with the first contents that the object file gives them; a prog_array's programs are loaded
    with it.  ``maps`` are those that it and they use, by name.
    Raises Unavailable where bpf(2) is not for us, KernelError with the verifier's log when it refuses.
    """

    def __init__(self, program: Program) -> None:
        from osmia import live
        from osmia.live.mapset import LiveMaps

        why = live.available()
        if why:
            raise Unavailable(why)
        self.program = program
        self.observer: Callable[[LiveExecutable, Result | None], object] | None = None
        """Told the result of each run."""
        shared = getattr(program, "shared_maps", None)
        specs, programs = (shared.specs.values(), shared.programs) if shared is not None else (program.maps, {})
        self.maps = LiveMaps(specs, programs)
        try:
            self._loaded = self.maps.load(program)
        except BaseException:
            self.maps.close()
            raise

    def __repr__(self) -> str:
        return f"<LiveExecutable {self.program.name} ({self.program.prog_type})>"

    def run(self, *, ctx: Any = None, data: bytes | None = None, repeat: int = 1) -> Result:
        """BPF_PROG_TEST_RUN.  The kernel counts no instructions; ``duration_ns`` is its own measure.

        A socket filter sees the frame from its MAC header on, as on a packet socket: the kernel, which would start
        it behind the header, is given the header twice.  Classic loads from SKF_LL_OFF and SKF_NET_OFF on then find
        14 bytes more of Ethernet header than they would.
        Raises KernelError: errno 524 for programs that can only be attached (kprobes, tracepoints …).
        """
        if ctx is not None and not isinstance(ctx, bytes | bytearray | memoryview):
            raise UsageError("the running kernel takes the context as bytes")
        twice = ETH_LEN if self.program.prog_type == "socket_filter" else 0
        frame = None if data is None else data[:twice] + data
        got = self._test_run(frame, b"" if ctx is None else bytes(ctx), repeat)
        left = got.data[twice:] if got.data is not None and data is not None else got.data
        result = Result(got.r0, left, got.ctx, 0, got.duration_ns, self.program.name, self.program.prog_type)
        if self.observer:
            self.observer(self, result)
        return result

    def _test_run(self, data: bytes | None, ctx: bytes, repeat: int) -> Any:
        try:
            return self._loaded.test_run(data, ctx, repeat=repeat)
        except KernelError as e:
            if e.errno != ENOTSUPP:
                raise
            what = f"{self.program.name}: {self.program.prog_type} programs can't be run like this, only attached"
            raise KernelError(what, ENOTSUPP, e.log) from None

    def close(self) -> None:
        """Give program and maps back to the kernel."""
        self.maps.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
