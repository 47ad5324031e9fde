"""The types of recorded kernels, as BTF: ``data/btf/NAME.btf.xz``.

A shipped table is a part: it has every struct, union, enum and typedef of the kernel, and of its functions those that
programs call or usually attach to.  ``osmia.live.record.types`` makes them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from osmia.kernel.features import DATA

FOLDER = DATA / "btf"
SUFFIX = ".btf.xz"


def path_of(kernel: str) -> Path:
    """Where the types of a kernel stand: among Osmia's own, or beside the file that its profile was recorded into."""
    return (
        Path(kernel).with_suffix(SUFFIX) if kernel.endswith(".txt") or "/" in kernel else FOLDER / f"{kernel}{SUFFIX}"
    )


@cache
def types_of(kernel: str) -> bytes | None:
    """Raw BTF (little-endian) for ``osmia.btf.Btf.parse``; None where none is shipped."""
    import lzma

    path = path_of(kernel)
    return lzma.decompress(path.read_bytes()) if path.is_file() else None
