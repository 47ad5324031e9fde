"""Memory of every kind: the stack, map values, packets, the context, atomics, legacy packet loads."""

from __future__ import annotations

from functools import cache

from osmia.kernel.profile import Shape
from osmia.testing.generators import maps
from osmia.testing.generators.builder import NONE, SCALAR, SIZES, UNKNOWN, Builder, Value
from osmia.testing.generators.scalars import alu, bound

LOOKUP, UPDATE, DELETE = 1, 2, 3
HELD = Value("held")
"""A register in use that no action should touch."""
ATOMICS = (0x00, 0x40, 0x50, 0xA0, 0x01, 0x41, 0x51, 0xA1, 0xE1, 0xF1, 0x100, 0x110)
PACKETS = {"xdp": (0, 4, 8), "sk_msg": (0, 8, -1), "sk_reuseport": (0, 8, -1)}
SKB_PACKETS = ("sched_cls", "sched_act", "cgroup_skb", "lwt_in", "lwt_out", "lwt_xmit", "sk_skb", "flow_dissector",
               "lwt_seg6local")  # fmt: skip
SKB_DATA = (76, 80, 140)
SKB_SHORT = (12, 13, 14, 15, 44, 45, 46, 47)
"""queue_mapping and tc_index of ``struct __sk_buff``."""
LD_ABS_TYPES = ("socket_filter", "sched_cls", "sched_act")


def slot_off(b: Builder) -> int:
    """The offset of an eight-byte slot, mostly near the frame pointer."""
    return -8 * (1 + b.below(6 if b.number or b.unit.world is not None or b.chance(0.9) else 64))


def spill(b: Builder) -> None:
    """A whole register onto the stack."""
    src = b.pick("scalar", "value", "value?", "ctx", "pkt", "fp", "map", "mem")
    if src >= 0:
        off = slot_off(b)
        b.emit(0x7B, 10, src, off)
        b.stack[off] = b.regs[src]


def fill(b: Builder) -> None:
    """A whole register back from the stack."""
    if not b.stack:
        return spill(b)
    offs = list(b.stack)
    off = offs[b.below(len(offs))]
    dst = b.free()
    b.emit(0x79, dst, 10, off)
    b.regs[dst] = b.stack[off]
    return None


def stack_store(b: Builder) -> None:
    """Part of a slot, or all of it, from a number or an immediate."""
    size = (1, 2, 4, 8)[b.below(4)]
    slot = slot_off(b)
    if b.unit.world is not None and b.stack.get(slot, NONE).kind != "scalar":
        size = 8  # what is left of a pointer would be a number that nobody else has
    off = slot + size * b.below(8 // size)
    if b.chance(0.5):
        b.emit(0x62 | SIZES[size], 10, 0, off, b.number_like() if b.chance(0.6) else 0)
    else:
        b.emit(0x63 | SIZES[size], 10, b.scalar(), off)
    if size == 8 or b.stack.get(slot, SCALAR).kind != "scalar":
        b.stack[slot] = SCALAR


def stack_load(b: Builder) -> None:
    """Part of a slot that holds a number."""
    offs = [off for off, value in b.stack.items() if value.kind == "scalar"]
    if not offs:
        return stack_store(b)
    size = (1, 2, 4, 8)[b.below(4)]
    off = offs[b.below(len(offs))] + size * b.below(8 // size)
    dst = b.free()
    b.emit((0x81 if size < 8 and b.chance(0.2) else 0x61) | SIZES[size], dst, 10, off)
    b.regs[dst] = SCALAR
    return None


def stack_variable(b: Builder) -> None:
    """An access through a frame pointer plus a small unknown number."""
    reg = bound(b)
    if reg in b.keep:
        return
    size = (1, 2, 4, 8)[b.below(4)]
    b.emit(0x57, reg, 0, 0, (7, 8, 15, 15)[b.below(4)] & -size)
    low = -8 * (3 + b.below(3))
    if b.unit.world is not None or b.chance(0.7):
        for off in range(low, 0, 8):
            b.emit(0x7A, 10, 0, off, b.below(2))
            b.stack[off] = SCALAR
    pointer = b.free(reg)
    b.copy(pointer, 10)
    b.emit(0x0F, pointer, reg)
    if b.chance(0.5):
        b.load(size, b.free(reg), pointer, low)
    else:
        b.emit(0x62 | SIZES[size], pointer, 0, low, b.below(3))
    b.regs[pointer] = NONE


def key_at(b: Builder, size: int) -> int:
    """Bytes of stack that are written, for a key or a value: their offset."""
    off = -8 * ((size + 7) // 8) - 8 * b.below(3)
    for slot in range(off, off + size, 8):
        b.emit(0x7A, 10, 0, slot, b.below(4))
        b.stack[slot] = SCALAR
    return off


def lookup(b: Builder) -> None:
    """Look a key up; the value may be null."""
    specs = b.unit.maps_for("bpf_map_lookup_elem")
    spec = specs[b.below(8 if b.chance(0.8) else len(specs))]
    off = key_at(b, spec.key_size)
    number = b.map_load(1, spec)
    b.copy(2, 10)
    b.add(2, off)
    b.call(LOOKUP)
    b.regs[0] = Value("value?" if spec.type in maps.PLAIN else "other?", number)
    if b.chance(0.7):
        check_null(b)


def direct(b: Builder) -> None:
    """The address of a value inside an array."""
    specs = [s for s in maps.pool() if s.type == "array" and (s.max_entries == 1 or b.chance(0.02))]
    spec = specs[b.below(len(specs))]
    b.value_of(b.free(), spec, b.below(spec.value_size) if b.unit.world is None and b.chance(0.3) else 0)


def check_null(b: Builder) -> None:
    """Compare a pointer with null, and use it where it is not."""
    reg = b.pick("value?", "mem?", "sock?")
    if reg < 0:
        return lookup(b) if b.chance(0.5) and b.depth < 5 else alu(b)
    value = b.regs[reg]
    jump = b.emit(0x15, reg, 0, 0, 0)
    b.regs = [v._replace(kind=value.kind[:-1]) if v == value else v for v in b.regs]
    if b.chance(0.4):
        b.outs.append(jump)
        return None
    b.either(jump, None)
    if b.unit.world is not None:  # where the arms meet, it may be null again
        held = value._replace(kind=value.kind[:-1])
        b.regs = [value if v == held else v for v in b.regs]
        b.stack = {off: SCALAR if v == held else v for off, v in b.stack.items()}
    return None


def value_access(b: Builder) -> None:
    """A load or store in a map value, at a fixed or a variable offset."""
    reg = b.pick("value")
    if reg < 0:
        return check_null(b)
    spec = b.unit.maps[b.regs[reg].info]
    size = (1, 2, 4, 8)[b.below(4)]
    room = spec.value_size - size
    if room < 0:
        size, room = 1, spec.value_size - 1
    off = size * b.below(room // size + 1) if b.chance(0.9) else b.below(room + 1 + (b.unit.world is None))
    if b.chance(0.35) and room > (8 if b.unit.world is None else 18):
        reg, off = variable_pointer(b, reg), b.below(4)
    access(b, reg, size, off, spec.flags)
    return None


def variable_pointer(b: Builder, reg: int) -> int:
    """The pointer plus a small unknown number: a register for it."""
    by = bound(b)
    pointer = b.free(by, reg)
    if by == reg or by in b.keep:
        return reg
    if b.unit.world is not None or b.chance(0.5):
        b.emit(0x57, by, 0, 0, 7)
    b.copy(pointer, reg)
    b.emit(0x0F if b.unit.world is not None or b.chance(0.85) else 0x1F, pointer, by)
    return pointer


def access(b: Builder, reg: int, size: int, off: int, flags: int = 0) -> None:
    """Load or store there, as the flags of a map allow it, mostly."""
    roll = b.rng.random()
    if flags and b.chance(0.95):
        roll = 0.0 if flags & maps.RDONLY_PROG else 0.9
    if roll < 0.5:
        dst = b.free(reg)
        b.emit((0x81 if size < 8 and b.chance(0.15) else 0x61) | SIZES[size], dst, reg, off)
        b.regs[dst] = UNKNOWN
    elif roll < 0.75:
        b.emit(0x62 | SIZES[size], reg, 0, off, b.number_like())
    else:
        b.emit(0x63 | SIZES[size], reg, b.scalar(), off)


def atomic(b: Builder) -> None:
    """An atomic operation on a map value, on the stack, or elsewhere."""
    size = (4, 8)[b.below(2)]
    reg, off = b.pick("value"), 0
    bare = reg < 0 or (b.unit.maps[b.regs[reg].info].flags and b.chance(0.95))
    if bare or b.unit.maps[b.regs[reg].info].value_size < size or b.chance(0.5):
        slot = slot_off(b)
        b.emit(0x7A, 10, 0, slot, b.below(9))
        b.stack[slot] = SCALAR
        reg, off = 10, slot + 4 * (size == 4 and b.chance(0.3))
    op = ATOMICS[b.below(len(ATOMICS))]
    if op == 0xF1 and b.regs[0].kind != "scalar":
        b.mov(0, b.below(9))
    if op == 0x100:
        dst = b.free()
        b.emit(0xC3 | SIZES[size], dst, reg, off, op)
        b.regs[dst] = SCALAR
    else:
        b.emit(0xC3 | SIZES[size], reg, b.scalar(), off, op)


def packet(b: Builder) -> None:
    """A pointer to the packet that was compared with the packet's end."""
    kind, ctx = b.unit.prog_type, b.context()
    if ctx < 0 or (kind not in PACKETS and kind not in SKB_PACKETS):
        return value_access(b)
    data, end, meta = PACKETS.get(kind, SKB_DATA)
    size = 8 if kind in ("sk_msg", "sk_reuseport") else 4
    start = b.free(ctx)
    limit = b.free(ctx, start)
    ahead = b.free(ctx, start, limit)
    b.load(size, start, ctx, meta if meta >= 0 and b.chance(0.1) else data)
    b.load(size, limit, ctx, end)
    b.regs[start] = b.regs[limit] = HELD
    b.copy(ahead, start)
    length = (1, 2, 4, 8, 14, 20, 34, 54, 64)[b.below(9)]
    if b.chance(0.2):
        ahead = variable_pointer(b, ahead)
    b.add(ahead, length)
    swap = b.chance(0.2)
    code = (0x2D, 0x3D)[b.below(2)] if not swap else (0xAD, 0xBD)[b.below(2)]
    b.outs.append(b.emit(code, limit if swap else ahead, ahead if swap else limit))
    b.regs[start] = Value("pkt", length)
    b.regs[limit] = b.regs[ahead] = NONE
    return None


def packet_access(b: Builder) -> None:
    """A load or store in the packet."""
    reg = b.pick("pkt")
    if reg < 0:
        return packet(b) if b.chance(0.6) and b.depth < 6 else alu(b)
    length = b.regs[reg].info
    size = (1, 2, 4, 8)[b.below(4)]
    inside = length >= size if b.unit.world is not None else b.chance(0.95)
    off = b.below(max(length - size + 1, 1)) if inside else length
    if b.unit.world is not None and not inside:
        size, off = 1, b.below(length)
    access(b, reg, size, off)
    return None


def fields(shape: Shape, write: bool) -> tuple[tuple[int, int, str], ...]:
    """Where the context may be read or written: offset, size and type."""
    return _fields(Key(shape), write)


class Key:
    """A profile's row by identity."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape

    def __hash__(self) -> int:
        return id(self.shape)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and other.shape is self.shape


@cache
def _fields(key: Key, write: bool) -> tuple[tuple[int, int, str], ...]:
    found = []
    shape = key.shape
    for off in range(256):
        for size in (1, 2, 4, 8):
            field = shape.ctx_access(off, size, write)
            if field is not None and not field.btf:
                found.append((off, size, field.type))
    return tuple(found)


def ctx_read(b: Builder) -> None:
    """A load from the context."""
    ctx, known = b.context(), fields(b.unit.shape, False)
    if b.unit.world is not None:  # parts of a field that has two bytes in the kernel are not what they seem
        known = tuple(field for field in known if field[1] >= 4 and field[2] in ("", "SCALAR_VALUE"))
    if ctx < 0:
        return alu(b)
    sane = known and (b.unit.world is not None or b.chance(0.995))
    off, size, kind = known[b.below(len(known))] if sane else (b.below(200), 4, "SCALAR_VALUE")
    dst = b.free(ctx)
    if dst != ctx:
        b.load(size, dst, ctx, off)
        if kind and kind != "SCALAR_VALUE":
            b.regs[dst] = Value("sock?" if "SOCK" in kind else "none")
    return None


def ctx_write(b: Builder) -> None:
    """A store to the context."""
    ctx, known = b.context(), fields(b.unit.shape, True)
    if b.unit.world is not None:  # the kernel keeps two bytes of these
        known = tuple(field for field in known if field[0] not in SKB_SHORT)
    if ctx < 0 or not known:
        return ctx_read(b)
    off, size, _ = known[b.below(len(known))]
    if b.chance(0.5):
        b.emit(0x62 | SIZES[size], ctx, 0, off, b.below(100))
    else:
        b.emit(0x63 | SIZES[size], ctx, b.scalar(), off)
    return None


def ld_abs(b: Builder) -> None:
    """The loads of the old packet filters, of socket buffers only; they need the context in r6."""
    if b.regs[6].kind != "ctx" or (b.unit.prog_type not in LD_ABS_TYPES and b.chance(0.97)):
        return ctx_read(b)
    size = (1, 2, 4)[b.below(3)]
    if b.chance(0.6):
        b.emit(0x20 | SIZES[size], 0, 0, 0, b.below(64))
    else:
        b.emit(0x40 | SIZES[size], 0, b.scalar(), 0, b.below(64))
    b.clobber()
    return None


def pointer_math(b: Builder) -> None:
    """Arithmetic on a pointer, and back sometimes."""
    reg = b.pick("value", "pkt", "fp", "mem")
    if reg < 0:
        return alu(b)
    if reg == 10 and b.chance(0.8):
        return stack_variable(b)
    by = bound(b)
    dst = b.free(reg, by)
    b.copy(dst, reg)
    if b.chance(0.6):
        b.add(dst, b.below(32) - 8)
    else:
        b.emit(0x0F if b.chance(0.8) else 0x1F, dst, by)
    b.regs[dst] = NONE
    return None
