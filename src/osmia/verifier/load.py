"""Everything that a load may fail on in front of the verifier: BTF, maps, types, sizes, capabilities, attributes.

The order is that of a loader: BPF_BTF_LOAD, BPF_MAP_CREATE for each map, BPF_PROG_LOAD (``kernel/bpf/syscall.c`` of
Linux 6.18).  Unprivileged loaders are judged as where ``kernel.unprivileged_bpf_disabled`` is 0.
"""

from __future__ import annotations

from dataclasses import replace
from errno import E2BIG, EINVAL, EPERM

from osmia.btf import Func, Var
from osmia.kernel.helpers import HELPERS
from osmia.kernel.uapi import PROG_FLAGS, PROG_TYPE
from osmia.obj.model import Extern
from osmia.verifier.attach import BY_BTF, attach_btf_id, shape_of
from osmia.verifier.env import Env
from osmia.verifier.errors import Rejected
from osmia.verifier.kernel_types import ShippedBtf
from osmia.verifier.map_btf import btf_errno
from osmia.verifier.map_create import map_create
from osmia.verifier.maps import VMap
from osmia.verifier.verify import bpf_check

UNPRIVILEGED = ("socket_filter", "cgroup_skb")
"""Program types that anybody may load."""
LIRC_CAPS = ("bpf", "net_admin")
"""What programs of infrared receivers take even where the kernel was built without them."""
DEFAULT_ATTACH = {"cgroup_sock": "cgroup_inet_sock_create", "sk_reuseport": "sk_reuseport_select"}
KNOWN_FLAGS = sum(PROG_FLAGS.values())
TRACED = ("trace_fentry", "trace_fexit", "trace_fsession", "modify_return")
"""Attach types whose target may be any function of the kernel."""


def bpf_prog_load(env: Env) -> Rejected | None:
    """What bpf(2) would say to a loader who brings BTF, maps and program: None where all is well.

    ``Rejected.where`` names the step: "btf", "map", "load", or "reloc" where the kernel lacks a name that the program
    needs.  Raises Unsupported.
    """
    refused = btf_load(env) or map_creates(env)
    if refused is not None:
        return refused
    named = resolve_externs(env)
    refused = check_attributes(env)
    if refused is None:
        offer_helpers(env)
        refused = bpf_check(env)
    if refused is not None and not named:
        refused.where = "reloc"
    return refused


# -- what comes in front of the program


def btf_load(env: Env) -> Rejected | None:
    """BPF_BTF_LOAD of the program's types."""
    btf = env.program.btf
    if btf is None:
        return None
    if not env.powers.bpf:
        return step_refuses("btf", EPERM, "btf-capability")
    errno = btf_errno(env, btf)
    return step_refuses("btf", errno, "btf") if errno else None


def map_creates(env: Env) -> Rejected | None:
    """BPF_MAP_CREATE of every map, inner templates first."""
    for found in env.maps:
        errno = (try_create(env, found.inner) if found.inner is not None else 0) or try_create(env, found)
        if errno:
            return step_refuses("map", errno, "map-create", f"map {found.name}")
    return None


def try_create(env: Env, found: VMap) -> int:
    """One map; those of an object file are tried again without BTF, as libbpf does."""
    errno = map_create(env, found)
    spec = found.spec
    if errno and spec.section and (spec.btf_key_type_id or spec.btf_value_type_id):
        found.spec, found.record = replace(spec, btf_key_type_id=0, btf_value_type_id=0), None
        errno = map_create(env, found)
    return errno


def step_refuses(where: str, errno: int, kind: str, text: str = "") -> Rejected:
    """A refusal by another command than BPF_PROG_LOAD: the verifier's log stays empty."""
    refused = Rejected(errno, kind, text)
    refused.where = where
    return refused


def resolve_externs(env: Env) -> bool:
    """Put BTF ids of the kernel's symbols into the instructions; False where one is missing, or the attach target."""
    missing = [extern for extern in env.program.externs if not resolve_extern(env, extern)]
    wants_target = env.prog_type in (*BY_BTF, "struct_ops") and bool(env.program.attach_target)
    if wants_target and not attach_btf_id(env) and isinstance(env.vmlinux, ShippedBtf):
        check_shipped(env)
    return not missing and (not wants_target or attach_btf_id(env) != 0)


def check_shipped(env: Env) -> None:
    """Can the types that Osmia brings along say that there is no such target?  Raises Unsupported."""
    program = env.program
    if program.attach_prog is None and program.expected_attach_type in TRACED:
        name, kernel = program.attach_target, env.profile.name
        raise env.unsupported(f"target {name}: the types shipped for Linux {kernel} lack it; pass its own with --btf")


def resolve_extern(env: Env, extern: Extern) -> bool:
    """One symbol; a weak one may be missing."""
    if extern.kind == "addr":
        return True
    kind = Func if extern.kind == "func" else Var
    found = env.vmlinux.find(extern.name, kind) if env.vmlinux and (env.rules.kfunc_calls or kind is Var) else None
    if env.insns:
        insn = env.insns[extern.insn]
        insn.imm = found or 0
        insn.insn = insn.insn._replace(imm=insn.imm)
    return found is not None or extern.weak


# -- BPF_PROG_LOAD


def check_attributes(env: Env) -> Rejected | None:
    """Flags, size, capabilities, attach type, program type: refusals without a word."""
    program, powers = env.program, env.powers
    if program.fd_array is not None and not env.rules.fd_array:
        return Rejected(E2BIG, "prog-fd-array", "")  # the attribute is longer than that kernel's
    if program.fd_array_cnt and not env.rules.fd_array_cnt:
        return Rejected(EINVAL, "prog-fd-array", "")
    if program.flags & ~KNOWN_FLAGS or program.flags & PROG_FLAGS["token_fd"]:
        return Rejected(EINVAL, "prog-flags", "")
    limit = env.profile.limit("max_insns" if powers.bpf else "max_insns_unprivileged")
    if not 0 < env.n_insns <= limit:
        return Rejected(E2BIG, "insn-count", f"{env.n_insns} instructions, where 1 to {limit} are fine")
    if not may_load(env):
        return Rejected(EPERM, "prog-capability", f"{env.prog_type} programs take more capabilities")
    if not known_shape(env):
        return Rejected(EINVAL, "prog-type", f"{env.prog_type} programs can't be loaded like this")
    return None


def may_load(env: Env) -> bool:
    """Has the loader what this type of program takes?"""
    infrared = env.prog_type == "lirc_mode2" and env.rules.infrared_capability
    needed = LIRC_CAPS if infrared else env.profile.caps(env.prog_type)
    if not env.powers.bpf and env.prog_type not in UNPRIVILEGED:
        return False
    return all(getattr(env.powers, cap) for cap in needed if cap != "bpf")


def known_shape(env: Env) -> bool:
    """Does the kernel know the type, and its attach type where it looks at that before it verifies?"""
    program = env.program
    if PROG_TYPE.get(env.prog_type, 0) == 0 or env.prog_type not in env.profile.tables["caps"]:
        return False
    if env.prog_type in ("tracing", "lsm", "struct_ops"):
        return True
    if env.prog_type in ("ext", "syscall"):
        return not program.expected_attach_type
    return shape_of(env).errno == 0


def offer_helpers(env: Env) -> None:
    """The helpers that this program may call, for ``env.room["helpers"]``."""
    shape, profile, powers = shape_of(env), env.profile, env.powers
    known: dict[object, frozenset[int]] = profile.tables.setdefault("offered", {})
    key = shape.helpers, env.prog_type, powers
    if key not in known:
        caps = {proto.id: profile.helper_cap(proto.id, env.prog_type) for proto in HELPERS}
        known[key] = frozenset(
            number
            for number, cap in caps.items()
            if shape.helper(number) != "unknown" and (not cap or getattr(powers, cap))
        )
    env.room["helpers"] = known[key]
