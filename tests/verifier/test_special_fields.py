"""Locks and timers inside map values: loads and stores stay off them."""

import pytest

from osmia import live
from osmia.btf import Btf
from osmia.btf import types as t
from osmia.errors import KernelError
from osmia.isa import Insn
from osmia.obj.model import MapSpec, Program
from osmia.testing.answers import Kernel, ask_osmia
from osmia.verifier.env import Powers

LOOKUP = [
    *(Insn(0x62, 10, 0, -4), Insn(0xBF, 2, 10), Insn(0x07, 2, 0, 0, -4), Insn(0x18, 1, 1), Insn(0)),
    *(Insn(0x85, 0, 0, 0, 1), Insn(0x55, 0, 0, 1), Insn(0x95)),
]
END = [Insn(0xB7), Insn(0x95)]
LOADS = {1: 0x71, 2: 0x69, 4: 0x61, 8: 0x79}


def value_map():
    """An array of one value: a number, a spin lock at 4, a timer at 16 and two numbers from 32 on."""
    btf = Btf()
    u32, u64 = btf.add(t.Int("u32", 4)), btf.add(t.Int("u64", 8))
    lock = btf.add(t.Struct("bpf_spin_lock", 4, (t.Member("val", u32, 0),)))
    timer = btf.add(t.Struct("bpf_timer", 16, (t.Member("a", u64, 0), t.Member("b", u64, 64))))
    fields = (("x", u32, 0), ("lock", lock, 4), ("timer", timer, 16), ("y", u64, 32), ("z", u64, 40))
    value = btf.add(t.Struct("value", 48, tuple(t.Member(name, kind, 8 * at) for name, kind, at in fields)))
    return MapSpec("m", "array", 4, 48, 1, btf=btf, btf_key_type_id=u32, btf_value_type_id=value)


def program(*body):
    return Program("t", "xdp", [*LOOKUP, *body, *END], maps=[value_map()], license="GPL")


@pytest.mark.parametrize(
    ("insn", "message"),
    [
        (Insn(0x61, 1, 0, 0), ""),
        (Insn(0x79, 1, 0, 0), "bpf_spin_lock cannot be accessed directly by load/store"),
        (Insn(0x62, 0, 0, 4), "bpf_spin_lock cannot be accessed directly by load/store"),
        (Insn(0x7A, 0, 0, 8), ""),
        (Insn(0x71, 1, 0, 31), "bpf_timer cannot be accessed directly by load/store"),
        (Insn(0x79, 1, 0, 32), ""),
    ],
)
def test_fields(insn, message):
    answer = ask_osmia(program(insn), 1, Powers())
    assert (answer.errno, answer.message if message else "") == (13 if message else 0, message)


@pytest.mark.live
def test_every_place_is_as_in_the_kernel():
    if (why := live.available()) is not None:
        pytest.skip(str(why))
    kernel = Kernel()
    for off in range(0, 48):
        for code in LOADS.values():
            asked = program(Insn(code, 1, 0, off))
            try:
                theirs = kernel.ask(asked, 2, Powers())
            except KernelError as error:
                pytest.skip(str(error))
            assert ask_osmia(asked, 2, Powers()) == theirs
