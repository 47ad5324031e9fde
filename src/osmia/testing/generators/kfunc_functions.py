"""The functions beside the main one: called back, called with tagged arguments, or for exceptions."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from osmia.btf import Btf
from osmia.btf import types as t
from osmia.obj.model import FuncInfo
from osmia.testing.generators import kfunc_values as v
from osmia.testing.generators.kfunc_values import Desk

TAGS = (
    (), ("trusted",), ("trusted",), ("trusted", "nullable"), ("untrusted",), ("nonnull",), ("nullable",), ("arena",),
    ("ctx",), ("trusted", "nonnull"), ("untrusted", "nullable"),
)  # fmt: skip
POINTED = (
    "task_struct",
    "cgroup",
    "bpf_cpumask",
    "file",
    "bpf_dynptr",
    "__sk_buff",
    "xdp_md",
    "nothing",
    "u64",
    "void",
)
FITTING = {
    "task_struct": v.task, "cgroup": v.cgroup, "bpf_cpumask": v.cpumask, "bpf_dynptr": v.dynptr,
    "__sk_buff": v.context, "xdp_md": v.context,
}  # fmt: skip


class Tagged(NamedTuple):
    """A global function with one argument: its BTF id, what the argument points to, and its tags."""

    func: int
    pointed: str
    tags: tuple[str, ...]


class Functions:
    """Their types, behind those of ``kfunc_values.types``."""

    def __init__(self) -> None:
        made = v.types()
        self.btf, self.number = made.btf, made.number
        self.main, self.callback = made.main, made.callback
        self.handler = self._global("handler", made.u64)
        context = self.btf.add(t.Ptr(0))
        proto = self.btf.add(t.FuncProto(self.number, (t.Param("ctx", context),)))
        self.guarded = self.btf.add(t.Func("guarded", proto, 0))
        self.btf.add(t.DeclTag("exception_callback:handler", self.guarded))
        pointers = {name: self.btf.add(t.Ptr(self._pointed(self.btf, name, made.u64))) for name in POINTED}
        self.tagged = [self._tagged(name, pointers[name], tags) for name in POINTED for tags in TAGS]

    def _global(self, name: str, param: int) -> int:
        proto = self.btf.add(t.FuncProto(self.number, (t.Param("a", param),)))
        return self.btf.add(t.Func(name, proto, 1))

    @staticmethod
    def _pointed(btf: Btf, name: str, u64: int) -> int:
        if name in ("void", "u64"):
            return 0 if name == "void" else u64
        return btf.add(t.Struct(name, 16, (t.Member("a", u64, 0), t.Member("b", u64, 64))))

    def _tagged(self, name: str, pointer: int, tags: tuple[str, ...]) -> Tagged:
        func = self._global("_".join(("takes", name, *tags)), pointer)
        for tag in tags:
            self.btf.add(t.DeclTag(f"arg:{tag}", func, 0))
        return Tagged(func, name, tags)


@cache
def functions() -> Functions:
    """The same for every program."""
    return Functions()


def tagged_call(d: Desk) -> None:
    """A call of a function with a tagged argument, with a value that fits, mostly."""
    known = functions().tagged
    if d.tagged and d.chance(0.3):
        number = d.rng.choice(d.tagged)[1]
    else:
        number = d.rng.randrange(len(known))
    chosen = known[number]
    if d.chance(0.7):
        FITTING.get(chosen.pointed, v.stack)(d)
    else:
        d.rng.choice(v.ANY)(d)
    d.copy(1, 0)
    d.tagged.append((len(d.insns), number))
    d.emit(0x85, 0, 1)


def body(d: Desk) -> None:
    """What a function with one argument does with it."""
    if d.chance(0.6):
        d.emit(0x15, 1, 0, 1, 0)
    if d.chance(0.85):
        d.emit(d.rng.choice((0x79, 0x61, 0x71)), 2, 1, 8 * d.rng.randrange(3))
    if d.chance(0.1):
        d.mov(1, d.rng.randrange(3))
        d.call("bpf_throw")
    end(d, 0.95)


def end(d: Desk, good: float) -> None:
    """A number that is fine to return, mostly."""
    d.mov(0, 0 if d.chance(good) else 1)
    d.emit(0x95)


def append(d: Desk) -> list[FuncInfo]:
    """Put the functions behind the main one, let calls lead to them; the rows of func_info.

    A callback for exceptions is alone: where a function in front of it is never walked, and goes, Linux 6.18 looks
    for the callback in the wrong place (an oops in ``jit_subprogs``).
    """
    made = functions()
    guarded = d.chance(0.25) and not d.callbacks and not d.tagged
    rows = [FuncInfo(0, made.guarded if guarded else made.main)]
    if d.callbacks:
        rows.append(FuncInfo(len(d.insns), made.callback))
        lead(d, d.callbacks)
        if d.chance(0.3):
            d.emit(0x79, 1, 3)
        if d.chance(0.2):
            d.call(d.rng.choice(("bpf_rcu_read_lock", "bpf_preempt_disable", "bpf_throw")))
        end(d, 0.9)
    for number in sorted({number for _, number in d.tagged}):
        rows.append(FuncInfo(len(d.insns), made.tagged[number].func))
        lead(d, [slot for slot, wanted in d.tagged if wanted == number])
        body(d)
    if guarded:
        rows.append(FuncInfo(len(d.insns), made.handler))
        if d.chance(0.3):
            d.copy(0, 1)
            d.emit(0x95)
        else:
            end(d, 0.8)
    return rows


def lead(d: Desk, slots: list[int]) -> None:
    """Calls and loads of addresses in these slots mean the function that begins here."""
    for slot in slots:
        d.insns[slot] = d.insns[slot]._replace(imm=len(d.insns) - slot - 1)
