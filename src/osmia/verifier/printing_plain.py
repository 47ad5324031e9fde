"""The state of a path as logs showed it from 5.17 to 6.7: ``R1_w=ctx(off=0,imm=0) R7=scalar(umax=255) fp-8_w=5``.

Numbers are decimal, bounds stand one by one, offsets are shown where they are zero, and marks say what was read (``r``)
and written (``w``) since the last remembered state.  (``print_verifier_state`` in kernel/bpf/verifier.c, Linux 6.1.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from osmia.verifier import consts as c
from osmia.verifier.live_marks import mark_text, marks_of
from osmia.verifier.slots import is_spilled_reg
from osmia.verifier.text import btf_type_name
from osmia.words import s32, s64

if TYPE_CHECKING:
    from osmia.verifier.env import Env
    from osmia.verifier.regs import Reg
    from osmia.verifier.state import Slot, State

SLOT_CHARS = "?rm0dif"
REFERENCES = (c.PTR_TO_SOCKET, c.PTR_TO_TCP_SOCK, c.PTR_TO_MEM, c.PTR_TO_BTF_ID)
MAPS = (c.CONST_PTR_TO_MAP, c.PTR_TO_MAP_VALUE, c.PTR_TO_MAP_KEY)
PACKETS = (c.PTR_TO_PACKET, c.PTR_TO_PACKET_META)


def plain_state_text(env: Env, state: State, frameno: int, print_all: bool) -> str:
    """The rest of a line: what was scratched of a frame, or all of it, and the references."""
    frame = state.frames[frameno]
    marks = marks_of(frame)
    parts: list[str] = [f" frame{frame.frameno}:"] if frame.frameno else []
    for i in range(c.MAX_BPF_REG):
        reg = frame.regs[i]
        if reg.type != c.NOT_INIT and (print_all or env.scratched_regs >> i & 1):
            parts.append(f" R{i}{mark_text(marks.regs[i] if i < 10 else 0)}={plain_reg_text(env, reg)}")
    for i, slot in enumerate(frame.stack):
        if slot.types and (print_all or env.scratched_stack_slots >> i & 1):
            parts.append(f" fp{-8 * (i + 1)}{mark_text(marks.slot(i))}={plain_slot_text(env, slot)}")
    held = [str(ref.id) for ref in state.refs if ref.type == c.REF_TYPE_PTR]
    if held:
        parts.append(" refs=" + ",".join(held))
    if frame.in_callback_fn:
        parts.append(" cb")
    if frame.in_async_callback_fn:
        parts.append(" async_cb")
    return "".join(parts) + "\n"


def plain_reg_text(env: Env, reg: Reg) -> str:
    """What is known of a register: ``P5``, ``pkt(id=1,off=8,r=0,umax=255,var_off=(0x0; 0xff))``."""
    scalar = reg.type == c.SCALAR_VALUE
    sign = "P" if scalar and reg.precise else ""
    if reg.mask == 0 and (scalar or reg.type == c.PTR_TO_STACK):
        name = "" if scalar else env.type_str(reg.type)
        return f"{sign}{name}{s64((reg.value + (0 if scalar else reg.off)) & c.U64_MAX)}"
    name = env.type_str(reg.type)
    if reg.type & c.BASE_TYPE_MASK == c.PTR_TO_BTF_ID:
        name += btf_type_name(reg.btf or env.vmlinux, reg.btf_id)
    return f"{sign}{name}({','.join(_attributes(reg))})"


def plain_slot_text(env: Env, slot: Slot) -> str:
    """A spilled register by its type and, if it is known, its number; else eight kinds of bytes."""
    if not is_spilled_reg(slot):
        return "".join([SLOT_CHARS[slot.types >> shift & 0xFF] for shift in range(56, -8, -8)])
    reg = slot.spilled
    if reg.type != c.SCALAR_VALUE:
        return env.type_str(reg.type)
    return ("P" if reg.precise else "") + (str(s64(reg.value)) if reg.mask == 0 else "")


def _attributes(reg: Reg) -> list[str]:
    base = reg.type & c.BASE_TYPE_MASK
    parts = [f"id={reg.id}"] if reg.id else []
    if base in REFERENCES and reg.ref_obj_id:
        parts.append(f"ref_obj_id={reg.ref_obj_id}")
    if reg.type != c.SCALAR_VALUE:
        parts.append(f"off={reg.off}")
    if reg.type in PACKETS:
        parts.append(f"r={reg.range}")
    elif base in MAPS and reg.map is not None:
        parts.append(f"ks={reg.map.key_size},vs={reg.map.value_size}")
    return parts + numbers(reg, "")


def numbers(reg: Reg, ending: str) -> list[str]:
    """What is known of the number, or of a pointer's variable part; ``ending`` is that of the bounds' names."""
    if reg.mask == 0:
        return [f"imm={reg.value:x}"]
    parts = [f"{name}{ending}={value}" for name, value, shown in _ranges(reg) if shown]
    if reg.mask != c.U64_MAX:
        parts.append(f"var_off=({reg.value:#x}; {reg.mask:#x})")
    return parts + [f"{name}{ending}={value}" for name, value, shown in _low_ranges(reg) if shown]


def _ranges(reg: Reg) -> tuple[tuple[str, int, bool], ...]:
    """The 64-bit bounds, and whether they say something of their own."""
    return (
        ("smin", reg.smin, reg.smin & c.U64_MAX != reg.umin and reg.smin != c.S64_MIN),
        ("smax", reg.smax, reg.smax & c.U64_MAX != reg.umax and reg.smax != c.S64_MAX),
        ("umin", reg.umin, reg.umin != 0),
        ("umax", reg.umax, reg.umax != c.U64_MAX),
    )


def _low_ranges(reg: Reg) -> tuple[tuple[str, int, bool], ...]:
    """The 32-bit bounds; the unsigned ones are shown signed."""
    return (
        ("s32_min", reg.s32_min, reg.s32_min != reg.smin and reg.s32_min != c.S32_MIN),
        ("s32_max", reg.s32_max, reg.s32_max != reg.smax and reg.s32_max != c.S32_MAX),
        ("u32_min", s32(reg.u32_min), reg.u32_min != reg.umin and reg.u32_min != 0),
        ("u32_max", s32(reg.u32_max), reg.u32_max != reg.umax and reg.u32_max != c.U32_MAX),
    )
