"""Kernel objects laid out by BTF, judged by offsets that the compiler recorded."""

import contextlib
import ctypes
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osmia import raw
from osmia.btf import Array, Btf, Int, Member, Ptr, Struct, Union
from osmia.errors import OsmiaError, UsageError
from osmia.memory import Memory
from osmia.sim import KObject, World
from osmia.sim.kmem import Kmem


@pytest.fixture(scope="module")
def world():
    return World()


def small_btf():
    btf = Btf()
    u32 = btf.add(Int("unsigned int", 4))
    s16 = btf.add(Int("short", 2, 1))
    char = btf.add(Int("char", 1, 1))
    flag = btf.add(Int("_Bool", 1, 4))
    name = btf.add(Array(char, u32, 8))
    numbers = btf.add(Array(s16, u32, 4))
    inner = btf.add(Struct("inner", 8, (Member("a", u32, 0), Member("b", s16, 32))))
    anonymous = btf.add(Union("", 4, (Member("whole", u32, 0), Member("half", s16, 0))))
    bits = (Member("low", u32, 320, 3), Member("high", u32, 323, 13), Member("sign", s16, 336, 5))
    pointer = btf.add(Ptr(inner))
    outer = (
        Member("name", name, 0), Member("numbers", numbers, 64), Member("nested", inner, 128),
        Member("", anonymous, 192), Member("yes", flag, 224), Member("next", pointer, 256), *bits,
    )  # fmt: skip
    btf.add(Struct("outer", 48, outer, kind_flag=True))
    return btf


@pytest.fixture
def kmem():
    return Kmem(small_btf(), Memory())


def test_every_kind_of_field(kmem):
    inner = kmem.new("struct inner", a=7, b=-2)
    o = kmem.new("struct outer", name="abc", numbers=[1, -2], nested={"a": 5}, half=-1, yes=True, next=inner, low=5,
                 high=8000, sign=-16)  # fmt: skip
    assert (o.name, list(o.numbers), o.nested.a, o.whole, o.half) == (b"abc", [1, -2, 0, 0], 5, 0xFFFF, -1)
    assert (o.yes, o.low, o.high, o.sign) == (True, 5, 8000, -16)
    assert o.next == inner and o.next.b == -2
    data = bytes(o)
    assert data[:8] == b"abc\0\0\0\0\0" and data[8:12] == struct.pack("=2h", 1, -2)
    assert data[16:20] == struct.pack("=I", 5) and data[32:40] == struct.pack("=Q", inner.address)
    word = int.from_bytes(data[40:44], "little")
    assert (word & 7, word >> 3 & 0x1FFF, word >> 16 & 31) == (5, 8000, 16)
    o.numbers[-1] = 9
    o.next = None
    o.nested = bytes(inner)
    assert o.numbers[3] == 9 and o.next == 0 and o.nested.a == 7


@pytest.mark.parametrize(
    ("field", "value"),
    [("low", 8), ("sign", -17), ("name", "12345678"), ("numbers", [0] * 5), ("numbers", [40000 * 2]), ("nested", 3),
     ("whole", 1 << 32), ("whole", "x"), ("nope", 1), ("next", 1.5), ("nested", {"zzz": 1})],
)  # fmt: skip
def test_what_does_not_fit_is_a_usage_error(kmem, field, value):
    o = kmem.new("struct outer")
    with pytest.raises(UsageError):
        o[field] = value
    assert not any(bytes(o))


@given(st.integers(0, 7), st.integers(0, 8191), st.integers(-16, 15))
def test_bitfields_do_not_disturb_one_another(low, high, sign):
    kmem = Kmem(small_btf(), Memory())
    o = kmem.new("struct outer", low=low, high=high, sign=sign)
    assert (o.low, o.high, o.sign) == (low, high, sign)


def test_describe_names_the_field(world):
    skb = world.new("struct sk_buff")
    assert world.describe(skb.address_of("len")).endswith(" .len")
    task = world.new("struct task_struct")
    assert world.describe(task.address_of("comm") + 3).endswith(" .comm[3]")
    assert world.describe(skb.address).startswith("struct sk_buff #")
    world.free(skb)
    world.free(task)


def test_freed_memory_is_no_longer_readable(world):
    skb = world.new("struct sk_buff", len=84)
    assert world.memory.check(skb.address, 8, False)
    world.free(skb)
    assert not world.memory.check(skb.address, 8, False)
    with pytest.raises(UsageError):
        world.free(skb)


def test_pointers_lead_to_objects(world):
    lo = world.device("lo").kobject
    skb = world.new("struct sk_buff", len=84, dev=lo)
    assert isinstance(skb.dev, KObject) and skb.dev.name == b"lo" and skb.dev.ifindex == 1
    assert raw.ld64(skb.address_of("dev")) == lo.address
    skb.dev = 0x1234
    assert skb.dev == 0x1234
    name = world.new("struct filename", name="a file")
    assert ctypes.string_at(name.name) == b"a file"
    assert world.task.kobject.comm == b"sh" and world.task.kobject.real_parent.comm == b"systemd"
    world.free(skb)


def test_a_live_kernels_layout(world):
    from pathlib import Path

    vmlinux = Path("/sys/kernel/btf/vmlinux")
    if not vmlinux.exists():
        pytest.skip("no BTF of a running kernel")
    real = World(vmlinux)
    skb = real.new("struct sk_buff", len=84, pkt_type=3, ip_summed=2)
    assert (skb.len, skb.pkt_type, skb.ip_summed) == (84, 3, 2)


@given(st.binary(max_size=80), st.text(max_size=12))
def test_any_name_ends_in_a_usage_error_or_a_type(data, name):
    kmem = Kmem(small_btf(), Memory())
    o = kmem.new("struct outer")
    for act in (lambda: kmem.new(name), lambda: o[name], lambda: o.update({name: data})):
        with contextlib.suppress(OsmiaError):
            act()
