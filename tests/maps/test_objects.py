"""What native code sees of maps that hold programs and maps: words that change by one store."""

import gc
import weakref

import pytest

from osmia.errors import MapError
from osmia.maps import create
from osmia.maps.handle import WORD
from osmia.maps.targets import number_of, target_of
from osmia.obj.model import MapSpec
from osmia.raw import Buffer, ld64, st32

INNER = MapSpec("i", "array", 4, 4, 1)


class Target:
    name = "t"


def word(m, index):
    return ld64(ld64(m.address + WORD["values"]) + index * ld64(m.address + WORD["stride"]))


def test_a_prog_array_holds_numbers():
    m = create(MapSpec("p", "prog_array", 4, 4, 3, values={2: "late"}))
    first, second = Target(), Target()
    m[0] = first
    m[1] = first
    m.bind({"late": second})
    assert word(m, 0) == word(m, 1) == number_of(first) and word(m, 2) == number_of(second) != number_of(first)
    assert target_of(word(m, 2)) is second is m.program(2) and m.lookup(m._key_in.address, 0) == 0
    del m[0]
    assert word(m, 0) == 0 and m.program(0) is None and len(m) == 2
    with pytest.raises(IndexError):
        m.set_word(3, 1)


def test_a_slot_that_is_not_there():
    m = create(MapSpec("p", "prog_array", 4, 4, 3, values={3: "far"}))
    with pytest.raises(MapError, match=r"no slot 3 for program far.*E2BIG"):
        m.bind({"far": Target()})


def test_numbers_are_never_used_again():
    seen = set()
    for _ in range(50):
        target = Target()
        number = number_of(target)
        assert number not in seen and number == number_of(target)
        seen.add(number)
        del target
        assert target_of(number) is None


def test_what_was_replaced_lives_until_nobody_can_see_it():
    m = create(MapSpec("p", "prog_array", 4, 4, 1))
    m[0] = Target()
    old = weakref.ref(m[0])
    m[0] = Target()
    gc.collect()
    assert old() is not None
    m.settle()
    gc.collect()
    assert old() is None and m[0].name == "t"


@pytest.mark.parametrize(("kind", "key_size"), [("array_of_maps", 4), ("hash_of_maps", 8)])
def test_a_look_up_gives_the_inner_handle(kind, key_size):
    m = create(MapSpec("o", kind, key_size, 4, 4, inner=INNER))
    key, told = Buffer(8), []
    st32(key.address, 2)
    m.watch(told.append)
    assert m.lookup(key.address, 0) == 0
    inner = create(INNER)
    m[2] = inner
    assert m.lookup(key.address, 0) == inner.address and m[2] is inner and told == inner.regions()
    address, inner = inner.address, weakref.ref(inner)
    told.clear()
    m[2] = create(INNER)
    gc.collect()
    assert inner().address == address != m.lookup(key.address, 0)
    told.clear()
    m.settle()
    gc.collect()
    assert inner() is None and m.lookup(key.address, 0) == m[2].address
    del m[2]
    assert m.lookup(key.address, 0) == 0 and 2 not in m
    st32(key.address, 4)
    assert m.lookup(key.address, 0) == 0
