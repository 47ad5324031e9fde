"""Structs with fields of the kernel's: what BPF_BTF_LOAD and BPF_MAP_CREATE answer to random ones and to each rule."""

from errno import E2BIG, EINVAL, ELOOP, ENOENT
from random import Random

import pytest
from verifier.objectkit import END, live_kernel

from osmia.btf import Array, Btf, Const, DeclTag, Int, Member, Ptr, Struct, Typedef, TypeTag, Union, Volatile
from osmia.errors import KernelError
from osmia.live.btfs import LiveBtfs
from osmia.live.maps import LiveMap
from osmia.obj.model import MapSpec, Program
from osmia.verifier.judge import judge
from osmia.verifier.map_record import SPECIAL

NAMES = "ABCDE"
NODES = {"list_head": "list_node", "rb_root": "rb_node"}
MAP_TYPES = ("array", "hash", "percpu_array", "task_storage", "queue")


def kinds_of(btf, rng=None, slip=0.0):
    """The special structs by kind, each as id, size and alignment; by mistake one of another size, or no struct."""
    u32, u64 = btf.add(Int("u32", 4)), btf.add(Int("u64", 8))
    kinds = {"u32": (u32, 4, 4), "u64": (u64, 8, 8)}
    for name, (kind, size) in SPECIAL.items():
        step = min(size, 8)
        if rng and rng.random() < slip:
            kinds[kind] = btf.add(Typedef(name, u64)), 8, 8
            continue
        members = tuple(Member(f"a{at}", u32 if step == 4 else u64, 8 * at) for at in range(0, size, step))
        kinds[kind] = btf.add(Struct(name, size + 8 * bool(rng and rng.random() < slip), members)), size, step
    return kinds


def pointer(rng, btf, tag, target, slip):
    """A tagged pointer, perhaps qualified."""
    made = btf.add(TypeTag(tag, target))
    if rng.random() < slip:
        made = btf.add(TypeTag("kptr", made))
    if rng.random() < 0.1:
        made = btf.add(Const(made))
    made = btf.add(Ptr(made))
    return btf.add(Volatile(made)) if rng.random() < 0.1 else made


def random_btf(rng):
    """Five structs of special fields, numbers and each other: the BTF, and ids and sizes of the structs."""
    slip = rng.choice((0, 0.01, 0.03))
    btf = Btf()
    kinds = kinds_of(btf, rng, slip)
    kernel = btf.add(Struct(rng.choice(("task_struct", "bpf_cpumask", "file", "cgroup")), 8))
    made, nodes = [], {}
    for name in NAMES:
        for tag in ("kptr", "kptr_untrusted", "percpu_kptr", "uptr", "bogus"):
            if rng.random() < (0.25 if tag != "bogus" else slip / 2):
                target = kernel if rng.random() < 5 * slip or not made else rng.choice(made)[0]
                kinds[tag] = pointer(rng, btf, tag, target, slip), 8, 8
        size, type_id = random_struct(rng, btf, kinds, nodes, name, slip)
        made.append((type_id, size))
        if rng.random() < 0.3:
            kinds[name] = type_id, size, 8
        if rng.random() < 0.1:
            kinds["u" + name] = btf.add(Union("u", size, (Member("x", type_id, 0),))), size, 8
    return btf, kinds["u32"][0], made


def random_struct(rng, btf, kinds, nodes, name, slip):
    """One of them: its size and its id.  ``nodes``: the labels of the nodes of earlier ones."""
    members, tags, at = [], [], 0
    for i in range(1 + int(rng.random() * 5)):
        kind = random_kind(rng, kinds, i, slip)
        good = [other for other in nodes if any(x.startswith(NODES.get(kind, "?")) for x in nodes[other])]
        if kind in NODES and not good and rng.random() > slip:
            continue
        type_id, size, align = kinds[kind]
        count = 1
        if rng.random() < (0.2 if kind in ("u32", "kptr", "percpu_kptr", "list_head", "rb_root", "A", "B") else slip):
            count = rng.choice((0, 1, 2, 3, 5))
            type_id = btf.add(Array(type_id, kinds["u32"][0], count))
        at = (at + align - 1) // align * align + (4 if rng.random() < slip else 0)
        if kind in NODES:
            tags += contains(rng, nodes, good, kind, len(members), slip)
        members.append(Member(f"{kind}{i}" if rng.random() > slip else "same", type_id, 8 * at))
        at += size * count
    size = (at + 7) // 8 * 8
    type_id = btf.add(Struct(name if rng.random() > slip else "", size, tuple(members)))
    nodes[name] = [member.name for member in members]
    for i, tag in tags:
        btf.add(DeclTag(tag, type_id, i))
    return size, type_id


def random_kind(rng, kinds, i, slip):
    """The kind of member ``i``: locks and counters come first, mostly."""
    if i == 0 and rng.random() < 0.6:
        return rng.choice(("spin_lock", "spin_lock", "res_spin_lock"))
    if i == 1 and rng.random() < 0.4:
        return "refcount"
    kind = rng.choice((*kinds, "list_node", "rb_node", "list_head", "rb_root"))
    return kind if "lock" not in kind or rng.random() < slip else "u64"


def contains(rng, nodes, good, kind, i, slip):
    """The tag of a list or tree; sometimes none, two, or one that says nothing."""
    name = rng.choice(good) if good and rng.random() > 2 * slip else rng.choice(NAMES)
    labels = [x for x in nodes.get(name, ()) if x.startswith(NODES[kind])] or ["x"]
    tag = f"contains:{name}:{rng.choice(labels)}"
    if rng.random() < slip:
        tag = rng.choice((f"contains:{name}", f"contains:{name}:", "contains:", "other:A:x"))
    return [(i, tag)] * (1 if rng.random() > slip else rng.choice((0, 2)))


def ours(btf, maps=()):
    return judge(Program("t", "socket_filter", END, license="GPL", btf=btf, maps=list(maps))).errno


def theirs(make):
    try:
        make()
    except KernelError as error:
        return error.errno
    return 0


@live_kernel
@pytest.mark.parametrize("seed", range(4))
def test_random_structs(seed):
    loaded = 0
    for number in range(150):
        rng = Random(f"{seed} {number}")
        btf, key, structs = random_btf(rng)
        btfs = LiveBtfs()
        answer = theirs(lambda btfs=btfs, btf=btf: btfs.fd(btf))
        assert ours(btf) == answer, number
        loaded += not answer
        for kind in MAP_TYPES if not answer else ():
            type_id, size = rng.choice(structs)
            local = kind == "task_storage"
            has_key = kind != "queue"
            spec = MapSpec("m", kind, 4 * has_key, size, 0 if local else 2, int(local), btf=btf,
                           btf_key_type_id=key * has_key, btf_value_type_id=type_id)  # fmt: skip
            assert ours(None, [spec]) == theirs(lambda spec=spec, btfs=btfs: LiveMap(spec, btfs).close()), (
                number,
                kind,
            )
        btfs.close()
    assert loaded > 30


def structs(**texts):
    """A BTF of structs by name: ``KIND KIND=NAME.MEMBER …``; members are called like their kinds, with their number."""
    btf = Btf()
    kinds, tags = kinds_of(btf), []
    for name, text in texts.items():
        at, members = 0, []
        for i, word in enumerate(text.split()):
            kind, _, target = word.partition("=")
            count, kind = 1 + kind.endswith("[]"), kind.removesuffix("[]")
            type_id, size, align = kinds[kind]
            type_id = btf.add(Array(type_id, kinds["u32"][0], count)) if count > 1 else type_id
            at = (at + align - 1) // align * align
            members.append(Member(f"{kind}{i}", type_id, 8 * at))
            tags += [(name, i, f"contains:{target.replace('.', ':')}")] if target else []
            at += size * count
        kinds[name] = btf.add(Struct(name, at, tuple(members))), at, 8
    for name, i, tag in tags:
        btf.add(DeclTag(tag, kinds[name][0], i))
    return btf


RULES = {
    "list": (structs(N="list_node", H="spin_lock list_head=N.list_node0"), 0),
    "list without a lock": (structs(N="list_node", H="list_head=N.list_node0"), EINVAL),
    "list with a resilient lock": (structs(N="list_node", H="res_spin_lock list_head=N.list_node0"), 0),
    "both locks": (structs(N="list_node", H="spin_lock res_spin_lock list_head=N.list_node0"), EINVAL),
    "two locks": (structs(H="spin_lock spin_lock"), E2BIG),
    "no tag": (structs(H="spin_lock list_head"), EINVAL),
    "no such struct": (structs(H="spin_lock list_head=N.list_node0"), ENOENT),
    "no such member": (structs(N="list_node", H="spin_lock list_head=N.list_node7"), ENOENT),
    "the other kind of node": (structs(N="rb_node", H="spin_lock list_head=N.rb_node0"), EINVAL),
    "a number as node": (structs(N="u64", H="spin_lock list_head=N.u640"), EINVAL),
    "two nodes uncounted": (structs(N="list_node rb_node"), EINVAL),
    "two nodes counted": (structs(N="refcount list_node rb_node"), 0),
    "two nodes of one kind": (structs(N="list_node list_node"), 0),
    "counted twice": (structs(N="refcount refcount"), 0),
    "an array of nodes": (structs(N="refcount list_node[]"), EINVAL),
    "an array of lists": (structs(N="list_node", H="spin_lock list_head[]=N.list_node0"), 0),
    "holding itself": (structs(N="spin_lock list_node list_head=N.list_node1"), ELOOP),
    "holding what holds": (
        structs(N="list_node", M="spin_lock list_node list_head=N.list_node0", H="spin_lock list_head=M.list_node1"),
        0,
    ),
    "held and holding what holds": (
        structs(N="list_node", M="spin_lock list_node list_head=N.list_node0",
                H="spin_lock rb_node list_head=M.list_node1"),
        ELOOP,
    ),
    "more than eleven": (
        structs(N="list_node", H="spin_lock " + "list_head=N.list_node0 " * 11),
        E2BIG,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RULES)
def test_rule(name):
    btf, errno = RULES[name]
    assert ours(btf) == errno


@live_kernel
def test_the_kernel_has_these_rules():
    for name, (btf, errno) in RULES.items():
        btfs = LiveBtfs()
        assert theirs(lambda btfs=btfs, btf=btf: btfs.fd(btf)) == errno, name
        btfs.close()


def test_all_errors_are_tried():
    assert {errno for _, errno in RULES.values()} >= {0, EINVAL, ENOENT, ELOOP, E2BIG}
