"""Is an access inside what a pointer points to?  Memory of known size, map values, packets, buffers; alignment.

Offsets are bytes and include the register's fixed offset, not its variable one.  Every check raises Rejected.
Source: kernel/bpf/verifier.c of Linux 6.18, the functions of the same names.
"""

from __future__ import annotations

from errno import EACCES, EINVAL
from typing import Any

try:
    import cython
except ImportError:
    from osmia._cy import cython


if not cython.compiled:
    from osmia.verifier.consts import (
        BPF_MAX_VAR_OFF,
        BPF_READ,
        BPF_WRITE,
        MEM_RDONLY,
        PTR_TO_ARENA,
        PTR_TO_CTX,
        PTR_TO_FLOW_KEYS,
        PTR_TO_MAP_KEY,
        PTR_TO_MAP_VALUE,
        PTR_TO_PACKET,
        PTR_TO_PACKET_END,
        PTR_TO_PACKET_META,
        PTR_TO_SOCK_COMMON,
        PTR_TO_SOCKET,
        PTR_TO_STACK,
        PTR_TO_TCP_SOCK,
        PTR_TO_XDP_SOCK,
        S64_MIN,
    )  # fmt: skip
    from osmia.verifier.env import Env
    from osmia.verifier.printing import print_verifier_state
    from osmia.verifier.regs import Reg
    from osmia.words import s32, s64

M64 = 0xFFFFFFFFFFFFFFFF
NET_IP_ALIGN = 2
FLOW_KEYS_SIZE = 56
"""Of ``struct bpf_flow_keys``."""
BPF_F_RDONLY_PROG, BPF_F_WRONLY_PROG = 1 << 7, 1 << 8
ACCESS_DIRECT, ACCESS_HELPER = 1, 2
"""Who touches a map value: an instruction, or a helper."""

_ALIGNED_AS = {
    PTR_TO_FLOW_KEYS: "flow keys ",
    PTR_TO_MAP_KEY: "key ",
    PTR_TO_MAP_VALUE: "value ",
    PTR_TO_CTX: "context ",
    PTR_TO_STACK: "stack ",
    PTR_TO_SOCKET: "sock ",
    PTR_TO_SOCK_COMMON: "sock_common ",
    PTR_TO_TCP_SOCK: "tcp_sock ",
    PTR_TO_XDP_SOCK: "xdp_sock ",
}
FIELD_SIZES = {
    "spin_lock": 4,
    "res_spin_lock": 4,
    "timer": 16,
    "wq": 16,
    "task_work": 8,
    "kptr": 8,
    "uptr": 8,
    "list_head": 16,
    "rb_root": 16,
    "refcount": 4,
}
"""Bytes of the special fields that a map's value may have."""
_READ_ONLY_PACKETS = frozenset(
    ("lwt_in", "lwt_out", "lwt_seg6local", "sk_reuseport", "flow_dissector", "cgroup_skb")
)  # fmt: skip
_PACKETS = frozenset(("sched_cls", "sched_act", "xdp", "lwt_xmit", "sk_skb", "sk_msg"))


def _outside(env: Env, regno: int, off: int, size: int, mem_size: int) -> Any:
    regs = env.state.regs()
    reg = regs[regno]
    if reg.type == PTR_TO_MAP_KEY:
        text = f"invalid access to map key, key_size={mem_size} off={off} size={size}\n"
    elif reg.type == PTR_TO_MAP_VALUE:
        text = f"invalid access to map value, value_size={mem_size} off={off} size={size}\n"
    elif reg.type == PTR_TO_PACKET or reg.type == PTR_TO_PACKET_META or reg.type == PTR_TO_PACKET_END:
        text = f"invalid access to packet, off={off} size={size}, R{regno}(id={reg.id},off={off},r={mem_size})\n"
    else:
        text = f"invalid access to memory, mem_size={mem_size} off={off} size={size}\n"
    return env.reject(EACCES, "out-of-bounds", text, reg=regno)


def check_mem_region_access(env: Env, regno: int, off: int, size: int, mem_size: int, zero_size_allowed: bool) -> None:
    """The same for a pointer whose variable part may move the access: both ends must be inside."""
    regs = env.state.regs()
    reg = regs[regno]
    if env.log.verbose and not env.rules.state_behind_insn:
        print_verifier_state(env, env.state, env.state.curframe, True)
    low = reg.smin + off
    if reg.smin < 0 and (reg.smin == S64_MIN or low < 0 or low != s32(low & M64)):
        raise _negative(env, regno)
    sized = size > 0 or (size == 0 and zero_size_allowed)
    low = s32(low & M64)
    if low < 0 or not sized or low + size > mem_size:
        no = _outside(env, regno, low, size, mem_size)
        env.say(f"R{regno} min value is outside of the allowed memory range\n")
        raise no
    if reg.umax >= BPF_MAX_VAR_OFF:
        text = f"R{regno} unbounded memory access, make sure to bounds check any such access\n"
        raise env.reject(EACCES, "unbounded-access", text, reg=regno)
    high = s32((reg.umax + off) & M64)
    if high < 0 or high + size > mem_size:
        no = _outside(env, regno, high, size, mem_size)
        env.say(f"R{regno} max value is outside of the allowed memory range\n")
        raise no


def _negative(env: Env, regno: int) -> Any:
    text = f"R{regno} min value is negative, either use unsigned index or do a if (index >=0) check.\n"
    return env.reject(EACCES, "negative-offset", text, reg=regno)


def check_map_access_type(env: Env, regno: int, off: int, size: int, type: int) -> None:
    """May programs read or write the map at all?"""
    regs = env.state.regs()
    reg = regs[regno]
    found = reg.map
    assert found is not None
    if type == BPF_WRITE and found.flags & BPF_F_RDONLY_PROG:
        text = f"write into map forbidden, value_size={found.value_size} off={off} size={size}\n"
        raise env.reject(EACCES, "map-read-only", text, reg=regno)
    if type == BPF_READ and found.flags & BPF_F_WRONLY_PROG and not found.flags & BPF_F_RDONLY_PROG:
        text = f"read from map forbidden, value_size={found.value_size} off={off} size={size}\n"
        raise env.reject(EACCES, "map-write-only", text, reg=regno)


def check_map_access(env: Env, regno: int, off: int, size: int, zero_size_allowed: bool, src: int) -> None:
    """Is the access inside the map value, and off its special fields?  ``src``: ACCESS_DIRECT or ACCESS_HELPER."""
    regs = env.state.regs()
    reg = regs[regno]
    found = reg.map
    assert found is not None
    check_mem_region_access(env, regno, off, size, found.value_size, zero_size_allowed)
    if found.record is not None:
        _check_fields(env, reg, off, size, src)


def _check_fields(env: Env, reg: Reg, off: int, size: int, src: int) -> None:
    """A value's locks, timers and the like are not for loads and stores; kernel pointers have rules of their own."""
    found = reg.map
    assert found is not None
    for field in found.record.fields:
        kind, at = field.kind, field.offset
        width = FIELD_SIZES[kind]
        if reg.smin + off >= at + width or at >= reg.umax + off + size:
            continue
        if kind in ("kptr", "uptr"):
            _check_kptr(env, reg, "percpu_kptr" if field.tag == "percpu_kptr" else kind, at, off, size, src)
            continue
        text = f"bpf_{kind} cannot be accessed directly by load/store\n"
        raise env.reject(EACCES, "special-field", text, found=kind)


def _check_kptr(env: Env, reg: Reg, name: str, at: int, off: int, size: int, src: int) -> None:
    """A kernel pointer is loaded and stored as a whole, and by instructions."""
    if src != ACCESS_DIRECT:
        text = f"{name} cannot be accessed indirectly by helper\n"
        raise env.reject(EACCES, "kptr-helper", text, found=name)
    if reg.mask:
        text = f"{name} access cannot have variable offset\n"
        raise env.reject(EACCES, "kptr-variable-offset", text, found=name)
    if at != off + reg.smin:
        text = f"{name} access misaligned expected={at} off={(off + reg.smin) & M64}\n"
        raise env.reject(EACCES, "kptr-misaligned", text, expected=at, found=off + reg.smin)
    if size != 8:
        raise env.reject(EACCES, "kptr-size", f"{name} access size must be BPF_DW\n", expected=8, found=size)


def may_access_direct_pkt_data(env: Env, meta: Any, t: int) -> bool:
    """May programs of this type touch packets?  ``meta`` is the call whose argument the packet is, or None."""
    prog_type = env.prog_type
    if prog_type in _READ_ONLY_PACKETS:
        if t == BPF_WRITE:
            return False
    elif prog_type == "cgroup_sockopt":
        if t == BPF_WRITE:
            env.seen_direct_write = True
        return True
    elif prog_type not in _PACKETS:
        return False
    if meta is not None:
        return bool(meta.pkt_access)
    env.seen_direct_write = True
    return True


def check_packet_access(env: Env, regno: int, off: int, size: int, zero_size_allowed: bool) -> None:
    """Is the access inside the part of the packet that was compared with its end?"""
    regs = env.state.regs()
    reg = regs[regno]
    whole = env.rules.offset_in_var_off
    if reg.smin < 0 and not whole:
        raise _negative(env, regno)
    if reg.range < 0:
        text = f"R{regno} offset is outside of the packet\n"
        raise env.reject(EINVAL, "packet-range", text, reg=regno)
    if whole:
        check_mem_region_access(env, regno, off, size, reg.range, zero_size_allowed)
    elif off < 0 or not (size > 0 or (size == 0 and zero_size_allowed)) or off + size > reg.range:
        no = _outside(env, regno, off, size, reg.range)
        env.say(f"R{regno} offset is outside of the packet\n")
        raise no


def check_flow_keys_access(env: Env, off: int, size: int) -> None:
    """Is the access inside ``struct bpf_flow_keys``?"""
    if size < 0 or off < 0 or off + size > FLOW_KEYS_SIZE:
        raise env.reject(EACCES, "flow-keys", f"invalid access to flow keys off={off} size={size}\n")


def check_tp_buffer_access(env: Env, reg: Reg, regno: int, off: int, size: int) -> None:
    """A raw tracepoint's buffer: its size is known at attach time only."""
    _check_buffer(env, "tracepoint", reg, regno, off, size)


def check_buffer_access(env: Env, reg: Reg, regno: int, off: int, size: int) -> None:
    """A buffer that an iterator or sysctl program was given: sized when it runs."""
    _check_buffer(env, "rdonly" if reg.type & MEM_RDONLY else "rdwr", reg, regno, off, size)


def _check_buffer(env: Env, info: str, reg: Reg, regno: int, off: int, size: int) -> None:
    if off < 0:
        text = f"R{regno} invalid {info} buffer access: off={off}, size={size}\n"
        raise env.reject(EACCES, "buffer-offset", text, reg=regno)
    if reg.mask or (reg.value and not env.rules.offset_in_var_off):
        text = f"R{regno} invalid variable buffer offset: off={off}, var_off={env.tnum_str(reg.value, reg.mask)}\n"
        raise env.reject(EACCES, "buffer-variable-offset", text, reg=regno)


def check_ptr_off_reg(env: Env, reg: Reg, regno: int) -> None:
    """The pointer must be as it was given: no offset at all."""
    check_ptr_off_reg_fixed(env, reg, regno, False)


def check_ptr_off_reg_fixed(env: Env, reg: Reg, regno: int, fixed_off_ok: bool) -> None:
    """No variable offset and no negative one; a positive fixed one if allowed (``__check_ptr_off_reg``)."""
    if env.rules.offset_in_var_off:
        _check_whole_offset(env, reg, regno, fixed_off_ok)
    elif reg.off < 0:
        text = f"negative offset {env.type_str(reg.type)} ptr R{regno} off={reg.off} disallowed\n"
        raise env.reject(EACCES, "pointer-offset", text, reg=regno)
    elif reg.off and not fixed_off_ok:
        text = f"dereference of modified {env.type_str(reg.type)} ptr R{regno} off={reg.off} disallowed\n"
        raise env.reject(EACCES, "pointer-offset", text, reg=regno)
    elif reg.mask or reg.value:
        tnum = env.tnum_str(reg.value, reg.mask)
        text = f"variable {env.type_str(reg.type)} access var_off={tnum} disallowed\n"
        raise env.reject(EACCES, "pointer-offset", text, reg=regno)


def _check_whole_offset(env: Env, reg: Reg, regno: int, fixed_off_ok: bool) -> None:
    name, off = env.type_str(reg.type), s64(reg.value)
    if reg.mask:
        text = f"variable {name} access var_off={env.tnum_str(reg.value, reg.mask)} disallowed\n"
    elif reg.smin < 0:
        text = f"negative offset {name} ptr R{regno} off={off} disallowed\n"
    elif off and not fixed_off_ok:
        text = f"dereference of modified {name} ptr R{regno} off={off} disallowed\n"
    else:
        text = ""
    if text:
        raise env.reject(EACCES, "pointer-offset", text, reg=regno)


def check_ptr_alignment(env: Env, reg: Reg, off: int, size: int, strict_alignment_once: bool) -> None:
    """Is the access aligned to its size?  Always asked of the stack, of the rest in strict mode and for atomics.

    Packets count from an address that is 2 modulo 4, as network drivers leave them (NET_IP_ALIGN).
    """
    if size == 1 or not (reg.type == PTR_TO_STACK or env.strict_alignment or strict_alignment_once):
        return
    if reg.type == PTR_TO_ARENA:
        return
    packet = reg.type == PTR_TO_PACKET or reg.type == PTR_TO_PACKET_META
    start = (reg.value + reg.off + off + (NET_IP_ALIGN if packet else 0)) & M64
    carried = (start + reg.mask) & M64
    if (start | (carried ^ start) | reg.mask) & (size - 1) == 0:
        return
    tnum = env.tnum_str(reg.value, reg.mask)
    total = f"{tnum}+{off}" if env.rules.offset_in_var_off else f"{tnum}+{reg.off}+{off}"
    if packet:
        text = f"misaligned packet access off {NET_IP_ALIGN}+{total} size {size}\n"
    else:
        what = _ALIGNED_AS.get(reg.type, "")
        text = f"misaligned {what}access off {total} size {size}\n"
    raise env.reject(EACCES, "misaligned", text)
