"""Encoding and decoding: all 2**64 patterns, both byte orders."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osmia.errors import DecodeError, Place
from osmia.isa import Insn, classify, decode, encode
from osmia.isa.insn import imm64, s32

ORDERS = ("little", "big")


@given(st.binary(min_size=8, max_size=8), st.sampled_from(ORDERS))
def test_every_pattern_round_trips(raw, order):
    (insn,) = decode(raw, order)
    assert encode([insn], order) == raw
    assert insn.encode(order) == raw
    classify(insn)


@given(st.lists(st.binary(min_size=8, max_size=8), max_size=20).map(b"".join), st.sampled_from(ORDERS))
def test_streams_round_trip(raw, order):
    assert encode(decode(raw, order), order) == raw


@pytest.mark.parametrize(("order", "raw"), [("little", "b71a0200fcffffff"), ("big", "b7a10002fffffffc")])
def test_layout_of_the_bytes(order, raw):
    insn = Insn(0xB7, 10, 1, 2, -4)
    assert encode([insn], order).hex() == raw
    assert decode(bytes.fromhex(raw), order) == [insn]


def test_length_is_checked():
    with pytest.raises(DecodeError) as e:
        decode(bytes(13))
    assert e.value.place == Place(offset=8)


@pytest.mark.parametrize("bad", [Insn(0x100), Insn(0xB7, 16), Insn(0xB7, 0, 0, 1 << 15), Insn(0xB7, 0, 0, 0, 1 << 31)])
def test_fields_must_fit(bad):
    with pytest.raises(DecodeError) as e:
        encode([Insn(0x95), bad])
    assert e.value.place.insn == 1


@given(st.integers(0, (1 << 64) - 1))
def test_imm64(value):
    assert imm64(Insn(0x18, imm=s32(value)), Insn(0, imm=s32(value >> 32))) == value
