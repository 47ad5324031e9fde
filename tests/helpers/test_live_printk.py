"""bpf_snprintf on the running kernel: for generated formats and arguments the same text and the same return value."""

import os
import struct

import pytest
from helpers import realprog
from helpers.bench import Bench
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from maps import realmap

from osmia.isa import macros as m
from osmia.isa.consts import BPF_DW
from osmia.kernel.helpers import helper_by_name
from osmia.kernel.uapi import MAP_FLAGS

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(realmap.unavailable()), reason=str(realmap.unavailable()))]

STRINGS = b"text\0\0\0\0" + b"\0" * 8 + b"a longer one, with 100% and \xff\0".ljust(48, b"\0") + b"x" * 63 + b"\0"
PLACES = (1, 8, 16, 64, 68)  # strings begin here
OUT = 512


def ask_kernel(fmt, args, kinds, size):
    """``(return value, buffer)``, or None when the verifier refuses the format."""
    text = realprog.RealArray(fmt + b"\0", MAP_FLAGS["rdonly_prog"], freeze=True)
    strings, out = realprog.RealArray(STRINGS), realprog.RealArray(b"\xaa" * (OUT + 8))
    code = []
    for i, (arg, kind) in enumerate(zip(args, kinds, strict=True)):
        code += m.BPF_LD_MAP_VALUE(1, strings.fd, arg) if kind == "s" else m.BPF_LD_IMM64(1, arg)
        code.append(m.BPF_STX_MEM(BPF_DW, 10, 1, -96 + 8 * i))
    code += [*m.BPF_LD_MAP_VALUE(1, out.fd, 8), m.BPF_MOV64_IMM(2, size), *m.BPF_LD_MAP_VALUE(3, text.fd, 0)]
    code += [m.BPF_MOV64_REG(4, 10), m.BPF_ALU64_IMM(0, 4, -96), m.BPF_MOV64_IMM(5, 8 * len(args))]
    code += [m.BPF_EMIT_CALL(helper_by_name("bpf_snprintf").id), *m.BPF_LD_MAP_VALUE(1, out.fd, 0)]
    code += [m.BPF_STX_MEM(BPF_DW, 1, 0, 0), m.BPF_MOV64_IMM(0, 0), m.BPF_EXIT_INSN()]
    fd = realprog.load(code)
    try:
        if fd < 0:
            return None
        assert realprog.run(fd)[0] == 0
        got = out.value
        return int.from_bytes(got[:8], "little", signed=True), got[8 : 8 + size]
    finally:
        for thing in (text, strings, out):
            thing.close()
        if fd >= 0:
            os.close(fd)


def ours(fmt, args, kinds, size):
    bench = Bench()
    strings, out, text = bench.room(STRINGS), bench.room(b"\xaa" * OUT), bench.room(fmt + b"\0")
    values = [strings.address + a if kind == "s" else a & (1 << 64) - 1 for a, kind in zip(args, kinds, strict=True)]
    data = bench.room(struct.pack(f"={len(args)}Q", *values) + b"\0")
    got = bench.call("bpf_snprintf", out.address, size, text.address, data.address, 8 * len(args))
    return got, bytes(out)[:size]


FLAGS = st.text("0+- ", max_size=2)
WIDTH = st.sampled_from(["", "", "1", "2", "5", "8", "12", "20", "40"])
INTEGER = st.builds(
    lambda f, w, l, c: "%" + f + w + l + c,  # noqa: E741
    FLAGS,
    WIDTH,
    st.sampled_from(["", "", "l", "ll"]),
    st.sampled_from("diuxXc"),
)
FETCHED = st.sampled_from(["s", "pks", "pi4", "pI4", "pi6", "pI6"])
STRING = st.builds(lambda f, w, c: "%" + f + w + c, FLAGS, WIDTH, FETCHED)
POINTER = st.builds(lambda f, w, c: "%" + f + w + c, FLAGS, WIDTH, st.sampled_from(["px", "pS", "ps", "pB"]))
ODD = st.sampled_from(["%", "%z", "%p", "%pz", "%lc", "%llld", "%#x", "%5%", "%.3d", "%hd", "%pI", "%pi5", "%o", "%n",
                       "%s1", "%ss", "%pksx", "%pxz", "%pI4abc", "%pI6c", "%pBx", "%*d", "%llx%", "%0", "% ", "%l",
                       "\x01", "\x7f", "é", "%é", "%s é", "%p\xa0", "%pé", "%s\xa0", "%pus", "%sé", "%ds"])  # fmt: skip
TEXT = st.sampled_from(["", "a", " ", ", ", "%%", "100%% ", "\n", "\t", ": "])
NUMBERS = st.sampled_from([0, 1, 7, 42, 255, 0x80000000, 0xFFFFFFFF, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1,
                           (1 << 64) - 5, 0xDEADBEEFCAFE, 65, 0]) | st.integers(0, (1 << 64) - 1)  # fmt: skip
PIECE = st.one_of(
    st.tuples(TEXT, INTEGER, NUMBERS),
    st.tuples(TEXT, INTEGER, NUMBERS),
    st.tuples(TEXT, STRING, st.sampled_from(PLACES)),
    st.tuples(TEXT, POINTER, st.sampled_from([0, 1, 0x1234, (1 << 64) - 14])),
)


SIZES = st.sampled_from([OUT, OUT, OUT, 1, 5, 0])
FETCHING = ("s", "pks", "pi4", "pI4", "pi6", "pI6")


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(PIECE, max_size=6), TEXT, st.none() | ODD, SIZES, st.integers(-1, 1))
@example([("", "%s", 64)] * 12, "", None, OUT, 0)
@example([("", "%s", 64)] * 6 + [("", "%d", 5), ("", "%lld", 5), ("", "%s", 68)], "", None, OUT, 0)
@example([("", "%pI4", 0)], "", "%pz", OUT, 0)
def test_text_and_result(pieces, tail, odd, size, missing):
    fmt = ("".join(text + spec for text, spec, _ in pieces) + tail + (odd or "")).encode()
    args = [arg for _, _, arg in pieces] + [8] * (1 if odd and "p" not in odd else 0)
    kinds = ["s" if spec.endswith(FETCHING) and not spec.endswith(("ps", "pS")) else "d" for _, spec, _ in pieces]
    kinds += ["d"] * (len(args) - len(pieces))
    if odd and "%s" in odd:
        args[-1:], kinds[-1:] = [8], ["s"]
    if missing < 0:
        args, kinds = args[:-1], kinds[:-1]
    if missing > 0:
        args, kinds = [*args, 0], [*kinds, "d"]  # 0: %p would hash anything else with the kernel's secret key
    args, kinds = args[:12], kinds[:12]
    if any(k in fmt.decode() for k in ("pks", "pus", "pi4", "pI4", "pi6", "pI6", "pB")):
        size = OUT  # once the output is full, the kernel goes on with stale bytes of its argument buffer
    real, mine = ask_kernel(fmt, args, kinds, size), ours(fmt, args, kinds, size)
    if real is None:  # the verifier asks the same function as the helper, without arguments
        assert mine[0] == -22, (fmt, args)
    else:
        assert mine == real, (fmt, args)
