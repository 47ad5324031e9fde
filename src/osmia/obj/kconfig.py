"""The contents of ``.kconfig``: values of CONFIG_* and LINUX_* externs, from a mapping or a config file's text."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from typing import Final

from osmia.errors import LinkError, UsageError
from osmia.obj.externs import Form, Wanted

Value = str | int | bool
KERNEL_6_18: Final = 6 << 16 | 18 << 8
VIRTUAL: Final[Mapping[str, Value]] = {
    "LINUX_KERNEL_VERSION": KERNEL_6_18,
    "LINUX_HAS_BPF_COOKIE": 1,
    "LINUX_HAS_SYSCALL_WRAPPER": 1,
}
"""What libbpf makes up itself; the values are those of Linux 6.18.0 unless the caller's mapping says otherwise."""
MAX_CONFIG: Final = 16 << 20
_TRISTATE: Final = {"n": 0, "y": 1, "m": 2}


def parse_config(data: bytes, file: str | None = None) -> dict[str, Value]:
    """The CONFIG_ lines of a kernel's config file (/boot/config-*, /proc/config.gz), packed by gzip or not.

    Comments are skipped.  Raises UsageError with file and line.
    """
    found: dict[str, Value] = {}
    text = _unpacked(data, file).decode("utf-8", "backslashreplace")
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("CONFIG_"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not value:
            raise UsageError(f"{line[:40]!r} gives no value", line=number, file=file)
        found[name] = value
    return found


def _unpacked(data: bytes, file: str | None) -> bytes:
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        packed = zlib.decompressobj(wbits=31)
        return packed.decompress(data, MAX_CONFIG)
    except zlib.error as e:
        raise UsageError(f"not readable as gzip: {e}", file=file) from None


def contents(externs: list[Wanted], config: Mapping[str, Value] | None, order: str) -> bytes:
    """The bytes of the map: every kconfig extern at its offset; weak ones without a value stay zero.

    ``order`` is ``<`` or ``>``.  Raises LinkError for a strong one without a value, or a value that does not fit.
    """
    wanted = [x for x in externs if x.form]
    out = bytearray(max((x.offset + x.size for x in wanted), default=0))
    known = {**VIRTUAL, **(config or {})}
    for extern in wanted:
        if extern.name in known:
            out[extern.offset : extern.offset + extern.size] = _encode(extern, known[extern.name], order)
        elif not extern.weak:
            reason = f"extern {extern.name!r} has no value (kconfig= or --kconfig gives one)"
            raise LinkError(reason, section=".kconfig")
    return bytes(out)


def _encode(extern: Wanted, value: Value, order: str) -> bytes:
    if isinstance(value, str) and value in _TRISTATE:
        return _switch(extern, value, order)
    if isinstance(value, str) and value.startswith('"'):
        return _text(extern, value)
    return _number(extern, value, order)


def _switch(extern: Wanted, value: str, order: str) -> bytes:
    if extern.form is Form.TRISTATE:
        return struct.pack(order + "I", _TRISTATE[value])
    if extern.form is Form.CHAR:
        return value.encode()
    if extern.form is Form.BOOL and value != "m":
        return bytes([value == "y"])
    raise _bad(extern, value, "tristate, char or (y, n) bool")


def _text(extern: Wanted, value: str) -> bytes:
    if extern.form is not Form.CHARS or len(value) < 2 or not value.endswith('"'):
        raise _bad(extern, value, "a char array, and a closing quote")
    raw = value[1:-1].encode()[: extern.size - 1]
    return raw + bytes(extern.size - len(raw))


def _number(extern: Wanted, value: Value, order: str) -> bytes:
    allowed = (Form.INT, Form.CHAR, *((Form.BOOL,) if not isinstance(value, str) else ()))
    try:
        number = _c_int(value) if isinstance(value, str) else int(value)
    except ValueError:
        raise _bad(extern, value, "a number") from None
    if extern.form not in allowed or (extern.form is Form.BOOL and number not in (0, 1)):
        raise _bad(extern, value, "an integer, char or (0, 1) bool")
    bits = 8 * extern.size
    low, high = (-(1 << bits - 1), 1 << bits - 1) if extern.signed and bits < 64 else (0, 1 << bits)
    if bits == 64:
        number &= (1 << 64) - 1
    if not low <= number < high:
        raise _bad(extern, value, f"at most {extern.size} bytes")
    return (number & (1 << bits) - 1).to_bytes(extern.size, "little" if order == "<" else "big")


def _c_int(text: str) -> int:
    """What strtoull(text, base 0) reads."""
    if text[:1] == "0" and len(text) > 1 and text[1] not in "xXbBoO_":
        return int(text, 8)
    return int(text, 0)


def _bad(extern: Wanted, value: Value, needs: str) -> LinkError:
    form = extern.form.value if extern.form else "ksym"
    return LinkError(f"extern {extern.name!r} ({form}): the value {value!r} needs {needs}", section=".kconfig")
