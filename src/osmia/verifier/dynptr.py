"""Dynptrs as arguments of helpers, kernel functions and global functions.

(``process_dynptr_func`` and what the dynptr helpers do besides, kernel/bpf/verifier.c; Linux 6.18.)
"""

from __future__ import annotations

from errno import EACCES, EINVAL

from osmia.verifier import consts as c
from osmia.verifier.arg_names import arg_name, arg_spaced
from osmia.verifier.dynptr_slots import (
    BPF_DYNPTR_SIZE,
    arg_to_dynptr_type,
    destroy_if_dynptr_stack_slot,
    dynptr_get_spi,
    frame_of,
    get_dynptr_type_flag,
    is_dynptr_reg_valid_init,
    is_dynptr_reg_valid_uninit,
    is_dynptr_type_expected,
    known_dynptr,
    mark_dynptr_cb_reg,
    mark_dynptr_read,
    mark_dynptr_reg,
    mark_stack_slots_dynptr,
    stack_slot_obj_get_spi,
    unmark_stack_slots_dynptr,
)
from osmia.verifier.env import Env
from osmia.verifier.memory import check_mem_access
from osmia.verifier.regs import Reg
from osmia.verifier.text import dynptr_type_str, reg_type_str

__all__ = [
    "BPF_DYNPTR_SIZE",
    "arg_to_dynptr_type",
    "check_dynptr_data_source",
    "check_dynptr_release",
    "destroy_if_dynptr_stack_slot",
    "dynptr_get_spi",
    "get_dynptr_type_flag",
    "is_dynptr_reg_valid_init",
    "is_dynptr_reg_valid_uninit",
    "is_dynptr_type_expected",
    "known_dynptr",
    "mark_dynptr_cb_reg",
    "mark_dynptr_read",
    "mark_dynptr_reg",
    "mark_stack_slots_dynptr",
    "process_dynptr_func",
    "stack_slot_obj_get_spi",
    "unmark_stack_slots_dynptr",
]


def process_dynptr_func(env: Env, regno: int, insn_idx: int, flags: int, clone_ref_obj_id: int = 0) -> None:
    """R``regno`` as an argument ARG_PTR_TO_DYNPTR with ``flags``.  Raises Rejected.

    MEM_UNINIT: a dynptr is made there.  MEM_RDONLY: it must be one, and stays as it is.  Neither: it may be changed,
    so the kernel's constant ones won't do.
    """
    reg = env.state.regs()[regno]
    if reg.type != c.PTR_TO_STACK and reg.type != c.CONST_PTR_TO_DYNPTR:
        text = f"{arg_name(env, regno - 1)} expected pointer to stack or const struct bpf_dynptr\n"
        raise env.reject(EINVAL, "dynptr-argument", text, reg=regno)
    if flags & c.MEM_UNINIT:
        if not is_dynptr_reg_valid_uninit(env, reg):
            text = "Dynptr has to be an uninitialized dynptr\n"
            raise env.reject(EINVAL, "dynptr-initialized", text, reg=regno)
        for at in range(0, BPF_DYNPTR_SIZE, 8):
            check_mem_access(env, insn_idx, regno, at, 8, c.BPF_WRITE, -1, False, False)
        mark_stack_slots_dynptr(env, reg, flags, insn_idx, clone_ref_obj_id)
        return
    if reg.type == c.CONST_PTR_TO_DYNPTR and not flags & c.MEM_RDONLY:
        text = "cannot pass pointer to const bpf_dynptr, the helper mutates it\n"
        raise env.reject(EINVAL, "dynptr-const", text, reg=regno)
    if not is_dynptr_reg_valid_init(env, reg):
        text = f"Expected an initialized dynptr as {arg_spaced(env, regno - 1)}\n"
        raise env.reject(EINVAL, "dynptr-uninitialized", text, reg=regno)
    if not is_dynptr_type_expected(env, reg, flags):
        wanted = dynptr_type_str(arg_to_dynptr_type(flags))
        text = f"Expected a dynptr of type {wanted} as {arg_spaced(env, regno - 1)}\n"
        raise env.reject(EINVAL, "dynptr-type", text, reg=regno, expected=wanted)
    mark_dynptr_read(env, reg)


def check_dynptr_release(env: Env, regno: int, reg: Reg) -> None:
    """A helper gives the dynptr back: it must lie on the stack and hold a reference.  Raises Rejected."""
    if reg.type != c.PTR_TO_STACK:
        text = "cannot release unowned const bpf_dynptr\n"
        raise env.reject(EINVAL, "dynptr-const", text, reg=regno)
    spi = dynptr_get_spi(env, reg)
    if spi < 0 or not frame_of(env, reg).stack[spi].spilled.ref_obj_id:
        text = f"arg {regno} is an unacquired reference\n"
        raise env.reject(EINVAL, "release-unreferenced", text, reg=regno)


def check_dynptr_data_source(env: Env) -> None:
    """bpf_dynptr_from_mem takes memory of map values only.  Raises Rejected."""
    reg = env.state.regs()[1]
    if reg.type != c.PTR_TO_MAP_VALUE:
        found = reg_type_str(reg.type)
        text = f"Unsupported reg type {found} for bpf_dynptr_from_mem data\n"
        raise env.reject(EACCES, "dynptr-memory", text, reg=1, found=found)
