"""A ``vmlinux.h`` made from a kernel's BTF, for ``osmia cc --vmlinux``.

A whole kernel takes some three seconds, so what was made is kept under ``$XDG_CACHE_HOME/osmia/vmlinux``.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

from osmia._version import __version__
from osmia.btf import Btf
from osmia.btf.c_dump import dump_c
from osmia.errors import BtfError, InputError, UsageError


def write_vmlinux(source: str | Path, target: Path) -> None:
    """Write the C of all types in ``source`` (raw BTF, or an ELF file with a .BTF section) to ``target``.

    Raises UsageError when the file can't be read, BtfError or ElfError for what is in it.
    """
    try:
        text = _cached(Path(source).read_bytes())
    except (OSError, ValueError) as e:
        raise UsageError(getattr(e, "strerror", None) or str(e), file=str(source)) from None
    except InputError as e:
        raise e.at(file=str(source)) from None
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, "utf-8")


def _cached(data: bytes) -> str:
    key = hashlib.sha256(__version__.encode() + data).hexdigest()[:32]
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - never raises
    kept = Path(home) / "osmia" / "vmlinux" / f"{key}.h"
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return kept.read_text("utf-8")
    text = dump_c(Btf.parse(_raw(data)))
    with contextlib.suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        fresh = kept.with_name(f"{key}.{os.getpid()}")
        fresh.write_text(text, "utf-8")
        fresh.replace(kept)
    return text


def _raw(data: bytes) -> bytes:
    if data[:4] != b"\x7fELF":
        return data
    from osmia.obj.elf import ElfFile

    elf = ElfFile(data)
    section = elf.section(".BTF")
    if section is None:
        raise BtfError("no .BTF section in this file")
    return elf.contents(section)
