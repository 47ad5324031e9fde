"""The BTF that maps and programs share in the running kernel.

The kernel compares types of programs by the BTF that they are in, not by what they say: a list in a map takes objects
of a program only where both were made with one and the same loaded BTF, as libbpf does it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from osmia.live import syscall

if TYPE_CHECKING:
    from osmia.btf import Btf


class LiveBtfs:
    """Loaded BTF by object: each is loaded once, when a map first needs it.  Close it when the maps are made."""

    def __init__(self) -> None:
        self._loaded: dict[int, tuple[Btf, int]] = {}

    def fd(self, btf: Btf) -> int:
        """The descriptor of a BTF, which is loaded now if need be.  Raises KernelError."""
        if id(btf) not in self._loaded:
            self._loaded[id(btf)] = btf, syscall.btf_load(btf.encode())
        return self._loaded[id(btf)][1]

    def known(self, btf: Btf | None) -> int:
        """The same, -1 for a BTF that no map has."""
        return self._loaded[id(btf)][1] if id(btf) in self._loaded else -1

    def close(self) -> None:
        """Give the descriptors back; maps and programs hold on to what they need."""
        for _, fd in self._loaded.values():
            os.close(fd)
        self._loaded.clear()
