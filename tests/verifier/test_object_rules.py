"""Single rules of allocated objects, lists and trees: a few instructions each, here and in the kernel."""

import pytest
from verifier.objectkit import add, live_kernel, mov, movi

from osmia.btf import Btf
from osmia.btf import types as t
from osmia.isa import Insn
from osmia.obj.model import Extern, FuncInfo, MapSpec, Program
from osmia.testing.answers import Kernel, ask_osmia
from osmia.verifier.env import Powers

EXIT, END = Insn(0x95), [movi(0, 0), Insn(0x95)]
LOCK, UNLOCK = Insn(0x85, 0, 0, 0, 93), Insn(0x85, 0, 0, 0, 94)
RCU_LOCK, RCU_UNLOCK = "bpf_rcu_read_lock", "bpf_rcu_read_unlock"
PUSH, ADD, REMOVE = "bpf_list_push_front_impl", "bpf_rbtree_add_impl", "bpf_rbtree_remove"
NEW, DROP, ACQUIRE = "bpf_obj_new_impl", "bpf_obj_drop_impl", "bpf_refcount_acquire_impl"
WORDS = {"spin_lock": 4, "list_head": 16, "list_node": 24, "rb_root": 16, "rb_node": 32, "refcount": 4}
STRUCTS = {
    "twin": "first:list_node second:list_node",
    "other": "first:list_node second:list_node",
    "leaf": "node:rb_node key:u64",
    "counted": "ref:refcount pad:u32 node:rb_node key:u64",
    "owner": "lock:spin_lock pad:u32 list:list_head=twin.second key:u64",
    "plain": "a:u64 b:u64",
    "value": "lock:spin_lock pad:u32 list:list_head=twin.second tree:rb_root=leaf.node counted:rb_root=counted.node",
}
"""Members by name, and what lists and trees hold."""


def types():
    """The BTF, ids by name, and where each member is."""
    btf, ids, places = Btf(), {}, {}
    kinds = {"u32": (btf.add(t.Int("u32", 4)), 4), "u64": (btf.add(t.Int("u64", 8)), 8)}
    for kind, size in WORDS.items():
        members = tuple(t.Member(f"w{at}", kinds["u32"][0], 8 * at) for at in range(0, size, 4))
        kinds[kind] = btf.add(t.Struct(f"bpf_{kind}", size, members)), size
    for name, text in STRUCTS.items():
        at, members, tags = 0, [], []
        for i, word in enumerate(text.split()):
            label, kind, target = (*word.replace("=", ":").split(":"), "")[:3]
            members.append(t.Member(label, kinds[kind][0], 8 * at))
            places[name, label] = at
            tags += [(i, f"contains:{target.replace('.', ':')}")] if target else []
            at += kinds[kind][1]
        ids[name] = btf.add(t.Struct(name, at, tuple(members)))
        for i, tag in tags:
            btf.add(t.DeclTag(tag, ids[name], i))
    proto = btf.add(t.FuncProto(1, (t.Param("a", 2), t.Param("b", 2))))
    funcs = [btf.add(t.Func(name, proto, 0)) for name in ("main", "less")]
    return btf, ids, places, funcs


BTF, IDS, AT, FUNCS = types()
SIZE = BTF.type(IDS["value"]).size
MAPS = [
    MapSpec("m", kind, 4, SIZE, entries, btf=BTF, btf_key_type_id=1, btf_value_type_id=IDS["value"])
    for kind, entries in (("hash", 2), ("array", 1))
]


NOTHING = [movi(0, 0), EXIT]


def program(*parts, less=NOTHING, kind="xdp"):
    """Instructions, names of kernel functions to call, and lists of both; ``"less"`` loads the callback into R3."""
    insns, externs, loads = [], [], []
    flat = [*flattened(parts), *END]
    length = sum(2 if x == "less" else 1 for x in flat)
    for part in [*flat, *flattened(less)]:
        if part == "less":
            loads.append(len(insns))
            insns += [Insn(0x18, 3, 4, 0, length - len(insns) - 1), Insn(0)]
        elif isinstance(part, str):
            externs.append(Extern(len(insns), part))
            insns.append(Insn(0x85, 0, 2))
        else:
            insns.append(part)
    rows = [FuncInfo(0, FUNCS[0]), FuncInfo(length, FUNCS[1])]
    if not loads:
        insns, rows = insns[:length], rows[:1]
        externs = [extern for extern in externs if extern.insn < length]
    return Program("t", kind, insns, maps=MAPS, license="GPL", btf=BTF, func_info=rows, externs=externs)


def flattened(parts):
    for part in parts:
        if isinstance(part, (str, Insn)):
            yield part
        else:
            yield from flattened(part)


def new(to, struct):
    """An object in ``to``; the program ends, with whatever it has, where there is no memory."""
    return [movi(1, IDS[struct]), movi(2, 0), NEW, Insn(0x55, 0, 0, 2), *END, mov(to, 0)]


def value(to):
    key = [Insn(0x62, 10, 0, -4, 1), mov(2, 10), add(2, -4)]
    return [*key, Insn(0x18, 1, 1, 0, 0), Insn(0), Insn(0x85, 0, 0, 0, 1), Insn(0x55, 0, 0, 2), *END, mov(to, 0)]


def direct(reg, *where):
    """The address of a member of the array's value."""
    return [Insn(0x18, reg, 2, 0, 1), Insn(0, 0, 0, 0, AT[("value", *where)] if where else 0)]


def place(reg, home, *where):
    """A member of what R``home`` points to, as argument."""
    return [mov(reg, home), add(reg, AT[where])]


def lock(home, struct="value"):
    return [*place(1, home, struct, "lock"), LOCK]


def unlock(home, struct="value"):
    return [*place(1, home, struct, "lock"), UNLOCK]


def push(node, root=("value", "list"), home=6, member=7):
    return [*place(1, home, *root), *place(2, member, *node), movi(3, 0), movi(4, 0), PUSH]


def insert(node=("leaf", "node"), root=("value", "tree"), home=6, member=7):
    return [*place(1, home, *root), *place(2, member, *node), "less", movi(4, 0), movi(5, 0), ADD]


OBJECT = [value(6), new(7, "twin"), lock(6)]
LEAF = [value(6), new(7, "leaf"), lock(6)]
NODE = AT["leaf", "node"]
DIRECT = [
    new(7, "leaf"),
    direct(1),
    LOCK,
    direct(1, "tree"),
    mov(2, 7),
    "less",
    movi(4, 0),
    movi(5, 0),
    ADD,
    direct(1),
    UNLOCK,
]
KEYS = [Insn(0x79, 3, 1, 32 - NODE), Insn(0x79, 4, 2, 32 - NODE), movi(0, 1), Insn(0x2D, 3, 4, 1), NOTHING]
RULES = {
    "push": (program(OBJECT, push(("twin", "second")), unlock(6)), ""),
    "the other node": (
        program(OBJECT, push(("twin", "first")), unlock(6)),
        "arg#1 offset=0, but expected bpf_list_node at offset=24 in struct twin",
    ),
    "another struct": (
        program(value(6), new(7, "other"), lock(6), push(("other", "second")), unlock(6)),
        "operation on bpf_list_head expects arg#1 bpf_list_node at offset=24 in struct twin, "
        "but arg is at offset=24 in struct other",
    ),
    "another value's lock": (
        program(value(6), value(8), new(7, "twin"), lock(8), push(("twin", "second")), unlock(8)),
        "bpf_spin_lock at off=0 must be held for bpf_list_head",
    ),
    "an object's list": (
        program(new(6, "owner"), mov(8, 6), lock(6, "owner"), unlock(8, "owner"), mov(1, 6), movi(2, 0), DROP),
        "",
    ),
    "no node there": (
        program(OBJECT, mov(1, 6), add(1, 8), mov(2, 7), add(2, 8), movi(3, 0), movi(4, 0), PUSH),
        "bpf_list_node not found at offset=8",
    ),
    "a variable place": (
        program(value(6), new(7, "twin"), lock(6), Insn(0x79, 3, 10, -8), Insn(0x57, 3, 0, 0, 8), mov(1, 6),
                Insn(0x0F, 1, 3), mov(2, 7), PUSH),
        "R1 doesn't have constant offset. bpf_list_head has to be at the constant offset",
    ),
    "add": (program(LEAF, insert(), unlock(6), less=KEYS), ""),
    "unlock in the callback": (
        program(DIRECT, less=[direct(1), UNLOCK, NOTHING]),
        "can't spin_{lock,unlock} in rbtree cb",
    ),
    "lock in the callback": (
        program(DIRECT, less=[direct(1), LOCK, NOTHING]),
        "function calls are not allowed while holding a lock",
    ),
    "remove in the callback": (
        program(DIRECT, less=[mov(2, 1), direct(1, "tree"), REMOVE, NOTHING]),
        "bpf_rbtree_remove not allowed in rbtree cb",
    ),
    "first in the callback": (
        program(DIRECT, less=[direct(1, "tree"), "bpf_rbtree_first", NOTHING]),
        "",
    ),
    "a pointer from the callback": (
        program(LEAF, insert(), unlock(6), less=[mov(0, 1), EXIT]),
        "R0 not a scalar value",
    ),
    "two from the callback": (
        program(LEAF, insert(), unlock(6), less=[movi(0, 2), EXIT]),
        "At callback return the register R0 has smin=2 smax=2 should have been in [0, 1]",
    ),
    "the callback writes": (
        program(LEAF, insert(), unlock(6), less=[Insn(0x7A, 1, 0, 32, 5), NOTHING]),
        "",
    ),
    "the callback writes the node": (
        program(LEAF, insert(), unlock(6), less=[Insn(0x7A, 1, 0, 0, 5), NOTHING]),
        "direct access to bpf_rb_node is disallowed",
    ),
    "no callback": (
        program(LEAF, place(1, 6, "value", "tree"), place(2, 7, "leaf", "node"), [movi(n, 0) for n in (3, 4, 5)], ADD),
        "arg2 expected pointer to func",
    ),
    "borrowed after the lock": (
        program(LEAF, insert(), unlock(6), Insn(0x79, 0, 7, 32), less=KEYS),
        "R7 invalid mem access 'scalar'",
    ),
    "a counted one under RCU": (
        program(value(6), new(7, "counted"), lock(6), insert(("counted", "node"), ("value", "counted")),
                mov(1, 7), movi(2, 0), ACQUIRE, mov(8, 0), unlock(6), Insn(0x15, 8, 0, 3), mov(1, 8), movi(2, 0), DROP),
        "",
    ),
    "an own one is not null": (
        program(new(7, "counted"), mov(1, 7), movi(2, 0), ACQUIRE, mov(8, 0), Insn(0x7A, 8, 0, 40, 1), mov(1, 7),
                movi(2, 0), DROP, mov(1, 8), movi(2, 0), DROP),
        "",
    ),
    "counts not": (
        program(new(7, "leaf"), mov(1, 7), movi(2, 0), ACQUIRE),
        "arg#0 doesn't point to a type with bpf_refcount field",
    ),
    "a list in a kprobe": (
        program(direct(1), kind="kprobe"),
        "tracing progs cannot use bpf_{list_head,rb_root} yet",
    ),
    "a list in a tracing program": (
        program(direct(1), kind="perf_event"),
        "tracing progs cannot use bpf_{list_head,rb_root} yet",
    ),
    "no object": (
        program(mov(1, 10), movi(2, 0), ACQUIRE),
        "arg#0 is neither owning or non-owning ref",
    ),
    "dropped twice": (
        program(new(7, "plain"), mov(1, 7), movi(2, 0), DROP, mov(1, 7), movi(2, 0), DROP),
        "R1 must be referenced or trusted",
    ),
    "two locks": (
        program(value(6), value(8), lock(6), lock(8)),
        "function calls are not allowed while holding a lock",
    ),
    "the other unlocked": (
        program(value(6), value(8), lock(6), unlock(8)),
        "bpf_spin_unlock of different lock",
    ),
    "another object's lock": (
        program(value(6), value(8), new(7, "twin"), lock(8), push(("twin", "second")), unlock(8)),
        "bpf_spin_lock at off=0 must be held for bpf_list_head",
    ),
    "no lock there": (
        program(new(6, "plain"), mov(1, 6), LOCK),
        "local 'kptr' has no valid bpf_spin_lock",
    ),
    "in front of the object": (
        program(new(6, "plain"), Insn(0x79, 0, 6, -8)),
        "R6 is ptr_plain invalid negative access: off=-8",
    ),
    "an object in the main function's end": (
        program(new(6, "plain")),
        "BPF_EXIT instruction in main prog would lead to reference leak",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RULES)
def test_rule(name):
    asked, message = RULES[name]
    answer = ask_osmia(asked, 1, Powers())
    assert (answer.crash, answer.unsupported) == ("", "")
    assert (answer.errno != 0, answer.message if message else "") == (bool(message), message)


@live_kernel
def test_the_kernel_says_the_same():
    with Kernel() as kernel:
        for name, (asked, _) in RULES.items():
            for level in (1, 2, 4):
                assert ask_osmia(asked, level, Powers()) == kernel.ask(asked, level, Powers()), name
