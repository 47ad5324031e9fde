"""Everything else that generated programs do with objects: loads and stores, kernel pointers, sections, functions."""

from __future__ import annotations

from osmia.testing.generators.object_basics import (
    acquire,
    check_any,
    drop,
    full,
    lock,
    look_up,
    maybe,
    new,
    quiet,
    unlock,
)
from osmia.testing.generators.object_desk import HOMES, KPTR_XCHG, PER_CPU_PTR, SIZES, THIS_CPU_PTR, Desk, Thing
from osmia.testing.generators.object_graphs import add, loop, push, step, take
from osmia.testing.generators.object_types import OBJECTS


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


ACTIONS = (
    *(new, new, new, check_any, drop, acquire, look_up, look_up, lock, lock, lock, unlock, push, push, push, add, add),
    *(add, take, take, take, step, step, access, access, exchange, exchange, load_pointer, percpu, section, call, move),
    *(branch, loop, *[critical] * 6),
)
