"""The kinds of BTF as plain values (include/uapi/linux/btf.h, Documentation/bpf/btf.rst).

Types refer to one another by id; id 0 is void.  Sizes are bytes, member offsets are bits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, NamedTuple

STATIC, GLOBAL, EXTERN = 0, 1, 2
"""Linkage of functions and variables."""

SIGNED, CHAR, BOOL = 1, 2, 4
"""Bits of ``Int.encoding``."""


class Member(NamedTuple):
    """A member of a struct or union.  ``bitfield_size`` in bits, 0 for an ordinary member."""

    name: str
    type_id: int
    bit_offset: int
    bitfield_size: int = 0


class Param(NamedTuple):
    """A parameter of a prototype; ``("", 0)`` at the end means variadic."""

    name: str
    type_id: int


class EnumValue(NamedTuple):
    """One name of an enum."""

    name: str
    value: int


class VarSec(NamedTuple):
    """Where a variable (``type_id`` names a Var, or a Func of .ksyms) lies in its section; bytes."""

    type_id: int
    offset: int
    size: int


class Type:
    """What all kinds share: a ``kind`` number and a ``name`` (empty where the kind has none)."""

    __slots__ = ()
    kind: ClassVar[int] = 0
    if TYPE_CHECKING:
        name: str


_nameless: str = field(default="", init=False, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Void(Type):
    """Type id 0."""

    name: str = _nameless


@dataclass(frozen=True, slots=True)
class Int(Type):
    """An integer of ``size`` bytes, of which ``bits`` from bit ``offset`` count (old-style bitfields use fewer)."""

    kind: ClassVar[int] = 1
    name: str
    size: int
    encoding: int = 0
    offset: int = 0
    bits: int = -1

    def __post_init__(self) -> None:
        if self.bits < 0:
            object.__setattr__(self, "bits", self.size * 8)

    @property
    def signed(self) -> bool:
        """Whether the top bit is a sign."""
        return bool(self.encoding & SIGNED)


@dataclass(frozen=True, slots=True)
class Ptr(Type):
    """A pointer."""

    kind: ClassVar[int] = 2
    type_id: int
    name: str = _nameless


@dataclass(frozen=True, slots=True)
class Array(Type):
    """``nelems`` elements of ``type_id``."""

    kind: ClassVar[int] = 3
    type_id: int
    index_type_id: int
    nelems: int
    name: str = _nameless


@dataclass(frozen=True, slots=True)
class Struct(Type):
    """A struct.  ``kind_flag``: the members' offsets carry bitfield sizes."""

    kind: ClassVar[int] = 4
    name: str
    size: int
    members: tuple[Member, ...] = ()
    kind_flag: bool = False


@dataclass(frozen=True, slots=True)
class Union(Type):
    """A union."""

    kind: ClassVar[int] = 5
    name: str
    size: int
    members: tuple[Member, ...] = ()
    kind_flag: bool = False


@dataclass(frozen=True, slots=True)
class Enum(Type):
    """An enum with values of up to 32 bits."""

    kind: ClassVar[int] = 6
    name: str
    size: int
    values: tuple[EnumValue, ...] = ()
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Fwd(Type):
    """A struct or union that is declared and not defined."""

    kind: ClassVar[int] = 7
    name: str
    is_union: bool = False


@dataclass(frozen=True, slots=True)
class Typedef(Type):
    """A typedef."""

    kind: ClassVar[int] = 8
    name: str
    type_id: int


@dataclass(frozen=True, slots=True)
class Volatile(Type):
    """``volatile``."""

    kind: ClassVar[int] = 9
    type_id: int
    name: str = _nameless


@dataclass(frozen=True, slots=True)
class Const(Type):
    """``const``."""

    kind: ClassVar[int] = 10
    type_id: int
    name: str = _nameless


@dataclass(frozen=True, slots=True)
class Restrict(Type):
    """``restrict``."""

    kind: ClassVar[int] = 11
    type_id: int
    name: str = _nameless


@dataclass(frozen=True, slots=True)
class Func(Type):
    """A function; ``type_id`` is its FuncProto."""

    kind: ClassVar[int] = 12
    name: str
    type_id: int
    linkage: int = STATIC


@dataclass(frozen=True, slots=True)
class FuncProto(Type):
    """What a function returns and takes."""

    kind: ClassVar[int] = 13
    type_id: int
    params: tuple[Param, ...] = ()
    name: str = _nameless


@dataclass(frozen=True, slots=True)
class Var(Type):
    """A global or static variable."""

    kind: ClassVar[int] = 14
    name: str
    type_id: int
    linkage: int = STATIC


@dataclass(frozen=True, slots=True)
class Datasec(Type):
    """A section of variables."""

    kind: ClassVar[int] = 15
    name: str
    size: int
    vars: tuple[VarSec, ...] = ()


@dataclass(frozen=True, slots=True)
class Float(Type):
    """A floating-point number."""

    kind: ClassVar[int] = 16
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class DeclTag(Type):
    """``btf_decl_tag(name)`` on a type, or on its member or parameter ``component_idx`` (-1: on the whole)."""

    kind: ClassVar[int] = 17
    name: str
    type_id: int
    component_idx: int = -1
    kind_flag: bool = False


@dataclass(frozen=True, slots=True)
class TypeTag(Type):
    """``btf_type_tag(name)`` on what a pointer points to; with ``kind_flag`` any other attribute."""

    kind: ClassVar[int] = 18
    name: str
    type_id: int
    kind_flag: bool = False


@dataclass(frozen=True, slots=True)
class Enum64(Type):
    """An enum with values of up to 64 bits."""

    kind: ClassVar[int] = 19
    name: str
    size: int
    values: tuple[EnumValue, ...] = ()
    signed: bool = False


VOID = Void()
KINDS: tuple[type[Type], ...] = (
    Void, Int, Ptr, Array, Struct, Union, Enum, Fwd, Typedef, Volatile, Const, Restrict,
    Func, FuncProto, Var, Datasec, Float, DeclTag, TypeTag, Enum64,
)  # fmt: skip
"""The classes; the index is the kind's number."""

KIND_NAMES = (
    "VOID INT PTR ARRAY STRUCT UNION ENUM FWD TYPEDEF VOLATILE CONST RESTRICT "
    "FUNC FUNC_PROTO VAR DATASEC FLOAT DECL_TAG TYPE_TAG ENUM64"
).split()
"""The kernel's names without BTF_KIND_."""

MODIFIERS = (Volatile, Const, Restrict, TypeTag)
"""Kinds that qualify another type and do not change its layout."""

Composite = Struct | Union
AnyEnum = Enum | Enum64
