"""The state of a path as the log shows it: ``R1=ctx() R10=fp0 fp-8=mmmm0000 refs=2``.

A line shows what was scratched since the last one, or with ``print_all`` everything (kernel/bpf/log.c of Linux 6.18).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.verifier.live_marks import mark_text
from osmia.verifier.printing_plain import plain_state_text
from osmia.verifier.printing_whole import whole_state_text
from osmia.verifier.text import (
    btf_type_name,
    dynptr_type_str,
    iter_state_str,
    iter_type_str,
    reg_type_str,
    snum,
    tnum_strn,
    unum,
)  # fmt: skip

if not cython.compiled:
    from osmia.verifier.consts import (  # noqa: I001
        BASE_TYPE_MASK, BPF_ADD_CONST, BPF_ADD_CONST32, CONST_PTR_TO_DYNPTR, CONST_PTR_TO_MAP, MAX_BPF_REG,
        MEM_ALLOC, NON_OWN_REF, NOT_INIT, PTR_TO_ARENA, PTR_TO_BTF_ID, PTR_TO_MAP_KEY, PTR_TO_MAP_VALUE,
        PTR_TO_MEM, PTR_TO_PACKET, PTR_TO_PACKET_META,
        PTR_TO_STACK, S32_MAX, S32_MIN, S64_MAX, S64_MIN, SCALAR_VALUE, STACK_DYNPTR,
        STACK_ITER, STACK_MISC, STACK_SPILL, U32_MAX, U64_MAX,
    )  # fmt: skip
    from osmia.words import s64

if TYPE_CHECKING:
    from osmia.verifier.env import Env
    from osmia.verifier.regs import Reg
    from osmia.verifier.state import Frame, Slot, State

EACH_BYTE = 0x0101010101010101
SLOT_CHARS = "?rm0dif"
"""The kinds of a stack byte, by their numbers."""
REG_HEADS = tuple(f" R{number}=" for number in range(11))
SLOT_HEADS = tuple(f" fp{-8 * (number + 1)}=" for number in range(64))
BLANKS = tuple(" " * count + ";" for count in range(40))
COLUMN = 40
"""Where the state stands behind an instruction, unless that is longer; then at the next multiple of 8."""


def print_verifier_state(env: Env, state: State, frameno: int, print_all: bool) -> None:
    """The rest of a line: registers, stack slots, references and modes of a frame.  What it showed is clean again."""
    if env.log.level:
        if env.rules.state_behind_insn:
            env.log.write(state_text(env, state, frameno, print_all))
        else:
            env.log.write(whole_state_text(env, state, frameno))
    if not print_all:
        env.scratched_regs = env.scratched_stack_slots = 0


def print_insn_state(env: Env, state: State, frameno: int) -> None:
    """What an instruction changed: behind its text when that was the last thing said, else on a line of its own.

    Before 5.17 the next instruction shows it, unless the log keeps to the lines of level 1.
    """
    if not env.rules.state_behind_insn:
        return
    if env.prev_log_pos and env.prev_log_pos == env.log.end_pos:
        env.log.reset(env.prev_log_pos - 1)
        env.log.write(BLANKS[alignment(env.prev_insn_print_pos)] + state_text(env, state, frameno, False))
    else:
        env.log.write(f"{env.insn_idx}:" + state_text(env, state, frameno, False))
    env.scratched_regs = env.scratched_stack_slots = 0


def alignment(pos: int) -> int:
    """How many blanks bring a line of ``pos`` bytes (its newline among them) to the column of the state."""
    column = pos + 4
    if column < COLUMN:
        column = COLUMN
    return (column + 7) // 8 * 8 - pos - 1


def state_text(env: Env, state: State, frameno: int, print_all: bool) -> str:
    """What ``print_verifier_state`` says, with its newline."""
    if not env.rules.short_numbers:
        return plain_state_text(env, state, frameno, print_all)
    frame = state.frames[frameno]
    parts: list[str] = []
    if frame.frameno:
        parts.append(f" frame{frame.frameno}:")
    for i in range(MAX_BPF_REG):
        reg = frame.regs[i]
        if reg.type != NOT_INIT and (print_all or env.scratched_regs >> i & 1):
            parts.append(REG_HEADS[i] if frame.marks is None else marked_head(frame, i))
            parts.append(reg_text(env, reg, frame.frameno))
    _add_slots(parts, env, frame, print_all)
    _add_modes(parts, frame, state)
    return "".join(parts)


def marked_head(frame: Frame, regno: int) -> str:
    """`` R1_rw=``: what kernels that mark on states what is read and written show of it."""
    return f" R{regno}{mark_text(frame.marks.regs[regno] if regno < 10 else 0)}="


def _add_slots(parts: list[str], env: Env, frame: Frame, print_all: bool) -> None:
    i = 0
    count = len(frame.stack)
    while i < count:
        slot = frame.stack[i]
        if slot.types and (print_all or env.scratched_stack_slots >> i & 1):
            if slot.types & 0xFF == STACK_DYNPTR:  # the second of the two slots is the main one
                i += 1
                slot = frame.stack[i]
            at = len(parts)
            add_slot(parts, env, slot, i, frame.frameno)
            if frame.marks is not None and len(parts) > at:
                parts[at] = parts[at][:-1] + mark_text(frame.marks.slot(i)) + "="
            if frame.dead and env.rules.poison_shown:
                show_dead(parts, at, slot.types, frame.dead >> 2 * i & 3)
        i += 1


def add_slot(parts: list[str], env: Env, slot: Slot, i: int, frameno: int) -> None:
    """One stack slot by its lowest byte: a spilled register, an object, or eight kinds of bytes."""
    kind, reg = slot.types & 0xFF, slot.spilled
    if kind == STACK_ITER and not reg.ref_obj_id:  # one of the iterator's other slots
        return
    parts.append(SLOT_HEADS[i])
    if kind == STACK_SPILL:
        if slot.types != STACK_SPILL * EACH_BYTE:
            parts.append(byte_kinds(slot.types).partition("r")[0])
        parts.append(reg_text(env, reg, frameno))
    elif kind == STACK_DYNPTR:
        ids = (("id", reg.id), ("ref_id", reg.ref_obj_id), ("dynptr_id", reg.dynptr_id))
        if env.rules.objects_by_parent:
            ids = (("id", reg.id), ("parent_id", reg.ref_obj_id), ("", 0))
        parts.append(f"dynptr_{dynptr_type_str(reg.dynptr_type)}({','.join([f'{k}={v}' for k, v in ids if v])})")
    elif kind == STACK_ITER:
        name, state = iter_type_str(reg.btf or env.vmlinux, reg.btf_id), iter_state_str(reg.iter_state)
        ref = "id" if env.rules.objects_by_parent else "ref_id"
        parts.append(f"iter_{name}({ref}={reg.ref_obj_id},state={state},depth={reg.iter_depth})")
    else:
        parts.append(byte_kinds(slot.types))


def show_dead(parts: list[str], at: int, types: int, dead: int) -> None:
    """Mark the untouched bytes of a slot, whose text begins at ``parts[at]``, that were given up in its dead halves."""
    untouched = [not types >> shift & 0xFF and bool(dead >> (shift < 32) & 1) for shift in range(56, -8, -8)]
    if any(untouched) and len(parts) > at + 1:
        text = parts[at + 1]
        parts[at + 1] = "".join(["p" if untouched[i] else text[i] for i in range(min(8, len(text)))]) + text[8:]


def byte_kinds(types: int) -> str:
    """The kinds of eight bytes, the highest address first: ``mmmm0000``."""
    if types == STACK_MISC * EACH_BYTE:
        return "mmmmmmmm"
    return "".join([SLOT_CHARS[types >> shift & 0xFF] for shift in range(56, -8, -8)])


def _add_modes(parts: list[str], frame: Frame, state: State) -> None:
    if state.refs and state.refs[0].id:
        parts.append(" refs=" + ",".join([str(ref.id) for ref in state.refs if ref.id]))
    if frame.in_callback_fn:
        parts.append(" cb")
    if frame.in_async_callback_fn:
        parts.append(" async_cb")
    parts.append("\n")


def reg_text(env: Env, reg: Reg, frameno: int) -> str:
    """What is known of a register, as seen from a frame: ``P5``, ``scalar(id=1,umin=3)``, ``fp[0]-8``."""
    if reg.type == PTR_TO_STACK:
        return _stack_pointer(reg, frameno)
    text = reg.text
    if text is None:
        text = reg.text = _scalar(reg) if reg.type == SCALAR_VALUE else _pointer(env, reg)
    return text


def _scalar(reg: Reg) -> str:
    sign = "P" if reg.precise else ""
    return sign + (f"scalar({_attributes(reg)})" if reg.mask else _signed(reg.value))


def _stack_pointer(reg: Reg, frameno: int) -> str:
    name = "fp" if reg.frameno == frameno else f"fp[{reg.frameno}]"
    return name + (f"({_attributes(reg)})" if reg.mask else _signed((reg.value + reg.off) & U64_MAX))


def _pointer(env: Env, reg: Reg) -> str:
    name = reg_type_str(reg.type)
    if reg.type == PTR_TO_ARENA:
        return name
    if reg.type & BASE_TYPE_MASK == PTR_TO_BTF_ID:
        name += btf_type_name(reg.btf or env.vmlinux, reg.btf_id)
    text = f"{name}({_attributes(reg)})"
    if reg.ref_obj_id and env.rules.objects_by_parent:
        parent = reg.dynptr_id or reg.ref_obj_id
        shown = f"parent_id={parent}" if parent != reg.id else ""
        return text.replace(f"ref_obj_id={reg.ref_obj_id}", shown).replace(",,", ",").replace(",)", ")")
    return text


def _signed(value: int) -> str:
    return snum(s64(value))


def _attributes(reg: Reg) -> str:
    """The inside of the brackets."""
    parts: list[str] = []
    if reg.id:
        parts.append(f"id={reg.id & (BPF_ADD_CONST32 - 1)}" + (f"{reg.off:+d}" if reg.id & BPF_ADD_CONST else ""))
    if reg.ref_obj_id:
        parts.append(f"ref_obj_id={reg.ref_obj_id}")
    if reg.type != SCALAR_VALUE:
        _add_pointer(parts, reg)
    if reg.mask == 0:
        if reg.value:
            parts.append("imm=" + _signed(reg.value))
        return ",".join(parts)
    _add_ranges(parts, reg)
    if reg.mask != U64_MAX:
        parts.append("var_off=" + tnum_strn(reg.value, reg.mask))
    return ",".join(parts)


def _add_pointer(parts: list[str], reg: Reg) -> None:
    """What only pointers have."""
    base = reg.type & BASE_TYPE_MASK
    if base == PTR_TO_BTF_ID and reg.type & MEM_ALLOC and reg.type & NON_OWN_REF:
        parts.append("non_own_ref")
    if reg.map is not None and base in (CONST_PTR_TO_MAP, PTR_TO_MAP_VALUE, PTR_TO_MAP_KEY):
        if reg.map.name:
            parts.append(f"map={reg.map.name}")
        parts.append(f"ks={reg.map.key_size},vs={reg.map.value_size}")
    if reg.off:
        parts.append("off=" + snum(reg.off))
    if base in (PTR_TO_PACKET, PTR_TO_PACKET_META):
        parts.append("r=" + unum(reg.range & U64_MAX))
    if base == PTR_TO_MEM:
        parts.append("sz=" + unum(reg.mem_size))
    if reg.type == CONST_PTR_TO_DYNPTR:
        parts.append("type=" + dynptr_type_str(reg.dynptr_type))


def _add_ranges(parts: list[str], reg: Reg) -> None:
    """The bounds that say something, equal ones joined: ``smin=umin=3,smax=umax=0xffff``."""
    low = _joined(
        "min", reg.smin, reg.smin != S64_MIN, reg.umin, reg.umin != 0,
        reg.s32_min, reg.s32_min != S32_MIN, reg.u32_min, reg.u32_min != 0,
    )  # fmt: skip
    high = _joined(
        "max", reg.smax, reg.smax != S64_MAX, reg.umax, reg.umax != U64_MAX,
        reg.s32_max, reg.s32_max != S32_MAX, reg.u32_max, reg.u32_max != U32_MAX,
    )  # fmt: skip
    for text in (low[0], high[0], low[1], high[1], low[2], high[2], low[3], high[3]):
        if text:
            parts.append(text)


def _joined(
    end: str, s64: int, has_s64: bool, u64: int, has_u64: bool, s32: int, has_s32: bool, u32: int, has_u32: bool
) -> tuple[str, str, str, str]:
    """The lower or upper bounds in their four places; one that equals an earlier one stands with that.

    A 32-bit signed bound that prints in hexadecimal shows 32 bits, and is compared as it shows.
    """
    if not -0x8000 <= s32 <= 0x7FFF:
        s32 &= U32_MAX
    first = second = third = fourth = ""
    if has_s64:
        first = f"s{end}="
        if has_u64 and s64 >= 0 and s64 == u64:
            first, has_u64 = f"{first}u{end}=", False
        if has_s32 and s64 == s32:
            first, has_s32 = f"{first}s{end}32=", False
        if has_u32 and s64 == u32:
            first, has_u32 = f"{first}u{end}32=", False
        first += snum(s64)
    if has_u64:
        second = f"u{end}="
        if has_s32 and s32 >= 0 and s32 == u64:
            second, has_s32 = f"{second}s{end}32=", False
        if has_u32 and u64 == u32:
            second, has_u32 = f"{second}u{end}32=", False
        second += unum(u64)
    if has_s32:
        third = f"s{end}32="
        if has_u32 and s32 == u32:
            third, has_u32 = f"{third}u{end}32=", False
        third += snum(s32)
    if has_u32:
        fourth = f"u{end}32={unum(u32)}"
    return first, second, third, fourth
