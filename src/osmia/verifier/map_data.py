"""What a program reads from a map that nobody can change any more: its content is as good as a constant."""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.kernel.uapi import MAP_TYPE

if not cython.compiled:
    from osmia.verifier.env import Env
    from osmia.verifier.maps import VMap
    from osmia.verifier.regs import Reg, known_value

ENOTSUPP = 524
BPF_F_RDONLY_PROG = 1 << 7
_ARRAY = MAP_TYPE["array"]


def map_constant(env: Env, found: VMap, off: int, size: int, is_ldsx: bool, before: Reg) -> Reg | None:
    """The number in ``size`` bytes at ``off`` of a frozen, read-only array's value; None where it may change.

    ``before`` is what the register held: the new one is precise if that was.  An array of several elements has no
    single value to look at, which the kernel answers with ENOTSUPP and no words (``bpf_map_direct_read``).
    """
    if not found.frozen or not found.flags & BPF_F_RDONLY_PROG or found.type != _ARRAY:
        return None
    if found.max_entries != 1:
        raise env.reject(ENOTSUPP, "map-direct-read", "")
    data = (found.data or b"")[off : off + size].ljust(size, b"\0")
    reg = known_value(int.from_bytes(data, "little", signed=is_ldsx) & 0xFFFFFFFFFFFFFFFF)
    reg.precise = before.precise
    return reg
