"""Damage: random input, and real input with a few things wrong.  Everything follows from one ``random.Random``."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Sequence
from random import Random
from typing import Any

EXTREMES = (0, 1, 2, 3, 4, 7, 8, 16, 0x7F, 0x80, 0xFF, 0xFFF1, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF8,
            0xFFFFFFFF, 0x100000000, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF)  # fmt: skip
NUMBERS = ("0", "-1", "1", "255", "256", "65535", "-32769", "0x7fffffff", "0x80000000", "4294967296", "-2147483649",
           "0xffffffffffffffff", "18446744073709551616", "9" * 400, "1e9", "0x", "²", "٣", "nan", "1_0")  # fmt: skip
ODD = ("\0", "\n", "\r", "\t", " ", '"', "'", "\\", "%", "#", ";", ",", "(", "[", "{", ")", "]", "}", ":", "/*", "//",
       "é", "\u2028", "\ufeff", "🐝", "\x1b[31m", "=", "+", "-", "..", "~")  # fmt: skip
_TOKEN = re.compile(r"\w+|[^\w\s]|\s+")
_LONG = 20_000
_KINDS = ("hash", "array", "percpu_array", "lru_hash", "lpm_trie", "ringbuf", "prog_array", "array_of_maps", "queue",
          "xdp", "tracing", "sched_cls", "struct_ops", "kprobe", "syscall", "fentry/x", "xdp/y")  # fmt: skip


def noise(rng: Random) -> bytes:
    """Random bytes, of few kinds or many."""
    size = rng.choice((0, 1, 3, 8, 24, 64, 300))
    if rng.random() < 0.5:
        return rng.randbytes(size)
    return bytes(rng.choices(rng.randbytes(3) + b"\0\xff", k=size))


def words(rng: Random, seeds: Sequence[bytes]) -> bytes:
    """Words of the seeds in any order."""
    tokens = _TOKEN.findall(rng.choice(seeds).decode(errors="replace")) or [" "]
    picked = [rng.choice((rng.choice(tokens), rng.choice(tokens), rng.choice(ODD), rng.choice(NUMBERS)))
              for _ in range(rng.randrange(40))]  # fmt: skip
    return rng.choice(("", " ", "\n")).join(picked).encode()


def damaged_bytes(
    rng: Random, seed: bytes, seeds: Sequence[bytes] = (), hot: Sequence[tuple[int, int]] = ()
) -> bytes:
    """A seed with one to five things done to it, pieces of ``seeds`` in it perhaps.

    ``hot`` are (start, size) of the parts that parsers read most.
    """
    data = bytearray(seed)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5))):
        if not data:
            break
        rng.choice(_BINARY)(rng, data, _place(rng, len(data), hot), seeds or [seed])
    return bytes(data)


def _place(rng: Random, size: int, hot: Sequence[tuple[int, int]]) -> int:
    if hot and rng.random() < 0.7:
        start, room = rng.choice(hot)
        return min(start + rng.randrange(max(1, room)), size - 1)
    return rng.randrange(min(size, 64)) if rng.random() < 0.3 else rng.randrange(size)


def _flip(rng: Random, data: bytearray, at: int, seeds: Sequence[bytes]) -> None:
    data[at] ^= 1 << rng.randrange(8)


def _byte(rng: Random, data: bytearray, at: int, seeds: Sequence[bytes]) -> None:
    data[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))


def _number(rng: Random, data: bytearray, at: int, seeds: Sequence[bytes]) -> None:
    code, size = rng.choice((("H", 2), ("I", 4), ("I", 4), ("Q", 8)))
    at = min(at & -size, len(data) - size)
    value = rng.choice((rng.choice(EXTREMES), rng.randrange(64), len(data) - rng.randrange(9)))
    if at >= 0:
        struct.pack_into(rng.choice("<<<>") + code, data, at, value & ((1 << 8 * size) - 1))


def _nudge(rng: Random, data: bytearray, at: int, seeds: Sequence[bytes]) -> None:
    at = min(at & -4, len(data) - 4)
    if at >= 0:
        value = struct.unpack_from("<I", data, at)[0] + rng.choice((-8, -1, 1, 2, 8, 1 << 24))
        struct.pack_into("<I", data, at, value & 0xFFFFFFFF)


def _cut(rng: Random, data: bytearray, at: int, seeds: Sequence[bytes]) -> None:
    if rng.random() < 0.5:
        del data[at:]
    else:
        del data[at : at + rng.choice((1, 4, 8, 64))]


def _insert(rng: Random, data: bytearray, at: int, seeds: Sequence[bytes]) -> None:
    data[at:at] = noise(rng)


def _splice(rng: Random, data: bytearray, at: int, seeds: Sequence[bytes]) -> None:
    other = rng.choice(seeds)
    start, size = rng.randrange(len(other) + 1), rng.choice((4, 8, 24, 64, 400))
    piece = other[start : start + size]
    data[at : at + len(piece)] = piece


def _swap(rng: Random, data: bytearray, at: int, seeds: Sequence[bytes]) -> None:
    size = rng.choice((4, 8, 24))
    other = rng.randrange(len(data))
    data[at : at + size], data[other : other + size] = data[other : other + size], data[at : at + size]


_BINARY = (_flip, _byte, _number, _number, _number, _nudge, _cut, _insert, _splice, _swap)


def damaged_json(rng: Random, seed: bytes) -> bytes:
    """JSON lines that stay JSON: numbers, strings and parts in the wrong places."""
    rows = [json.loads(line) for line in seed.splitlines()]
    rng.shuffle(rows)
    for _ in range(rng.choice((1, 1, 2, 4))):
        _harm(rng, rows)
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def _harm(rng: Random, value: Any) -> None:
    """Change something somewhere below a list or object."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    if not keys:
        return
    key = rng.choice(keys)
    below = isinstance(value[key], list | dict)
    if below and rng.random() < 0.9:
        _harm(rng, value[key])
    elif rng.random() < 0.1:
        del value[key]
    else:
        value[key] = _other(rng, value[key], value[rng.choice(keys)])


def _other(rng: Random, old: Any, beside: Any) -> Any:
    """Another value, of the same type mostly."""
    if isinstance(old, int) and rng.random() < 0.8:
        return rng.choice((*EXTREMES, rng.randrange(300), old + 1, old - 1, old << rng.randrange(40)))
    if isinstance(old, str) and len(old) > 30 and set(old) <= set("0123456789abcdef"):
        return damaged_bytes(rng, bytes.fromhex(old)).hex()
    return rng.choice((None, True, [], {}, 1.5, "", "x" * 200, rng.choice(ODD), -1, beside, *_KINDS))


def damaged_text(rng: Random, seeds: Sequence[bytes]) -> bytes:
    """A text seed with words changed, dropped, repeated, or lines of another seed in it."""
    tokens = _TOKEN.findall(rng.choice(seeds).decode(errors="replace"))
    for _ in range(rng.choice((1, 1, 2, 4))):
        if not tokens:
            break
        at = rng.randrange(len(tokens))
        tokens[at : at + 1] = _instead(rng, tokens, at, seeds)
    made = "".join(tokens).encode()
    return damaged_bytes(rng, made) if made and rng.random() < 0.1 else made


def _instead(rng: Random, tokens: list[str], at: int, seeds: Sequence[bytes]) -> list[str]:
    """What stands in the place of one word."""
    old, kind = tokens[at], rng.randrange(8)
    if kind == 0:
        return []
    if kind == 1:
        return [old] * rng.choice((2, 3, max(1, _LONG // (len(old) or 1)) if rng.random() < 0.1 else 9))
    if kind == 2:
        return [rng.choice(NUMBERS)]
    if kind == 3:
        return [old, rng.choice(ODD)]
    if kind == 4:
        return [rng.choice(tokens)]
    if kind == 5:
        return [*rng.choice(rng.choice(seeds).decode(errors="replace").splitlines() or [""]), "\n"]
    return [rng.choice(NUMBERS)] if old[:1].isdigit() or rng.random() < 0.5 else [old[: len(old) // 2]]
