"""What is known of one register or spilled slot: its type, its offset or value as tnum and four ranges, its ids.

A ``Reg`` that stands in a state is never changed: whoever wants another one copies it, changes the copy and puts that
into the state.  So states share registers, and copying a state copies lists (``include/linux/bpf_verifier.h``,
``struct bpf_reg_state``; Linux 6.18).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.verifier.consts import (
        NOT_INIT,
        PTR_TO_STACK,
        S32_MAX,
        S32_MIN,
        S64_MAX,
        S64_MIN,
        SCALAR_VALUE,
        U32_MAX,
        U64_MAX,
    )  # fmt: skip
    from osmia.words import s32, s64

if TYPE_CHECKING:
    from osmia.verifier.maps import VMap


class Reg:
    """One register.  ``value`` and ``mask`` are its tnum; 32-bit bounds are those of the low half.

    Only the fields that belong to ``type`` mean something: ``range`` to packet pointers, ``map`` and ``map_uid`` to map
    pointers and values, ``btf`` and ``btf_id`` to BTF pointers and iterators, ``mem_size`` and ``dynptr_id`` to memory,
    ``subprogno`` to functions.  ``off`` is a pointer's fixed offset, or a scalar's distance from others of its ``id``.
    """

    type: int
    off: int
    range: int
    map: VMap | None
    map_uid: int
    btf: Any
    btf_id: int
    mem_size: int
    dynptr_id: int
    dynptr_type: int
    first_slot: bool
    iter_state: int
    iter_depth: int
    irq_class: int
    subprogno: int
    value: int
    mask: int
    smin: int
    smax: int
    umin: int
    umax: int
    s32_min: int
    s32_max: int
    u32_min: int
    u32_max: int
    id: int
    ref_obj_id: int
    frameno: int
    subreg_def: int
    precise: bool
    text: str | None

    if not cython.compiled:
        __slots__ = (
            "btf", "btf_id", "dynptr_id", "dynptr_type", "first_slot", "frameno", "id", "irq_class", "iter_depth",
            "iter_state", "map", "map_uid", "mask", "mem_size", "off", "precise", "range", "ref_obj_id", "s32_max",
            "s32_min", "smax", "smin", "subprogno", "subreg_def", "text", "type", "u32_max", "u32_min", "umax", "umin",
            "value",
        )  # fmt: skip

    def __init__(self, type: int = 0) -> None:
        self.type = type
        self.off = self.range = self.map_uid = self.btf_id = self.mem_size = self.dynptr_id = self.dynptr_type = 0
        self.first_slot = self.precise = False
        self.iter_state = self.iter_depth = self.irq_class = self.subprogno = 0
        self.id = self.ref_obj_id = self.frameno = self.subreg_def = 0
        self.map = None
        self.btf = None
        self.text = None
        self.value = self.mask = 0
        self.smin = self.smax = self.umin = self.umax = 0
        self.s32_min = self.s32_max = self.u32_min = self.u32_max = 0

    def copy(self) -> Reg:
        """A register of its own with the same content."""
        new = new_reg()
        new.type, new.off, new.range, new.map, new.map_uid = self.type, self.off, self.range, self.map, self.map_uid
        new.btf, new.btf_id, new.mem_size, new.dynptr_id = self.btf, self.btf_id, self.mem_size, self.dynptr_id
        new.dynptr_type, new.first_slot, new.iter_state = self.dynptr_type, self.first_slot, self.iter_state
        new.iter_depth, new.irq_class, new.subprogno = self.iter_depth, self.irq_class, self.subprogno
        new.value, new.mask = self.value, self.mask
        new.smin, new.smax, new.umin, new.umax = self.smin, self.smax, self.umin, self.umax
        new.s32_min, new.s32_max, new.u32_min, new.u32_max = self.s32_min, self.s32_max, self.u32_min, self.u32_max
        new.id, new.ref_obj_id, new.frameno = self.id, self.ref_obj_id, self.frameno
        new.subreg_def, new.precise = self.subreg_def, self.precise
        return new

    def set_known(self, value: int) -> None:
        """Exactly ``value`` (u64) in tnum and bounds; type and ids stay."""
        self.value, self.mask = value, 0
        self.umin = self.umax = value
        self.smin = self.smax = s64(value)
        self.u32_min = self.u32_max = value & U32_MAX
        self.s32_min = self.s32_max = s32(value)

    def set_unbounded(self) -> None:
        """Every range at its widest; the tnum stays."""
        self.smin, self.smax, self.umin, self.umax = S64_MIN, S64_MAX, 0, U64_MAX
        self.s32_min, self.s32_max, self.u32_min, self.u32_max = S32_MIN, S32_MAX, 0, U32_MAX

    def is_const(self) -> bool:
        """Is the tnum a single value?"""
        return self.mask == 0

    def same_type_info(self, other: Reg) -> bool:
        """Equal in type, offset and what the type brings along; neither ids nor bounds are looked at."""
        return (
            self.type == other.type and self.off == other.off and self.range == other.range
            and self.map is other.map and self.map_uid == other.map_uid
            and self.btf is other.btf and self.btf_id == other.btf_id
            and self.mem_size == other.mem_size and self.dynptr_id == other.dynptr_id
            and self.dynptr_type == other.dynptr_type and self.first_slot == other.first_slot
            and self.iter_state == other.iter_state and self.iter_depth == other.iter_depth
            and self.irq_class == other.irq_class and self.subprogno == other.subprogno
        )  # fmt: skip

    def same_bounds(self, other: Reg) -> bool:
        """Equal tnum and equal ranges."""
        return (
            self.value == other.value and self.mask == other.mask
            and self.smin == other.smin and self.smax == other.smax
            and self.umin == other.umin and self.umax == other.umax
            and self.s32_min == other.s32_min and self.s32_max == other.s32_max
            and self.u32_min == other.u32_min and self.u32_max == other.u32_max
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"<Reg type={self.type:#x} off={self.off} id={self.id} var_off=({self.value:#x}; {self.mask:#x})>"


def new_reg() -> Reg:
    """A register with every field zero, to be filled in."""
    if cython.compiled:
        return Reg.__new__(Reg)
    return Reg()


def not_init() -> Reg:
    """A register that was never written: unknown value, not readable."""
    reg = unknown_value(False)
    reg.type = NOT_INIT
    return reg


def unknown_value(precise: bool) -> Reg:
    """A scalar that may be anything.  ``precise`` is true for loaders without CAP_BPF."""
    reg = new_reg()
    reg.type, reg.mask, reg.precise = SCALAR_VALUE, U64_MAX, precise
    reg.set_unbounded()
    return reg


def known_value(value: int) -> Reg:
    """The scalar ``value`` (u64)."""
    reg = new_reg()
    reg.type = SCALAR_VALUE
    reg.set_known(value)
    return reg


def pointer(type: int) -> Reg:
    """A pointer of a type at offset 0, with no variable part."""
    reg = new_reg()
    reg.type = type
    return reg


def frame_pointer(frameno: int) -> Reg:
    """R10 of a frame."""
    reg = pointer(PTR_TO_STACK)
    reg.frameno = frameno
    return reg
