"""The few bpf(2) commands with which these tests ask the running kernel."""

import ctypes
import os
import platform
import struct
from functools import cache

from osmia.isa import Insn, encode

PROG_LOAD, TEST_RUN, MAP_CREATE = 5, 10, 0
SOCKET_FILTER, SCHED_CLS, SYSCALL = 1, 3, 31
SLEEPABLE = 1 << 4
_NUMBER = {"x86_64": 321, "aarch64": 280}.get(platform.machine(), -1)
_libc = ctypes.CDLL(None, use_errno=True)
_log = ctypes.create_string_buffer(1 << 20)


def bpf(command, attr):
    buffer = (ctypes.c_char * len(attr)).from_buffer(attr)
    result = _libc.syscall(_NUMBER, command, buffer, len(attr))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _address(buffer):
    return ctypes.addressof(buffer)


def load(insns, prog_type=SOCKET_FILTER, log_level=2, flags=0):
    """(fd or None, log).  An fd is the caller's to close."""
    code, license_ = ctypes.create_string_buffer(encode(insns)), ctypes.create_string_buffer(b"GPL")
    log = (log_level, len(_log), _address(_log)) if log_level else (0, 0, 0)
    _log[0] = b"\0"
    attr = struct.pack("<IIQQIIQII", prog_type, len(insns), _address(code), _address(license_), *log, 0, flags)
    try:
        fd = bpf(PROG_LOAD, bytearray(attr.ljust(152, b"\0")))
    except OSError:
        fd = None
    return fd, _log.value.decode()


def load_syscall(insns):
    """As a program whose context is plain memory."""
    return load(insns, SYSCALL, 1, SLEEPABLE)


def run_context(fd, words):
    """The return value of one run on a context of 32-bit words."""
    context = ctypes.create_string_buffer(struct.pack(f"{len(words)}I", *words), 4 * len(words))
    attr = struct.pack("<IIIIQQIIIIQQ", fd, 0, 0, 0, 0, 0, 0, 0, 4 * len(words), 0, _address(context), 0)
    return _run(bytearray(attr.ljust(80, b"\0")))


def _run(attr):
    bpf(TEST_RUN, attr)
    return struct.unpack_from("<I", attr, 4)[0]


def array_map():
    return bpf(MAP_CREATE, bytearray(struct.pack("<IIII", 2, 4, 8, 1).ljust(72, b"\0")))


def test_run(fd, data):
    """The return value of one run over a packet."""
    given = ctypes.create_string_buffer(data, len(data))
    return _run(bytearray(struct.pack("<IIIIQQ", fd, 0, len(data), 0, _address(given), 0).ljust(80, b"\0")))


test_run.__test__ = False


@cache
def unavailable():
    """Why the running kernel can't be asked; empty when it can."""
    fd, log = load([Insn(0xB7), Insn(0x95)])
    if fd is None:
        return f"bpf(2) refuses a two-instruction program here: {log[:80]!r}"
    os.close(fd)
    return ""
