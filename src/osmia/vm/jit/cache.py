"""Object code on disk, by content: the same program for the same machine is compiled once.

The key hashes everything that the code depends on: the program, what is known of its maps and helpers, Osmia's
sources, LLVM's version, the CPU, the level.  (Not the IR: writing it takes longer than loading an object.)  So an
entry is never out of date, only unused; the oldest go first when the directory outgrows its bound.  A file is
written beside its place and renamed, and carries a checksum: a reader sees all of it or ignores it.  It holds code
that this process will run, so the directory and the file must be this user's alone to write.

Nothing here raises for the file system's sake: without a cache programs are compiled each time.
``OSMIA_CACHE_DIR`` names the directory, an empty one switches the cache off; else it is ``osmia/jit`` in
``XDG_CACHE_HOME`` or ``~/.cache`` (XDG Base Directory Specification 0.8).
"""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from collections.abc import Iterable
from pathlib import Path

MAGIC = b"osmia object 1\n"
SUM = 32
LIMIT = 128 << 20
"""Bytes that the directory may hold; beyond, the files used longest ago go until half of it is free."""


def directory() -> Path | None:
    """Where objects are kept, or None when the cache is off."""
    named = os.environ.get("OSMIA_CACHE_DIR")
    if named is not None:
        return Path(named) if named else None
    root = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not root.is_absolute():  # the specification: relative ones are to be ignored
        root = Path("~/.cache").expanduser()
    return root / "osmia" / "jit" if root.is_absolute() else None


def key_of(parts: Iterable[str | bytes]) -> str:
    """One name for all of the parts, in order."""
    from hashlib import sha256  # 10 ms for OpenSSL

    digest = sha256(MAGIC)
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


class Cache:
    """Objects in one directory; ``None``: no cache."""

    def __init__(self, root: Path | None, limit: int = LIMIT) -> None:
        self.root, self.limit = root, limit
        self._held: int | None = None  # bytes in the directory; counted when first written to

    def load(self, key: str) -> bytes | None:
        """The object, or None when there is none that can be trusted."""
        if self.root is None:
            return None
        path = self.root / (key + ".o")
        try:
            with path.open("rb") as file:
                if not _ours(os.fstat(file.fileno())) or not _ours(self.root.stat()):
                    return None
                data = file.read()
        except OSError:
            return None
        found = _unpacked(key, data)
        if found is not None:
            with contextlib.suppress(OSError):
                os.utime(path)  # used now: it goes last
        return found

    def store(self, key: str, data: bytes) -> bool:
        """Keep an object; whether that worked."""
        if self.root is None:
            return False
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _ours(self.root.stat()):
                return False
            size = self._write(self.root / (key + ".o"), _packed(key, data))
        except OSError:
            return False
        self._held = self._count() if self._held is None else self._held + size
        if self._held > self.limit:
            self._trim()
        return True

    def _write(self, path: Path, data: bytes) -> int:
        beside = path.with_name(f".{path.stem}.{os.getpid()}.{threading.get_ident()}.part")
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            beside.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                beside.unlink()
            raise
        return len(data)

    def _files(self) -> list[tuple[float, int, str]]:
        """When each was used last, its size and path; also what a killed writer left."""
        found = []
        with contextlib.suppress(OSError), os.scandir(self.root) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    about = entry.stat(follow_symlinks=False)
                    if entry.name.endswith((".o", ".part")):
                        found.append((about.st_mtime, about.st_size, entry.path))
        return sorted(found)

    def _count(self) -> int:
        return sum(size for _, size, _ in self._files())

    def _trim(self) -> None:
        files = self._files()
        held = sum(size for _, size, _ in files)
        for _, size, path in files:
            if held <= self.limit // 2:
                break
            with contextlib.suppress(OSError):
                Path(path).unlink()
                held -= size
        self._held = held


def _ours(about: os.stat_result) -> bool:
    """Nobody else may have put code there."""
    return about.st_uid == os.geteuid() and not stat.S_IMODE(about.st_mode) & 0o022


def _packed(key: str, data: bytes) -> bytes:
    from hashlib import sha256

    body = bytes.fromhex(key) + data
    return MAGIC + sha256(body).digest() + body


def _unpacked(key: str, data: bytes) -> bytes | None:
    from hashlib import sha256

    head, total, body = data[: len(MAGIC)], data[len(MAGIC) : len(MAGIC) + SUM], data[len(MAGIC) + SUM :]
    if head != MAGIC or sha256(body).digest() != total or not body.startswith(bytes.fromhex(key)):
        return None
    return body[SUM:]
