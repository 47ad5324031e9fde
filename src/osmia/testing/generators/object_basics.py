"""Objects, map values and locks in generated programs: made, looked up, looked at, counted, dropped, taken, given."""

from __future__ import annotations

from osmia.obj.model import MapSpec
from osmia.testing.generators.object_desk import HOMES, KEY, LOOKUP, SPIN_LOCK, Desk, Thing
from osmia.testing.generators.object_types import OBJECTS, VALUES


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
    specs = [spec for spec in d.types.maps if not wanted or value_of(d, spec) == wanted]
    spec = d.rng.choice(specs)
    if spec.name not in d.maps:
        d.maps.append(spec.name)
    number = d.maps.index(spec.name)
    if spec.type == "array" and spec.max_entries == 1 and d.chance(0.5):
        d.emit(0x18, 0, 2, 0, number)
        d.emit(0)
        d.keep(Thing("value", value_of(d, spec)))
        return
    d.emit(0x62, 10, 0, KEY, int(d.rng.random() * 3))
    d.emit(0x18, 1, 1, 0, number)
    d.emit(0)
    if spec.inner is not None:
        find(d)
        check(d, 0, Thing("value", ""))
        d.emit(0xBF, 1, 0)
    find(d)
    maybe(d, Thing("value", value_of(d, spec), maybe_null=True))


def value_of(d: Desk, spec: MapSpec) -> str:
    """The struct that is the value of a map, or of the maps in it."""
    type_id = (spec.inner or spec).btf_value_type_id
    return next(name for name, known in d.types.ids.items() if known == type_id)


def find(d: Desk) -> None:
    """A look-up in the map in R1."""
    d.emit(0xBF, 2, 10)
    d.emit(0x07, 2, 0, 0, KEY)
    d.helper(LOOKUP)


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
