"""Small things every rule does to registers: is it readable, forget what it held, remember to print it.

(``check_reg_arg``, ``mark_reg_unknown`` and neighbours in kernel/bpf/verifier.c, Linux 6.18.)
"""

from __future__ import annotations

from errno import EACCES, EINVAL

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.verifier.live_marks import mark_reg_arg

if not cython.compiled:
    from osmia.verifier.consts import MAX_BPF_REG, NOT_INIT, U64_MAX
    from osmia.verifier.env import Env
    from osmia.verifier.regs import Reg, not_init, unknown_value

SRC_OP, DST_OP, DST_OP_NO_MARK = 0, 1, 2

UNKNOWN = unknown_value(False)
UNKNOWN_PRECISE = unknown_value(True)
UNREADABLE = not_init()


def check_reg_arg(env: Env, regno: int, t: int) -> None:
    """May the instruction read (SRC_OP) or write register ``regno`` of the innermost frame?  DST_OP forgets its value.

    Raises Rejected.
    """
    check_frame_reg_arg(env, env.state.regs(), regno, t)


def check_frame_reg_arg(env: Env, regs: list[Reg], regno: int, t: int) -> None:
    """The same for the registers of any frame."""
    if regno >= MAX_BPF_REG:
        raise env.reject(EINVAL, "bad-register", f"R{regno} is invalid\n", reg=regno)
    env.scratched_regs |= 1 << regno
    reg = regs[regno]
    if t == 0:
        if reg.type == NOT_INIT:
            raise env.reject(EACCES, "uninit-register", f"R{regno} !read_ok\n", reg=regno)
    elif regno == 10:
        raise env.reject(EACCES, "frame-pointer-write", "frame pointer is read only\n", reg=regno)
    elif t == 1:
        mark_reg_unknown(env, regs, regno)
    if env.live_stack is None:
        mark_reg_arg(env, regno, reg, t)


def mark_reg_unknown(env: Env, regs: list[Reg], regno: int) -> None:
    """The register becomes a scalar that may be anything."""
    regs[regno] = UNKNOWN if env.bpf_capable else UNKNOWN_PRECISE


def unknown_scalar(env: Env) -> Reg:
    """A scalar of this loader that may be anything, to be changed."""
    return unknown_value(not env.bpf_capable)


def mark_reg_not_init(env: Env, regs: list[Reg], regno: int) -> None:
    """The register may not be read any more."""
    regs[regno] = UNREADABLE


def mark_reg_known_zero(env: Env, regs: list[Reg], regno: int) -> None:
    """Keep the register's type, forget ids and what came with it; value or variable offset is 0."""
    reg = regs[regno]
    regs[regno] = known_zero_of(reg)


def known_zero_of(reg: Reg) -> Reg:
    """A fresh register of the same type (and frame), at offset 0, without ids."""
    new = Reg(reg.type)
    new.frameno, new.subreg_def, new.precise = reg.frameno, reg.subreg_def, reg.precise
    return new


def mark_reg_scratched(env: Env, regno: int) -> None:
    """The next state line shows the register."""
    env.scratched_regs |= 1 << regno


def mark_stack_slot_scratched(env: Env, spi: int) -> None:
    """The next state line shows the stack slot."""
    bit = 1
    env.scratched_stack_slots |= bit << (spi & 63)


def mark_verifier_state_scratched(env: Env) -> None:
    """The next state line shows everything."""
    env.scratched_regs = U64_MAX
    env.scratched_stack_slots = U64_MAX


def next_id(env: Env) -> int:
    """A register id that nobody has."""
    env.id_gen += 1
    return env.id_gen
