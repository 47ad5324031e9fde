"""Bodies against the running kernel: the same R0, buffers and packets for generated arguments."""

import pytest
from helpers.both import CTX, Buf, compare, on_kernel
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from maps import realmap

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(realmap.unavailable()), reason=str(realmap.unavailable()))]


def few(n):
    return settings(max_examples=n, deadline=None, suppress_health_check=list(HealthCheck))


NUMBER_TEXT = st.one_of(
    st.text(" \t\n0123456789abcdefxX-+gz\0", max_size=24).map(lambda s: s.encode("latin-1")),
    st.builds(
        lambda space, sign, prefix, n, base, tail: (
            space + sign + prefix + {8: "%o", 10: "%d", 16: "%x"}[base] % n + tail
        ).encode("latin-1"),
        st.sampled_from(["", " ", "\t\n ", "\xa0"]),
        st.sampled_from(["", "-", "--", "+"]),
        st.sampled_from(["", "0", "0x", "0X", "00"]),
        st.sampled_from([0, 1, 7, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, (1 << 64) - 1, 1 << 64, 10**30, 1 << 250]),
        st.sampled_from([8, 10, 16]),
        st.sampled_from(["", "\0", "z", " 1", "0" * 70]),
    ),
).filter(len)
BASES = st.sampled_from([0, 0, 8, 10, 16, 2, 1, 31, 32, 48, 1 << 40])


@few(250)
@given(st.sampled_from(["bpf_strtol", "bpf_strtoul"]), NUMBER_TEXT, BASES)
@example("bpf_strtol", b"0x", 0)
@example("bpf_strtol", b"0x", 16)
@example("bpf_strtoul", b"1" * 100, 10)
@example("bpf_strtoul", b" " * 30 + b"0" * 62 + b"17", 10)
def test_numbers(name, text, base):
    assert compare(name, [Buf(text), len(text), base, Buf(b"\xaa" * 8)])


WORDS = st.lists(st.sampled_from([0, 1, 97, 98, 0x80, 0xFF]), max_size=6).map(bytes)


@few(100)
@given(WORDS, WORDS, st.integers(1, 8))
def test_strncmp(a, b, size):
    assert compare("bpf_strncmp", [Buf(a.ljust(size, b"\0")), size, Buf(b + b"\0", constant=True)])


CHUNK = st.one_of(st.binary(max_size=40), st.sampled_from([b"\xff" * 8, bytes(8), b"\xff\xff\0\0" * 3, b"\1" * 1024]))

SEEDS = st.sampled_from([0, 1, 0xFFFF, 0xFFFF0000, 0xFFFFFFFF])


@few(200)
@given(CHUNK, CHUNK, SEEDS | st.integers(0, 0xFFFFFFFF), st.booleans())
def test_csum_diff(old, new, seed, words):
    if words:
        old, new = old[: len(old) & ~3], new[: len(new) & ~3]
    args = [Buf(old) if old else 0, len(old), Buf(new) if new else 0, len(new), seed]
    assert compare("bpf_csum_diff", args, "sched_cls")


DELTAS = st.sampled_from([0, 1, -1, 4, -4, 14, -14, 50, 64, -216, -217, -252, -256, 200, 3472, 3473, 3400, -50, -51,
                          1 << 31, (1 << 31) - 1, -(1 << 31)]) | st.integers(-300, 300)  # fmt: skip


@few(150)
@given(st.sampled_from(["head", "tail", "meta"]), DELTAS, st.integers(14, 128))
def test_xdp_adjust(which, delta, size):
    assert compare(f"bpf_xdp_adjust_{which}", [CTX, delta], "xdp", bytes(i & 0xFF for i in range(size)))


OFFSETS = st.sampled_from([0, 1, 13, 14, 15, 20, 24, 34, 40, 50, 62, 63, 64, 65, 0xFFFF, 0x10000, 0x7FFFFFFF,
                           0x80000000, 0xFFFFFFFF, 0xFFFFFFF0])  # fmt: skip
PACKET = bytes(12) + b"\x08\x00\x45\0\0\x32" + bytes((i * 37) & 0xFF for i in range(46))


@few(80)
@given(st.sampled_from(["load", "store"]), OFFSETS, st.integers(1, 70))
def test_xdp_bytes(which, offset, size):
    assert compare(f"bpf_xdp_{which}_bytes", [CTX, offset, Buf(b"\xaa" * size), size], "xdp", PACKET)


def test_xdp_length():
    assert compare("bpf_xdp_get_buff_len", [CTX], "xdp", PACKET)


@few(80)
@given(OFFSETS, st.integers(1, 70), st.sampled_from(["sched_cls"]))
def test_skb_load(offset, size, prog_type):
    assert compare("bpf_skb_load_bytes", [CTX, offset, Buf(b"\xaa" * size), size], prog_type, PACKET)


@few(80)
@given(OFFSETS, st.integers(1, 70), st.sampled_from([0, 0, 1, 1, 2, 3]))
def test_skb_load_relative(offset, size, start):
    assert compare("bpf_skb_load_bytes_relative", [CTX, offset, Buf(b"\xaa" * size), size, start], "sched_cls", PACKET)


@few(80)
@given(OFFSETS, st.integers(1, 70), st.sampled_from([0, 0, 1, 2, 3, 4, 1 << 40]))
def test_skb_store(offset, size, flags):
    data = Buf(bytes(0xFF - i for i in range(size)))
    assert compare("bpf_skb_store_bytes", [CTX, offset, data, size, flags], "sched_cls", PACKET)


SUMS = st.sampled_from([0, 1, 0xFFFF, 0x10000, 0xFFFF0000, 0xFFFFFFFF, 0x12345678, 1 << 32, (1 << 64) - 1])
PLACES = st.sampled_from([16, 24, 25, 26, 62, 63, 64, 0xFFFE, 0xFFFF, 0x10000])
FIELD = st.sampled_from([b"\0\0", b"\xff\xff", b"\1\2"])


@few(250)
@given(
    st.sampled_from(["bpf_l3_csum_replace", "bpf_l4_csum_replace"]),
    PLACES,
    SUMS | st.integers(0, 0xFFFFFFFF),
    SUMS | st.integers(0, 0xFFFFFFFF),
    st.sampled_from([0, 0, 2, 2, 4, 4, 1, 3, 8, 16, 18, 20, 32, 34, 36, 64, 96, 98, 100, 128, 130, 144, 256, 1 << 33]),
    FIELD,
)
def test_csum_replace(name, offset, before, after, flags, field):
    packet = PACKET[:24] + field + PACKET[26:]
    if flags & 15 == 0:
        before = before if before & 1 else 0
    assert compare(name, [CTX, offset, before, after, flags], "sched_cls", packet)


LENGTHS = st.sampled_from([0, 1, 13, 14, 15, 33, 34, 60, 64, 65, 100, 1500, 3000, 16065, 65537, 1 << 31])


@few(60)
@given(LENGTHS, st.sampled_from([0, 0, 1]))
def test_skb_change_tail(size, flags):
    assert compare("bpf_skb_change_tail", [CTX, size, flags], "sched_cls", PACKET)


@few(40)
@given(st.sampled_from([0, 1, 4, 14, 64, 100, 16001, 65500, 1 << 31, (1 << 32) - 1]), st.sampled_from([0, 0, 0, 1]))
def test_skb_change_head(room, flags):
    assert compare("bpf_skb_change_head", [CTX, room, flags], "sched_cls", PACKET)


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 1 << 31])
def test_skb_pull(size):
    assert compare("bpf_skb_pull_data", [CTX, size], "sched_cls", PACKET)


@pytest.mark.parametrize("level", [0, 1, 2, 3, 4, 1 << 40])
def test_csum_level(level):
    assert compare("bpf_csum_level", [CTX, level], "sched_cls", PACKET)


@pytest.mark.parametrize("call", ["bpf_csum_update"])
def test_csum_update(call):
    assert compare(call, [CTX, 5], "sched_cls", PACKET)


@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4, 5, 7])
def test_change_type(kind):
    assert compare("bpf_skb_change_type", [CTX, kind], "sched_cls", PACKET)


@pytest.mark.parametrize("flags", [0, 1, 2, 8, 16, 1 << 40])
@pytest.mark.parametrize("prog_type", ["sched_cls", "xdp"])
def test_redirect(flags, prog_type):
    assert compare("bpf_redirect", [1, flags], prog_type, PACKET)


@pytest.mark.parametrize("flags", [0, 1, 2])
def test_redirect_peer_and_neigh(flags):
    assert compare("bpf_redirect_peer", [1, flags], "sched_cls", PACKET)
    assert compare("bpf_redirect_neigh", [1, 0, 0, flags], "sched_cls", PACKET)
    assert compare("bpf_redirect_neigh", [1, Buf(bytes(16)), 16, flags], "sched_cls", PACKET)
    assert compare("bpf_redirect_neigh", [1, Buf(bytes(20)), 20, flags], "sched_cls", PACKET)


READS = st.sampled_from(["bpf_probe_read_kernel", "bpf_probe_read_kernel_str"])


SOURCES = st.sampled_from([b"", b"abc\0def\0", b"x" * 32])
BAD_ADDRESSES = st.sampled_from([None, 0, 8, -8, 1 << 22, 1 << 60])


@few(80)
@given(READS, SOURCES, st.integers(1, 40), BAD_ADDRESSES)
def test_probe_reads(name, source, size, bad_address):
    source = Buf(source.ljust(64, b"\0")) if bad_address is None else bad_address
    assert compare(name, [Buf(b"\xaa" * size), size, source])


def test_the_kernel_was_asked():
    assert on_kernel("bpf_get_numa_node_id", [])[0] == 0
