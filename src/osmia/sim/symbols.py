"""Addresses for kernel functions, so that instruction pointers mean something: ``%ps``, bpf_get_func_ip, PT_REGS_IP.

They lie where x86-64 has its kernel text; no memory is behind them.
"""

from __future__ import annotations

from bisect import bisect_right

TEXT = 0xFFFF_FFFF_8100_0000
SPACING = 0x400


class Symbols:
    """Functions get their addresses in the order in which they are first asked for."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._addresses: dict[str, int] = {}

    def address(self, name: str) -> int:
        """Where a function is."""
        if name not in self._addresses:
            self._addresses[name] = TEXT + len(self._names) * SPACING
            self._names.append(name)
        return self._addresses[name]

    def find(self, address: int) -> tuple[str, int, int] | None:
        """Name, offset and size of the function that an address lies in.

        >>> symbols = Symbols()
        >>> symbols.find(symbols.address("do_unlinkat") + 1)
        ('do_unlinkat', 1, 1024)
        """
        index = bisect_right(range(TEXT, TEXT + len(self._names) * SPACING, SPACING), address) - 1
        if index < 0 or address >= TEXT + len(self._names) * SPACING:
            return None
        return self._names[index], address - TEXT - index * SPACING, SPACING
