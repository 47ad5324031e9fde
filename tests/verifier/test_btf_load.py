"""BPF_BTF_LOAD: errnos by rule, and damaged types put to the running kernel."""

import errno
import os
import random
import struct

import pytest

from osmia.btf import (
    Array,
    Btf,
    Const,
    Datasec,
    DeclTag,
    Enum,
    EnumValue,
    Float,
    Func,
    FuncProto,
    Fwd,
    Int,
    Member,
    Param,
    Ptr,
    Struct,
    Typedef,
    TypeTag,
    Union,
    Var,
    VarSec,
)
from osmia.errors import InputError, KernelError
from osmia.live import available, syscall
from osmia.verifier.btf_resolve import btf_load_errno
from osmia.verifier.map_record import BadRecord
from osmia.verifier.struct_meta import struct_metas

live = pytest.mark.skipif(available() is not None, reason="no bpf(2)")
ENOTSUPP = 524


def made(*types):
    btf = Btf()
    for one in types:
        btf.add(one)
    return btf.encode()


INT = Int("int", 4, 1)
LOCK = Struct("bpf_spin_lock", 4, (Member("val", 1, 0),))
RULES = [
    ((INT,), 0),
    ((), errno.EINVAL),
    ((Int("int", 4, 3),), ENOTSUPP),
    ((Int("int", 4, 1, 0, 33),), errno.EINVAL),
    ((INT, Ptr(9)), errno.EINVAL),
    ((INT, Ptr(0)), 0),
    ((Typedef("t", 2), Typedef("u", 1)), errno.EEXIST),
    ((Struct("s", 8, (Member("p", 2, 0),)), Ptr(1)), 0),
    ((INT, Struct("s", 4, (Member("x", 1, 8),))), errno.EINVAL),
    ((INT, Struct("s", 4, (Member("x", 2, 0),))), errno.EEXIST),
    ((INT, Union("u", 4, (Member("x", 1, 8),))), errno.EINVAL),
    ((INT, Array(1, 1, 1 << 31)), errno.EINVAL),
    ((INT, Array(1, 3, 2), Int("odd", 4, 0, 0, 31)), errno.EINVAL),
    ((Enum("e", 3, (EnumValue("A", 1),)),), errno.EINVAL),
    ((Float("f", 3),), errno.EINVAL),
    ((Fwd("x y"),), errno.EINVAL),
    ((INT, FuncProto(1, (Param("", 1),)), Func("f", 2)), errno.EINVAL),
    ((INT, FuncProto(1, (Param("x", 1),)), Func("f", 2, 2)), errno.EINVAL),
    ((INT, Var("v", 1, 1), Datasec(".data", 4, (VarSec(2, 0, 4),))), 0),
    ((INT, Var("v", 1, 1), Datasec(".data", 0, (VarSec(2, 0, 4),))), errno.EINVAL),
    ((INT, Var("v", 1, 1), Datasec(".data", 4, (VarSec(2, 0, 2),))), errno.EINVAL),
    ((INT, DeclTag("tag", 1, -1)), errno.EINVAL),
    ((INT, TypeTag("user", 1), Const(2)), errno.EINVAL),
    ((INT, Const(1), TypeTag("user", 2)), 0),
    ((INT, *(Typedef(f"t{i}", i) for i in range(1, 33))), 0),
    ((*(Typedef(f"t{i}", i + 1) for i in range(1, 34)), INT), errno.E2BIG),
    ((INT, LOCK, Struct("two", 8, (Member("a", 2, 0), Member("b", 2, 32)))), errno.E2BIG),
    ((INT, LOCK, Struct("odd", 8, (Member("a", 2, 0), Member("b", 1, 33, 3)), True)), errno.EINVAL),
]  # fmt: skip


def ours(data):
    found = btf_load_errno(data)[0]
    if found:
        return found
    try:
        struct_metas(Btf.parse(data))
    except BadRecord as bad:
        return bad.errno
    return 0


def theirs(data):
    try:
        os.close(syscall.btf_load(data, 1 << 20))
    except KernelError as error:
        return error.errno
    return 0


@pytest.mark.parametrize(("types", "answer"), RULES, ids=str)
def test_rules(types, answer):
    assert ours(made(*types)) == answer


@live
@pytest.mark.parametrize(("types", "answer"), RULES, ids=str)
def test_the_kernel_agrees(types, answer):
    assert theirs(made(*types)) == answer


SEED = made(
    INT, LOCK, Ptr(1), Array(1, 1, 3), Struct("s", 24, (Member("lock", 2, 0), Member("x", 1, 32), Member("a", 4, 64))),
    Enum("e", 4, (EnumValue("A", 1), EnumValue("B", 2))), Typedef("t", 5), Const(7), FuncProto(1, (Param("x", 3),)),
    Func("f", 9), Var("v", 5, 1), Datasec(".data", 24, (VarSec(11, 0, 24),)), DeclTag("tag", 5, 1), TypeTag("user", 1),
    Float("d", 8), Fwd("later"), Struct("bits", 4, (Member("b", 1, 0, 3), Member("c", 1, 3, 5)), True),
)  # fmt: skip


def damaged(rng, data):
    """One to three words or bytes of the types changed."""
    out = bytearray(data)
    (types,) = struct.unpack_from("<I", out, 12)
    for _ in range(rng.choice((1, 1, 2, 3))):
        at = 24 + 4 * rng.randrange(types // 4)
        (word,) = struct.unpack_from("<I", out, at)
        near = rng.randrange(20), word ^ 1 << rng.randrange(32), word + 1, word - 1, rng.getrandbits(32)
        struct.pack_into("<I", out, at, rng.choice(near) & 0xFFFFFFFF)
        if rng.random() < 0.2:
            out[24 + types + rng.randrange(1, len(out) - 24 - types)] = rng.randrange(256)
    return bytes(out)


@live
def test_damaged_types_against_the_kernel():
    rng = random.Random(os.environ.get("OSMIA_SEED", "btf"))
    wrong = []
    for _ in range(int(os.environ.get("OSMIA_PROGRAMS", "3000"))):
        data = damaged(rng, SEED)
        try:
            Btf.parse(data)
        except InputError:
            assert theirs(data)  # what can't be read can't be loaded either
            continue
        got, said = ours(data), theirs(data)
        if got != said:
            wrong.append((data.hex(), got, said))
    assert not wrong, f"{len(wrong)}: {wrong[:3]}"
