"""Arguments that must be known before the program runs: strings in read-only maps, keys of arrays.

(``check_reg_const_str``, ``get_constant_map_key``, ``check_bpf_snprintf_call`` in kernel/bpf/verifier.c,
``bpf_bprintf_prepare`` in kernel/bpf/helpers.c; Linux 6.18.)
"""

from __future__ import annotations

from errno import EACCES, EINVAL

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.kernel.uapi import MAP_FLAGS, MAP_TYPE

if not cython.compiled:
    from osmia.verifier.backtrack import mark_chain_precision_batch
    from osmia.verifier.consts import PTR_TO_MAP_VALUE, PTR_TO_STACK, STACK_SPILL, STACK_ZERO
    from osmia.verifier.env import Env
    from osmia.verifier.maps import VMap
    from osmia.verifier.regions import ACCESS_HELPER, check_map_access
    from osmia.verifier.regs import Reg
    from osmia.verifier.slots import is_spilled_scalar_reg
    from osmia.verifier.state import Slot
    from osmia.words import s64

ENOTSUPP = 524
_RDONLY_PROG = MAP_FLAGS["rdonly_prog"]
_DIRECT_VALUE = (MAP_TYPE["array"], MAP_TYPE["arena"])
"""Map types whose value has an address that the kernel can look at."""
_PUNCTUATION = frozenset(b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_SPACE = frozenset(b" \t\n\v\f\r\xa0")


def check_reg_const_str(env: Env, reg: Reg, regno: int) -> None:
    """The register must lead to a string that ends with a zero in a frozen, read-only array.  Raises Rejected."""
    if reg.type != PTR_TO_MAP_VALUE:
        raise env.reject(EINVAL, "const-string-type", "")
    map = reg.map
    assert map is not None
    if not (map.flags & _RDONLY_PROG and map.frozen):
        text = f"R{regno} does not point to a readonly map'\n"
        raise env.reject(EACCES, "const-string-writable", text, reg=regno)
    if reg.mask:
        raise env.reject(EACCES, "const-string-address", f"R{regno} is not a constant address'\n", reg=regno)
    if map.type not in _DIRECT_VALUE:
        text = "no direct value access support for this map type\n"
        raise env.reject(EACCES, "const-string-map", text, reg=regno)
    moved = reg.value if env.rules.offset_in_var_off else 0
    check_map_access(env, regno, reg.off, map.value_size - reg.off - moved, False, ACCESS_HELPER)
    if map.max_entries != 1:
        raise env.reject(ENOTSUPP, "const-string-map", "direct value access on string failed\n", reg=regno)
    if 0 not in map_bytes(map, reg):
        raise env.reject(EINVAL, "const-string-open", "string is not zero-terminated\n", reg=regno)


def map_bytes(map: VMap | None, reg: Reg) -> bytes:
    """The content of an array's element from where the register points."""
    assert map is not None
    whole = bytes(map.data or b"").ljust(map.value_size, b"\0")[: map.value_size]
    return whole[reg.off + s64(reg.value) :]


def get_constant_map_key(env: Env, key: Reg, key_size: int) -> int:
    """The number that the key on the stack is known to be, which is then relied upon; -1 if it is not known."""
    if not env.bpf_capable or key.type != PTR_TO_STACK or key.mask:
        return -1
    frame = env.state.frames[key.frameno]
    at = -(key.off + s64(key.value)) - 1
    spi = at // 8
    slot = frame.stack[spi]
    first = 7 - at % 8
    if _run(slot, first, STACK_ZERO) >= key_size:
        return 0
    if not is_spilled_scalar_reg(slot) or _run(slot, first, STACK_SPILL) != key_size:
        return -1
    reg = slot.spilled
    if reg.mask:
        return -1
    bt = env.bt
    bt.set_frame_slot(key.frameno, spi)
    mark_chain_precision_batch(env, env.state)
    return reg.value if reg.value >> 63 == 0 else -1


def _run(slot: Slot, first: int, kind: int) -> int:
    """How many bytes of that kind follow each other from byte ``first`` up."""
    count = 0
    while first + count < 8 and slot.type_at(first + count) == kind:
        count += 1
    return count


def check_bpf_snprintf_call(env: Env, fmt: Reg, data_len: Reg) -> None:
    """The format must be one that the kernel takes, with as many values as it asks for.  Raises Rejected."""
    if data_len.value % 8:
        raise env.reject(EINVAL, "snprintf-data", "")
    if not format_is_valid(map_bytes(fmt.map, fmt).partition(b"\0")[0], data_len.value // 8):
        raise env.reject(EINVAL, "snprintf-format", "Invalid format string\n")


def format_is_valid(fmt: bytes, args: int) -> bool:
    """Would ``bpf_bprintf_prepare`` take the format with that many values?"""
    i, used = 0, 0
    while i < len(fmt):
        if not (0x20 <= fmt[i] < 0x7F or (fmt[i] < 0x80 and fmt[i] in _SPACE)):
            return False
        if fmt[i : i + 1] != b"%":
            i += 1
        elif fmt[i + 1 : i + 2] == b"%":
            i += 2
        else:
            i = _conversion_end(fmt, i + 1) if used < args else 0
            used += 1
            if not i:
                return False
    return True


def _conversion_end(fmt: bytes, i: int) -> int:
    """Where the conversion whose % stands before ``i`` ends; 0 when the kernel does not know it."""
    while fmt[i : i + 1] in (b"0", b"+", b"-", b" "):
        i += 1
    if b"1" <= fmt[i : i + 1] <= b"9":
        while fmt[i : i + 1].isdigit():
            i += 1
    kind = fmt[i : i + 1]
    if kind == b"p":
        return _pointer_end(fmt, i + 1)
    if kind == b"s":
        return i + 1 if _is_end(fmt, i + 1) else 0
    if kind == b"c":
        return i + 1
    longs = 2 if fmt[i : i + 2] == b"ll" else int(kind == b"l")
    return i + longs + 1 if fmt[i + longs : i + longs + 1] in (b"i", b"d", b"u", b"x", b"X") else 0


def _pointer_end(fmt: bytes, i: int) -> int:
    """The same for what follows %p."""
    if _is_end(fmt, i):
        return i
    if fmt[i : i + 2] in (b"ks", b"us"):
        return i + 2 if _is_end(fmt, i + 2) else 0
    if fmt[i : i + 1] in (b"K", b"x", b"s", b"S", b"B"):
        return i + 1
    return i + 2 if fmt[i : i + 2] in (b"i4", b"i6", b"I4", b"I6") else 0


def _is_end(fmt: bytes, i: int) -> bool:
    return i >= len(fmt) or fmt[i] in _SPACE or fmt[i] in _PUNCTUATION
