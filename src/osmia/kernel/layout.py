"""The layout of common kernel types in Linux 6.18 (x86-64), as BTF: the types of our ``vmlinux.h``.

Made by ``tools/gen_vmlinux.py``; structs have the kernel's sizes and offsets, and a choice of its members.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def types_btf() -> bytes:
    """Raw BTF (little-endian), for ``osmia.btf.Btf.parse``."""
    import lzma

    return lzma.decompress((Path(__file__).parent / "data" / "types.btf.xz").read_bytes())
