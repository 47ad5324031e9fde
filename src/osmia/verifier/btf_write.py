"""Stores through pointers that BTF types: the few fields of the kernel's structs that programs may write.

(``bpf_tcp_ca_btf_struct_access`` in net/ipv4/bpf_tcp_ca.c, ``bpf_dummy_ops_btf_struct_access`` in
net/bpf/bpf_dummy_struct_ops.c, ``nf_conntrack_btf_struct_access`` in net/netfilter/nf_conntrack_bpf.c; Linux 6.18.)
Where a field lies, the kernel's BTF says.
"""

from __future__ import annotations

from errno import EACCES

from osmia.btf import Btf, Func, Struct, Union
from osmia.verifier.env import Env
from osmia.verifier.regs import Reg

TCP_SOCK_FIELDS = (
    *("inet_conn.icsk_inet.sk.sk_pacing_rate", "inet_conn.icsk_inet.sk.sk_pacing_status"),
    *("inet_conn.icsk_ca_priv", "inet_conn.icsk_ack.pending", "snd_cwnd", "snd_cwnd_cnt", "snd_cwnd_stamp"),
    *("snd_ssthresh", "ecn_flags", "app_limited"),
)
ANYWHERE = ("icsk_ca_priv",)
"""Fields that may be written from any byte on, others from their first."""
CONNTRACK = "_nf_conntrack_btf_struct_access"
READ_ONLY = "only read is supported\n"


def check_btf_write(env: Env, reg: Reg, regno: int, off: int, size: int) -> None:
    """May ``size`` bytes at ``off`` of the kernel's struct behind R``regno`` be written?  Raises Rejected."""
    name = reg.btf.type(reg.btf_id).name
    struct_ops = env.room.get("struct_ops", "") if env.prog_type == "struct_ops" else ""
    if struct_ops == "tcp_congestion_ops" and name == "tcp_sock":
        _check_field(env, reg, regno, off, size, TCP_SOCK_FIELDS)
    elif struct_ops == "bpf_dummy_ops":
        _check_dummy(env, reg, regno, off, size)
    elif env.prog_type in ("xdp", "sched_cls", "sched_act"):
        _check_conntrack(env, reg, regno, off, size)
    else:
        raise env.reject(EACCES, "btf-write", READ_ONLY, reg=regno)


def _check_conntrack(env: Env, reg: Reg, regno: int, off: int, size: int) -> None:
    """The mark of a connection, where connection tracking is built in."""
    if env.vmlinux is None or env.vmlinux.find(CONNTRACK, Func) is None:
        raise env.reject(EACCES, "btf-write", "", reg=regno)
    if reg.btf.type(reg.btf_id).name not in ("nf_conn", "nf_conn___init"):
        raise env.reject(EACCES, "btf-write", READ_ONLY, reg=regno)
    _check_field(env, reg, regno, off, size, ("mark",), "nf_conn")


def _check_dummy(env: Env, reg: Reg, regno: int, off: int, size: int) -> None:
    """All of the state, and nothing else."""
    found = reg.btf.type(reg.btf_id)
    if found.name != "bpf_dummy_ops_state":
        text = "only access to bpf_dummy_ops_state is supported\n"
        raise env.reject(EACCES, "btf-write", text, reg=regno)
    if off + size > found.size:
        raise env.reject(EACCES, "btf-write-size", f"write access at off {off} with size {size}\n", reg=regno)


def _check_field(
    env: Env, reg: Reg, regno: int, off: int, size: int, fields: tuple[str, ...], struct: str = ""
) -> None:
    """A store has to begin where one of the fields does, and to end in it."""
    name = struct or reg.btf.type(reg.btf_id).name
    found = reg.btf.find(name, Struct) or reg.btf_id
    for path in fields:
        begin, end = field_at(env, reg.btf, found, path)
        if off == begin or (path.endswith(ANYWHERE) and begin <= off < end):
            if off + size <= end:
                return
            text = f"write access at off {off} with size {size} beyond the member of {name} ended at {end}\n"
            raise env.reject(EACCES, "btf-write-size", text, reg=regno, expected=path)
    raise env.reject(EACCES, "btf-write", f"no write support to {name} at off {off}\n", reg=regno)


def field_at(env: Env, btf: Btf, struct_id: int, path: str) -> tuple[int, int]:
    """First byte of a field and the byte behind it, ``(-1, -1)`` where there is none; ``path`` has a dot a struct."""
    seen: dict[tuple[int, str], tuple[int, int]] = env.room.setdefault("btf fields", {})
    key = struct_id, path
    if key not in seen:
        seen[key] = _find(btf, struct_id, path)
    return seen[key]


def _find(btf: Btf, struct_id: int, path: str) -> tuple[int, int]:
    name, _, rest = path.partition(".")
    found = btf.type(btf.resolve(struct_id))
    for member in found.members if isinstance(found, (Struct, Union)) else ():
        begin = member.bit_offset // 8
        if member.name == name and not rest:
            bits = member.bitfield_size or 8 * btf.size_of(member.type_id)
            return begin, begin + (bits + 7) // 8
        if member.name in (name, ""):
            inner, end = _find(btf, member.type_id, rest if member.name else path)
            if inner >= 0:
                return begin + inner, begin + end
    return -1, -1
