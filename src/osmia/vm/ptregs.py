"""The context of kprobes and uprobes: ``struct pt_regs`` of x86-64 or arm64, filled from arguments."""

from __future__ import annotations

import platform
import struct
from collections.abc import Sequence

from osmia.errors import UsageError
from osmia.vm.context import Context

X86_64 = "r15 r14 r13 r12 bp bx r11 r10 r9 r8 ax cx dx si di orig_ax ip cs flags sp ss".split()
ARM64 = [*(f"x{n}" for n in range(31)), "sp", "pc", "pstate"]


class Layout:
    """Register names in the order of the structure, and which of them carry what."""

    def __init__(self, names: Sequence[str], args: str, retval: str, ip: str) -> None:
        self.offsets = {name: 8 * number for number, name in enumerate(names)}
        self.args, self.retval, self.ip = args.split(), retval, ip


LAYOUTS = {
    "x86_64": Layout(X86_64, "di si dx cx r8 r9", "ax", "ip"),
    "aarch64": Layout(ARM64, "x0 x1 x2 x3 x4 x5 x6 x7", "x0", "pc"),
}


class PtRegsContext(Context):
    """Registers at a function's entry (``args``) or return (``retval``); others by name (``sp=…``, ``ip=…``).

    ``arch`` is "x86_64" or "aarch64", by default this machine's.  Raises UsageError for what does not fit.
    """

    kind = "pt_regs"
    writable = False

    def __init__(
        self, args: Sequence[int] = (), retval: int | None = None, *, arch: str | None = None, **registers: int
    ) -> None:
        arch = arch or platform.machine()
        if arch not in LAYOUTS:
            raise UsageError(f"pt_regs are known for {', '.join(LAYOUTS)}, not for {arch}")
        layout = LAYOUTS[arch]
        if len(args) > len(layout.args):
            raise UsageError(f"{arch} passes {len(layout.args)} arguments in registers, not {len(args)}")
        values = dict(zip(layout.args, args, strict=False))
        if retval is not None and not (retval == 0 and layout.retval in values):
            values[layout.retval] = retval
        super().__init__(_packed(layout, {**values, **registers}, arch))


def _packed(layout: Layout, values: dict[str, int], arch: str) -> bytes:
    data = bytearray(8 * len(layout.offsets))
    for name, value in values.items():
        if name not in layout.offsets:
            raise UsageError(f"{arch} has no register {name!r}; it has {', '.join(layout.offsets)}")
        struct.pack_into("=Q", data, layout.offsets[name], value & 0xFFFFFFFFFFFFFFFF)
    return bytes(data)
