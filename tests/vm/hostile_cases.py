"""Programs that no verifier would take, one for every way out of the machine that somebody may try.

Each says how it must end: the type of the error and the slot, in every engine the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from osmia.isa import Insn
from osmia.isa import consts as c
from osmia.isa import macros as m
from osmia.kernel.helpers import helper_by_name
from osmia.obj.model import MapSpec, Program
from osmia.testing.trials import Trial

M64 = (1 << 64) - 1
SECRET = 0x5EC2E7
"""Stands for the address of memory that is not the program's: whoever runs a case puts one in."""
EXIT = m.BPF_EXIT_INSN()
ARRAY, HASH, CONSTANTS, TAILS, RING, QUEUE = range(6)
WIDE = m.BPF_LD_IMM64
ADD = c.BPF_ADD
FOREVER = 200_000


def specs() -> list[MapSpec]:
    """One map of each number above."""
    return [
        MapSpec("array", "array", 4, 48, 2),
        MapSpec("hash", "hash", 4, 8, 4),
        MapSpec("constants", "array", 4, 16, 1, 1 << 7, data=bytes(range(16)), frozen=True),
        MapSpec("tails", "prog_array", 4, 4, 4, values={0: "main", 1: "other"}),
        MapSpec("ring", "ringbuf", 0, 0, 4096),
        MapSpec("queue", "queue", 0, 8, 4),
    ]


@dataclass
class Hostile:
    """A program and its end: an error at a slot (-2: before the last exit), or "" for a result."""

    name: str
    insns: list[Insn]
    error: str = "Fault"
    slot: int = -2
    prog_type: str = "xdp"
    budget: int = 1 << 20
    others: dict[str, list[Insn]] = field(default_factory=dict)

    @property
    def at(self) -> int:
        """The slot where it must end."""
        return self.slot if self.slot >= 0 or not self.error else len(self.insns) + self.slot

    def trial(self, secret: int = 0) -> Trial:
        """The trial, with an address for ``SECRET``."""
        maps = specs()
        for spec in maps:
            spec.values = {slot: name for slot, name in spec.values.items() if name == "main" or name in self.others}
        insns = with_secret(self.insns, secret)
        main = Program("main", self.prog_type, insns, maps=maps, license="GPL")
        others = {
            name: Program(name, self.prog_type, body, maps=maps, license="GPL") for name, body in self.others.items()
        }
        return Trial(main, bytes(range(64)), None, {"main": main, **others}, self.budget)


def with_secret(insns: list[Insn], secret: int) -> list[Insn]:
    """The instructions with the address put in."""
    out = list(insns)
    for pc, insn in enumerate(insns):
        if insn.is_wide and insn.imm == SECRET:
            out[pc : pc + 2] = WIDE(insn.dst_reg, secret)
    return out


def helper(name: str) -> Insn:
    """The call of a helper."""
    return m.BPF_EMIT_CALL(helper_by_name(f"bpf_{name}").id)


def map_to(reg: int, number: int) -> list[Insn]:
    """The handle of a map."""
    return [Insn(0x18, reg, c.BPF_PSEUDO_MAP_FD, 0, number), Insn(0)]


def value_to(reg: int, number: int, off: int = 0) -> list[Insn]:
    """The address in the value of an array."""
    return [Insn(0x18, reg, c.BPF_PSEUDO_MAP_VALUE, 0, number), Insn(0, imm=off)]


def func_to(reg: int, distance: int) -> list[Insn]:
    """The address of a function, that far behind the load's first slot."""
    return [Insn(0x18, reg, c.BPF_PSEUDO_FUNC, 0, distance), Insn(0)]


def stack_to(reg: int, off: int) -> list[Insn]:
    return [m.BPF_MOV64_REG(reg, 10), m.BPF_ALU64_IMM(ADD, reg, off)]


def lookup(number: int, key: int = 0) -> list[Insn]:
    """R0: the value of a key."""
    return [
        m.BPF_ST_MEM(c.BPF_W, 10, -4, key), *stack_to(2, -4), *map_to(1, number), helper("map_lookup_elem"),
    ]  # fmt: skip


def put(number: int, key: int = 0) -> list[Insn]:
    """An element with the frame's bytes at -16 as value."""
    return [
        m.BPF_ST_MEM(c.BPF_DW, 10, -16, 7), m.BPF_ST_MEM(c.BPF_W, 10, -4, key), *stack_to(2, -4), *stack_to(3, -16),
        m.BPF_MOV64_IMM(4, 0), *map_to(1, number), helper("map_update_elem"),
    ]  # fmt: skip


ACCESSES = {
    **{f"load {8 * n}": m.BPF_LDX_MEM(size, 0, 2, 0) for size, n in c.SIZE_BYTES.items()},
    "signed load": m.BPF_LDX_MEMSX(c.BPF_W, 0, 2, 0),
    **{f"store {8 * n}": m.BPF_STX_MEM(size, 2, 0, 0) for size, n in c.SIZE_BYTES.items()},
    "constant": m.BPF_ST_MEM(c.BPF_DW, 2, 0, -1),
    "load acquire": m.BPF_LOAD_ACQ(c.BPF_DW, 0, 2, 0),
    "store release": m.BPF_STORE_REL(c.BPF_W, 2, 0, 0),
    "atomic add": m.BPF_ATOMIC_OP(c.BPF_DW, c.BPF_ADD, 2, 0, 0),
    "atomic fetch": m.BPF_ATOMIC_OP(c.BPF_W, c.BPF_OR | c.BPF_FETCH, 2, 0, 0),
    "exchange": m.BPF_ATOMIC_OP(c.BPF_DW, c.BPF_XCHG, 2, 0, 0),
    "compare and exchange": m.BPF_ATOMIC_OP(c.BPF_W, c.BPF_CMPXCHG, 2, 0, 0),
}
PLACES = {
    "null": WIDE(2, 0),
    "the first page": WIDE(2, 4096),
    "someone's memory": WIDE(2, SECRET),
    "the middle of nowhere": WIDE(2, 0x0000_7FFF_FFFF_F000),
    "no canonical address": WIDE(2, 1 << 47),
    "the kernel": WIDE(2, 0xFFFF_8880_0000_0000),
    "the last byte": WIDE(2, M64),
    "the sign": WIDE(2, 1 << 63),
    "a map's handle": map_to(2, ARRAY),
    "a function": func_to(2, -2),
    "above the stack": stack_to(2, 0),
    "below the stack": stack_to(2, -520),
    "far below the stack": stack_to(2, -0x7FFFFFF8),
    "before the context": [m.BPF_MOV64_REG(2, 1), m.BPF_ALU64_IMM(ADD, 2, -8)],
    "behind the context": [m.BPF_MOV64_REG(2, 1), m.BPF_ALU64_IMM(ADD, 2, 24)],
    "the packet's end": [m.BPF_LDX_MEM(c.BPF_W, 2, 1, 4)],
    "behind a map value": [*value_to(2, CONSTANTS, 15), m.BPF_ALU64_IMM(ADD, 2, 1)],
    "a constant of a pointer": [m.BPF_MOV64_REG(2, 10), m.BPF_ALU64_REG(c.BPF_MUL, 2, 10)],
    "a pointer cut in half": [m.BPF_MOV32_REG(2, 10)],
    "two pointers added": [m.BPF_MOV64_REG(2, 10), m.BPF_ALU64_REG(ADD, 2, 1)],
}  # fmt: skip


def wild() -> Iterator[Hostile]:
    """Every access at every place."""
    for place, make in PLACES.items():
        for name, insn in ACCESSES.items():
            end = "" if place == "a map's handle" and "load" in name else "Fault"  # those may be read
            after = [] if end else [m.BPF_MOV64_IMM(0, 0)]  # no address in R0
            yield Hostile(f"{name}, {place}", [m.BPF_MOV64_IMM(0, 0), *make, insn, *after, EXIT], end)


def straddling() -> Iterator[Hostile]:
    """The first bytes are the program's, the last are not; and offsets that wrap around."""
    eight = m.BPF_LDX_MEM(c.BPF_DW, 0, 2, 0)
    starts = {
        "the stack's end": stack_to(2, -4), "the stack's begin": stack_to(2, -516),
        "the packet's end": [m.BPF_LDX_MEM(c.BPF_W, 2, 1, 4), m.BPF_ALU64_IMM(ADD, 2, -7)],
        "the context's end": [m.BPF_MOV64_REG(2, 1), m.BPF_ALU64_IMM(ADD, 2, 20)],
        "a value's end": [*lookup(ARRAY, 1), m.BPF_MOV64_REG(2, 0), m.BPF_ALU64_IMM(ADD, 2, 41)],
        "the end of the address space": WIDE(2, M64 - 3),
    }  # fmt: skip
    for name, start in starts.items():
        yield Hostile(f"over {name}", [*start, eight, EXIT])
    for off, base in ((8, M64 - 3), (0x7FFF, M64 - 0x7FFE), (-0x8000, 0x7FFF), (-8, 4)):
        for name in ("load", "store"):
            access = m.BPF_LDX_MEM(c.BPF_W, 0, 2, off) if name == "load" else m.BPF_STX_MEM(c.BPF_W, 2, 0, off)
            yield Hostile(f"{name} wraps around at {off}", [m.BPF_MOV64_IMM(0, 0), *WIDE(2, base), access, EXIT])
    for off in (0x7FFF, -0x8000, -516, -4, 1):
        yield Hostile(f"frame pointer {off}", [m.BPF_LDX_MEM(c.BPF_DW, 0, 10, off), EXIT])
        yield Hostile(f"store, frame pointer {off}", [m.BPF_ST_MEM(c.BPF_DW, 10, off, 1), EXIT])
    big = [m.BPF_MOV64_REG(2, 10), *WIDE(3, 1 << 63), m.BPF_ALU64_REG(ADD, 2, 3)]
    yield Hostile("half the address space away", [*big, eight, EXIT])
    yield Hostile("all the way round", [*big, m.BPF_ALU64_REG(ADD, 2, 3), m.BPF_LDX_MEM(c.BPF_DW, 0, 2, -8), EXIT], "")


def endless() -> Iterator[Hostile]:
    """Loops of every kind."""
    for name, body in {
        "jump to itself": [m.BPF_JMP_A(-1), EXIT],
        "long jump to itself": [m.BPF_JMP32_A(-1), EXIT],
        "condition": [m.BPF_MOV64_IMM(1, 1), m.BPF_JMP_IMM(c.BPF_JNE, 1, 0, -1), EXIT],
        "counting up": [m.BPF_ALU64_IMM(ADD, 1, 1), m.BPF_JMP_IMM(c.BPF_JNE, 0, 1, -2), EXIT],
        "two loops": [
            m.BPF_ALU64_IMM(ADD, 1, 1), m.BPF_JMP_IMM(c.BPF_JSET, 1, 7, -2), m.BPF_JMP_A(-3), EXIT,
        ],
        "calls": [m.BPF_CALL_REL(2), m.BPF_JMP_A(-2), EXIT, m.BPF_MOV64_IMM(0, 0), EXIT],
        "helpers": [helper("get_smp_processor_id"), m.BPF_JMP_A(-2), EXIT],
        "stores": [m.BPF_STX_MEM(c.BPF_DW, 10, 1, -8), m.BPF_JMP_A(-2), EXIT],
        "may_goto goes round": [m.BPF_MAY_GOTO(1), m.BPF_JMP_A(-2), EXIT],
        "into the middle": [m.BPF_JMP_A(1), EXIT, m.BPF_ALU64_IMM(ADD, 1, 1), m.BPF_JMP_A(-2), EXIT],
    }.items():  # fmt: skip
        yield Hostile(f"endless: {name}", body, "BudgetExceeded", budget=FOREVER)
    callback = [m.BPF_JMP_A(-1), EXIT]
    loop = [m.BPF_MOV64_IMM(1, 5), *func_to(2, 5), m.BPF_MOV64_IMM(3, 0), m.BPF_MOV64_IMM(4, 0), helper("loop"), EXIT]
    yield Hostile("endless: a callback", [*loop, *callback], "BudgetExceeded", budget=FOREVER)
    many = [m.BPF_MOV64_IMM(1, 1 << 23), *loop[1:]]
    yield Hostile("bpf_loop for long", [*many, m.BPF_MOV64_IMM(0, 0), EXIT], "BudgetExceeded", budget=FOREVER)
    nested = [*many, *many, m.BPF_MOV64_IMM(0, 0), EXIT]
    yield Hostile("bpf_loop in bpf_loop", nested, "BudgetExceeded", budget=FOREVER)


def deep() -> Iterator[Hostile]:
    """Recursion in all ways there are."""
    yield Hostile("calls itself", [m.BPF_CALL_REL(-1), EXIT], "VmError", 0)
    yield Hostile("two call each other", [m.BPF_CALL_REL(0), m.BPF_CALL_REL(-2), EXIT], "VmError")
    nine = [insn for _ in range(8) for insn in (m.BPF_CALL_REL(1), EXIT)] + [m.BPF_MOV64_IMM(0, 1), EXIT]
    yield Hostile("nine frames", nine, "VmError", 14)
    yield Hostile("eight frames", nine[2:], "")
    again = [
        m.BPF_MOV64_IMM(1, 3), *func_to(2, -2), m.BPF_MOV64_IMM(3, 0), m.BPF_MOV64_IMM(4, 0), helper("loop"), EXIT,
    ]  # fmt: skip
    yield Hostile("a callback that is the program", again, "VmError")
    each = [*map_to(1, ARRAY), *func_to(2, -3), m.BPF_MOV64_IMM(3, 0), m.BPF_MOV64_IMM(4, 0),
            helper("for_each_map_elem"), EXIT]  # fmt: skip
    yield Hostile("for each element the program", each, "VmError")
    callx = Insn(c.BPF_JMP | c.BPF_CALL | c.BPF_X, 2)
    yield Hostile("calls itself by address", [*func_to(2, -1), callx, EXIT], "VmError")


def control() -> Iterator[Hostile]:
    """Where control may not go."""
    yield Hostile("into a load's second slot", [m.BPF_JMP_A(1), *WIDE(1, 0), EXIT], "BadInsn", 0)
    yield Hostile("condition into a second slot", [m.BPF_JMP_IMM(c.BPF_JEQ, 1, 0, 1), *WIDE(1, 0), EXIT], "BadInsn", 0)
    yield Hostile("call of a second slot", [m.BPF_CALL_REL(1), *WIDE(1, 0), EXIT], "BadInsn", 0)
    yield Hostile("callback in a second slot", [*func_to(1, 2), *WIDE(1, 0), EXIT], "BadInsn", 0)
    yield Hostile("half a load at the end", [EXIT, Insn(0x18, 1)], "BadInsn", 1)
    yield Hostile("out of the program", [m.BPF_JMP_A(5), EXIT], "BadInsn", 0)
    yield Hostile("before the program", [m.BPF_JMP_A(-2), EXIT], "BadInsn", 0)
    yield Hostile("behind the program", [m.BPF_MOV64_IMM(0, 0)], "BadInsn", 1)
    yield Hostile(
        "behind it by a branch", [m.BPF_JMP_IMM(c.BPF_JEQ, 0, 0, 1), EXIT, m.BPF_MOV64_IMM(0, 0)], "BadInsn", 3
    )
    yield Hostile("no instruction", [Insn(0xFF), EXIT], "BadInsn", 0)
    yield Hostile("a register too many", [Insn(0xBF, 11), EXIT], "BadInsn", 0)
    yield Hostile("the frame pointer written", [m.BPF_MOV64_IMM(10, 0), EXIT], "BadInsn", 0)
    callx = Insn(c.BPF_JMP | c.BPF_CALL | c.BPF_X, 2)
    for name, start in {
        **PLACES,
        "a function and one byte": [*func_to(2, 3), m.BPF_ALU64_IMM(ADD, 2, 1)],
        "the slot behind a wide load's first": [*func_to(2, -1), m.BPF_ALU64_IMM(ADD, 2, 16)],
        "behind the program's rows": [*func_to(2, -1), m.BPF_ALU64_IMM(ADD, 2, 1 << 20)],
        "before the program's rows": [*func_to(2, -1), m.BPF_ALU64_IMM(ADD, 2, -4096)],
    }.items():
        if name not in ("a function", "behind a map value"):
            yield Hostile(f"call of {name}", [*start, callx, EXIT], "BadInsn")
    loop = [m.BPF_MOV64_IMM(1, 1), *WIDE(2, SECRET), m.BPF_MOV64_IMM(3, 0), m.BPF_MOV64_IMM(4, 0), helper("loop"), EXIT]
    yield Hostile("callback at someone's memory", loop, "VmError")
    yield Hostile("callback on the stack", [loop[0], *stack_to(2, -8), *loop[3:]], "VmError")


def maps() -> Iterator[Hostile]:
    """Handles that are none, elements that are gone, maps that must not change."""
    forged = {
        "null": WIDE(1, 0), "a number": WIDE(1, 7), "the stack": stack_to(1, -64), "the context": [],
        "someone's memory": WIDE(1, SECRET), "inside a handle": [*map_to(1, ARRAY), m.BPF_ALU64_IMM(ADD, 1, 8)],
        "a map's value": value_to(1, CONSTANTS), "a function": func_to(1, -1), "the last byte": WIDE(1, M64),
    }  # fmt: skip
    fine = [m.BPF_ST_MEM(c.BPF_DW, 10, -8, 0), *stack_to(2, -8), *stack_to(3, -8), m.BPF_MOV64_IMM(4, 0)]
    for name, handle in forged.items():
        for call in ("map_lookup_elem", "map_update_elem", "map_delete_elem", "map_push_elem", "map_pop_elem",
                     "map_peek_elem", "for_each_map_elem", "map_lookup_percpu_elem"):  # fmt: skip
            yield Hostile(
                f"{call}: {name}", [m.BPF_MOV64_REG(6, 1), *fine, m.BPF_MOV64_REG(1, 6), *handle, helper(call), EXIT]
            )
        tail = [m.BPF_MOV64_REG(2, 1), m.BPF_MOV64_REG(1, 2), *handle, m.BPF_MOV64_REG(2, 1), m.BPF_MOV64_IMM(3, 0)]
        yield Hostile(f"tail call: {name}", [*tail, helper("tail_call"), EXIT])
        ring = [*handle, m.BPF_MOV64_IMM(2, 8), m.BPF_MOV64_IMM(3, 0), helper("ringbuf_reserve"), EXIT]
        yield Hostile(f"ringbuf_reserve: {name}", ring)
    for name, key in {
        "null": WIDE(2, 0), "someone's memory": WIDE(2, SECRET), "over the stack's end": stack_to(2, -2),
        "the kernel": WIDE(2, 0xFFFF_8880_0000_0000),
    }.items():  # fmt: skip
        for number in (ARRAY, HASH):
            for call in ("map_lookup_elem", "map_update_elem", "map_delete_elem"):
                body = [*fine, *key, *map_to(1, number), helper(call), EXIT]
                yield Hostile(f"{call} {number}: key {name}", body)
            body = [
                *fine,
                *key,
                m.BPF_MOV64_REG(3, 2),
                *stack_to(2, -8),
                *map_to(1, number),
                helper("map_update_elem"),
                EXIT,
            ]
            yield Hostile(f"value {number}: {name}", body)
    for name, insn in ACCESSES.items():
        end = "" if "load" in name else "Fault"
        yield Hostile(f"constants: {name}", [m.BPF_MOV64_IMM(0, 0), *value_to(2, CONSTANTS), insn, EXIT], end)
    for name, insn in ACCESSES.items():
        gone = [*put(HASH, 5), *lookup(HASH, 5), m.BPF_MOV64_REG(7, 0), *stack_to(2, -4), *map_to(1, HASH),
                helper("map_delete_elem"), m.BPF_MOV64_REG(2, 7), m.BPF_MOV64_IMM(0, 0), insn,
                m.BPF_MOV64_IMM(0, 0), EXIT]  # fmt: skip
        yield Hostile(f"a deleted element: {name}", gone, "")
        behind = [*put(HASH, 5), *lookup(HASH, 5), m.BPF_MOV64_REG(2, 0), m.BPF_ALU64_IMM(ADD, 2, 8), insn, EXIT]
        yield Hostile(f"behind an element: {name}", behind)
    yield Hostile("an update of constants", [*fine, *map_to(1, CONSTANTS), helper("map_update_elem"), EXIT])
    none = [*lookup(HASH, 9), m.BPF_LDX_MEM(c.BPF_DW, 0, 0, 0), EXIT]
    yield Hostile("a missing element", none)


def tail_calls() -> Iterator[Hostile]:
    """Storms of them."""
    storm = [m.BPF_MOV64_REG(6, 1), *map_to(2, TAILS), m.BPF_MOV64_IMM(3, 0), helper("tail_call"),
             m.BPF_MOV64_IMM(0, 7), EXIT]  # fmt: skip
    yield Hostile("itself for ever", storm, "")
    pair = [m.BPF_MOV64_REG(6, 1), *map_to(2, TAILS), m.BPF_MOV64_IMM(3, 1), *storm[4:]]
    yield Hostile("two programs", pair, "", others={"other": storm})
    inner = [m.BPF_CALL_REL(2), m.BPF_ALU64_IMM(ADD, 0, 1), EXIT, *storm]
    yield Hostile("from functions", inner, "")
    for index in (4, -1, 1 << 31):
        body = [*storm[:3], *WIDE(3, index & M64), *storm[4:]]
        yield Hostile(f"index {index}", body, "")
    yield Hostile("through another map", [*storm[:1], *map_to(2, ARRAY), *storm[3:5], EXIT])
    bad = [m.BPF_MOV64_REG(6, 1), *map_to(2, TAILS), m.BPF_MOV64_IMM(3, 1), helper("tail_call"), EXIT]
    yield Hostile(
        "to a program that faults", bad, slot=2, others={"other": [*WIDE(2, SECRET), ACCESSES["store 64"], EXIT]}
    )
    wild = [
        *func_to(2, -1),
        m.BPF_MOV64_IMM(1, 1 << 20),
        m.BPF_MOV64_IMM(3, 0),
        m.BPF_MOV64_IMM(4, 0),
        helper("loop"),
        EXIT,
    ]
    yield Hostile("to a program that recurses", bad, "VmError", 5, others={"other": wild})


def helpers() -> Iterator[Hostile]:
    """Sizes and places that helpers must not believe."""
    sizes = {"-1": M64, "2 GiB": 1 << 31, "4 GiB": 1 << 32, "the sign": 1 << 63, "513": 513}
    for name, size in sizes.items():
        big, end = WIDE(2, size), "Fault" if size & 0xFFFFFFFF else ""  # they are numbers of 32 bits
        for call, body in {
            "get_current_comm": [*stack_to(1, -512), *big],
            "csum_diff": [*stack_to(1, -512), *big, *(m.BPF_MOV64_IMM(reg, 0) for reg in (3, 4, 5))],
            "strtol": [*stack_to(1, -512), *big, m.BPF_MOV64_IMM(3, 0), *stack_to(4, -8)],
            "trace_printk": [*stack_to(1, -512), *big],
            "ringbuf_output": [*stack_to(2, -512), *WIDE(3, size), m.BPF_MOV64_IMM(4, 0), *map_to(1, RING)],
            "probe_read_kernel": [*stack_to(1, -512), *big, m.BPF_MOV64_REG(3, 10)],
            "strncmp": [*stack_to(1, -512), *big, *stack_to(3, -512)],
        }.items():  # fmt: skip
            yield Hostile(f"{call} of {name} bytes", [*body, helper(call), EXIT], end)
        load = [m.BPF_MOV64_IMM(2, 0), *stack_to(3, -512), *WIDE(4, size), helper("xdp_load_bytes"), EXIT]
        yield Hostile(f"xdp_load_bytes of {name} bytes", load, end)
    for name, place in {
        "null": WIDE(3, 0),
        "someone's memory": WIDE(3, SECRET),
        "the kernel": WIDE(3, 1 << 63),
    }.items():
        room = [m.BPF_MOV64_IMM(2, 0), *place, m.BPF_MOV64_IMM(4, 8)]
        yield Hostile(f"xdp_load_bytes to {name}", [*room, helper("xdp_load_bytes"), EXIT])
        yield Hostile(f"xdp_store_bytes from {name}", [*room, helper("xdp_store_bytes"), EXIT])
        probe = [*stack_to(1, -8), m.BPF_MOV64_IMM(2, 8), *place, helper("probe_read_kernel"), EXIT]
        yield Hostile(f"probe_read_kernel from {name}", probe, "")
        out = [m.BPF_MOV64_REG(1, 3), m.BPF_MOV64_IMM(2, 8), m.BPF_MOV64_REG(3, 10), helper("probe_read_kernel"), EXIT]
        yield Hostile(f"probe_read_kernel to {name}", [*place, *out])
        comm = [*place, m.BPF_MOV64_REG(1, 3), m.BPF_MOV64_IMM(2, 16), helper("get_current_comm"), EXIT]
        yield Hostile(f"get_current_comm to {name}", comm)
        submit = [*place, m.BPF_MOV64_REG(1, 3), m.BPF_MOV64_IMM(2, 0), helper("ringbuf_submit"), EXIT]
        yield Hostile(f"ringbuf_submit of {name}", submit)
    moved = [m.BPF_MOV64_REG(6, 1), m.BPF_LDX_MEM(c.BPF_W, 7, 1, 4), m.BPF_MOV64_IMM(2, -32),
             helper("xdp_adjust_tail"), m.BPF_LDX_MEM(c.BPF_DW, 0, 7, -8), EXIT]  # fmt: skip
    yield Hostile("the packet's old end", moved)
    head = [m.BPF_MOV64_REG(6, 1), m.BPF_LDX_MEM(c.BPF_W, 7, 1, 0), m.BPF_MOV64_IMM(2, 14),
            helper("xdp_adjust_head"), m.BPF_LDX_MEM(c.BPF_DW, 0, 7, 0), EXIT]  # fmt: skip
    yield Hostile("the packet's old head", head)
    twice = [*map_to(1, RING), m.BPF_MOV64_IMM(2, 16), m.BPF_MOV64_IMM(3, 0), helper("ringbuf_reserve"),
             m.BPF_MOV64_REG(6, 0)]  # fmt: skip
    give = [m.BPF_MOV64_REG(1, 6), m.BPF_MOV64_IMM(2, 0), helper("ringbuf_submit")]
    yield Hostile("a record given back twice", [*twice, *give, *give, EXIT])
    yield Hostile("behind a record", [*twice, m.BPF_STX_MEM(c.BPF_DW, 6, 6, 16), EXIT])
    yield Hostile("before a record", [*twice, m.BPF_STX_MEM(c.BPF_DW, 6, 6, -8), EXIT])


def frames() -> Iterator[Hostile]:
    """Gaps between frames, frames that are gone, frames of callers."""
    caller = [*stack_to(1, -8), m.BPF_CALL_REL(1), EXIT]
    for name, access, end in (
        ("the caller's frame", m.BPF_LDX_MEM(c.BPF_DW, 0, 1, 0), ""),
        ("above the caller's frame", m.BPF_LDX_MEM(c.BPF_DW, 0, 1, 8), "Fault"),
        ("the gap above", m.BPF_LDX_MEM(c.BPF_DW, 0, 10, 8), "Fault"),
        ("the gap below the callee", m.BPF_LDX_MEM(c.BPF_DW, 0, 10, -520), "Fault"),
        ("a frame to come", m.BPF_LDX_MEM(c.BPF_DW, 0, 10, 1024 - 8), "Fault"),
        ("from the callee into the caller", m.BPF_LDX_MEM(c.BPF_DW, 0, 10, -1024 - 8), ""),
    ):
        yield Hostile(name, [*caller, access, EXIT], end)
    dead = [m.BPF_CALL_REL(2), m.BPF_LDX_MEM(c.BPF_DW, 0, 0, -8), EXIT, m.BPF_MOV64_REG(0, 10), EXIT]
    yield Hostile("the frame of a function that is over", dead, slot=1)


def code() -> Iterator[Hostile]:
    """The context and the program itself are not for writing."""
    for size in c.SIZE_BYTES:
        for off in (-1, 24, 0x7FFF, -0x8000):
            yield Hostile(f"context {off}, {size}", [m.BPF_STX_MEM(size, 1, 1, off), EXIT])


FAMILIES = (wild, straddling, endless, deep, control, maps, tail_calls, helpers, frames, code)
CASES: dict[str, Hostile] = {}
for family in FAMILIES:
    for case in family():
        assert case.name not in CASES, case.name
        CASES[case.name] = case
