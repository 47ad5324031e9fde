"""Functions in a kernel's BTF that it has no address of, because its symbol table knows them by another name.

The names stand in ``data/no-address-NAME.txt`` for the kernel NAME, recorded by ``tools/record_symbols.py``.
"""

from __future__ import annotations

from functools import cache

from osmia.kernel.features import DATA


@cache
def without_address(kernel: str) -> frozenset[str]:
    """The names of those functions; none for kernels without a table."""
    path = DATA / f"no-address-{kernel}.txt"
    lines = path.read_text("utf-8").splitlines() if path.exists() else ()
    return frozenset(name for line in lines if not line.startswith("#") for name in line.split())
