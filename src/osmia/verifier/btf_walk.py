"""Which field of a kernel struct an access reaches, as far down as it takes (``btf_struct_access``, kernel/bpf/btf.c).

The rules are those of Linux 6.18.  A pointer that is found keeps what its type tag says of it; inside unions nothing
is certain, so what is found there is untrusted.
"""

from __future__ import annotations

from errno import EACCES, EFAULT, EINVAL
from typing import NamedTuple

from osmia.btf import Btf
from osmia.btf import types as t
from osmia.errors import InputError
from osmia.verifier.consts import (
    MEM_PERCPU,
    MEM_RCU,
    MEM_RDONLY,
    MEM_USER,
    PTR_TO_BTF_ID,
    PTR_TO_MEM,
    PTR_UNTRUSTED,
    SCALAR_VALUE,
)

MAX_STEPS = 1000
MAX_RESOLVE = 32
_TAGS = {"user": MEM_USER, "percpu": MEM_PERCPU, "rcu": MEM_RCU}
_SIZED = (t.Int, t.Struct, t.Union, t.Enum, t.Float, t.Enum64)
_NAMED = (t.Typedef, t.Volatile, t.Const, t.Restrict, t.TypeTag)


class Found(NamedTuple):
    """What a load gives: SCALAR_VALUE, PTR_TO_BTF_ID (to ``btf_id``) or PTR_TO_MEM, with ``flags``.

    ``field`` is the name of the pointer that was loaded.
    """

    type: int
    btf_id: int = 0
    flags: int = 0
    field: str = ""


class WalkError(Exception):
    """No field is there: ``errno`` and the kernel's ``text``."""

    def __init__(self, errno: int, text: str) -> None:
        super().__init__(text)
        self.errno = errno
        self.text = text


class _Whole(NamedTuple):
    """A member's type with arrays multiplied out: ``size`` of all, ``elements`` of type ``element``."""

    size: int
    elements: int
    element: t.Type
    element_id: int
    is_array: bool


def struct_access(btf: Btf, btf_id: int, off: int, size: int) -> Found:
    """What ``size`` bytes at ``off`` of a struct are.  Raises WalkError."""
    walk = _Walk(btf, off, size)
    return walk.run(btf_id)


def struct_at(btf: Btf, btf_id: int, off: int) -> int:
    """The outermost struct inside a struct that starts at ``off``; 0 when a field of its own lies there.

    Raises WalkError.
    """
    walk = _Walk(btf, off, 1)
    found = walk.step(btf_id)
    while not isinstance(found, Found) and walk.off:
        found = walk.step(found)
    return 0 if isinstance(found, Found) else found


def _name(named: t.Type | t.Member) -> str:
    """The name that messages show."""
    return getattr(named, "name", "") or "(anon)"


def resolve_whole(btf: Btf, type_id: int) -> _Whole | None:
    """A type without names and modifiers; None when it has no size (``__btf_resolve_size``)."""
    found, here, array, count = btf.type(type_id), type_id, False, 1
    element_id = 0
    for _ in range(MAX_RESOLVE):
        if isinstance(found, _SIZED):
            return _Whole(count * found.size, count, found, element_id if array else here, array)
        if isinstance(found, t.Ptr):
            return _Whole(count * 8, count, found, element_id if array else here, array)
        if isinstance(found, t.Array):
            array, count, element_id = True, count * found.nelems, found.type_id
            found = btf.type(found.type_id)
        elif isinstance(found, _NAMED):
            here = found.type_id
            found = btf.type(here)
        else:
            return None
    return None


class _Walk:
    """One access on its way down: ``off`` counts from the struct that was reached."""

    def __init__(self, btf: Btf, off: int, size: int) -> None:
        self.btf = btf
        self.off = off
        self.size = size
        self.flags = 0

    def run(self, btf_id: int) -> Found:
        """From the outermost struct to the field."""
        here = btf_id
        for _ in range(MAX_STEPS):
            found = self.step(here)
            if isinstance(found, Found):
                return found
            here = found
        raise WalkError(EINVAL, "")

    def step(self, btf_id: int) -> Found | int:
        """The field in this struct, or the id of the struct inside it that the access is in."""
        made = self.btf.type(self.btf.resolve(btf_id))
        if not isinstance(made, t.Struct | t.Union):
            raise WalkError(EINVAL, f"Type '{_name(made)}' is not a struct\n")
        if isinstance(made, t.Union) and len(made.members) != 1:
            self.flags |= PTR_UNTRUSTED
        if self.off + self.size > made.size:
            return self._beyond(made)
        for member in made.members:
            at = member.bit_offset // 8
            if self.off + self.size <= at:
                break
            if member.bitfield_size:
                end = (member.bit_offset + member.bitfield_size + 7) // 8
                if self.off <= at and end <= self.off + self.size:
                    return Found(SCALAR_VALUE)
                continue
            if self.off < at:
                break
            found = self._member(made, member, at)
            if found is not None:
                return found
        raise WalkError(EINVAL, f"struct {_name(made)} doesn't have field at offset {self.off}\n")

    def _beyond(self, made: t.Composite) -> Found | int:
        """Behind the end there may be an array of unknown length."""
        last = made.members[-1] if made.members else None
        array = self.btf.type(self.btf.resolve(last.type_id)) if last else None
        if last and isinstance(array, t.Array) and array.nelems == 0 and self.off >= last.bit_offset // 8:
            element_id = self.btf.resolve(array.type_id)
            element = self.btf.type(element_id)
            if isinstance(element, t.Int):
                return Found(SCALAR_VALUE)
            if isinstance(element, t.Struct | t.Union) and element.size:
                self.off = (self.off - last.bit_offset // 8) % element.size
                return element_id
        text = f"access beyond struct {_name(made)} at off {self.off} size {self.size}\n"
        raise WalkError(EACCES, text)

    def _member(self, made: t.Composite, member: t.Member, at: int) -> Found | int | None:
        """What the member means to the access; None when that lies behind it."""
        try:
            whole = resolve_whole(self.btf, member.type_id)
        except InputError:
            whole = None
        if whole is None:
            raise WalkError(EFAULT, f"field {_name(member)} doesn't have size\n")
        end = at + whole.size
        if self.off >= end:
            return None
        one = whole.size
        if whole.is_array:
            one = whole.size // whole.elements
            at += (self.off - at) // one * one
        if isinstance(whole.element, t.Struct | t.Union):
            self.off -= at
            return whole.element_id
        if isinstance(whole.element, t.Ptr):
            return self._pointer(made, member, whole.element, at, one)
        if self.off + self.size > end and not self.flags & PTR_UNTRUSTED:
            text = (
                f"access beyond the end of member {_name(member)} (mend:{end}) in struct {_name(made)} "
                f"with off {self.off} size {self.size}\n"
            )
            raise WalkError(EACCES, text)
        return Found(SCALAR_VALUE)

    def _pointer(self, made: t.Composite, member: t.Member, pointer: t.Ptr, at: int, size: int) -> Found:
        if size != self.size or self.off != at:
            text = (
                f"cannot access ptr member {_name(member)} with moff {at} in struct {_name(made)} "
                f"with off {self.off} size {self.size}\n"
            )
            raise WalkError(EACCES, text)
        tag = self.btf.type(pointer.type_id)
        flags = _TAGS.get(tag.name, 0) if isinstance(tag, t.TypeTag) and not tag.kind_flag else 0
        target = self.btf.resolve(pointer.type_id)
        if isinstance(self.btf.type(target), t.Struct | t.Union):
            return Found(PTR_TO_BTF_ID, target, self.flags | flags, member.name)
        return Found(PTR_TO_MEM, 0, MEM_RDONLY | PTR_UNTRUSTED)
