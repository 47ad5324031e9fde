"""Filters, packets, and sockets through which the kernel runs them."""

import ctypes
import random
import socket
import struct
from contextlib import closing, contextmanager
from pathlib import Path

from osmia.asm import classic
from osmia.asm.classic import SockFilter
from osmia.asm.classic_insn import OPS

GOLDEN = Path(__file__).parent / "golden" / "classic-tcpdump.txt"
SO_ATTACH_FILTER, SO_ATTACH_BPF = 26, 50
EDGES = (0, 1, 2, 3, 5, 12, 14, 15, 16, 31, 32, 0xFFF00000, 0xFFF00003, 0xFFE00001, 0xFFFFF03C, 0xFFFFF02A, 0xFFFFFFFF)


def tcpdump():
    """[(expression, listing, numbers)] of the golden file."""
    parts = GOLDEN.read_text().split("\n## ")[1:]
    heads = [part.partition("\n") for part in parts]
    return [(name, *rest.split("--\n")) for name, _, rest in heads]


def instruction(rng, left):
    op, sloppy = rng.choice(OPS), rng.random() < 0.01
    near = max(1, min(left, 6)) + sloppy
    k = rng.choice((rng.choice(EDGES), rng.randrange(30), rng.randrange(30), rng.getrandbits(32)))
    if op.mode == "mem":
        k = 16 if sloppy else rng.randrange(16)
    if op.mode == "jump":
        k = rng.randrange(near)
    if op.mode in ("", "x", "a", "len", "if_x"):
        k = 0
    jumps = (rng.randrange(near), rng.randrange(near)) if op.mode.startswith("if_") else (0, 0)
    return SockFilter(rng.getrandbits(8) if rng.random() < 0.002 else op.code, *jumps, k)


def random_filter(rng):
    """Mostly one that the kernel takes; sometimes just not."""
    size = rng.randrange(9)
    body = [instruction(rng, size - i - 1) for i in range(size)]
    body = [SockFilter(0x20, 0, 0, 4) if insn.code == 0x0E and rng.random() < 0.95 else insn for insn in body]
    end = SockFilter(0x16) if rng.random() < 0.5 else SockFilter(6, 0, 0, rng.choice((0, 5, 0xFFFFFFFF)))
    start = [SockFilter(2, 0, 0, i) for i in range(16)] if rng.random() < 0.6 else []
    return [*start, *body, end]


def packet(rng):
    noise = rng.randbytes(rng.choice((1, 5, 14, 20, 40, 60)))
    return noise if rng.random() < 0.5 else bytes(rng.choice(b"\0\1\2\x45\6\x10") for _ in noise)


def frame(rng):
    """An Ethernet frame on which expressions of tcpdump find something."""
    ports = struct.pack(">HH", rng.choice((80, 53, 5353, 1500, 9)), rng.choice((80, 53, 5353, 9)))
    rest = ports + bytes(8) + bytes([0x50, rng.choice((2, 18, 0))]) + bytes(rng.randrange(30))
    addresses = struct.pack(">II", rng.choice((0x0A000001, 0xC0A80105)), rng.choice((0xC0A80101, 0xE0000001)))
    head = bytes([0x45 + rng.randrange(2), rng.randrange(9)]) + struct.pack(">HHHBBH", rng.randrange(200), 1,
        rng.choice((0, 0, 1, 0x2000)), rng.randrange(64), rng.choice((1, 6, 17)), 0)  # fmt: skip
    six = bytes([0x60, 0, 0, 0, 0, 40, rng.choice((6, 17)), 9]) + bytes(15) + b"\1" + bytes(15) + b"\1"
    kind, body = rng.choice(((0x800, head + addresses), (0x800, head + addresses), (0x86DD, six), (0x806, bytes(28))))
    tag = struct.pack(">HH", 0x8100, 5) if rng.random() < 0.2 else b""
    return bytes.fromhex("001122334455") + rng.randbytes(6) + tag + struct.pack(">H", kind) + body + rest


@contextmanager
def pair(family=socket.AF_UNIX):
    """Two connected datagram sockets; the second one never waits."""
    if family == socket.AF_UNIX:
        first, second = socket.socketpair(family, socket.SOCK_DGRAM)
    else:
        first, second = (socket.socket(family, socket.SOCK_DGRAM) for _ in range(2))
        second.bind(("127.0.0.1", 0))
        first.connect(second.getsockname())
    second.setblocking(False)
    with closing(first), closing(second):
        yield first, second


def attach_classic(sock, filters):
    data = classic.encode(filters)
    buffer = ctypes.create_string_buffer(data, len(data))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", len(filters), ctypes.addressof(buffer)))


def through(sockets, data):
    """How much of the packet comes out at the other end."""
    sockets[0].send(data)
    try:
        return len(sockets[1].recv(65536))
    except BlockingIOError:
        return 0


def new_rng():
    return random.Random(random.randrange(1 << 30))
