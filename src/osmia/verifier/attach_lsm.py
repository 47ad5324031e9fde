"""LSM hooks: which take programs, where programs may sleep, what their arguments are worth, what may be returned.

(kernel/bpf/bpf_lsm.c of Linux 6.18.  The sets of hooks stand in ``osmia.kernel.attach``; which hooks there are, the
kernel's BTF says: each is a member of ``union security_list_options``.)
"""

from __future__ import annotations

from errno import EINVAL

from osmia.btf import Union
from osmia.kernel.attach import is_in
from osmia.verifier.env import Env

HOOK = "bpf_lsm_"
HOOKS = "security_list_options"
MAX_ERRNO = 4095
GPL_LICENSES = ("GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL")


def verify_lsm(env: Env, name: str, target_id: int) -> None:
    """LSM programs are GPL and attach to functions that stand for hooks (``bpf_lsm_verify_prog``).  Raises Rejected."""
    if env.program.license not in GPL_LICENSES:
        raise env.reject(EINVAL, "lsm-license", "LSM programs must have a GPL compatible license\n")
    if _in_set(env, "lsm-disabled", name):
        raise env.reject(EINVAL, "lsm-disabled", f"attach_btf_id {target_id} points to disabled hook {name}\n")
    if not is_hook(env, name):
        raise env.reject(EINVAL, "lsm-hook", f"attach_btf_id {target_id} points to wrong type name {name}\n")


def is_hook(env: Env, name: str) -> bool:
    """Does the function stand for an LSM hook?"""
    hooks: frozenset[str] | None = env.room.get("lsm hooks")
    if hooks is None:
        btf = env.vmlinux
        found = btf.find(HOOKS, Union) if btf else None
        union = btf.type(found) if btf and found else None
        members = union.members if isinstance(union, Union) else []
        hooks = env.room["lsm hooks"] = frozenset(HOOK + member.name for member in members)
    return name in hooks


def is_sleepable_hook(env: Env, name: str) -> bool:
    """May programs sleep in it?"""
    return _in_set(env, "lsm-sleepable", name)


def is_trusted_hook(env: Env, name: str) -> bool:
    """Are the pointers that it hands on whole objects?  Not where they are just made or about to go."""
    return not _in_set(env, "lsm-untrusted", name)


def has_sockopt(env: Env, name: str) -> bool:
    """May cgroup programs there get and set options of the socket?"""
    return _in_set(env, "lsm-sockopt", name)


def retval_range(env: Env) -> tuple[int, int] | None:
    """The least and greatest value that an LSM hook returns (``bpf_lsm_get_retval_range``); None for void hooks."""
    proto = env.room.get("attach_proto")
    if env.program.expected_attach_type != "lsm_mac" or "own type" in env.room or not env.rules.lsm_return_ranges:
        return None
    if proto is None or not proto.type_id:
        return None
    return (0, 1) if _in_set(env, "lsm-bool", env.room["attach_name"]) else (-MAX_ERRNO, 0)


def _in_set(env: Env, which: str, name: str) -> bool:
    return name.startswith(HOOK) and is_in(which, name.removeprefix(HOOK), env.profile.version)
