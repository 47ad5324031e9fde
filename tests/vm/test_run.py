"""The native block of a run: its numbers on both sides, and the question whether an access may be."""

import re
from pathlib import Path

import pytest

from osmia.memory import Memory, Region
from osmia.raw import Buffer
from osmia.vm import packetwords, run, runwords

VM = Path(runwords.__file__).parent
COMPILED = not run.__file__.endswith(".py")


@pytest.mark.parametrize("module", [runwords, packetwords])
def test_compiled_modules_have_the_same_numbers(module):
    text = Path(module.__file__).with_suffix(".pxd").read_text()
    theirs = {name: int(number) for name, number in re.findall(r"^    ([RFP]_\w+) = (\d+)$", text, re.M)}
    ours = {name: value for name, value in vars(module).items() if re.fullmatch("[RFP]_[A-Z0-9_]+", name)}
    assert theirs == ours


def test_words_by_name():
    made = run.Run(Memory(), True)
    made.put("cpu", 3)
    assert (made.get("cpu"), made.get("checked"), made.get("stack")) == (3, 1, made.frames.address)
    assert "cpu 0x3" in repr(made)


@pytest.fixture
def ask():
    """``may`` over a memory of one read-only block and one of three elements."""
    import ctypes

    from osmia.native import address_of

    memory = Memory()
    block, elements = Buffer(64), Buffer(96)
    memory.add(Region("block", block.address, 64, writable=False))
    memory.add(Region("elements", elements.address, 96, stride=32, span=20))
    made = run.Run(memory, True)
    if COMPILED:
        native = ctypes.CFUNCTYPE(ctypes.c_uint64, *[ctypes.c_uint64] * 4)(address_of("osmia.vm.run", "may"))
    else:
        native = run.may
    keep = (memory, block, elements, made)
    return lambda *args: native(made.address, *args) == 1, block.address, elements.address, made, keep


def test_regions(ask):
    may, block, elements, *_ = ask
    assert may(block, 64, 0)
    assert may(block + 63, 1, 0)
    assert not may(block, 1, 1)
    assert not may(block, 65, 0)
    assert not may(block - 1, 2, 0)
    assert may(elements + 32, 20, 1)
    assert not may(elements + 32, 21, 1)
    assert not may(elements + 20, 1, 0)
    assert may(0, 0, 0)
    assert not may(0, 1, 0)
    assert not may(2**64 - 4, 8, 0)


def test_windows_stay_right_when_regions_go(ask):
    may, block, _, made, (memory, *_) = ask
    assert may(block, 8, 0)
    memory.remove(next(r for r in memory if r.address == block))
    made.close_windows()
    assert not may(block, 8, 0)


def test_frames_in_use(ask):
    may, _, _, made, _ = ask
    stack = made.get("stack")
    assert not may(stack, 8, 1)
    made.put("room", 2048)
    assert may(stack, 512, 1)
    assert not may(stack, 513, 1)
    assert not may(stack + 512, 1, 1)
    assert may(stack + 1024 + 504, 8, 1)
    assert not may(stack + 2048, 1, 1)


def test_unchecked_runs_may_all(ask):
    may, _, _, made, _ = ask
    made.put("checked", 0)
    assert may(0, 8, 1)
