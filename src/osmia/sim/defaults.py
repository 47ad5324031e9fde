"""What a world takes when nobody says otherwise."""

from __future__ import annotations

import platform
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osmia.btf import Btf


def default_btf() -> Btf:
    """The types of kernel objects: Osmia's compact BTF of Linux 6.18.  Shared: do not add to it.

    They are x86-64's but for ``struct pt_regs`` on arm64, which is arm64's: programs compiled here read that.
    """
    return _types_on(platform.machine())


@cache
def _types_on(machine: str) -> Btf:
    from osmia.btf import Btf
    from osmia.kernel.layout import types_btf

    btf = Btf.parse(types_btf())
    if machine == "aarch64":
        _put_arm64_registers(btf)
    return btf


def _put_arm64_registers(btf: Btf) -> None:
    """arch/arm64/include/asm/ptrace.h: what user space may see comes first, in a union with the bare registers."""
    from osmia.btf import Array, Int, Member, Struct, Typedef, Union

    u64, u32, s32 = (btf.find(name, Typedef) or 0 for name in ("u64", "u32", "s32"))
    regs = btf.add(Array(u64, btf.find("int", Int) or 0, 31))
    head = (Member("regs", regs, 0), *(Member(n, u64, 64 * at) for at, n in enumerate(("sp", "pc", "pstate"), 31)))
    user, bare = (btf.add(Struct(name, 272, head)) for name in ("user_pt_regs", ""))
    either = btf.add(Union("", 272, (Member("user_regs", user, 0), Member("", bare, 0))))
    tail = (Member("orig_x0", u64, 2176), Member("syscallno", s32, 2240), Member("pmr", u32, 2272))
    btf.replace(btf.find("pt_regs", Struct) or 0, Struct("pt_regs", 320, (Member("", either, 0), *tail)))
    _put_sample(btf, user)


def _put_sample(btf: Btf, user: int) -> None:
    """``struct bpf_perf_event_data`` holds what user space may see of the registers, and grows with it."""
    from osmia.btf import Member, Struct, Typedef

    regs, u64 = btf.find("bpf_user_pt_regs_t", Typedef) or 0, btf.find("__u64", Typedef) or 0
    btf.replace(regs, Typedef("bpf_user_pt_regs_t", user))
    members = (Member("regs", regs, 0), Member("sample_period", u64, 2176), Member("addr", u64, 2240))
    btf.replace(btf.find("bpf_perf_event_data", Struct) or 0, Struct("bpf_perf_event_data", 288, members))
