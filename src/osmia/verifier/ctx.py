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
from osmia.kernel.profile import Shape
from osmia.kernel.profile_rows import CtxField
from osmia.verifier import consts
from osmia.verifier.btf_ctx import BY_RULE, btf_ctx_arg
from osmia.verifier.kernel_types import kernel_type
from osmia.verifier.lines import verbose_linfo
from osmia.verifier.refs import holds_reference

if not cython.compiled:
    from osmia.verifier.consts import BASE_TYPE_MASK, BPF_WRITE, PTR_TO_BTF_ID, SCALAR_VALUE
    from osmia.verifier.env import Env


class CtxAccess:
    """What an access to the context means: ``valid`` or refused, ``text`` for the log, and after a load a register
    type, with the struct behind a BTF pointer and its reference.  ``returned``: it is what an LSM hook returned.
    """

    def __init__(self, valid: bool, type: int = SCALAR_VALUE, btf: Any = None, btf_id: int = 0, text: str = "") -> None:
        self.valid = valid
        self.type = type
        self.btf = btf
        self.btf_id = btf_id
        self.ref_obj_id = 0
        self.returned = False
        self.text = text


_REFUSED = CtxAccess(False)
PADDING = range(180, 184)
"""Bytes of ``struct __sk_buff`` that were no field before they told of time stamps."""
PADDED = (
    *("socket_filter", "sched_cls", "sched_act", "cgroup_skb", "sk_skb"),
    *("lwt_in", "lwt_out", "lwt_xmit", "lwt_seg6local"),
)
"""Program types whose context it is, but for one that checks each field by itself."""


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
    if found.ref_obj_id and not holds_reference(env.state, found.ref_obj_id):
        text = f"invalid bpf_context access off={off}. Reference may already be released\n"
        raise env.reject(EACCES, "ctx-released", text)
    return found


def look_up(env: Env, off: int, size: int, write: bool, is_ldsx: bool) -> CtxAccess:
    """The same from the profile, or from the BTF of what the program is attached to."""
    if env.prog_type in BY_RULE:
        arg = btf_ctx_arg(env, off, size, write)
        found = CtxAccess(arg.valid, arg.type, env.vmlinux, arg.btf_id, arg.text)
        found.ref_obj_id = arg.ref_obj_id
        found.returned = arg.returned and not write
        return found
    field = shape_of(env).ctx_access(off, size, write, is_ldsx)
    if field is None or (field.cap and not getattr(env.powers, field.cap)):
        if off in PADDING and not write and not env.rules.packet_padding_refused and env.prog_type in PADDED:
            env.room["padding"] = True
            return CtxAccess(True)
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
    btf_id = kernel_type(env, field.btf, btf_types.Struct, btf_types.Typedef)
    return CtxAccess(True, type, env.vmlinux, btf_id)
