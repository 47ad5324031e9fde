"""The context: which of its fields a program may read and write, and what they are.

The fields stand in the kernel's profile (``osmia.kernel.profile``); what an access means is looked up once a program.
"""

from __future__ import annotations

from errno import EACCES
from typing import Any

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.btf import types as btf_types
from osmia.kernel.profile import CtxField, Shape
from osmia.verifier import consts
from osmia.verifier.btf_ctx import BY_RULE, MAX_ARGS, btf_ctx_arg
from osmia.verifier.lines import verbose_linfo

if not cython.compiled:
    from osmia.verifier.consts import BASE_TYPE_MASK, BPF_WRITE, PTR_TO_BTF_ID, SCALAR_VALUE
    from osmia.verifier.env import Env


class CtxAccess:
    """What an access to the context means: ``valid`` or refused, ``text`` for the log, and after a load a register
    type, with the struct behind a BTF pointer and its reference.
    """

    def __init__(self, valid: bool, type: int = SCALAR_VALUE, btf: Any = None, btf_id: int = 0, text: str = "") -> None:
        self.valid = valid
        self.type = type
        self.btf = btf
        self.btf_id = btf_id
        self.ref_obj_id = 0
        self.text = text


_REFUSED = CtxAccess(False)


def check_ctx_access(env: Env, insn_idx: int, off: int, size: int, t: int, is_ldsx: bool) -> CtxAccess:
    """May ``size`` bytes at ``off`` of the context be read or written (BPF_READ, BPF_WRITE)?  Raises Rejected."""
    key = (off << 8) | (size << 2) | (2 if t == BPF_WRITE else 0) | (1 if is_ldsx else 0)
    seen = env.room.get("ctx")
    if seen is None:
        seen = env.room["ctx"] = {}
    found = seen.get(key)
    if found is None:
        found = seen[key] = look_up(env, off, size, t == BPF_WRITE, is_ldsx)
    if found.text:
        env.say(found.text)
    if not found.valid:
        no = env.reject(EACCES, "ctx-access", f"invalid bpf_context access off={off} size={size}\n")
        verbose_linfo(env, insn_idx, "; ")
        raise no
    return found


def look_up(env: Env, off: int, size: int, write: bool, is_ldsx: bool) -> CtxAccess:
    """The same from the profile, or from the BTF of what the program is attached to."""
    shape = shape_of(env)
    if env.prog_type == "lsm":
        raise env.unsupported("the context of LSM programs")
    if env.prog_type == "tracing" and env.program.expected_attach_type in BY_RULE:
        arg = btf_ctx_arg(env, off, size, write)
        return CtxAccess(arg.valid, arg.type, env.vmlinux, arg.btf_id, arg.text)
    field = shape.ctx_access(off, size, write, is_ldsx)
    read = not write and off % size == 0 and 0 < off < 8 * MAX_ARGS
    if read and off % 8 and field is None and env.program.expected_attach_type == "trace_iter":
        text = f"func 'bpf_iter_{env.program.attach_target}' offset {off} is not multiple of 8\n"
        return CtxAccess(False, text=text)
    if field is None or (field.cap and not getattr(env.powers, field.cap)):
        return _REFUSED
    return access_of(env, field) if not write else CtxAccess(True)


def shape_of(env: Env) -> Shape:
    """The row of the profile that this program belongs to."""
    program = env.program
    found: Shape = env.profile.shape(env.prog_type, program.expected_attach_type, program.attach_target)
    return found


def access_of(env: Env, field: CtxField) -> CtxAccess:
    """A field in numbers."""
    type = 0
    for word in field.type.split(" | "):
        type |= int(getattr(consts, word))
    if (type & BASE_TYPE_MASK) != PTR_TO_BTF_ID:
        return CtxAccess(True, type)
    btf_id = env.vmlinux.find(field.btf, btf_types.Struct, btf_types.Typedef) if env.vmlinux else None
    if btf_id is None:
        raise env.unsupported(f"the kernel's type {field.btf}")
    return CtxAccess(True, type, env.vmlinux, btf_id)
