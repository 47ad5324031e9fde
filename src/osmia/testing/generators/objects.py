"""Programs with allocated objects: made, counted, put into lists and trees and taken out, kept in maps, dropped.

Most keep to the rules; slips are strewn in.  (What the verifier thinks of them is in ``verifier/graph.py``.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from osmia.isa import Insn
from osmia.kernel.kfuncs import kfuncs
from osmia.obj.model import Extern, FuncInfo, Program
from osmia.testing.generators.object_types import OBJECTS, VALUES, Place, Types, pool
from osmia.testing.mutate import mutate

KINDS = (
    ("xdp", "", "", 0), ("sched_cls", "", "", 0), ("sched_cls", "", "", 0),
    ("cgroup_skb", "cgroup_inet_ingress", "", 0),
    ("syscall", "", "", 1 << 4), ("tracing", "trace_raw_tp", "sched_switch", 0),
)  # fmt: skip
HOMES = (6, 7, 8, 9, -8, -16, -24, -32)
"""Where pointers are kept: registers that calls leave alone, and slots of the stack."""
LOOKUP, SPIN_LOCK, SPIN_UNLOCK, KPTR_XCHG, PER_CPU_PTR, THIS_CPU_PTR = 1, 93, 94, 194, 153, 154
NOISE, KEY = -48, -40
"""Where on the stack a number lies that nobody knows, and the key of a look-up."""
SIZES = {1: 0x10, 2: 0x08, 4: 0x00, 8: 0x18}
MAIN_BUDGET = 14
SLIP = 0.015


@dataclass(slots=True)
class Thing:
    """What a home holds: a pointer to ``struct``, ``off`` bytes into it.

    ``kind``: "owned", "borrowed" (an object of a list or tree), "value" (of a map), "rcu", or "percpu".
    ``root``: the lock's holder that a borrowed object belongs to.
    """

    kind: str
    struct: str
    off: int = 0
    maybe_null: bool = False
    root: int = 0


@dataclass(slots=True)
class Desk:
    """One function in the making: instructions, what is where, which lock is held."""

    rng: Random
    types: Types
    insns: list[Insn] = field(default_factory=list)
    externs: list[tuple[int, str]] = field(default_factory=list)
    calls: list[tuple[int, str]] = field(default_factory=list)
    homes: dict[int, Thing] = field(default_factory=dict)
    maps: list[str] = field(default_factory=list)
    locked: int = 0
    rcu: bool = False

    # -- chance

    def chance(self, probability: float) -> bool:
        """True that often."""
        return self.rng.random() < probability

    def slip(self) -> bool:
        """A mistake, now and then."""
        return self.rng.random() < SLIP

    # -- instructions

    def emit(self, code: int, dst: int = 0, src: int = 0, off: int = 0, imm: int = 0) -> int:
        """One more instruction: its slot."""
        self.insns.append(Insn(code, dst, src, off, imm))
        return len(self.insns) - 1

    def kfunc(self, name: str) -> None:
        """A call of a kernel function."""
        self.externs.append((self.emit(0x85, 0, 2), name))

    def helper(self, number: int) -> None:
        """A call of a helper."""
        self.emit(0x85, 0, 0, 0, number)

    def to_reg(self, reg: int, home: int, add: int = 0) -> None:
        """What a home holds into an argument register."""
        if home < 0:
            self.emit(0x79, reg, 10, home)
        else:
            self.emit(0xBF, reg, home)
        off = add - self.homes[home].off if home in self.homes else add
        if off:
            self.emit(0x07, reg, 0, 0, off)

    def keep(self, thing: Thing, reg: int = 0) -> int:
        """What a register holds into a home, perhaps over something else."""
        free = [home for home in HOMES if home not in self.homes]
        if not free:
            free = [
                home
                for home, other in self.homes.items()
                if other.kind not in ("owned", "percpu") and home != self.locked
            ]
        home = self.rng.choice(free) if free and not self.slip() else self.rng.choice(HOMES)
        if home < 0:
            self.emit(0x7B, 10, reg, home)
        else:
            self.emit(0xBF, home, reg)
        self.homes[home] = thing
        return home

    def forget(self, thing: Thing) -> None:
        """Homes that hold it hold nothing any more, unless that is forgotten."""
        self.homes = {home: other for home, other in self.homes.items() if other is not thing or self.slip()}

    def pick(self, *kinds: str) -> int:
        """A home that holds one of some kinds, and is not null; 0 for none."""
        found = [home for home, thing in self.homes.items()
                 if thing.kind in kinds and (not thing.maybe_null or self.slip())]  # fmt: skip
        return self.rng.choice(found) if found else 0

    def having(self, struct: str, *kinds: str) -> int:
        """The same for pointers to one struct; mistakes take any."""
        if self.slip():
            return self.pick(*kinds)
        found = [home for home, thing in self.homes.items() if thing.struct == struct and thing.kind in kinds]
        found = [home for home in found if not self.homes[home].maybe_null or self.slip()]
        return self.rng.choice(found) if found else 0

    def unknown_branch(self) -> int:
        """A jump on a number that nobody knows: its slot."""
        self.emit(0x79, 0, 10, NOISE)
        return self.emit(self.rng.choice((0x25, 0x35, 0x45, 0x65)), 0, 0, 0, int(self.rng.random() * 100))

    # -- the end

    def leave(self) -> None:
        """Undo everything and exit, on a path of its own: what is known here stays as it is."""
        if self.locked and not self.slip():
            self.unlock_it()
        if self.rcu and not self.slip():
            self.kfunc("bpf_rcu_read_unlock")
        done: list[Thing] = []
        for home, thing in list(self.homes.items()):
            if thing.kind in ("owned", "percpu") and not any(thing is x for x in done) and not self.slip():
                done.append(thing)
                self.drop_home(home, thing)
        self.emit(0xB7, 0)
        self.emit(0x95)

    def drop_home(self, home: int, thing: Thing) -> None:
        """Drop an object, if it is one."""
        self.to_reg(1, home)
        skip = self.emit(0x15, 1) if thing.maybe_null else -1
        self.emit(0xB7, 2)
        self.kfunc("bpf_percpu_obj_drop_impl" if thing.kind == "percpu" else "bpf_obj_drop_impl")
        if skip >= 0:
            self.insns[skip] = self.insns[skip]._replace(off=len(self.insns) - skip - 1)

    def unlock_it(self) -> None:
        """Give the lock back."""
        thing = self.homes.get(self.locked)
        lock = self.types.of(thing.struct, "spin_lock", "res_spin_lock") if thing else []
        if lock:
            self.to_reg(1, self.locked, lock[0].offset)
            self.kfunc("bpf_res_spin_unlock") if lock[0].kind == "res_spin_lock" else self.helper(SPIN_UNLOCK)


# -- actions


def quiet(d: Desk) -> bool:
    """Is a lock held, under which little may be called?"""
    return bool(d.locked) and not d.slip()


def full(d: Desk) -> bool:
    """Is there no home for another object?"""
    return sum(thing.kind in ("owned", "percpu") for thing in d.homes.values()) >= len(HOMES) - 2


def new(d: Desk, struct: str = "") -> None:
    """An object, of that struct."""
    if quiet(d) or full(d):
        return
    percpu = not struct and d.chance(0.15)
    struct = struct or (d.rng.choice(tuple(OBJECTS)) if not percpu or d.slip() else "small")
    if d.slip():
        struct = d.rng.choice(("task_struct", *VALUES))
    d.emit(0xB7, 1, 0, 0, d.types.ids[struct] if not d.slip() else d.rng.choice((0, 1, -1, 200)))
    d.emit(0xB7, 2)
    d.kfunc("bpf_percpu_obj_new_impl" if percpu else "bpf_obj_new_impl")
    maybe(d, Thing("percpu" if percpu else "owned", struct, maybe_null=True))


def maybe(d: Desk, thing: Thing) -> None:
    """What a call returned, that may be null: kept before or after a look at it."""
    if d.chance(0.7):
        check(d, 0, thing)
        d.keep(thing)
    else:
        check_home(d, d.keep(thing), thing)


def check(d: Desk, reg: int, thing: Thing) -> None:
    """Leave where it is null, or live with it."""
    if d.slip():
        return
    jump = d.emit(0x55, reg)
    homes, d.homes = d.homes, {home: other for home, other in d.homes.items() if other is not thing}
    d.leave()
    d.homes, thing.maybe_null = homes, False
    d.insns[jump] = d.insns[jump]._replace(off=len(d.insns) - jump - 1)


def check_home(d: Desk, home: int, thing: Thing) -> None:
    """The same for what is in a home, later perhaps."""
    if d.chance(0.8):
        d.to_reg(1, home, thing.off)
        check(d, 1, thing)


def check_any(d: Desk) -> None:
    """A look at something that may be null."""
    found = [home for home, thing in d.homes.items() if thing.maybe_null]
    if found:
        home = d.rng.choice(found)
        check_home(d, home, d.homes[home])


def drop(d: Desk) -> None:
    """An object is given back."""
    home = d.pick("owned", "percpu") if not d.slip() else d.pick("owned", "percpu", "borrowed", "value", "rcu")
    if home and not quiet(d):
        thing = d.homes[home]
        d.to_reg(1, home, 8 if d.slip() else 0)
        d.emit(0xB7, 2)
        d.kfunc("bpf_percpu_obj_drop_impl" if (thing.kind == "percpu") != d.slip() else "bpf_obj_drop_impl")
        d.forget(thing)


def acquire(d: Desk) -> None:
    """One more owner of an object."""
    home = d.having(d.rng.choice(("both", "counted", "guard")), "owned", "borrowed")
    if not home or full(d):
        return
    thing = d.homes[home]
    d.to_reg(1, home, 0 if d.chance(0.8) else thing.off)
    d.emit(0xB7, 2)
    d.kfunc("bpf_refcount_acquire_impl")
    maybe(d, Thing("owned", thing.struct, maybe_null=thing.kind == "borrowed"))


def look_up(d: Desk, wanted: str = "") -> None:
    """A value of a map, of that struct."""
    if quiet(d):
        return
    specs = [spec for spec in d.types.maps if not wanted or spec.btf_value_type_id == d.types.ids[wanted]]
    spec = d.rng.choice(specs)
    struct = next(name for name, type_id in d.types.ids.items() if type_id == spec.btf_value_type_id)
    if spec.name not in d.maps:
        d.maps.append(spec.name)
    number = d.maps.index(spec.name)
    if spec.type == "array" and spec.max_entries == 1 and d.chance(0.5):
        d.emit(0x18, 0, 2, 0, number)
        d.emit(0)
        d.keep(Thing("value", struct))
        return
    d.emit(0x62, 10, 0, KEY, int(d.rng.random() * 3))
    d.emit(0xBF, 2, 10)
    d.emit(0x07, 2, 0, 0, KEY)
    d.emit(0x18, 1, 1, 0, number)
    d.emit(0)
    d.helper(LOOKUP)
    maybe(d, Thing("value", struct, maybe_null=True))


def lock(d: Desk) -> None:
    """Take the lock of a value or an object."""
    homes = [home for home, thing in d.homes.items()
             if not thing.maybe_null and d.types.of(thing.struct, "spin_lock", "res_spin_lock")]  # fmt: skip
    if not homes or quiet(d):
        return
    home = homes[-1] if d.chance(0.6) else d.rng.choice(homes)
    (place, *_) = d.types.of(d.homes[home].struct, "spin_lock", "res_spin_lock")
    d.to_reg(1, home, place.offset + (4 if d.slip() else 0))
    if place.kind == "res_spin_lock":
        d.kfunc("bpf_res_spin_lock")
        d.locked = 0
        jump = d.emit(0x15, 0)
        d.leave()
        d.insns[jump] = d.insns[jump]._replace(off=len(d.insns) - jump - 1)
    else:
        d.helper(SPIN_LOCK)
    d.locked = home


def unlock(d: Desk) -> None:
    """Give it back; borrowed objects are gone."""
    if d.locked:
        d.unlock_it()
        d.locked = 0
        d.homes = {home: thing for home, thing in d.homes.items() if thing.kind != "borrowed" or d.slip()}


def root_of(d: Desk, *kinds: str) -> tuple[int, Place] | None:
    """A list or tree whose lock is held, mostly."""
    home = d.locked if not d.slip() else d.pick("value", "owned")
    places = d.types.of(d.homes[home].struct, *kinds) if home in d.homes else []
    return (home, d.rng.choice(places)) if places else None


def node_of(d: Desk, home: int, root: Place) -> Place:
    """The member of the object that the list or tree goes by; by mistake another one."""
    if d.slip():
        return d.rng.choice(d.types.places.get(d.homes[home].struct) or d.types.places["item"])
    return d.types.node(root)


def push(d: Desk) -> None:
    """An object goes into a list."""
    found = root_of(d, "list_head")
    home = d.having(found[1].leads_to, "owned") if found else 0
    if not found or not home:
        return
    node = node_of(d, home, found[1])
    d.to_reg(1, found[0], found[1].offset)
    d.to_reg(2, home, node.offset)
    d.emit(0xB7, 3)
    d.emit(0xB7, 4)
    d.kfunc(d.rng.choice(("bpf_list_push_front_impl", "bpf_list_push_back_impl")))
    give(d, home, found[0])


def add(d: Desk) -> None:
    """An object goes into a tree."""
    found = root_of(d, "rb_root")
    home = d.having(found[1].leads_to, "owned") if found else 0
    if not found or not home:
        return
    node = node_of(d, home, found[1])
    d.to_reg(1, found[0], found[1].offset)
    d.to_reg(2, home, node.offset)
    d.calls.append((d.emit(0x18, 3, 4), f"less {found[1].leads_to}" if not d.slip() else "odd"))
    d.emit(0)
    d.emit(0xB7, 4)
    d.emit(0xB7, 5)
    d.kfunc("bpf_rbtree_add_impl")
    give(d, home, found[0])


def give(d: Desk, home: int, root: int) -> None:
    """What went into a list or tree is borrowed from now on."""
    thing = d.homes[home]
    thing.kind, thing.root = "borrowed", root
    if d.chance(0.5):
        d.forget(thing)


def take(d: Desk) -> None:
    """An object comes out of a list, or is only looked at; the same for trees."""
    found = root_of(d, "list_head", "rb_root")
    if found is None or full(d):
        return
    home, root = found
    if root.kind == "list_head":
        name, kind = d.rng.choice(
            (("pop_front", "owned"), ("pop_back", "owned"), ("front", "borrowed"), ("back", "borrowed"))
        )
        name = f"bpf_list_{name}"
    else:
        name, kind = d.rng.choice((("bpf_rbtree_first", "borrowed"), ("bpf_rbtree_root", "borrowed")))
    d.to_reg(1, home, root.offset)
    d.kfunc(name)
    maybe(d, Thing(kind, root.leads_to, d.types.node(root).offset, True, home))


def step(d: Desk) -> None:
    """From one object of a tree to another, or out of the tree."""
    found = root_of(d, "rb_root")
    home = d.having(found[1].leads_to, "borrowed") if found else 0
    if not found or not home or full(d):
        return
    name, kind = d.rng.choice((("remove", "owned"), ("remove", "owned"), ("left", "borrowed"), ("right", "borrowed")))
    d.to_reg(1, found[0], found[1].offset)
    d.to_reg(2, home, d.types.node(found[1]).offset)
    d.kfunc(f"bpf_rbtree_{name}")
    maybe(d, Thing(kind, found[1].leads_to, d.types.node(found[1]).offset, True, found[0]))


def access(d: Desk) -> None:
    """A load or store of a member."""
    home = d.pick("owned", "owned", "borrowed", "value", "rcu") if not d.slip() else d.pick("percpu", "owned")
    if not home:
        return
    thing = d.homes[home]
    plain = d.types.of(thing.struct, "u32", "u64", "ptr")
    special = d.chance(0.1)
    places = plain if plain and not special else d.types.places.get(thing.struct) or d.types.places["plain"]
    place = d.rng.choice(places)
    off, size = place.offset, place.size if place.size in SIZES and d.chance(0.8) else d.rng.choice((1, 2, 4, 8))
    if d.slip():
        off += d.rng.choice((-8, 4, 8, 64))
    d.to_reg(1, home, 0 if d.chance(0.7) else thing.off)
    if d.chance(0.5):
        d.emit(0x61 | SIZES[size] | (0x20 if d.slip() else 0), 2, 1, off)
    elif d.chance(0.5):
        d.emit(0x62 | SIZES[size], 1, 0, off, 7)
    elif d.chance(0.3):
        d.emit(0xB7, 2, 0, 0, 1)
        d.emit(0xC3 | (0x18 if size == 8 else 0), 1, 2, off, d.rng.choice((0, 1, 0xE1)))
    else:
        d.emit(0xB7, 2, 0, 0, 5)
        d.emit(0x63 | SIZES[size], 1, 2, off)


def exchange(d: Desk) -> None:
    """An object goes into a kernel pointer, and what was there comes out."""
    homes = [home for home, thing in d.homes.items()
             if not thing.maybe_null and d.types.of(thing.struct, "kptr", "percpu_kptr")]  # fmt: skip
    if not homes or quiet(d) or full(d):
        return
    home = d.rng.choice(homes)
    place = d.rng.choice(
        d.types.of(d.homes[home].struct, "kptr", "percpu_kptr", *(["kptr_untrusted"] if d.slip() else []))
    )
    kind = "percpu" if place.kind == "percpu_kptr" else "owned"
    own = d.having(place.leads_to, kind) if d.chance(0.6) else 0
    if own and own != home:
        d.to_reg(2, own, 0 if not d.slip() else d.homes[own].off + 8)
    else:
        own = 0
        d.emit(0xB7, 2)
    d.to_reg(1, home, place.offset)
    d.helper(KPTR_XCHG)
    if own:
        d.forget(d.homes[own])
    maybe(d, Thing(kind, place.leads_to, maybe_null=True))


def load_pointer(d: Desk) -> None:
    """A kernel pointer is read, under RCU mostly."""
    home = d.having(d.rng.choice(("pointers", "stash")), "value", "owned")
    places = d.types.of(d.homes[home].struct, "kptr", "percpu_kptr", "kptr_untrusted") if home else []
    if not places:
        return
    place = d.rng.choice(places)
    d.to_reg(1, home)
    d.emit(0x79, 0, 1, place.offset)
    struct = place.leads_to if place.leads_to in d.types.places else "plain"
    maybe(d, Thing("percpu rcu" if place.kind == "percpu_kptr" else "rcu", struct, maybe_null=True))


def percpu(d: Desk) -> None:
    """One CPU's copy of a per-CPU object."""
    home = d.pick("percpu rcu") if not d.slip() else d.pick("percpu", "owned", "rcu")
    if not home:
        return
    struct = d.homes[home].struct
    d.to_reg(1, home)
    if d.chance(0.5):
        d.emit(0xB7, 2, 0, 0, int(d.rng.random() * 3))
        d.helper(PER_CPU_PTR)
        maybe(d, Thing("rcu", struct, maybe_null=True))
    else:
        d.helper(THIS_CPU_PTR)
        d.keep(Thing("rcu", struct))


def section(d: Desk) -> None:
    """RCU begins or ends."""
    if quiet(d):
        return
    d.kfunc("bpf_rcu_read_unlock" if d.rcu != d.slip() else "bpf_rcu_read_lock")
    d.rcu = not d.rcu


def critical(d: Desk) -> None:
    """Objects for the lists and trees of a value or another object; its lock; some use of them; the end of it."""
    if d.locked:
        unlock(d)
    holder = d.rng.choice(("locked", "locked", "locked", "bosses", "guarded", "boss", "guard"))
    if holder not in (thing.struct for thing in d.homes.values()):
        new(d, holder) if holder in OBJECTS else look_up(d, holder)
    for root in d.types.of(holder, "list_head", "rb_root"):
        if d.chance(0.6):
            new(d, root.leads_to)
    lock(d)
    for _ in range(1 + int(d.rng.random() * 5)):
        d.rng.choice((push, push, add, add, take, take, step, step, acquire, access, access, call, check_any))(d)
    if not d.slip():
        unlock(d)


def call(d: Desk) -> None:
    """A function of the program."""
    home = d.pick("owned", "borrowed", "value")
    if home:
        d.to_reg(1, home)
        d.emit(0xB7, 2)
        d.calls.append(
            (
                d.emit(0x85, 0, 1),
                d.rng.choice(("reads", "reads", "drops") if d.homes[home].kind == "owned" else ("reads",)),
            )
        )


def move(d: Desk) -> None:
    """A pointer is kept a second time."""
    home = d.pick("owned", "borrowed", "value", "rcu", "percpu")
    if home and len(d.homes) < len(HOMES):
        thing = d.homes[home]
        d.to_reg(1, home, thing.off)
        d.keep(thing, 1)


def branch(d: Desk) -> None:
    """Something that is done on one path only."""
    jump = d.unknown_branch()
    before = {home: (thing, thing.kind, thing.maybe_null) for home, thing in d.homes.items()}
    locked, rcu = d.locked, d.rcu
    for _ in range(1 + int(d.rng.random() * 2)):
        d.rng.choice((access, access, move, access))(d)
    d.insns[jump] = d.insns[jump]._replace(off=len(d.insns) - jump - 1)
    d.homes = {home: thing for home, (thing, kind, null) in before.items()
               if thing.kind == kind and thing.maybe_null == null and d.homes.get(home) is thing}  # fmt: skip
    d.locked, d.rcu = locked, rcu


def loop(d: Desk) -> None:
    """Take objects out of a list, one after the other, until it is empty."""
    home = d.pick("value")
    roots = d.types.of(d.homes[home].struct, "list_head") if home else []
    locks = d.types.of(d.homes[home].struct, "spin_lock") if home else []
    if d.locked or not roots or not locks:
        return
    root = d.rng.choice(roots)
    start = len(d.insns)
    d.to_reg(1, home, locks[0].offset)
    d.helper(SPIN_LOCK)
    d.to_reg(1, home, root.offset)
    d.kfunc(d.rng.choice(("bpf_list_pop_front", "bpf_list_pop_back")))
    d.emit(0x7B, 10, 0, KEY)
    d.to_reg(1, home, locks[0].offset)
    d.helper(SPIN_UNLOCK)
    d.emit(0x79, 1, 10, KEY)
    end = d.emit(0x15, 1)
    d.emit(0x07, 1, 0, 0, -d.types.node(root).offset)
    d.emit(0xB7, 2)
    d.kfunc("bpf_obj_drop_impl")
    if d.chance(0.5):
        d.emit(0xE5, 0, 0, 1)
    d.emit(0x05, 0, 0, start - len(d.insns) - 1)
    d.insns[end] = d.insns[end]._replace(off=len(d.insns) - end - 1)


ACTIONS = (
    *(new, new, new, check_any, drop, acquire, look_up, look_up, lock, lock, lock, unlock, push, push, push, add, add),
    *(add, take, take, take, step, step, access, access, exchange, exchange, load_pointer, percpu, section, call, move),
    *(branch, loop, *[critical] * 6),
)


# -- whole programs


def objects(rng: Random, kernel: str = "6.18") -> Program:
    """A program with allocated objects for that kernel."""
    types = pool("bpf_res_spin_lock" in kfuncs(kernel))
    kind, attach, target, flags = rng.choice(KINDS)
    main = Desk(rng, types)
    main.helper(7)
    main.emit(0x7B, 10, 0, NOISE)
    for _ in range(3 + int(rng.random() ** 1.5 * MAIN_BUDGET)):
        rng.choice(ACTIONS)(main)
    main.leave()
    names = list(dict.fromkeys(name for _, name in main.calls))
    program = Program("objects", kind, list(main.insns), license="GPL", flags=flags, expected_attach_type=attach,
                      attach_target=target, btf=types.btf, func_info=[FuncInfo(0, types.funcs[0])])  # fmt: skip
    program.maps = [next(spec for spec in types.maps if spec.name == name) for name in main.maps]
    externs, starts = list(main.externs), {}
    for number, name in enumerate(names[: len(types.funcs) - 1], 1):
        body = Desk(rng, types)
        called(body, name)
        starts[name] = len(program.insns)
        program.func_info.append(FuncInfo(starts[name], types.funcs[number]))
        externs += [(starts[name] + slot, kfunc) for slot, kfunc in body.externs]
        program.insns += body.insns
    for slot, name in main.calls:
        program.insns[slot] = program.insns[slot]._replace(imm=starts.get(name, 0) - slot - 1)
    program.externs = [Extern(slot, name) for slot, name in sorted(externs)]
    if rng.random() < 0.15:
        program.insns = mutate(rng, program.insns, 1)
    return program


def called(d: Desk, name: str) -> None:
    """The function of that name: "less STRUCT", "reads", "drops", or "odd": a tree's callback with a mistake."""
    what, _, struct = name.partition(" ")
    if what == "less":
        less(d, struct)
    elif what == "reads":
        d.emit(0x79, 0, 1, d.rng.choice((0, 8, 16)))
        d.emit(0x57, 0, 0, 0, 1)
    elif what == "drops":
        d.kfunc("bpf_obj_drop_impl")
        d.emit(0xB7, 0)
    else:
        odd(d)
    d.emit(0x95)


def less(d: Desk, struct: str) -> None:
    """Compares a number of two objects."""
    (node,) = d.types.of(struct, "rb_node")
    key = d.types.of(struct, "u64")[0]
    for reg in (1, 2):
        if d.chance(0.5):
            d.emit(0x07, reg, 0, 0, -node.offset)
            d.emit(0x79, reg + 2, reg, key.offset)
        else:
            d.emit(0x79, reg + 2, reg, key.offset - node.offset)
    d.emit(0xB7, 0, 0, 0, 1)
    d.emit(d.rng.choice((0x2D, 0xAD, 0x6D)), 3, 4, 1)
    d.emit(0xB7, 0, 0, 0, 0 if not d.slip() else 2)


def odd(d: Desk) -> None:
    """Something that such a function may not do, or may."""
    roll = int(d.rng.random() * 7)
    d.homes = {6: Thing("borrowed", "both", d.types.of("both", "rb_node")[0].offset)}
    d.emit(0xBF, 6, 1)
    if roll == 0:
        d.kfunc(d.rng.choice(("bpf_rcu_read_lock", "bpf_rcu_read_unlock")))
    elif roll == 1:
        d.helper(SPIN_LOCK)
    elif roll == 2:
        d.kfunc(d.rng.choice(("bpf_rbtree_first", "bpf_rbtree_left", "bpf_list_front")))
    elif roll == 3:
        d.emit(0x7A, 1, 0, -8, 1)
    elif roll == 4:
        acquire(d)
    elif roll == 5:
        d.emit(0xBF, 0, 1)
        return
    d.emit(0xB7, 0)
