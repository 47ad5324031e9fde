"""Calls: helpers with good and bad arguments, functions of the program, tail calls, references."""

from __future__ import annotations

from functools import cache

from osmia.kernel.helpers import HELPERS, HelperProto
from osmia.kernel.profile import Shape
from osmia.obj.model import MapSpec
from osmia.testing.generators import maps
from osmia.testing.generators.builder import FP, MEMORY, NONE, SCALAR, UNKNOWN, Builder, Function, Value
from osmia.testing.generators.memory import Key, check_null, key_at
from osmia.testing.generators.scalars import alu, bound

TAIL_CALL, LOOP = 12, 181
RESERVE, SUBMIT, DISCARD = 131, 132, 133
SK_LOOKUP_TCP, SK_RELEASE = 84, 86
MAX_FUNCTIONS = 6
BASIC = tuple(
    h for h in HELPERS
    if h.name.removeprefix("bpf_") in ("ktime_get_ns", "get_prandom_u32", "get_smp_processor_id", "map_lookup_elem",
    "map_update_elem", "map_delete_elem", "get_current_pid_tgid", "get_current_comm", "trace_printk", "jiffies64",
    "ktime_get_boot_ns", "map_push_elem", "map_pop_elem", "map_peek_elem", "map_lookup_percpu_elem", "strtol",
    "get_numa_node_id", "probe_read_kernel", "snprintf", "ringbuf_output", "strncmp", "csum_diff", "perf_event_output")
)  # fmt: skip


def offered(shape: Shape) -> tuple[HelperProto, ...]:
    """The helpers that a program of that shape may call; the basic ones where that is not known."""
    return _offered(Key(shape))


@cache
def _offered(key: Key) -> tuple[HelperProto, ...]:
    usable = ("offered", "sleepable") if key.shape.sleepable == "must" else ("offered",)
    found = [h for h in HELPERS if key.shape.helper(h.id) in usable and makeable(h.kinds(key.shape.prog_type)[1])]
    return tuple(found) or BASIC


def makeable(kinds: tuple[str, ...]) -> bool:
    """Can ``argument`` make all of them?"""
    return not any(word in kind for kind in kinds for word in ("DYNPTR", "BTF", "TIMER", "SPIN", "FUNC", "CONST_STR"))


def helper(b: Builder) -> None:
    """Any helper that the program's type offers (rarely another one), its arguments made to fit, mostly."""
    if b.unit.world is not None:
        known = b.unit.world.helpers
        return call_helper(b, known[b.below(len(known))])
    known = offered(b.unit.shape)
    roll = b.rng.random()
    proto = BASIC[b.below(len(BASIC))] if roll < 0.3 else known[b.below(len(known))]
    if roll > 0.96:
        proto = HELPERS[b.below(len(HELPERS))]
    if proto.id in (TAIL_CALL, LOOP) or b.depth > 6:
        return alu(b)
    call_helper(b, proto)
    return None


def call_helper(b: Builder, proto: HelperProto) -> None:
    """Arguments from left to right, then the call."""
    ret, kinds = proto.kinds(b.unit.prog_type)
    spec = None
    for number, kind in enumerate(kinds, 1):
        if kind == "CONST_MAP_PTR":
            sane = b.unit.world is not None or b.chance(0.97)
            specs = b.unit.maps_for(proto.name) if sane else maps.pool()
            spec = specs[b.below(len(specs))]
            b.map_load(number, spec)
        elif not argument(b, number, kind, size_of(spec, kind, proto, number), set(range(1, number))):
            b.mov(number, b.below(8))
    b.call(proto.id)
    result(b, ret, spec)


def size_of(spec: MapSpec | None, kind: str, proto: HelperProto, number: int) -> int:
    """The bytes behind a pointer argument."""
    if spec is not None and "MAP_KEY" in kind:
        return spec.key_size
    if spec is not None and "MAP_VALUE" in kind:
        return spec.value_size
    return (proto.arg_sizes or {}).get(number - 1, 32)


def argument(b: Builder, reg: int, kind: str, size: int, taken: set[int]) -> bool:
    """Make one argument; false if this kind can't be made."""
    if "CTX" in kind:
        ctx = b.context()
        if ctx < 0 or ctx in taken:
            return False
        b.copy(reg, ctx)
    elif "SIZE" in kind and "PTR" not in kind and "FIXED" not in kind:
        size_argument(b, reg)
    elif "SOCK" in kind or "BTF_ID" in kind:
        sock = b.pick("sock", "ctx") if "SOCK" in kind else -1
        if sock < 0 or sock in taken:
            return False
        b.copy(reg, sock)
    elif "PTR_TO_MEM" in kind or "UNINIT" in kind or "MAP_KEY" in kind or "MAP_VALUE" in kind or "FIXED" in kind:
        memory_argument(b, reg, kind, size, taken)
    elif kind == "ANYTHING":
        b.mov(reg, b.number_like() if b.chance(0.3) else b.below(3))
    else:
        return False
    return True


def size_argument(b: Builder, reg: int) -> None:
    """A number of bytes, known or bounded."""
    if b.chance(0.75):
        b.mov(reg, (1, 4, 8, 12, 16, 24, 32, 0, 33)[b.below(9)])
        return
    source = b.pick("scalar")
    if source < 6:
        b.mov(reg, b.below(33))
        return
    b.copy(reg, source)
    b.emit(0x57, reg, 0, 0, 31)
    if b.chance(0.3):
        b.add(reg, 1)


def memory_argument(b: Builder, reg: int, kind: str, size: int, taken: set[int]) -> None:
    """A pointer to stack, or to memory that is at hand."""
    other = b.pick("value", "pkt", "mem")
    if other >= 0 and other not in taken and b.chance(0.35):
        b.copy(reg, other)
        return
    if "UNINIT" in kind:
        off = -8 * ((size + 7) // 8) - 8 * b.below(2)
    else:
        off = key_at(b, size)
    b.copy(reg, 10)
    b.add(reg, off)


def result(b: Builder, ret: str, spec: MapSpec | None) -> None:
    """What r0 holds now."""
    if ret == "VOID":
        b.regs[0] = NONE
    elif "MAP_VALUE" in ret and spec is not None:
        b.regs[0] = Value("value?" if spec.type in maps.PLAIN else "other?", b.unit.map_number(spec))
    elif "SOCK" in ret:
        b.regs[0] = Value("sock?" if "NULL" in ret else "sock")
    elif ret != "INTEGER":
        b.regs[0] = NONE


def ringbuf(b: Builder) -> None:
    """Reserve a record, fill it, hand it over: a reference."""
    if b.depth > 4:
        return alu(b)
    spec = next(s for s in maps.pool() if s.type == "ringbuf")
    size = (8, 16, 64)[b.below(3)]
    b.map_load(1, spec)
    b.mov(2, size)
    b.mov(3, 0)
    b.call(RESERVE)
    holder = next((n for n in (7, 8, 9) if n not in b.keep), 0)
    b.copy(holder, 0)
    b.outs.append(b.emit(0x15, holder, 0, 0, 0))
    b.regs[holder] = Value("mem", size)
    b.regs[0] = NONE
    b.keep.add(holder)
    outs, b.outs = b.outs, []
    for _ in range(b.below(3)):
        b.emit(0x7A, holder, 0, 8 * b.below(size // 8), b.below(9))
    stray = b.outs
    b.outs = outs + (stray if b.chance(0.1) else [])
    b.copy(1, holder)
    b.mov(2, 0)
    if b.unit.world is not None or b.chance(0.96):
        b.call(SUBMIT if b.chance(0.7) else DISCARD)
    b.keep.discard(holder)
    b.regs[holder] = b.regs[0] = NONE
    return None


def socket(b: Builder) -> None:
    """Look a socket up, and release it: a reference."""
    ctx = b.context()
    if ctx < 0 or b.depth > 4 or b.unit.world is not None or b.unit.shape.helper(SK_LOOKUP_TCP) not in ("offered",):
        return ringbuf(b)
    off = key_at(b, 16)
    b.copy(1, ctx)
    b.copy(2, 10)
    b.add(2, off)
    b.mov(3, 12)
    b.mov(4, -1)
    b.mov(5, 0)
    b.call(SK_LOOKUP_TCP)
    b.outs.append(b.emit(0x15, 0, 0, 0, 0))
    b.regs[0] = Value("sock")
    if b.chance(0.5):
        b.load(4, 7 if 7 not in b.keep else 2, 0, 4 * b.below(10))
    b.copy(1, 0)
    if b.chance(0.95):
        b.call(SK_RELEASE)
    b.regs[0] = SCALAR
    return None


def tail_call(b: Builder) -> None:
    """Another program, if it is there."""
    ctx = b.context()
    if ctx < 0:
        return alu(b)
    b.copy(1, ctx)
    tails = b.unit.world.tails if b.unit.world is not None else None
    b.map_load(2, tails or next(s for s in maps.pool() if s.type == "prog_array"))
    if b.chance(0.6):
        b.mov(3, b.below(3))
    else:
        b.copy(3, bound(b))
        b.regs[3] = SCALAR
    b.call(TAIL_CALL)
    b.regs[0] = NONE
    return None


def function(b: Builder) -> None:
    """A function of the program: a new one, or one that is there already."""
    functions = b.unit.functions
    if functions and (len(functions) >= MAX_FUNCTIONS or b.chance(0.4)):
        number = 1 + b.below(len(functions))
        if number <= b.number and b.chance(0.97):
            return alu(b)
        args = functions[number - 1].args
        if not all(give(b, n, want) for n, want in enumerate(args, 1)):
            return alu(b)
    else:
        is_global = b.unit.globals_too and b.chance(0.5)
        functions.append(Function(new_arguments(b, is_global), is_global))
        number = len(functions)
    b.unit.calls.append((b.number, len(b.insns), number))
    b.emit(0x85, 0, 1, 0, 0)
    b.clobber()
    return None


def callback(b: Builder) -> None:
    """A function that bpf_loop calls with a number and with eight bytes of this frame."""
    functions = b.unit.functions
    if len(functions) >= MAX_FUNCTIONS or b.loops or b.depth > 3 or b.number:
        return alu(b)
    functions.append(Function((UNKNOWN, MEMORY), callback=True))
    off = key_at(b, 8)
    if b.chance(0.7):
        b.mov(1, (0, 1, 2, 5, 17, 40, -1)[b.below(7)] & 0x3F)
    else:
        b.copy(1, bound(b))
    b.unit.calls.append((b.number, b.emit(0x18, 2, 4), len(functions)))
    b.emit(0)
    b.copy(3, 10)
    b.add(3, off)
    b.mov(4, 0 if b.chance(0.95) else 1)
    b.call(LOOP)
    b.stack[off] = UNKNOWN
    return None


def give(b: Builder, reg: int, want: Value) -> bool:
    """An argument of that kind, from any register that holds one."""
    if want.kind == "scalar":
        b.mov(reg, b.below(100)) if b.chance(0.5) else b.copy(reg, b.scalar())
        return True
    if want.kind == "fp":
        off = key_at(b, 8)
        b.copy(reg, 10)
        b.add(reg, off)
        return True
    found = b.pick(want.kind)
    if found >= 0:
        b.copy(reg, found)
    return found >= 0


def new_arguments(b: Builder, is_global: bool) -> tuple[Value, ...]:
    """Values for r1 and following, from what is at hand; of a global function, what BTF can say."""
    kinds = ("value", "ctx")[: 2 if b.unit.context else 1] if is_global else ("value", "ctx", "pkt")
    for reg in range(1, 1 + b.below(5)):
        held = b.pick(*kinds) if b.chance(0.4) else -1
        if held >= reg:
            b.copy(reg, held)
        elif b.chance(0.15):
            off = key_at(b, 8)
            b.copy(reg, 10)
            b.add(reg, off)
            b.regs[reg] = FP
        else:
            give(b, reg, SCALAR)
    count = next((n for n in range(1, 6) if b.regs[n].kind not in ("scalar", "value", "ctx", "pkt", "fp")), 6)
    return tuple(b.regs[1:count])


ACTIONS = (helper, helper, helper, ringbuf, socket, check_null)
