"""What calls of kernel functions are given: maps with fields of every kind, and code that puts a value into r0.

A snippet may use r0 to r5; r6 holds the context.  From fp-64 up there are eight words of zeros, below them the places
of dynptrs, an iterator and interrupt flags; arguments wait in spills, and so do references until they are released.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from random import Random

from osmia.btf import Btf
from osmia.btf import types as t
from osmia.isa import Insn
from osmia.isa import consts as c
from osmia.kernel.profile import Shape
from osmia.obj.model import Extern, MapSpec

ROOM, DYNPTRS, ITERATOR, FLAGS = -64, (-80, -96), -128, (-136, -144)
ARGUMENTS, HELD = -152, -200
CURRENT_TASK_BTF, RANDOM, FROM_MEM, RESERVE_DYNPTR, SUBMIT_DYNPTR = 158, 7, 197, 198, 199
FROM_CGROUP, LOOKUP = 112, 1
KERNEL_TYPES = {"bpf_timer": 16, "bpf_wq": 16, "bpf_task_work": 8, "bpf_spin_lock": 4, "bpf_res_spin_lock": 4}
_SKB = ("bpf_dynptr_from_skb", "bpf_dynptr_from_skb", "bpf_dynptr_from_skb_meta")
PACKET_DYNPTRS = {"xdp": ("bpf_dynptr_from_xdp",), "sched_cls": _SKB, "sched_act": _SKB, "cgroup_skb": _SKB[:2],
                  "socket_filter": _SKB[:2], "sk_skb": _SKB[:2], "lwt_xmit": _SKB[:2], "lwt_in": _SKB[:2]}  # fmt: skip
"""Who may ask for dynptrs of packets."""
VALUE_SIZE, FIELD_AT = 64, 16


class Types:
    """The program's types: values with one field of each kind, and the functions that are called back."""

    def __init__(self) -> None:
        self.btf = btf = Btf()
        self.number, self.u64 = btf.add(t.Int("int", 4, 1)), btf.add(t.Int("u64", 8))
        self.key = btf.add(t.Int("u32", 4))
        self.values = {"plain": self._value("plain", ())}
        for name, size in KERNEL_TYPES.items():
            made = btf.add(t.Struct(name, size, tuple(t.Member("abcd"[i], self.key, 32 * i) for i in range(size // 4))))
            self.values[name] = self._value(f"with_{name}", ((FIELD_AT, made),))
        context = btf.add(t.Ptr(0))
        self.main = self._function("main", (context,))
        self.callback = self._function("callback", (self.u64, self.u64, self.u64))

    def _value(self, name: str, inside: tuple[tuple[int, int], ...]) -> int:
        members = [t.Member("x", self.u64, 0), *(t.Member(f"f{at}", kind, 8 * at) for at, kind in inside)]
        return self.btf.add(t.Struct(name, VALUE_SIZE, (*members, t.Member("y", self.u64, 8 * 48))))

    def _function(self, name: str, params: tuple[int, ...]) -> int:
        proto = t.FuncProto(self.number, tuple(t.Param(f"a{i}", kind) for i, kind in enumerate(params)))
        return self.btf.add(t.Func(name, self.btf.add(proto), 0))


@cache
def types() -> Types:
    """The same for every program, so that maps can be kept."""
    return Types()


@cache
def pool() -> dict[str, MapSpec]:
    """Maps by what is in their values; "string" is a constant text, the last ones hold no values."""
    made = types()
    found = {
        name: MapSpec(name[:15], "array", 4, VALUE_SIZE, 1, btf=made.btf, btf_key_type_id=made.key,
                      btf_value_type_id=number)
        for name, number in made.values.items()
    }  # fmt: skip
    found["string"] = MapSpec("string", "array", 4, 8, 1, 1 << 7, data=b"name %d\0", frozen=True)
    found["open"] = MapSpec("open", "array", 4, 8, 1)
    found["hash"] = MapSpec("hash", "hash", 4, 8, 4)
    found["ringbuf"] = MapSpec("ringbuf", "ringbuf", 0, 0, 4096)
    found["arena"] = MapSpec("arena", "arena", 0, 0, 4, 1 << 10, map_extra=1 << 44)
    return found


@dataclass(slots=True)
class Desk:
    """The program in the making.

    ``held`` are references in spills, with the function that gives each back; ``callbacks`` are slots that load the
    address of the function that is called back, ``tagged`` calls of functions by number (``kfunc_functions``).
    """

    rng: Random
    shape: Shape
    insns: list[Insn] = field(default_factory=list)
    externs: list[Extern] = field(default_factory=list)
    maps: list[MapSpec] = field(default_factory=list)
    callbacks: list[int] = field(default_factory=list)
    tagged: list[tuple[int, int]] = field(default_factory=list)
    held: list[tuple[int, str]] = field(default_factory=list)
    spilled: int = 0

    def chance(self, probability: float) -> bool:
        """True that often."""
        return self.rng.random() < probability

    def emit(self, code: int, dst: int = 0, src: int = 0, off: int = 0, imm: int = 0) -> None:
        """One more instruction."""
        self.insns.append(Insn(code, dst, src, off, imm))

    def mov(self, dst: int, imm: int) -> None:
        """A constant."""
        self.emit(0xB7, dst, 0, 0, imm)

    def copy(self, dst: int, src: int) -> None:
        """A register into another one."""
        self.emit(0xBF, dst, src)

    def fp(self, dst: int, off: int) -> None:
        """A place of the stack."""
        self.copy(dst, 10)
        self.emit(0x07, dst, 0, 0, off)

    def call(self, name: str) -> None:
        """A kernel function."""
        self.externs.append(Extern(len(self.insns), name))
        self.emit(0x85, 0, c.BPF_PSEUDO_KFUNC_CALL)

    def helper(self, number: int) -> None:
        """A helper."""
        self.emit(0x85, 0, 0, 0, number)

    def offers(self, number: int) -> bool:
        """Is there such a helper for the program's type?"""
        return self.shape.helper(number) in ("offered", "sleepable")

    def map_number(self, name: str) -> int:
        """The number of a map of the pool in the program."""
        spec = pool()[name]
        if not any(spec is known for known in self.maps):
            self.maps.append(spec)
        return next(i for i, known in enumerate(self.maps) if known is spec)

    def map_to(self, dst: int, name: str) -> None:
        """The address of a map."""
        self.emit(0x18, dst, c.BPF_PSEUDO_MAP_FD, 0, self.map_number(name))
        self.emit(0)

    def value_to(self, dst: int, name: str, off: int = 0) -> None:
        """A place in the one value of a map."""
        self.emit(0x18, dst, c.BPF_PSEUDO_MAP_VALUE, 0, self.map_number(name))
        self.emit(0, 0, 0, 0, off)

    def function_to(self, dst: int) -> None:
        """The function that is called back."""
        self.callbacks.append(len(self.insns))
        self.emit(0x18, dst, c.BPF_PSEUDO_FUNC)
        self.emit(0)

    def give_back(self, held: list[tuple[int, str]]) -> None:
        """Let go of references; what a dynptr holds is submitted."""
        for slot, name in reversed(held):
            if name == "submit":
                self.fp(1, slot)
                self.mov(2, 0)
                self.helper(SUBMIT_DYNPTR)
                continue
            self.emit(0x79, 1, 10, slot)
            self.call(name)

    def unless_null(self) -> None:
        """The program ends where r0 is null, with everything given back; sometimes nobody looks."""
        if self.chance(0.1):
            return
        jump = len(self.insns)
        self.emit(0x55)
        self.give_back(self.held)
        self.mov(0, 0)
        self.emit(0x95)
        self.insns[jump] = Insn(0x55, 0, 0, len(self.insns) - jump - 1, 0)

    def hold(self, name: str) -> None:
        """r0 is a reference that function ``name`` lets go of; it may be null."""
        slot = HELD - 8 * self.spilled
        self.spilled += 1
        self.unless_null()
        self.emit(0x7B, 10, 0, slot)
        self.held.append((slot, name))


# -- values into r0


def zero(d: Desk) -> None:
    """The null pointer."""
    d.mov(0, 0)


def number(d: Desk) -> None:
    """A small constant."""
    d.mov(0, d.rng.choice((0, 1, 2, 4, 8, 16, 24, 32, -1, 100)))


def unknown(d: Desk) -> None:
    """A number that nobody knows, sometimes with a limit."""
    d.helper(RANDOM)
    if d.chance(0.5):
        d.emit(0x57, 0, 0, 0, d.rng.choice((1, 7, 15, 31)))


def context(d: Desk) -> None:
    """The context."""
    d.copy(0, 6)


def stack(d: Desk) -> None:
    """A place of the stack that holds zeros, mostly."""
    d.fp(0, d.rng.choice((ROOM, ROOM, -8, -16, -32, ROOM - 400)))


def value(d: Desk) -> None:
    """A map's value, perhaps a field of it."""
    d.value_to(0, d.rng.choice(list(types().values)), d.rng.choice((0, 0, 8, FIELD_AT, FIELD_AT, 20)))


def a_map(d: Desk) -> None:
    """A map."""
    d.map_to(0, d.rng.choice(list(pool())))


def text(d: Desk) -> None:
    """A constant text, or one that is not constant."""
    d.value_to(0, "string" if d.chance(0.85) else "open", 0 if d.chance(0.8) else 3)


def function(d: Desk) -> None:
    """A function of the program."""
    d.function_to(0)


def kernel_context(d: Desk) -> None:
    """What the kernel has behind the context."""
    d.copy(1, 6)
    d.call("bpf_cast_to_kern_ctx")


def task(d: Desk) -> None:
    """The current task, or one by its number."""
    if d.offers(CURRENT_TASK_BTF) and d.chance(0.7):
        d.helper(CURRENT_TASK_BTF)
        if d.chance(0.15):
            d.emit(0x07, 0, 0, 0, d.rng.choice((8, 16, 64)))
        elif d.chance(0.2):
            d.emit(0x79, 0, 0, 8 * d.rng.randrange(400))
        return
    d.mov(1, 1)
    d.call("bpf_task_from_pid")
    d.hold("bpf_task_release")


def cgroup(d: Desk) -> None:
    """A cgroup by its number."""
    d.mov(1, 1)
    d.call("bpf_cgroup_from_id")
    d.hold("bpf_cgroup_release")
    if d.chance(0.2):
        d.emit(0x79, 0, 0, 8 * d.rng.randrange(60))


def cpumask(d: Desk) -> None:
    """A new mask of processors."""
    d.call("bpf_cpumask_create")
    d.hold("bpf_cpumask_release")


def dynptr(d: Desk) -> None:
    """A dynptr of any kind on the stack, or what only looks like one."""
    at = d.rng.choice(DYNPTRS)
    packet = PACKET_DYNPTRS.get(d.shape.prog_type, ())
    roll = d.rng.random()
    if roll < 0.25 and not any(slot == at for slot, _ in d.held):
        d.map_to(1, "ringbuf")
        d.mov(2, 16)
        d.mov(3, 0)
        d.fp(4, at)
        d.helper(RESERVE_DYNPTR)
        d.held.append((at, "submit"))
    elif packet and roll < 0.6:
        d.copy(1, 6)
        d.mov(2, 0)
        d.fp(3, at)
        d.call(d.rng.choice(packet))
    elif roll < 0.95:
        d.value_to(1, "plain", 0)
        d.mov(2, d.rng.choice((8, 32)))
        d.mov(3, 0)
        d.fp(4, at)
        d.helper(FROM_MEM)
    d.fp(0, at)


ANY = (zero, number, unknown, context, stack, value, a_map, text, function, kernel_context, task, cpumask, dynptr)
"""Values of every kind, for arguments that are to be wrong."""
