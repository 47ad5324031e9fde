"""``python -m fuzz.again TARGET SEED``: a failing input again, made as small as it gets (run it in tests/)."""

from __future__ import annotations

import random
import sys
import time
import traceback

from fuzz.bounds import bounded
from fuzz.targets import TARGETS, Target, settle

PATIENCE = 60.0


def signature(target: Target, data: bytes) -> tuple[object, ...] | None:
    """What goes wrong and where; None when nothing does."""
    try:
        with bounded(3.0):
            settle(target, data)
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)
        ours = [f for f in frames if "/osmia/" in f.filename] or frames
        return type(error), ours[-1].filename, ours[-1].name
    return None


def smaller(target: Target, data: bytes) -> bytes:
    """Take pieces away while the same thing still goes wrong."""
    wrong, end, size = signature(target, data), time.monotonic() + PATIENCE, len(data) // 2
    while size and time.monotonic() < end:
        at = 0
        while at < len(data) and time.monotonic() < end:
            shorter = data[:at] + data[at + size :]
            if signature(target, shorter) == wrong:
                data = shorter
            else:
                at += size
        size //= 2
    return data


def main(name: str, seed: str) -> None:
    """Show it."""
    target = next(t for t in TARGETS if t.name == name)
    data = target.make(random.Random(int(seed)))
    if signature(target, data) is None:
        print(f"{len(data)} bytes, and nothing wrong with them: {data[:2000]!r}")
        return
    small = smaller(target, data)
    print(f"{len(data)} bytes, {len(small)} of them matter: {small[:2000]!r}")
    settle(target, small)


if __name__ == "__main__":
    main(*sys.argv[1:])
