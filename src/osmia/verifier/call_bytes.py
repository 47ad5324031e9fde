"""How many bytes a call reads or writes behind an argument, as far as that is known before the walk.

(``bpf_helper_stack_access_bytes``, ``bpf_kfunc_stack_access_bytes`` in kernel/bpf/verifier.c, Linux 7.1.)
"""

from __future__ import annotations

from osmia.btf import Btf, Ptr
from osmia.errors import OsmiaError
from osmia.verifier import consts as c
from osmia.verifier.const_regs import const_reg
from osmia.verifier.env import Env
from osmia.verifier.flow import is_helper_call
from osmia.verifier.helper_offer import get_helper_proto
from osmia.verifier.helper_proto import HelperRule
from osmia.verifier.insn import VInsn
from osmia.verifier.kfunc_meta import fetch_kfunc_meta

UNKNOWN_BYTES = -(1 << 63)
"""Reads nobody knows how much."""
DYNPTR_SIZE, STACK_SIZE = 16, 512
_SIZES = (c.ARG_CONST_SIZE, c.ARG_CONST_SIZE_OR_ZERO)


def call_bytes(env: Env, insn: VInsn, arg: int) -> int:
    """Bytes read behind argument ``arg`` (0 to 4); negative: written; 0: none; UNKNOWN_BYTES."""
    if not is_helper_call(insn):
        return _kfunc_bytes(env, insn, arg)
    rule = get_helper_proto(env, insn.imm)
    return UNKNOWN_BYTES if rule is None else _helper_bytes(env, insn, rule, arg)


def _helper_bytes(env: Env, insn: VInsn, rule: HelperRule, arg: int) -> int:
    kind = rule.args[arg]
    if kind.base in (c.ARG_PTR_TO_MAP_KEY, c.ARG_PTR_TO_MAP_VALUE):
        size = _map_bytes(env, insn, rule, arg, kind.base == c.ARG_PTR_TO_MAP_KEY)
        if size == 0:
            return UNKNOWN_BYTES
    elif kind.base == c.ARG_PTR_TO_MEM and kind.flags & c.MEM_FIXED_SIZE:
        size = kind.size
    elif kind.base == c.ARG_PTR_TO_MEM:
        if arg == 4 or rule.args[arg + 1].base not in _SIZES:
            return UNKNOWN_BYTES
        size = const_reg(env, insn.idx, arg + 2)
        if size < 0:
            return 0 if kind.flags & c.MEM_UNINIT else STACK_SIZE
    elif kind.base == c.ARG_PTR_TO_DYNPTR:
        size = DYNPTR_SIZE
    else:
        return 0 if kind.base == c.ARG_PTR_TO_STACK else UNKNOWN_BYTES
    return -size if kind.flags & c.MEM_UNINIT else size


def _map_bytes(env: Env, insn: VInsn, rule: HelperRule, arg: int, key: bool) -> int:
    """The size of the key or value of the map that an earlier argument is, or the largest of all maps."""
    for i in range(arg):
        if rule.args[i].base == c.ARG_CONST_MAP_PTR:
            regs = env.room["const_regs"][insn.idx]
            if regs is not None and regs[i + 1][0] == "map":
                found = env.used_maps[regs[i + 1][1]]
                return int(found.key_size if key else found.value_size)
            break
    maps = [*env.used_maps, *(used.inner for used in env.used_maps if used.inner is not None)]
    return max((int(used.key_size if key else used.value_size) for used in maps), default=0)


def _kfunc_bytes(env: Env, insn: VInsn, arg: int) -> int:
    desc = fetch_kfunc_meta(env, insn)
    if desc is None or desc.rule is None:
        return UNKNOWN_BYTES
    if arg >= len(desc.params):
        return 0
    param, btf = desc.params[arg], desc.btf
    pointer = btf.type(btf.resolve(param.type_id))
    if not isinstance(pointer, Ptr):
        return 0
    following = desc.params[arg + 1].name if arg + 1 < len(desc.params) else ""
    if getattr(btf.type(btf.resolve(pointer.type_id)), "name", "") == "bpf_dynptr":
        size = DYNPTR_SIZE
    elif following.endswith(("__sz", "__szk")):
        size = const_reg(env, insn.idx, arg + 2)
        if size < 0:
            return STACK_SIZE
    else:
        size = _type_size(btf, pointer.type_id)
        if size < 0:
            return UNKNOWN_BYTES
    return -size if (arg == 0 and desc.iter_new) or param.name.endswith("__uninit") else size


def _type_size(btf: Btf, type_id: int) -> int:
    try:
        return btf.size_of(type_id)
    except OsmiaError:
        return -1
