"""Ranges of the stack: do they lie within it, and may all of their bytes be read or overwritten by a helper?

Source: ``check_stack_access_within_bounds`` and ``check_stack_range_initialized``, kernel/bpf/verifier.c of Linux 6.18.
"""

from __future__ import annotations

from errno import EACCES, EFAULT, EINVAL
from typing import Any

try:
    import cython
except ImportError:
    from osmia._cy import cython


if not cython.compiled:
    from osmia.verifier.consts import (
        BPF_MAX_VAR_OFF,
        BPF_READ,
        MAX_BPF_STACK,
        SCALAR_VALUE,
        STACK_DYNPTR,
        STACK_INVALID,
        STACK_MISC,
        STACK_SPILL,
        STACK_ZERO,
    )  # fmt: skip
    from osmia.verifier.env import Env
    from osmia.verifier.live_stack import mark_stack_read
    from osmia.verifier.loaded import any_scalar
    from osmia.verifier.regs import Reg
    from osmia.verifier.slots import grow_stack_state, make_slot, scrubbed, slot_bit
    from osmia.verifier.state import Frame
    from osmia.words import s32

M64 = 0xFFFFFFFFFFFFFFFF
_LOW_BYTE = 0xFF
_MISC8 = 0x0202020202020202
INDIRECT = 3
"""By a helper, when prototypes do not say whether it reads or writes: so it does both."""
HOW = ("", " read from", " write to", " indirect access to")
"""What messages call BPF_READ, BPF_WRITE and INDIRECT."""


def check_stack_access_within_bounds(env: Env, regno: int, off: int, access_size: int, type: int) -> None:
    """Does an access of ``access_size`` bytes at R``regno`` + ``off`` (fixed offset included) stay in the stack?

    Makes the frame as deep as the access needs.  ``type`` is BPF_READ, BPF_WRITE or INDIRECT.  Raises Rejected.
    """
    regs = env.state.regs()
    reg = regs[regno]
    frame = env.state.frames[reg.frameno]
    if reg.mask == 0:
        min_off = reg.smin + off
        max_off = min_off + access_size
    else:
        if reg.smax >= BPF_MAX_VAR_OFF or reg.smin <= -BPF_MAX_VAR_OFF:
            text = f"invalid unbounded variable-offset{HOW[type]} stack R{regno}\n"
            raise env.reject(EACCES, "stack-unbounded", text, reg=regno)
        min_off = reg.smin + off
        max_off = reg.smax + off + access_size
    lowest = -MAX_BPF_STACK
    if type == BPF_READ and min_off < -8 * len(frame.stack) and not _reads_grow(env):
        lowest = -8 * len(frame.stack)
    if min_off < lowest or min_off > -1:
        raise _out_of_stack(env, EACCES, regno, reg, off, access_size, type)
    if max_off > 0:
        raise _out_of_stack(env, EINVAL, regno, reg, off, access_size, type)
    if access_size < 0:
        raise _out_of_stack(env, EFAULT, regno, reg, off, access_size, type)
    if type != INDIRECT or env.rules.stack_reads_grow:
        grow_stack_state(env, frame, -min_off)


def _reads_grow(env: Env) -> bool:
    """May reads go deeper than anything before?"""
    return env.allow_uninit_stack and bool(env.rules.stack_reads_grow)


def _out_of_stack(env: Env, errno: int, regno: int, reg: Reg, off: int, size: int, type: int) -> Any:
    extra = HOW[type]
    if reg.mask == 0:
        if env.rules.offset_in_var_off:
            off += reg.smin
        return env.reject(errno, "stack-bounds", f"invalid{extra} stack R{regno} off={off} size={size}\n", reg=regno)
    tnum = env.tnum_str(reg.value, reg.mask)
    shown = f"off={off} size={size}" if env.rules.stack_offset_told else f"size={size}"
    text = f"invalid variable-offset{extra} stack R{regno} var_off={tnum} {shown}\n"
    return env.reject(errno, "stack-bounds", text, reg=regno)


def check_stack_range_initialized(
    env: Env, regno: int, off: int, access_size: int, zero_size_allowed: bool, type: int, meta: Any
) -> None:
    """May ``access_size`` bytes at R``regno`` + ``off`` be read (or, for BPF_WRITE, overwritten) by a helper?

    INDIRECT stands for a helper of which nobody knows whether it reads or writes.  With ``meta.raw_mode`` the bytes
    need not be initialised: ``meta`` notes size and register, and the caller writes them.  ``meta`` may be None.
    Raises Rejected.
    """
    regs = env.state.regs()
    reg = regs[regno]
    frame = env.state.frames[reg.frameno]
    if access_size == 0 and not zero_size_allowed:
        raise env.reject(EACCES, "zero-size", "invalid zero-sized read\n", reg=regno)
    check_stack_access_within_bounds(env, regno, off, access_size, type)
    raw = meta is not None and meta.raw_mode
    if reg.mask == 0:
        min_off = max_off = s32((reg.value + off) & M64)
    else:
        if not env.bypass_spec_v1:
            tnum = env.tnum_str(reg.value, reg.mask)
            how = " indirect" if type == INDIRECT else ""
            text = f"R{regno}{how} variable offset stack access prohibited for !root, var_off={tnum}\n"
            raise env.reject(EACCES, "stack-var-off-unpriv", text, reg=regno)
        raw = False
        min_off = s32((reg.smin + off) & M64)
        max_off = s32((reg.smax + off) & M64)
    if raw:
        if env.rules.dynptr_ids:
            _check_no_dynptr(env, frame, min_off, max_off + access_size)
        meta.access_size = access_size
        meta.regno = regno
        return
    at = min_off
    while at < max_off + access_size:
        at = _check_slot(env, frame, reg, regno, min_off, at, max_off + access_size, access_size, type)


def _check_no_dynptr(env: Env, frame: Frame, min_off: int, end: int) -> None:
    depth = len(frame.stack)
    for i in range(min_off, end):
        spi = (-i - 1) >> 3
        if spi >= depth:
            continue
        slot = frame.stack[spi]
        if (slot.types >> 56) == STACK_DYNPTR:
            raise env.reject(EACCES, "stack-dynptr", f"potential write to dynptr at off={i} disallowed\n")


def _check_slot(
    env: Env, frame: Frame, reg: Reg, regno: int, min_off: int, at: int, end: int, size: int, type: int
) -> int:
    """The bytes of the range from ``at`` on that lie in one slot; answers where the next slot starts."""
    clobber = type != BPF_READ
    spi = (-at - 1) >> 3
    if spi >= len(frame.stack):
        raise _unreadable(env, reg, regno, min_off, at - min_off, size, type)
    slot = frame.stack[spi]
    stop = -8 * spi
    if stop > end:
        stop = end
    for i in range(at, stop):
        shift = 8 * (i & 7)
        kind = slot.types >> shift & 0xFF
        if kind == STACK_MISC:
            continue
        if kind == STACK_ZERO or (kind == STACK_INVALID and env.allow_uninit_stack and env.rules.uninit_stack_reads):
            if clobber:
                byte = _LOW_BYTE << shift
                slot = make_slot((slot.types & (M64 ^ byte)) | (_MISC8 & byte), slot.spilled)
            continue
        spilled = slot.spilled
        if (slot.types & 0xFF) == STACK_SPILL and (spilled.type == SCALAR_VALUE or env.allow_ptr_leaks):
            if clobber:
                slot = make_slot(scrubbed(slot.types), any_scalar(env))
            continue
        raise _unreadable(env, reg, regno, min_off, i - min_off, size, type)
    frame.stack[spi] = slot
    mark_stack_read(env, reg.frameno, env.insn_idx, slot_bit(spi))
    return stop


def _unreadable(env: Env, reg: Reg, regno: int, min_off: int, at: int, size: int, type: int) -> Any:
    how = " indirect" if type == INDIRECT else ""
    if reg.mask == 0:
        text = f"invalid{how} read from stack R{regno} off {min_off}+{at} size {size}\n"
    else:
        text = f"invalid{how} read from stack R{regno} var_off {env.tnum_str(reg.value, reg.mask)}+{at} size {size}\n"
    return env.reject(EACCES, "stack-read", text, reg=regno)
