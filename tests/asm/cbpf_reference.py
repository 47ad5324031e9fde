"""A small interpreter of classic BPF, written from the documentation: what a filter returns for a packet."""

import struct

M32 = 0xFFFFFFFF
SIZES = {0x00: ">I", 0x08: ">H", 0x10: ">B"}


class Outside(Exception):
    """A load outside the packet: the filter returns 0."""


def load(packet, size, at):
    form = SIZES[size]
    if not 0 <= at <= len(packet) - struct.calcsize(form):
        raise Outside
    return struct.unpack_from(form, packet, at)[0]


def alu(op, a, b):
    if op in (0x30, 0x90) and b == 0:
        raise Outside
    results = {0x00: lambda: a + b, 0x10: lambda: a - b, 0x20: lambda: a * b, 0x30: lambda: a // b, 0x40: lambda: a | b,
               0x50: lambda: a & b, 0x60: lambda: a << (b & 31), 0x70: lambda: a >> (b & 31), 0x80: lambda: -a,
               0x90: lambda: a % b, 0xA0: lambda: a ^ b}  # fmt: skip
    return results[op]() & M32


def holds(op, a, b):
    return {0x10: a == b, 0x20: a > b, 0x30: a >= b, 0x40: bool(a & b)}[op]


def run(filters, packet, words=None, extensions=None):
    """The returned 32-bit number.  ``words``: seccomp_data; ``extensions``: {k: value}."""
    a = x = at = 0
    memory = [0] * 16
    while True:
        code, jt, jf, k = filters[at]
        at += 1
        operand = x if code & 8 else k
        try:
            match code & 7, code & 0xE0:
                case 0, 0x20 if extensions and k in extensions:
                    a = extensions[k]
                case 0, 0x20:
                    a = words[k // 4] if words else load(packet, code & 0x18, k)
                case 0, 0x40:
                    at_ = (x + k) & M32
                    a = load(packet, code & 0x18, at_ - (at_ >> 31 << 32))
                case 0, 0x00:
                    a = k
                case 0, 0x60:
                    a = memory[k]
                case 0, 0x80:
                    a = 64 if words else len(packet)
                case 1, 0xA0:
                    x = 4 * (load(packet, 0x10, k) & 15)
                case 1, 0x00:
                    x = k
                case 1, 0x60:
                    x = memory[k]
                case 1, 0x80:
                    x = 64 if words else len(packet)
                case 2, _:
                    memory[k] = a
                case 3, _:
                    memory[k] = x
                case 4, _:
                    a = alu(code & 0xF0, a, operand)
                case 5, _ if code & 0xF0 == 0:
                    at += k
                case 5, _:
                    at += jt if holds(code & 0xF0, a, operand) else jf
                case 6, _:
                    return a if code & 0x10 else k
                case 7, 0x80:
                    a = x
                case 7, _:
                    x = a
        except Outside:
            return 0
