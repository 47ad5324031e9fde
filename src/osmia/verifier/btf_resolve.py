"""BPF_BTF_LOAD, the second half: what types refer to.  Everything ends somewhere, has a size where it needs one, fits.

(``btf_check_all_types``, ``btf_resolve`` and the ``…_resolve`` and ``check_member`` functions of kernel/bpf/btf.c,
Linux 6.18.)  A walk stops at kinds that can't close a loop: how far it has to go depends on where it began.
"""

from __future__ import annotations

from errno import E2BIG, EEXIST, EINVAL, ELOOP
from functools import lru_cache

from osmia.verifier.btf_meta import (
    ARRAY,
    CONST,
    DATASEC,
    DECL_TAG,
    ENUM,
    ENUM64,
    FLOAT,
    FUNC,
    FUNC_PROTO,
    FWD,
    INT,
    PTR,
    RESTRICT,
    STRUCT,
    TYPE_TAG,
    TYPEDEF,
    UNION,
    VAR,
    VOID,
    VOLATILE,
    BtfRefused,
    RawType,
    Strings,
    read_types,
    refuse_if,
)

MODIFIERS = (TYPEDEF, VOLATILE, CONST, RESTRICT, TYPE_TAG)
COMPOSITES = (STRUCT, UNION)
SOURCES = (VAR, DECL_TAG, DATASEC)
"""Kinds that nothing refers to but tags and sections."""
REFERRING = (*MODIFIERS, PTR, *COMPOSITES, ARRAY, VAR, FUNC, DECL_TAG, DATASEC)
SIZED = (INT, STRUCT, UNION, ENUM, DATASEC, FLOAT, ENUM64)
SIZELESS = (VOID, FWD, FUNC, FUNC_PROTO, DECL_TAG)
UNSIZED_TARGETS = (VOID, FWD, FUNC_PROTO)
"""What a pointer or a typedef may refer to although it has no size."""
TAGGED = (FUNC, STRUCT, UNION, VAR, TYPEDEF)
ANYTHING, POINTER, LAYOUT = range(3)  # what a walk looks for
MAX_DEPTH = 32
MAX_CHAIN = 32
NEW, OPEN, DONE = range(3)
U32_MAX = (1 << 32) - 1


@lru_cache(maxsize=64)
def btf_load_errno(data: bytes) -> tuple[int, str]:
    """What BPF_BTF_LOAD answers: errno and reason, 0 where it takes the types."""
    try:
        types, strings = read_types(data)
        Resolver(types, strings).check()
    except BtfRefused as refused:
        return refused.errno, str(refused)
    return 0, ""


class Unresolved(Exception):
    """Another type has to be looked at first."""

    def __init__(self, type_id: int) -> None:
        super().__init__(type_id)
        self.type_id = type_id


class Resolver:
    """Where every type leads, found step by step; ``ends`` and ``sizes`` are known of types that are DONE."""

    def __init__(self, types: list[RawType], strings: Strings) -> None:
        self.types, self.strings = types, strings
        self.states = [NEW] * len(types)
        self.ends = [0] * len(types)
        self.sizes = [0] * len(types)
        self.mode = ANYTHING

    def check(self) -> None:
        """Every type in the order of the ids.  Raises BtfRefused."""
        for type_id in range(1, len(self.types)):
            found = self.types[type_id]
            if found.kind in REFERRING and self.states[type_id] != DONE:
                self.resolve(type_id)
            if found.kind == FUNC_PROTO:
                self.check_proto(found)
        self.check_tags()

    def type(self, type_id: int) -> RawType | None:
        """The type of an id, if there is one."""
        return self.types[type_id] if type_id < len(self.types) else None

    # -- the walk

    def resolve(self, root: int) -> None:
        """Follow a type to all its ends."""
        self.mode = ANYTHING
        stack: list[int] = []
        self.push(stack, root)
        while stack:
            here = stack[-1]
            try:
                self.ends[here], self.sizes[here] = self.step(self.types[here])
            except Unresolved as first:
                self.push(stack, first.type_id)
            else:
                self.states[here] = DONE
                stack.pop()

    def push(self, stack: list[int], type_id: int) -> None:
        """Go on with another type; the first pointer or struct says what loops are."""
        refuse_if(len(stack) == MAX_DEPTH, "too deep", E2BIG)
        refuse_if(self.states[type_id] != NEW, "loop", EEXIST)
        self.states[type_id] = OPEN
        stack.append(type_id)
        kind = self.types[type_id].kind
        if self.mode == ANYTHING and kind == PTR:
            self.mode = POINTER
        elif self.mode == ANYTHING and kind in (*COMPOSITES, ARRAY):
            self.mode = LAYOUT

    def is_end(self, found: RawType) -> bool:
        """Does the walk stop at this kind?"""
        if self.mode == POINTER:
            return found.kind not in (*MODIFIERS, PTR)
        if self.mode == LAYOUT:
            return found.kind not in (*MODIFIERS, ARRAY, *COMPOSITES)
        return found.kind not in REFERRING

    def follow(self, type_id: int, banned: tuple[int, ...] = SOURCES) -> RawType:
        """The type that another refers to, looked at already if that matters."""
        found = self.type(type_id)
        if found is None or found.kind in banned:
            raise BtfRefused(EINVAL, f"type {type_id} can't stand here")
        if not self.is_end(found) and self.states[type_id] != DONE:
            raise Unresolved(type_id)
        return found

    def end_of(self, type_id: int) -> int:
        """Where a typedef or qualifier leads."""
        return self.ends[type_id]

    def sized(self, type_id: int) -> tuple[int, int] | None:
        """The id of the type without qualifiers and its size in bytes; None where it has none."""
        found = self.type(type_id)
        if found is not None and found.kind in (*MODIFIERS, VAR):
            type_id = self.end_of(type_id)
            found = self.type(type_id)
            if found is not None and found.kind in (*MODIFIERS, VAR):
                return None
        if found is None or found.kind in SIZELESS:
            return None
        if found.kind in SIZED:
            return type_id, found.size
        return type_id, self.sizes[type_id] if found.kind == ARRAY else 8

    # -- one step per kind: where it leads and its size

    def step(self, found: RawType) -> tuple[int, int]:
        """Look at what a type refers to; raises Unresolved where that comes first."""
        if found.kind in MODIFIERS:
            self.follow(found.size)
            return self.target(found.size), 0
        if found.kind == PTR:
            self.beyond(found.size)
            return self.target(found.size), 0
        if found.kind == ARRAY:
            return self.array(found)
        if found.kind in COMPOSITES:
            self.composite(found)
        elif found.kind == VAR:
            return self.var(found)
        elif found.kind == FUNC:
            self.func(found)
        elif found.kind == DECL_TAG:
            self.decl_tag(found)
        else:
            self.datasec(found)
        return 0, 0

    def target(self, type_id: int) -> int:
        """What a pointer or qualifier refers to in the end."""
        known = self.sized(type_id)
        if known is not None:
            return known[0]
        if self.states[type_id] == DONE:
            type_id = self.end_of(type_id)
        refuse_if(self.types[type_id].kind not in UNSIZED_TARGETS, "type without size")
        return type_id

    def beyond(self, type_id: int) -> None:
        """A qualifier that was looked at while a struct was laid out may have stopped at a pointer: go on there."""
        found = self.follow(type_id)
        if found.kind in MODIFIERS:
            end = self.end_of(type_id)
            if self.types[end].kind == PTR and not self.is_end(self.types[end]) and self.states[end] != DONE:
                raise Unresolved(end)

    def array(self, found: RawType) -> tuple[int, int]:
        """Index and element."""
        element, index, count = found.extra
        self.follow(index, (*SOURCES, *SIZELESS))
        known = self.sized(index)
        refuse_if(known is None or not self.is_regular_int(known[0]), "index")
        self.follow(element, (*SOURCES, *SIZELESS))
        known = self.sized(element)
        if known is None:
            raise BtfRefused(EINVAL, "element")
        end, size = known
        refuse_if(self.types[end].kind == INT and not self.is_regular_int(end), "array of odd integers")
        refuse_if(bool(count) and size > U32_MAX // count, "array size")
        return end, size * count

    def is_regular_int(self, type_id: int) -> bool:
        """An integer of 1, 2, 4, 8 or 16 whole bytes, by its bits."""
        found = self.types[type_id]
        return found.kind == INT and not found.extra[0] >> 16 & 0xFF and found.extra[0] & 0xFF in (8, 16, 32, 64, 128)

    def composite(self, found: RawType) -> None:
        """Every member has a size and lies inside."""
        for _, type_id, place in found.entries(3):
            self.follow(type_id, (*SOURCES, *SIZELESS))
            if found.kflag:
                self.check_kflag_member(found, type_id, place & 0xFFFFFF, place >> 24)
            else:
                self.check_member(found, type_id, place)

    def var(self, found: RawType) -> tuple[int, int]:
        """Something with a size."""
        self.beyond(found.size)
        known = self.sized(found.size)
        if known is None:
            raise BtfRefused(EINVAL, "variable without size")
        return known[0], 0

    def func(self, found: RawType) -> None:
        """A prototype whose arguments have names."""
        proto = self.type(found.size)
        if proto is None or proto.kind != FUNC_PROTO:
            raise BtfRefused(EINVAL, "function without prototype")
        refuse_if(any(kind and not name for name, kind in proto.entries(2)), "argument without name")

    def decl_tag(self, found: RawType) -> None:
        """On something that can be tagged, and on a part that it has."""
        on = self.type(found.size)
        if on is None or on.kind not in TAGGED:
            raise BtfRefused(EINVAL, "tag on nothing")
        self.follow(found.size, ())
        part = found.extra[0]
        if part == U32_MAX:
            return
        refuse_if(on.kind in (VAR, TYPEDEF), "part of a variable")
        parts = self.types[on.size].vlen if on.kind == FUNC else on.vlen
        refuse_if(part >= parts, "no such part")

    def datasec(self, found: RawType) -> None:
        """Variables with the room that they need."""
        self.mode = ANYTHING
        for type_id, _, size in found.entries(3):
            var = self.type(type_id)
            if var is None or var.kind != VAR:
                raise BtfRefused(EINVAL, "no variable")
            self.follow(type_id, ())
            known = self.sized(var.size)
            refuse_if(known is None or size < known[1], "room for a variable")

    # -- members

    def check_member(self, whole: RawType, type_id: int, bit: int) -> None:
        """A member of a struct whose bitfields are in their types."""
        member = self.types[type_id]
        if member.kind in MODIFIERS:
            self.check_member(whole, self.end_of(type_id), bit)
        elif member.kind == INT:
            word = member.extra[0]
            bit += word >> 16 & 0xFF
            self.check_bits(whole, bit, word & 0xFF)
        else:
            refuse_if(bool(bit % 8), "member between bytes")
            known = self.sized(type_id)
            size = known[1] if known else 0
            refuse_if(member.kind == FLOAT and bool(bit // 8 % min(8, size)), "alignment")
            refuse_if(whole.size - bit // 8 < size, "member exceeds struct")

    def check_kflag_member(self, whole: RawType, type_id: int, bit: int, width: int) -> None:
        """A member of a struct that says itself how wide its bitfields are."""
        member = self.types[type_id]
        if member.kind in MODIFIERS:
            self.check_kflag_member(whole, self.end_of(type_id), bit, width)
        elif member.kind in (INT, ENUM):
            bits = member.extra[0] & 0xFF if member.kind == INT else 32
            refuse_if(member.kind == INT and not self.is_regular_int(type_id), "bitfield of odd integers")
            refuse_if(not width and bool(bit % 8), "member between bytes")
            refuse_if(width > bits, "bitfield too wide")
            self.check_bits(whole, bit, width or bits)
        else:
            refuse_if(bool(width), "bitfield of another kind")
            self.check_member(whole, type_id, bit)

    def check_bits(self, whole: RawType, bit: int, bits: int) -> None:
        """So many bits from a place on lie inside."""
        from_byte = bits + bit % 8
        refuse_if(from_byte > 128, "more than 128 bits")
        room = whole.size - bit // 8
        refuse_if(room < 0 or room < (from_byte + 7) // 8, "member exceeds struct")

    # -- prototypes and tags

    def check_proto(self, found: RawType) -> None:
        """Result and arguments have sizes; the last argument may be ``...``."""
        if found.size:
            self.check_passed(found.size, "result")
        rows = found.entries(2)
        if rows and not rows[-1][1]:
            refuse_if(bool(rows[-1][0]), "name of nothing")
            rows.pop()
        for name, type_id in rows:
            refuse_if(type_id == 0, "argument")
            named = bool(name)
            refuse_if(named and not (self.strings.known(name) and self.strings.identifier(name)), "argument name")
            self.check_passed(type_id, "argument")

    def check_passed(self, type_id: int, what: str) -> None:
        """Something that can be handed over."""
        passed = self.type(type_id)
        if passed is None or passed.kind in SOURCES:
            raise BtfRefused(EINVAL, what)
        if passed.kind in REFERRING and self.states[type_id] != DONE:
            self.resolve(type_id)
        refuse_if(self.sized(type_id) is None, what)

    def check_tags(self) -> None:
        """Type tags stand in front of all qualifiers."""
        for found in self.types:
            tags, left = found.kind == TYPE_TAG, MAX_CHAIN
            here = found
            while here.kind in MODIFIERS:
                refuse_if(left == 0, "chain", ELOOP)
                left -= 1
                refuse_if(here.kind == TYPE_TAG and not tags, "tag behind a qualifier")
                tags = tags and here.kind == TYPE_TAG
                here = self.types[here.size]
