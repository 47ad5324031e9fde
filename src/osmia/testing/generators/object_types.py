"""Types and maps for programs with allocated objects: the same few all the time, so that fds can be kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from osmia.btf import Btf, DeclTag, Func, FuncProto, Int, Member, Param, Ptr, Struct, TypeTag
from osmia.obj.model import MapSpec
from osmia.verifier.map_record import SPECIAL

OBJECTS = {
    "item": "key:u64 node:list_node val:u32 more:u32",
    "leaf": "node:rb_node key:u64",
    "both": "key:u64 val:u64 ref:refcount l:list_node r:rb_node",
    "counted": "ref:refcount key:u32 data:u64",
    "plain": "a:u64 b:u32 c:u32 p:ptr",
    "small": "hits:u64 x:u32 y:u32",
    "boss": "lock:spin_lock n:u32 items:list_head=item.node leaves:rb_root=leaf.node node:list_node key:u64",
    "guard": "lock:res_spin_lock n:u32 ref:refcount key:u32 shared:list_head=both.l",
    "stash": "n:u64 held:kptr=both own:kptr=plain cpu:percpu_kptr=small many:kptr=counted",
}
"""Structs by name: members ``NAME:TYPE``, with what a list, a tree or a pointer leads to behind a ``=``."""
VALUES = {
    "locked": "x:u64 lock:spin_lock n:u32 items:list_head=item.node leaves:rb_root=leaf.node shared:list_head=both.l "
    "tree:rb_root=both.r",
    "bosses": "lock:spin_lock n:u32 list:list_head=boss.node kept:kptr=plain",
    "guarded": "lock:res_spin_lock n:u32 items:list_head=item.node tree:rb_root=both.r",
    "pointers": "held:kptr=both own:kptr=plain cpu:percpu_kptr=small many:kptr=counted task:kptr=task_struct "
    "weak:kptr_untrusted=plain boss:kptr=boss stash:kptr=stash x:u64",
}
"""The same of map values."""
MAPS = (
    ("locked_one", "array", "locked", 1), ("locked_few", "hash", "locked", 4), ("bosses", "array", "bosses", 2),
    ("guarded", "hash", "guarded", 4), ("pointers", "array", "pointers", 1), ("pointers_few", "hash", "pointers", 4),
    ("pointers_cpu", "percpu_hash", "pointers", 4), ("locked_lru", "lru_hash", "locked", 4),
)  # fmt: skip
FUNCTIONS = 6
"""How many functions a program may have besides the main one."""


@dataclass(slots=True)
class Place:
    """One member of a struct: where it is, what it is, and what it leads to: a struct, of lists also its node."""

    name: str
    kind: str
    offset: int
    size: int
    leads_to: str = ""
    node: str = ""


@dataclass(slots=True)
class Types:
    """The BTF, and what is in it by name."""

    btf: Btf
    ids: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    places: dict[str, list[Place]] = field(default_factory=dict)
    funcs: list[int] = field(default_factory=list)
    maps: list[MapSpec] = field(default_factory=list)

    def of(self, struct: str, *kinds: str) -> list[Place]:
        """The members of some kinds."""
        return [place for place in self.places.get(struct, []) if place.kind in kinds]

    def node(self, root: Place) -> Place:
        """The node in what a list or tree holds."""
        return next(place for place in self.places[root.leads_to] if place.name == root.node)


@cache
def pool(resilient: bool = True) -> Types:
    """All of them, or those without resilient locks, which kernels before 6.15 do not know."""
    types = Types(Btf())
    btf = types.btf
    u32, u64 = btf.add(Int("u32", 4)), btf.add(Int("u64", 8))
    kinds = {"u32": (u32, 4, 4), "u64": (u64, 8, 8), "ptr": (btf.add(Ptr(u64)), 8, 8)}
    for name, (kind, size) in SPECIAL.items():
        step = min(size, 8)
        word = u32 if step == 4 else u64
        members = tuple(Member(f"a{at}", word, 8 * at) for at in range(0, size, step))
        kinds[kind] = btf.add(Struct(name, size, members)), size, step
    types.ids["task_struct"] = btf.add(Struct("task_struct", 4, (Member("a", u32, 0),)))
    for name, text in (OBJECTS | VALUES).items():
        _struct(types, kinds, name, text if resilient else text.replace("res_spin_lock", "spin_lock"))
    proto = btf.add(FuncProto(u32, (Param("a", u64), Param("b", u64))))
    types.funcs += [btf.add(Func(f"f{i}", proto, 0)) for i in range(FUNCTIONS + 1)]
    for name, kind, value, entries in MAPS:
        types.maps.append(
            MapSpec(name, kind, 4, types.sizes[value], entries, btf=btf, btf_key_type_id=u32,
                    btf_value_type_id=types.ids[value])
        )  # fmt: skip
    inner = next(spec for spec in types.maps if spec.name == "locked_few")
    types.maps.append(MapSpec("outer", "array_of_maps", 4, 4, 2, inner=inner))
    return types


def _struct(types: Types, kinds: dict[str, tuple[int, int, int]], name: str, text: str) -> None:
    """One struct, laid out as C does it; tags follow it."""
    members, places, tags, at = [], [], [], 0
    for i, word in enumerate(text.split()):
        label, _, kind = word.partition(":")
        kind, _, target = kind.partition("=")
        if "kptr" in kind:
            type_id, size, align = types.btf.add(Ptr(types.btf.add(TypeTag(kind, types.ids[target])))), 8, 8
            place = Place(label, kind, 0, 8, target)
        else:
            type_id, size, align = kinds[kind]
            place = Place(label, kind, 0, size, *target.split(".")) if target else Place(label, kind, 0, size)
        at = (at + align - 1) // align * align
        place.offset = at
        members.append(Member(label, type_id, 8 * at))
        places.append(place)
        if "." in target:
            tags.append((i, f"contains:{target.replace('.', ':')}"))
        at += size
    types.sizes[name] = (at + 7) // 8 * 8
    types.ids[name] = types.btf.add(Struct(name, types.sizes[name], tuple(members)))
    types.places[name] = places
    for i, tag in tags:
        types.btf.add(DeclTag(tag, types.ids[name], i))
