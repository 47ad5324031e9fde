"""Helpers that depend on what the program is attached to: may this one be called here?

(The ``allowed`` functions of helper prototypes: ``bpf_d_path_allowed`` in kernel/trace/bpf_trace.c,
``bpf_ima_inode_hash_allowed`` in kernel/bpf/bpf_lsm.c, ``bpf_sk_storage_tracing_allowed`` in net/core/bpf_sk_storage.c;
Linux 6.18.  For other helpers the profile says so.)
"""

from __future__ import annotations

from osmia.kernel.attach import is_in
from osmia.verifier.attach_lsm import has_sockopt, is_sleepable_hook
from osmia.verifier.ctx import shape_of
from osmia.verifier.env import Env

SK_STORAGE = ("bpf_sk_storage_get", "bpf_sk_storage_delete")
SOCKOPT = ("bpf_setsockopt", "bpf_getsockopt")
IMA = ("bpf_ima_inode_hash", "bpf_ima_file_hash")
FRONT_AND_BACK = ("trace_fentry", "trace_fexit", "trace_raw_tp")


def is_allowed_here(env: Env, name: str, number: int) -> bool:
    """May a helper that programs of this type have be called by a program with this target?  Asked once a helper."""
    known: dict[int, bool] = env.room.setdefault("helpers here", {})
    if number not in known:
        known[number] = _is_allowed(env, name, number)
    return known[number]


def _is_allowed(env: Env, name: str, number: int) -> bool:
    kind, target = env.program.expected_attach_type, env.room.get("attach_name", "")
    if env.prog_type == "lsm" and (name == "bpf_d_path" or name in IMA):
        return is_sleepable_hook(env, target)
    if env.prog_type == "tracing" and name == "bpf_d_path":
        return kind == "trace_iter" or ("target" not in env.room and is_in("d-path", target, env.profile.version))
    if env.prog_type == "tracing" and name in SK_STORAGE:
        return kind == "trace_iter" or (kind in FRONT_AND_BACK and not target.startswith("bpf_sk_storage"))
    return shape_of(env).helper(number) != "refused"


def is_sockopt_hook(env: Env, name: str) -> bool:
    """Is it a helper for socket options, in a cgroup program on an LSM hook where the socket is at hand?"""
    lsm_cgroup = env.prog_type == "lsm" and env.program.expected_attach_type == "lsm_cgroup"
    return lsm_cgroup and name in SOCKOPT and has_sockopt(env, "bpf_lsm_" + env.program.attach_target)
