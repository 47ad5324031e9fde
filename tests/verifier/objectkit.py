"""Programs with special fields of map values and with dynptrs, in a few words each; and what is asked of them."""

import pytest

from osmia import live
from osmia.btf import Btf
from osmia.btf import types as t
from osmia.isa import Insn
from osmia.obj.model import FuncInfo, MapSpec, Program
from osmia.testing.answers import Kernel, ask_osmia
from osmia.verifier.env import Powers

VALUE, HASH, PLAIN, RINGBUF, USER_RINGBUF, OUTER = range(6)
END = [Insn(0xB7), Insn(0x95)]
SPIN_LOCK, SPIN_UNLOCK, TIMER_INIT, TIMER_SET_CALLBACK, TIMER_START, TIMER_CANCEL = 93, 94, 169, 170, 171, 172
FROM_MEM, RESERVE, SUBMIT, DISCARD, READ, WRITE, DATA, DRAIN = 197, 198, 199, 200, 201, 202, 203, 209


def types():
    """The types of everything here: a value with a lock at 4 and a timer at 16, functions, a dynptr."""
    btf = Btf()
    u32, u64 = btf.add(t.Int("u32", 4)), btf.add(t.Int("u64", 8))
    lock = btf.add(t.Struct("bpf_spin_lock", 4, (t.Member("val", u32, 0),)))
    timer = btf.add(t.Struct("bpf_timer", 16, (t.Member("a", u64, 0), t.Member("b", u64, 64))))
    fields = (("x", u32, 0), ("lock", lock, 4), ("timer", timer, 16), ("y", u64, 32), ("z", u64, 40))
    value = btf.add(t.Struct("value", 48, tuple(t.Member(name, kind, 8 * at) for name, kind, at in fields)))
    dynptr = btf.add(t.Struct("bpf_dynptr", 16, (t.Member("a", u64, 0), t.Member("b", u64, 64))))
    proto = btf.add(t.FuncProto(u32))
    takes = btf.add(t.FuncProto(u32, (t.Param("d", btf.add(t.Ptr(dynptr))),)))
    names = ("main", "first", "second")
    funcs = [btf.add(t.Func(name, proto, 0)) for name in names] + [btf.add(t.Func("global", takes, 1))]
    return btf, u32, value, funcs


BTF, KEY, CONTENT, FUNCS = types()


def maps():
    """One map of each number above."""

    def value(kind):
        return MapSpec("m", kind, 4, 48, 2, btf=BTF, btf_key_type_id=KEY, btf_value_type_id=CONTENT)

    return [
        *(value("array"), value("hash"), MapSpec("p", "array", 4, 48, 2)),
        *(MapSpec("rb", "ringbuf", 0, 0, 4096), MapSpec("ub", "user_ringbuf", 0, 0, 4096)),
        MapSpec("o", "array_of_maps", 4, 4, 2, inner=value("array")),
    ]


def mov(dst, src):
    return Insn(0xBF, dst, src)


def movi(dst, value):
    return Insn(0xB7, dst, 0, 0, value)


def add(dst, value):
    return Insn(0x07, dst, 0, 0, value)


def call(number):
    return Insn(0x85, 0, 0, 0, number)


def map_to(reg, number):
    return [Insn(0x18, reg, 1, 0, number), Insn(0)]


def lookup(to, number=VALUE, index=9):
    """A value of the map in ``to``; the program ends where there is none."""
    key = [Insn(0x62, 10, 0, -4, index), mov(2, 10), add(2, -4)]
    return [*key, *map_to(1, number), call(1), Insn(0x55, 0, 0, 2), *END, mov(to, 0)]


def field(reg, at, number, *more):
    """Call a helper with a field of the value as first argument."""
    return [mov(1, reg), add(1, at), *more, call(number)]


def stack(reg, off):
    return [mov(reg, 10), add(reg, off)]


def reserve(off, flags=0):
    return [*map_to(1, RINGBUF), movi(2, 16), movi(3, flags), *stack(4, off), call(RESERVE)]


def from_value(reg, off, size=8, at=32):
    return [mov(1, reg), add(1, at), movi(2, size), movi(3, 0), *stack(4, off), call(FROM_MEM)]


def submit(off, number=SUBMIT):
    return [*stack(1, off), movi(2, 0), call(number)]


def data(off, size=8, to=0):
    return [*stack(1, off), movi(2, 0), movi(3, size), call(DATA), *([mov(to, 0)] if to else [])]


def program(body, callbacks=(), kind="xdp"):
    """The main function and others by number (3 is global), which loads and calls of functions have as imm."""
    insns, starts = list(body), {}
    for number, callback in callbacks:
        starts[number] = len(insns)
        insns += callback
    for slot, insn in enumerate(insns):
        if (insn.is_wide and insn.src_reg == 4) or (insn.code == 0x85 and insn.src_reg == 1):
            insns[slot] = insn._replace(imm=starts[insn.imm] - slot - 1)
    rows = [FuncInfo(0, FUNCS[0]), *(FuncInfo(starts[n], FUNCS[n]) for n in starts)]
    return Program("t", kind, insns, maps=MAPS, license="GPL", btf=BTF, func_info=rows)


MAPS = maps()


def func_to(reg, number):
    return [Insn(0x18, reg, 4, 0, number), Insn(0)]


def call_func(number):
    return Insn(0x85, 0, 1, 0, number)


def live_kernel(test):
    """A test that asks the running kernel."""
    missing = pytest.mark.skipif(live.available() is not None, reason="needs a kernel that loads programs")
    return pytest.mark.live(missing(test))


def check(case):
    """Osmia accepts the program, or refuses it with the message that stands beside it."""
    asked, message = case
    answer = ask_osmia(asked, 1, Powers())
    assert (answer.crash, answer.unsupported) == ("", "")
    assert (answer.errno != 0, answer.message if message else "") == (bool(message), message)


def check_with_kernel(cases):
    """The running kernel's errno and log are Osmia's, for every case."""
    with Kernel() as kernel:
        for name, (asked, _) in cases.items():
            assert ask_osmia(asked, 2, Powers()) == kernel.ask(asked, 2, Powers()), name
