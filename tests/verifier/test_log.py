"""The log's buffers, as BPF_PROG_LOAD fills them."""

import os
from errno import EINVAL, ENOSPC

import pytest

from osmia import live
from osmia.errors import KernelError
from osmia.isa import consts as c
from osmia.isa import encode
from osmia.isa import macros as m
from osmia.live.syscall import ProgAttr, prog_load
from osmia.obj.model import Program
from osmia.verifier.judge import judge
from osmia.verifier.log import Log, attr_errno


@pytest.mark.parametrize(
    ("level", "size", "buffer", "errno"),
    [
        (0, 0, None, 0), (1, 0, None, 0), (1, 100, None, 0), (15, 100, None, 0),
        (16, 100, None, EINVAL), (0, 100, None, EINVAL), (1, 100, False, EINVAL), (1, 0, True, EINVAL),
        (1, 1 << 30, None, EINVAL), (1, (1 << 30) - 1, None, 0),
    ],
)  # fmt: skip
def test_attributes(level, size, buffer, errno):
    assert attr_errno(level, size, buffer) == errno


def test_text_can_be_taken_back():
    log = Log(1)
    log.write("kept\n")
    at = log.end_pos
    log.write("a path\n")
    log.reset(at)
    log.write("the end\n")
    assert (str(log), log.end_pos) == ("kept\nthe end\n", 13)
    assert log.true_size == 14


def test_level_0_keeps_nothing():
    log = Log(0)
    log.write("text")
    log.reset(0)
    assert (str(log), log.end_pos, log.true_size) == ("", 0, 0)


def test_a_rotating_buffer_keeps_the_end():
    log = Log(1, 8)
    log.write("0123456")
    assert (str(log), log.finish()) == ("0123456", 0)
    log.write("78")
    assert (str(log), log.finish(), log.true_size) == ("2345678", ENOSPC, 10)


def test_what_rotated_away_does_not_come_back():
    log = Log(1, 8)
    log.write("0123456789")
    log.reset(5)
    assert str(log) == "34"
    log.write("x")
    assert str(log) == "34x"
    log.reset(2)
    assert (str(log), log.end_pos) == ("", 2)
    log.write("yz")
    assert (str(log), log.end_pos, log.true_size) == ("yz", 4, 11)


def test_a_fixed_buffer_keeps_the_beginning():
    log = Log(1 | 8, 8)
    log.write("0123")
    log.write("456789")
    assert (str(log), log.end_pos, log.finish()) == ("0123456", 10, ENOSPC)
    log.reset(2)
    log.write("x")
    assert (str(log), log.end_pos) == ("01x", 3)


def test_a_level_2_log_streams():
    pieces = []
    log = Log(2, sink=pieces.append)
    for number in range(20000):
        log.write(f"line {number}\n")
    assert pieces
    assert len(log.text) < 1 << 17
    log.finish()
    assert b"".join(pieces) == b"".join(f"line {number}\n".encode() for number in range(20000))
    assert log.true_size == log.end_pos + 1


def test_bytes_that_are_no_utf8_stay():
    log = Log(1)
    log.write("\udcff\n")
    assert bytes(log.text) == b"\xff\n"
    assert log.end_pos == 2


FORKS = [
    m.BPF_LDX_MEM(c.BPF_W, 2, 1, 0), m.BPF_MOV64_IMM(0, 0), m.BPF_JMP_IMM(c.BPF_JGT, 2, 5, 2), m.BPF_MOV64_IMM(0, 1),
    m.BPF_MOV64_IMM(3, 1), m.BPF_JMP_IMM(c.BPF_JGT, 2, 9, 1), m.BPF_MOV64_IMM(4, 1),
]  # fmt: skip
ACCEPTED = [*FORKS, m.BPF_EXIT_INSN()]
REFUSED = [*FORKS, m.BPF_MOV64_REG(0, 5), m.BPF_EXIT_INSN()]


@pytest.mark.live
@pytest.mark.skipif(live.available() is not None, reason=f"bpf(2): {live.available()}")
@pytest.mark.parametrize("insns", [ACCEPTED, REFUSED], ids=["accepted", "refused"])
@pytest.mark.parametrize("level", [1, 2, 3, 9, 10])
def test_buffers_of_every_size_are_filled_as_the_kernel_fills_them(insns, level):
    for size in (1, 2, 3, 10, 109, 110, 111, 112, 400, 449, 600, 601, 900, 2000):
        try:
            fd, log = prog_load(ProgAttr(1, encode(insns), "GPL"), level, size)
            os.close(fd)
            errno = 0
        except KernelError as e:
            errno, log = e.errno, e.log
        ours = judge(Program("p", "socket_filter", insns, license="GPL"), log_level=level, log_size=size)
        assert (ours.errno, ours.log) == (errno, log), size


@pytest.mark.live
@pytest.mark.skipif(live.available() is not None, reason=f"bpf(2): {live.available()}")
def test_odd_levels_and_sizes_are_refused_as_the_kernel_refuses_them():
    for level, size in ((16, 100), (1 << 31, 100), (1, 1 << 30), (8, 100), (15, 4096)):
        try:
            os.close(prog_load(ProgAttr(1, encode(ACCEPTED), "GPL"), level, size)[0])
            errno = 0
        except KernelError as e:
            errno = e.errno
        assert judge(Program("p", "socket_filter", ACCEPTED), log_level=level, log_size=size).errno == errno, level
