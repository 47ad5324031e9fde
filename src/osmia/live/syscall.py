"""bpf(2) itself: one function per command used here, numbers and bytes in, numbers and bytes out.

Attributes are laid out by hand after ``union bpf_attr`` (include/uapi/linux/bpf.h).  Every refusal is a
KernelError with the errno.  Nothing here attaches a program to anything.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple, Self

from osmia.errors import KernelError, Unavailable
from osmia.raw import Buffer, st8

NUMBERS = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "s390x": 351, "ppc64le": 361, "loongarch64": 280}
MAP_CREATE, MAP_LOOKUP, MAP_UPDATE, MAP_DELETE, MAP_NEXT_KEY, PROG_LOAD = range(6)
PROG_TEST_RUN, BTF_LOAD, MAP_TAKE, MAP_FREEZE = 10, 18, 21, 22
_TRIES = 10


def _syscall() -> tuple[Callable[..., int], int]:
    number = NUMBERS.get(platform.machine())
    if platform.system() != "Linux" or number is None:
        raise Unavailable(f"no bpf(2) known for {platform.system()} on {platform.machine()}")
    function = ctypes.CDLL(None, use_errno=True).syscall
    function.restype = ctypes.c_long
    return function, number


def raw(command: int, attr: Buffer) -> int:
    """The system call; a negative errno when it fails.  Raises Unavailable where there is none."""
    function, number = _syscall()
    for _ in range(_TRIES):
        arguments = (ctypes.c_long(command), ctypes.c_void_p(attr.address), ctypes.c_long(attr.size))
        result = function(ctypes.c_long(number), *arguments)
        if result >= 0:
            return result
        if ctypes.get_errno() not in (errno.EAGAIN, errno.EINTR):
            break
    return -ctypes.get_errno()


def call(what: str, command: int, attr: bytes) -> Buffer:
    """The attributes after the call; the first word holds the result.  Raises KernelError."""
    room = Buffer.of(attr)
    result = raw(command, room)
    if result < 0:
        raise KernelError(what, -result)
    return room


def fd_of(what: str, command: int, attr: bytes) -> int:
    """A call whose result is a file descriptor.  Raises KernelError."""
    result = raw(command, Buffer.of(attr))
    if result < 0:
        raise KernelError(what, -result)
    return result


def name16(name: str) -> bytes:
    """An object name: at most 15 characters, those that the kernel takes."""
    kept = "".join(ch if (ch.isalnum() and ch.isascii()) or ch in "_." else "_" for ch in name)
    return kept.encode()[:15].ljust(16, b"\0")


class MapAttr(NamedTuple):
    """What BPF_MAP_CREATE is told, in the order of the attributes."""

    type: int
    key_size: int
    value_size: int
    max_entries: int
    flags: int = 0
    inner_fd: int = 0
    numa_node: int = 0
    name: str = ""
    ifindex: int = 0
    btf_fd: int = 0
    btf_key_type_id: int = 0
    btf_value_type_id: int = 0
    btf_vmlinux_value_type_id: int = 0
    map_extra: int = 0


def map_create(attr: MapAttr) -> int:
    """A new map's fd.  Raises KernelError."""
    packed = struct.pack("=7I16s5IQ", *attr[:7], name16(attr.name), *attr[8:])
    return fd_of(f"creating map {attr.name}", MAP_CREATE, packed)


def element(command: int, fd: int, key: Buffer | None, value: Buffer | None, flags: int = 0) -> int:
    """One of the element commands: 0 or a negative errno."""
    addresses = [b.address if b is not None else 0 for b in (key, value)]
    return raw(command, Buffer.of(struct.pack("=IIQQQ", fd, 0, *addresses, flags)))


def map_freeze(fd: int) -> None:
    """No more writes from user space.  Raises KernelError."""
    call("freezing a map", MAP_FREEZE, struct.pack("=I", fd))


def btf_load(data: bytes, log_size: int = 1 << 16) -> int:
    """The fd of a loaded BTF.  Raises KernelError with the end of the kernel's log.

    The log is asked for when BTF is refused, and only then: a log that does not fit is a refusal of its own.
    """
    source = Buffer.of(data)
    result = raw(BTF_LOAD, Buffer.of(struct.pack("=QQIII", source.address, 0, len(data), 0, 0)))
    if result >= 0:
        return result
    log = Buffer(log_size)
    raw(BTF_LOAD, Buffer.of(struct.pack("=QQIII", source.address, log.address, len(data), log_size, 1)))
    raise KernelError("loading BTF", -result, text(log))


def text(log: Buffer) -> str:
    """The log up to its NUL."""
    return ctypes.string_at(log.address).decode(errors="replace")  # not all 16 MiB: a copy costs 9 ms


class Descriptor(ABC):
    """What holds an fd of the kernel: a context manager that closes it, at the latest when it is collected."""

    fd: int

    @abstractmethod
    def close(self) -> None:
        """Give the fd back; again is fine."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "fd", -1) >= 0:
            self.close()


class ProgAttr(NamedTuple):
    """What BPF_PROG_LOAD is told."""

    type: int
    insns: bytes
    license: str
    name: str = ""
    flags: int = 0
    kern_version: int = 0
    attach_type: int = 0
    attach_btf_id: int = 0
    btf_fd: int = 0
    func_info: bytes = b""
    line_info: bytes = b""
    func_info_size: int = 8
    line_info_size: int = 16
    fd_array: bytes | None = None
    fd_array_cnt: int = 0


def prog_load(
    attr: ProgAttr, log_level: int = 0, log_size: int = 1 << 24, room: Buffer | None = None
) -> tuple[int, str]:
    """A loaded program's fd and the verifier's log.  Raises KernelError with the log as it is.

    ``room`` takes the log instead of new memory, which costs more than a short verification.
    """
    insns, license = Buffer.of(attr.insns), Buffer.of(attr.license.encode() + b"\0")
    funcs, lines = Buffer.of(attr.func_info), Buffer.of(attr.line_info)
    log = room if room is not None and log_level else Buffer(log_size if log_level else 0)
    if log.size:
        st8(log.address, 0)
    packed = struct.pack(
        "=IIQQIIQII16sIIIIQIIQIII",
        attr.type, len(attr.insns) // 8, insns.address, license.address,
        log_level, log.size, log.address if log.size else 0, attr.kern_version, attr.flags, name16(attr.name),
        0, attr.attach_type, attr.btf_fd,
        attr.func_info_size if attr.func_info else 0, funcs.address if attr.func_info else 0,
        len(attr.func_info) // attr.func_info_size, attr.line_info_size if attr.line_info else 0,
        lines.address if attr.line_info else 0, len(attr.line_info) // attr.line_info_size,
        attr.attach_btf_id, 0,
    )  # fmt: skip
    if attr.fd_array is not None:
        array = Buffer.of(attr.fd_array or b"\0")
        packed += struct.pack("=IQQIIII", 0, array.address, 0, 0, 0, 0, attr.fd_array_cnt)
    result = raw(PROG_LOAD, Buffer.of(packed))
    words = text(log) if log.size else ""
    if result < 0:
        raise KernelError(f"loading program {attr.name}", -result, words)
    return result, words


class Ran(NamedTuple):
    """What BPF_PROG_TEST_RUN answers; ``duration_ns`` is the mean of one run."""

    retval: int
    data: bytes
    ctx: bytes
    duration_ns: int


def prog_test_run(fd: int, data: bytes, ctx: bytes, repeat: int, data_room: int, ctx_room: int, cpu: int | None) -> Ran:
    """Run a loaded program on a packet or a context.  Raises KernelError."""
    data_in, data_out = Buffer.of(data), Buffer(data_room)
    ctx_in, ctx_out = Buffer.of(ctx), Buffer(ctx_room)
    places = [b.address if b.size else 0 for b in (data_in, data_out, ctx_in, ctx_out)]
    flags = 0 if cpu is None else 1  # BPF_F_TEST_RUN_ON_CPU
    packed = struct.pack(
        "=IIIIQQIIIIQQIII",
        fd, 0, len(data), data_room, *places[:2], repeat, 0, len(ctx), ctx_room, *places[2:], flags, cpu or 0, 0,
    )  # fmt: skip
    after = bytes(call("running the program", PROG_TEST_RUN, packed))
    retval, _, data_size = struct.unpack_from("=III", after, 4)
    duration, _, ctx_size = struct.unpack_from("=III", after, 36)
    return Ran(retval, bytes(data_out)[:data_size], bytes(ctx_out)[:ctx_size], duration)
