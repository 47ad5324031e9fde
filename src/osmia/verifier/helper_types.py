"""Which registers an argument takes: by type, by fixed and variable offset, and BTF pointers by their struct.

(``check_reg_type``, ``check_func_arg_reg_off``, ``btf_struct_ids_match``; Linux 6.18.)
"""

from __future__ import annotations

from errno import EACCES, EFAULT, EINVAL

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.btf import Struct
from osmia.verifier import consts as c
from osmia.verifier.helper_proto import func_id_name
from osmia.verifier.kernel_types import kernel_btf
from osmia.verifier.kptrs import check_match
from osmia.verifier.text import btf_type_name
from osmia.words import s64

if not cython.compiled:
    from osmia.verifier.call_meta import CallMeta
    from osmia.verifier.consts import (
        ARG_PTR_TO_BTF_ID_SOCK_COMMON,
        ARG_PTR_TO_DYNPTR,
        ARG_PTR_TO_MEM,
        BASE_TYPE_MASK,
        MEM_ALLOC,
        MEM_PERCPU,
        MEM_RDONLY,
        MEM_RINGBUF,
        OBJ_RELEASE,
        PTR_MAYBE_NULL,
        PTR_TO_ARENA,
        PTR_TO_BTF_ID,
        PTR_TO_BUF,
        PTR_TO_MAP_KEY,
        PTR_TO_MAP_VALUE,
        PTR_TO_MEM,
        PTR_TO_PACKET,
        PTR_TO_PACKET_META,
        PTR_TO_STACK,
        SCALAR_VALUE,
    )  # fmt: skip
    from osmia.verifier.env import Env
    from osmia.verifier.regions import check_ptr_off_reg_fixed
    from osmia.verifier.regs import Reg

_BTF = c.PTR_TO_BTF_ID
_SOCKETS = (c.PTR_TO_SOCK_COMMON, c.PTR_TO_SOCKET, c.PTR_TO_TCP_SOCK, c.PTR_TO_XDP_SOCK)
_MEM = (
    *(c.PTR_TO_STACK, c.PTR_TO_PACKET, c.PTR_TO_PACKET_META, c.PTR_TO_MAP_KEY, c.PTR_TO_MAP_VALUE, c.PTR_TO_MEM),
    *(c.PTR_TO_MEM | c.MEM_RINGBUF, c.PTR_TO_BUF, _BTF | c.PTR_TRUSTED),
)
_PERCPU = _BTF | c.MEM_PERCPU
_PERCPUS = frozenset((_PERCPU, _PERCPU | c.MEM_RCU, _PERCPU | c.PTR_TRUSTED))
_STRUCTS = frozenset(
    flags | null
    for flags in (_BTF, _BTF | c.PTR_TRUSTED, _BTF | c.MEM_RCU)
    for null in (0, c.PTR_MAYBE_NULL)
)  # fmt: skip
"""BTF pointers that lead to a struct of the kernel's."""

COMPATIBLE: dict[int, tuple[int, ...]] = {
    c.ARG_PTR_TO_MAP_KEY: _MEM,
    c.ARG_PTR_TO_MAP_VALUE: _MEM,
    c.ARG_PTR_TO_MEM: _MEM,
    c.ARG_CONST_SIZE: (c.SCALAR_VALUE,),
    c.ARG_CONST_SIZE_OR_ZERO: (c.SCALAR_VALUE,),
    c.ARG_CONST_ALLOC_SIZE_OR_ZERO: (c.SCALAR_VALUE,),
    c.ARG_CONST_MAP_PTR: (c.CONST_PTR_TO_MAP,),
    c.ARG_PTR_TO_CTX: (c.PTR_TO_CTX,),
    c.ARG_PTR_TO_SOCK_COMMON: _SOCKETS,
    c.ARG_PTR_TO_BTF_ID_SOCK_COMMON: (*_SOCKETS, _BTF, _BTF | c.PTR_TRUSTED),
    c.ARG_PTR_TO_SOCKET: (c.PTR_TO_SOCKET,),
    c.ARG_PTR_TO_BTF_ID: (_BTF, _BTF | c.PTR_TRUSTED, _BTF | c.MEM_RCU),
    c.ARG_PTR_TO_SPIN_LOCK: (c.PTR_TO_MAP_VALUE, _BTF | c.MEM_ALLOC),
    c.ARG_PTR_TO_RINGBUF_MEM: (c.PTR_TO_MEM | c.MEM_RINGBUF,),
    c.ARG_PTR_TO_PERCPU_BTF_ID: (_PERCPU, _PERCPU | c.MEM_RCU, _PERCPU | c.PTR_TRUSTED),
    c.ARG_PTR_TO_FUNC: (c.PTR_TO_FUNC,),
    c.ARG_PTR_TO_STACK: (c.PTR_TO_STACK,),
    c.ARG_PTR_TO_CONST_STR: (c.PTR_TO_MAP_VALUE,),
    c.ARG_PTR_TO_TIMER: (c.PTR_TO_MAP_VALUE,),
    c.ARG_KPTR_XCHG_DEST: (c.PTR_TO_MAP_VALUE, _BTF | c.MEM_ALLOC),
    c.ARG_PTR_TO_DYNPTR: (c.PTR_TO_STACK, c.CONST_PTR_TO_DYNPTR),
}
"""The register types that an argument takes, flags that do not matter left out."""

_EARLY_MEM = _MEM[:-1]
EARLY: dict[int, tuple[int, ...]] = {
    c.ARG_PTR_TO_MAP_KEY: _MEM[:5],
    c.ARG_PTR_TO_MAP_VALUE: _MEM[:5],
    c.ARG_PTR_TO_MEM: _EARLY_MEM,
    c.ARG_PTR_TO_BTF_ID_SOCK_COMMON: (*_SOCKETS, _BTF),
    c.ARG_PTR_TO_BTF_ID: (_BTF,),
    c.ARG_PTR_TO_SPIN_LOCK: (c.PTR_TO_MAP_VALUE,),
    c.ARG_PTR_TO_PERCPU_BTF_ID: (_PERCPU,),
    c.ARG_KPTR_XCHG_DEST: (c.PTR_TO_MAP_VALUE,),
}
"""What they took before pointers to the kernel's types were trusted or not."""

_POINTERS = (c.PTR_TO_STACK, c.PTR_TO_PACKET, c.PTR_TO_PACKET_META, c.PTR_TO_MAP_VALUE)
FIXED_MEM = -1
_PLAIN_MEM = (*_POINTERS, c.PTR_TO_MEM, c.PTR_TO_BUF | c.MEM_RDONLY, c.PTR_TO_BUF)
PLAIN: dict[int, tuple[int, ...]] = {
    c.ARG_PTR_TO_MAP_KEY: _POINTERS,
    c.ARG_PTR_TO_MAP_VALUE: _POINTERS,
    c.ARG_PTR_TO_MEM: _PLAIN_MEM,
    FIXED_MEM: _POINTERS,
    c.ARG_PTR_TO_BTF_ID_SOCK_COMMON: (*_SOCKETS, _BTF),
    c.ARG_PTR_TO_BTF_ID: (_BTF,),
    c.ARG_PTR_TO_SPIN_LOCK: (c.PTR_TO_MAP_VALUE,),
    c.ARG_PTR_TO_RINGBUF_MEM: (c.PTR_TO_MEM,),
    c.ARG_PTR_TO_PERCPU_BTF_ID: (_PERCPU,),
}
"""What they took before types had flags."""

DYNPTR_TYPES = (
    c.DYNPTR_TYPE_LOCAL | c.DYNPTR_TYPE_RINGBUF | c.DYNPTR_TYPE_SKB | c.DYNPTR_TYPE_XDP | c.DYNPTR_TYPE_SKB_META
)
NO_DYNPTR_TYPE = 0xFFFFFFFF ^ DYNPTR_TYPES
KNOWN_BEFORE_FLAGS = c.BASE_TYPE_MASK | c.PTR_MAYBE_NULL | c.MEM_RDONLY | c.MEM_PERCPU
SK_RELEASE, KPTR_XCHG = 86, 194


def check_reg_type(env: Env, regno: int, base: int, flags: int, struct: str, meta: CallMeta) -> None:
    """Is the register of a type that the argument (``base``, ``flags``) takes?  ``struct``: behind a BTF pointer.

    Raises Rejected.
    """
    regs = env.state.regs()
    reg = regs[regno]
    type = reg.type
    if flags & MEM_RDONLY and env.rules.type_flags:
        type &= MEM_RDONLY ^ 0xFFFFFFFF
    if flags & PTR_MAYBE_NULL and env.rules.type_flags:
        type &= PTR_MAYBE_NULL ^ 0xFFFFFFFF
    if base == ARG_PTR_TO_MEM:
        type &= NO_DYNPTR_TYPE
    if meta.func_id == KPTR_XCHG and regno == 2 and type & MEM_ALLOC:
        type &= (MEM_ALLOC | MEM_PERCPU) ^ 0xFFFFFFFF
    types = COMPATIBLE[base]
    if not env.rules.trusted_pointers:
        types = EARLY.get(base, types)
    if not env.rules.type_flags:
        types = PLAIN.get(FIXED_MEM if base == ARG_PTR_TO_MEM and flags & c.MEM_FIXED_SIZE else base, types)
        type &= KNOWN_BEFORE_FLAGS
    if type not in types:
        expected = ", ".join([env.type_str(t) for t in types])
        text = f"R{regno} type={env.type_str(reg.type)} expected={expected}\n"
        raise env.reject(EACCES, "argument-type", text, reg=regno, expected=types, found=reg.type)
    if (reg.type & BASE_TYPE_MASK) == PTR_TO_BTF_ID:
        _check_btf_reg(env, regno, reg, base, flags, struct, meta)


def _check_btf_reg(env: Env, regno: int, reg: Reg, base: int, flags: int, struct: str, meta: CallMeta) -> None:
    """A BTF pointer: memory may be read through it, else its struct must be the right one."""
    if COMPATIBLE[base] is _MEM:
        if not flags & MEM_RDONLY:
            found = env.type_str(reg.type)
            text = f"{func_id_name(meta.func_id)}() may write into memory pointed by R{regno} type={found}\n"
            raise env.reject(EACCES, "argument-read-only", text, reg=regno)
        return
    if reg.type in _PERCPUS:
        return  # what is behind it is for the helper to judge
    if reg.type == _BTF | MEM_ALLOC or reg.type == _PERCPU | MEM_ALLOC:
        if meta.func_id == KPTR_XCHG and regno == 2:
            check_match(env, meta.kptr_field, reg, regno, EACCES)
        return
    if reg.type not in _STRUCTS:
        text = "verifier bug: invalid PTR_TO_BTF_ID register for type match\n"
        raise env.reject(EFAULT, "argument-struct", text, reg=regno)
    if reg.type & PTR_MAYBE_NULL and (not flags & PTR_MAYBE_NULL or flags & OBJ_RELEASE):
        text = f"Possibly NULL pointer passed to helper arg{regno}\n"
        raise env.reject(EACCES, "argument-maybe-null", text, reg=regno)
    if meta.func_id == KPTR_XCHG:
        check_match(env, meta.kptr_field, reg, regno, EACCES)
        return
    wanted = "sock_common" if base == ARG_PTR_TO_BTF_ID_SOCK_COMMON else struct
    wanted_id = meta.btf_id or kernel_btf(env).find(wanted, Struct) or 0
    strict = bool(flags & OBJ_RELEASE) and meta.func_id != SK_RELEASE
    if not btf_struct_ids_match(env, reg, wanted_id, strict):
        found = btf_type_name(reg.btf, reg.btf_id)
        text = f"R{regno} is of type {found} but {wanted} is expected\n"
        raise env.reject(EACCES, "argument-struct", text, reg=regno, expected=wanted, found=found)


def btf_struct_ids_match(env: Env, reg: Reg, wanted: int, strict: bool) -> bool:
    """Does the pointer lead to the kernel's type ``wanted``, or to a struct that starts with it (unless ``strict``)?"""
    from osmia.verifier.kfunc_types import struct_ids_match  # which needs the helpers' arguments

    ours = reg.btf is env.vmlinux  # a struct of the program's own is none of the kernel's
    return struct_ids_match(env, reg.btf, reg.btf_id, reg.off + s64(reg.value), wanted if ours else 0, strict)


def check_func_arg_reg_off(env: Env, reg: Reg, regno: int, base: int, flags: int) -> None:
    """May the pointer have the offset it has?  What a helper releases must be the object's start.  Raises Rejected."""
    type = reg.type
    if flags & OBJ_RELEASE:
        if base == ARG_PTR_TO_DYNPTR and type == PTR_TO_STACK:
            return
        if reg.off or (reg.value and env.rules.offset_in_var_off):
            text = f"R{regno} must have zero offset when passed to release func or trusted arg to kfunc\n"
            raise env.reject(EINVAL, "release-offset", text, reg=regno)
        check_ptr_off_reg_fixed(env, reg, regno, False)
        return
    if (
        type == SCALAR_VALUE or type == PTR_TO_STACK or type == PTR_TO_MAP_VALUE or type == PTR_TO_PACKET
        or type == PTR_TO_PACKET_META or type == PTR_TO_MAP_KEY or type == PTR_TO_MEM
        or type == (PTR_TO_MEM | MEM_RDONLY) or type == (PTR_TO_MEM | MEM_RINGBUF)
        or type == PTR_TO_BUF or type == (PTR_TO_BUF | MEM_RDONLY) or type == PTR_TO_ARENA
    ):  # fmt: skip
        return
    check_ptr_off_reg_fixed(env, reg, regno, type in BTF_WITH_OFFSET)


BTF_WITH_OFFSET = frozenset(
    (
        *(_BTF, _BTF | c.MEM_ALLOC, _BTF | c.PTR_TRUSTED, _BTF | c.MEM_RCU),
        *(_BTF | c.MEM_ALLOC | c.NON_OWN_REF, _BTF | c.MEM_ALLOC | c.NON_OWN_REF | c.MEM_RCU),
    )
)
"""BTF pointers that may point into their struct."""
