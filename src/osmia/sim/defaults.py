"""What a world takes when nobody says otherwise."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from osmia.errors import Unavailable

if TYPE_CHECKING:
    from osmia.btf import Btf

RUNNING_KERNEL = Path("/sys/kernel/btf/vmlinux")


@cache
def default_btf() -> Btf:
    """The types of kernel objects: Osmia's compact 6.18, else the running kernel's.  Shared: do not add to it."""
    from osmia.inputs import load_btf

    if RUNNING_KERNEL.exists():
        return load_btf(RUNNING_KERNEL)
    raise Unavailable("no BTF to lay out kernel objects with: give one (btf=…, --btf FILE)")
