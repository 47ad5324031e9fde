"""The same ``run`` in the running kernel: programs that BPF_PROG_TEST_RUN takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from osmia.errors import Unavailable, UsageError
from osmia.sim.result import Result

if TYPE_CHECKING:
    from osmia.obj.model import Program


class LiveExecutable:
    """A program that the running kernel verified and took.  Close it, or use ``with``.

    Raises Unavailable where bpf(2) is not for us, KernelError with the verifier's log when it refuses.
    """

    def __init__(self, program: Program) -> None:
        from osmia import live

        why = live.available()
        if why:
            raise Unavailable(why)
        self.program = program
        self._loaded = live.load(program)
        self.maps = {spec.name: m for spec, m in zip(program.maps, self._loaded.maps, strict=True)}

    def __repr__(self) -> str:
        return f"<LiveExecutable {self.program.name} ({self.program.prog_type})>"

    def run(self, *, ctx: Any = None, data: bytes | None = None, repeat: int = 1) -> Result:
        """BPF_PROG_TEST_RUN.  The kernel counts no instructions; ``duration_ns`` is its own measure.

        Raises KernelError: errno 524 for programs that can only be attached (kprobes, tracepoints …).
        """
        if ctx is not None and not isinstance(ctx, bytes | bytearray | memoryview):
            raise UsageError("the running kernel takes the context as bytes")
        got = self._loaded.test_run(data, b"" if ctx is None else bytes(ctx), repeat=repeat)
        return Result(
            got.r0, got.data, got.ctx, got.insns, got.duration_ns, self.program.name, self.program.prog_type
        )  # fmt: skip

    def close(self) -> None:
        """Give program and maps back to the kernel."""
        self._loaded.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
