"""The small texts of the log."""

import pytest

from osmia.verifier import consts as c
from osmia.verifier.text import (
    dynptr_type_str,
    fmt_reg_mask,
    fmt_stack_mask,
    iter_state_str,
    iter_type_str,
    reg_type_str,
    snum,
    tnum_strn,
    unum,
)


@pytest.mark.parametrize(
    ("type", "text"),
    [
        (c.NOT_INIT, "?"),
        (c.SCALAR_VALUE, "scalar"),
        (c.PTR_TO_MAP_VALUE | c.PTR_MAYBE_NULL, "map_value_or_null"),
        (c.PTR_TO_MEM | c.MEM_RDONLY | c.PTR_MAYBE_NULL, "rdonly_mem_or_null"),
        (c.PTR_TO_MEM | c.MEM_RINGBUF, "ringbuf_mem"),
        (c.PTR_TO_BTF_ID | c.PTR_TRUSTED | c.PTR_MAYBE_NULL, "trusted_ptr_or_null_"),
        (c.PTR_TO_BTF_ID | c.MEM_PERCPU | c.MEM_RCU | c.PTR_UNTRUSTED | c.MEM_USER, "user_percpu_rcu_untrusted_ptr_"),
        (c.PTR_TO_BTF_ID | c.MEM_ALLOC, "ptr_"),
        (c.PTR_TO_STACK, "fp"),
        (200, "(null)"),
    ],
)
def test_types(type, text):
    assert reg_type_str(type) == text


def test_every_type_has_a_name_of_its_own():
    names = [reg_type_str(number) for number in range(c.NOT_INIT, c.CONST_PTR_TO_DYNPTR + 1)]
    assert len(set(names)) == len(names)
    assert "(null)" not in names


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (65535, "65535"), (65536, "0x10000"), ((1 << 64) - 1, "0xffffffffffffffff")]
)
def test_unsigned_numbers(number, text):
    assert unum(number) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(-1, "-1"), (32767, "32767"), (32768, "0x8000"), (-32768, "-32768"), (-32769, "0xffffffffffff7fff")],
)
def test_signed_numbers(number, text):
    assert snum(number) == text


def test_tnums():
    assert tnum_strn(5, 0) == "5"
    assert tnum_strn(0x10000, 0) == "0x10000"
    assert tnum_strn(0, 0xFF) == "(0x0; 0xff)"


def test_sets():
    assert fmt_reg_mask(0) == ""
    assert fmt_reg_mask(0b101) == "r0,r2"
    assert fmt_stack_mask(0b11) == "-8,-16"
    assert fmt_stack_mask(1 << 63) == "-512"


def test_objects():
    assert [dynptr_type_str(kind) for kind in (0, 2, 5, 99)] == ["<invalid>", "ringbuf", "skb_meta", "<unknown>"]
    assert [iter_state_str(state) for state in (0, 1, 2, 3)] == ["<invalid>", "active", "drained", "<unknown>"]
    assert iter_type_str(None, 7) == "<invalid>"
