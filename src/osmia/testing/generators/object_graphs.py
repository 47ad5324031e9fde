"""Lists and trees in generated programs: what goes in, what comes out, what is only looked at."""

from __future__ import annotations

from osmia.testing.generators.object_basics import full, maybe
from osmia.testing.generators.object_desk import KEY, SPIN_LOCK, SPIN_UNLOCK, Desk, Thing
from osmia.testing.generators.object_types import Place


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
