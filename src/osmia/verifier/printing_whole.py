"""The state of a path as logs showed it before 5.17: all of it, in a line in front of each instruction.

``R0=inv(id=0,umax_value=15,var_off=(0x0; 0xf)) R1=ctx(id=0,off=0,imm=0) R10=fp0 fp-8_w=inv5 refs=2``: every register
says its id and offset, numbers are decimal, and marks say what was read and written since the last remembered state
(``print_verifier_state`` in kernel/bpf/verifier.c, Linux 5.10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from osmia.verifier import consts as c
from osmia.verifier.live_marks import mark_text, marks_of
from osmia.verifier.printing_plain import PACKETS, SLOT_CHARS, numbers
from osmia.verifier.slots import is_spilled_reg
from osmia.verifier.text import btf_type_name, plain_type_str
from osmia.words import s64

if TYPE_CHECKING:
    from osmia.verifier.env import Env
    from osmia.verifier.regs import Reg
    from osmia.verifier.state import Slot, State

REFERENCES = (c.PTR_TO_SOCKET, c.PTR_TO_TCP_SOCK, c.PTR_TO_MEM)
"""Types that may be references: their reference is shown even where there is none."""
MAPS = (c.CONST_PTR_TO_MAP, c.PTR_TO_MAP_VALUE)


def whole_state_text(env: Env, state: State, frameno: int) -> str:
    """The rest of a line: every register and stack slot of a frame, and the references."""
    frame = state.frames[frameno]
    marks = marks_of(frame)
    parts: list[str] = [f" frame{frame.frameno}:"] if frame.frameno else []
    for i in range(c.MAX_BPF_REG):
        reg = frame.regs[i]
        if reg.type != c.NOT_INIT:
            parts.append(f" R{i}{mark_text(marks.regs[i] if i < 10 else 0)}={reg_text(env, reg)}")
    for i, slot in enumerate(frame.stack):
        if slot.types:
            parts.append(f" fp{-8 * (i + 1)}{mark_text(marks.slot(i))}={slot_text(slot)}")
    held = [str(ref.id) for ref in state.refs if ref.type == c.REF_TYPE_PTR]
    if held:
        parts.append(" refs=" + ",".join(held))
    return "".join(parts) + "\n"


def reg_text(env: Env, reg: Reg) -> str:
    """What is known of a register: ``invP5``, ``pkt(id=1,off=8,r=0,umax_value=255,var_off=(0x0; 0xff))``."""
    name = plain_type_str(reg.type) + ("P" if reg.type == c.SCALAR_VALUE and reg.precise else "")
    if reg.type in (c.SCALAR_VALUE, c.PTR_TO_STACK) and reg.mask == 0:
        return f"{name}{s64((reg.value + reg.off) & c.U64_MAX)}"
    if reg.type & c.BASE_TYPE_MASK == c.PTR_TO_BTF_ID:
        name += btf_type_name(reg.btf or env.vmlinux, reg.btf_id)
    return f"{name}({','.join(_attributes(reg))})"


def slot_text(slot: Slot) -> str:
    """A spilled register by its type and, if it is known, its number; else eight kinds of bytes."""
    if not is_spilled_reg(slot):
        return "".join([SLOT_CHARS[slot.types >> shift & 0xFF] for shift in range(56, -8, -8)])
    reg = slot.spilled
    if reg.type != c.SCALAR_VALUE:
        return plain_type_str(reg.type)
    number = str(s64(reg.value)) if reg.mask == 0 else ""
    return f"inv{'P' if reg.precise else ''}{number}"


def _attributes(reg: Reg) -> list[str]:
    base = reg.type & c.BASE_TYPE_MASK
    parts = [f"id={reg.id}"]
    if base in REFERENCES:
        parts.append(f"ref_obj_id={reg.ref_obj_id}")
    if reg.type != c.SCALAR_VALUE:
        parts.append(f"off={reg.off}")
    if base in PACKETS:
        parts.append(f"r={reg.range}")
    elif base in MAPS and reg.map is not None:
        parts.append(f"ks={reg.map.key_size},vs={reg.map.value_size}")
    return parts + numbers(reg, "_value")
