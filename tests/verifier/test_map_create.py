"""Which maps the kernel makes: every rule by a row here, and random specifications put to the running kernel."""

import errno
import os
import random

import pytest

from osmia.btf import Array, Btf, Int, Member, Struct, Typedef
from osmia.errors import KernelError
from osmia.isa.macros import BPF_EXIT_INSN, BPF_MOV64_IMM
from osmia.kernel import profile
from osmia.kernel.uapi import MAP_FLAGS, MAP_TYPE, MAP_TYPES, MAP_TYPES_6_18
from osmia.live import available, syscall
from osmia.live.maps import LiveMap
from osmia.live.powers import only
from osmia.obj.model import MapSpec, Program
from osmia.verifier.env import Env, Powers
from osmia.verifier.judge import judge
from osmia.verifier.log import Log
from osmia.verifier.map_create import map_create

live = pytest.mark.skipif(available() is not None, reason="no bpf(2)")
ENOTSUPP = 524
RETURN = (BPF_MOV64_IMM(0, 0), BPF_EXIT_INSN())
MAPS_OF_MAPS = ("array_of_maps", "hash_of_maps")
STORAGE = ("sk_storage", "inode_storage", "task_storage", "cgrp_storage")


def env_of(spec, powers=None):
    program = Program("p", "socket_filter", [], maps=[spec], btf=spec.btf)
    return Env(program, profile.load("6.18"), powers or Powers(), Log(0))


def ours(spec, powers=None):
    env = env_of(spec, powers)
    return map_create(env, env.maps[0])


def types(value_size):
    """BTF with an integer key (1) and a value struct (3) of that size."""
    btf = Btf()
    key = btf.add(Int("int", 4, 1))
    byte = btf.add(Int("u8", 1))
    array = btf.add(Array(byte, key, value_size))
    return btf, key, btf.add(Struct("value", value_size, (Member("bytes", array, 0),)))


def theirs(spec):
    """The running kernel's errno."""
    inner = btf_fd = -1
    try:
        if spec.inner is not None:
            inner = syscall.map_create(attr_of(spec.inner))
        if spec.btf is not None:
            btf_fd = syscall.btf_load(spec.btf.encode())
        os.close(syscall.map_create(attr_of(spec, max(inner, 0), max(btf_fd, 0))))
    except KernelError as error:
        return error.errno
    finally:
        for fd in (inner, btf_fd):
            if fd >= 0:
                os.close(fd)
    return 0


def attr_of(spec, inner=0, btf_fd=0):
    return syscall.MapAttr(
        MAP_TYPE[spec.type], spec.key_size, spec.value_size, spec.max_entries, spec.flags, inner,
        btf_fd=btf_fd, btf_key_type_id=spec.btf_key_type_id, btf_value_type_id=spec.btf_value_type_id,
        map_extra=spec.map_extra,
    )  # fmt: skip


def spec(kind, key=4, value=8, entries=1, flags=0, **more):
    return MapSpec("m", kind, key, value, entries, flags, **more)


ROWS = [
    (spec("array"), 0),
    (spec("array", key=8), errno.EINVAL),
    (spec("array", entries=0), errno.EINVAL),
    (spec("array", value=1 << 31), errno.E2BIG),
    (spec("percpu_array", value=(1 << 15) + 1), errno.E2BIG),
    (spec("percpu_array", flags=MAP_FLAGS["mmapable"]), errno.EINVAL),
    (spec("hash", value=1 << 22), errno.E2BIG),
    (spec("lru_hash", flags=MAP_FLAGS["no_prealloc"]), ENOTSUPP),
    (spec("hash", flags=MAP_FLAGS["no_common_lru"]), errno.EINVAL),
    (spec("hash", flags=MAP_FLAGS["rdonly_prog"] | MAP_FLAGS["wronly_prog"]), errno.EINVAL),
    (spec("prog_array", value=8), errno.EINVAL),
    (spec("lpm_trie", key=8), errno.EINVAL),
    (spec("lpm_trie", key=8, flags=MAP_FLAGS["no_prealloc"]), 0),
    (spec("ringbuf", key=0, value=0, entries=4096), 0),
    (spec("ringbuf", key=0, value=0, entries=12288), errno.EINVAL),
    (spec("queue", key=0), 0),
    (spec("queue"), errno.EINVAL),
    (spec("stack_trace", value=8 * 128), errno.EINVAL),
    (spec("cpumap", value=4, entries=257), errno.E2BIG),
    (spec("sockhash", key=513, value=4), errno.E2BIG),
    (spec("sk_storage", entries=0, flags=MAP_FLAGS["no_prealloc"]), errno.EINVAL),
    (spec("bloom_filter", key=0, map_extra=16), errno.EINVAL),
    (spec("arena", key=0, value=0, flags=MAP_FLAGS["mmapable"], map_extra=1 << 44), 0),
    (spec("arena", key=0, value=0, flags=MAP_FLAGS["mmapable"], map_extra=1), errno.EINVAL),
    (spec("array", map_extra=1), errno.EINVAL),
    (spec("array_of_maps", value=4), errno.EINVAL),
    (spec("array_of_maps", value=4, inner=spec("array")), 0),
    (spec("hash_of_maps", value=4, inner=spec("array_of_maps", value=4, inner=spec("array"))), errno.EINVAL),
    (spec("insn_array"), errno.EINVAL),
    (spec("unspec"), errno.EINVAL),
    (spec("struct_ops"), errno.EINVAL),
]


@pytest.mark.parametrize(("wanted", "answer"), ROWS, ids=[repr(row[0]) for row in ROWS])
def test_rules(wanted, answer):
    assert ours(wanted) == answer


@live
@pytest.mark.parametrize(("wanted", "answer"), ROWS, ids=[repr(row[0]) for row in ROWS])
def test_the_kernel_agrees(wanted, answer):
    if wanted.inner is None or wanted.inner.inner is None:
        assert theirs(wanted) == answer


def test_names():
    bad = spec("array")
    bad.name = "a-b"
    assert ours(bad) == errno.EINVAL


def test_capabilities():
    nobody, bpf = Powers(False, False, False, False), Powers(True, False, False, False)
    assert ours(spec("array"), nobody) == 0
    assert ours(spec("lru_hash"), nobody) == errno.EPERM
    assert ours(spec("lru_hash"), bpf) == 0
    assert ours(spec("devmap", value=4), bpf) == errno.EPERM
    assert ours(spec("hash", flags=MAP_FLAGS["zero_seed"]), bpf) == errno.EPERM


KEYS = (0, 1, 2, 4, 5, 8, 12, 16, 20, 64, 260, 261, 512, 513, 4096)
VALUES = (0, 1, 4, 7, 8, 12, 16, 24, 32, 64, 1016, 1024, 4064, 4096, 32768, 32769, 65407, 65408, 1 << 16, 1 << 22)
ENTRIES = (0, 1, 2, 3, 64, 256, 257, 4096, 12288)
EXTRAS = (0, 0, 0, 0, 0, 1, 15, 16, 4096, 1 << 44, (1 << 44) - 4096)
USUAL = {
    "queue": (0, 8, 4, 0), "stack": (0, 8, 4, 0), "bloom_filter": (0, 8, 4, 0), "ringbuf": (0, 0, 4096, 0),
    "user_ringbuf": (0, 0, 4096, 0), "lpm_trie": (8, 8, 4, 1), "arena": (0, 0, 4, 1 << 10),
    "cgroup_storage": (16, 8, 0, 0), "percpu_cgroup_storage": (16, 8, 0, 0), **dict.fromkeys(STORAGE, (4, 8, 0, 1)),
}  # fmt: skip


def random_spec(rng, kind):
    """A specification near one that works."""
    values = list(USUAL.get(kind, (4, 4, 4, 0)))
    for at, choices in enumerate((KEYS, VALUES, ENTRIES)):
        if rng.random() < 0.3:
            values[at] = rng.choice(choices)
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        values[3] ^= 1 << rng.choice([i for i in range(20) if i not in (14, 15, 16)])
    made = MapSpec("m", kind, *values, map_extra=rng.choice(EXTRAS) if rng.random() < 0.3 else 0)
    if kind in MAPS_OF_MAPS and rng.random() < 0.9:
        made.inner = spec("array")
    if rng.random() < (0.9 if kind in STORAGE else 0.3) and 0 < values[1] < 1 << 20:
        made.btf, made.btf_key_type_id, made.btf_value_type_id = types(values[1])
        if rng.random() < 0.2:
            made.btf_key_type_id = 0
    return made


@live
def test_random_maps_against_the_kernel():
    rng = random.Random(os.environ.get("OSMIA_SEED", "maps"))
    wrong = []
    for _ in range(int(os.environ.get("OSMIA_PROGRAMS", "1500"))):
        made = random_spec(rng, MAP_TYPES[rng.randrange(1, MAP_TYPES_6_18)])
        got, said = ours(made), theirs(made)
        if got != said and said != errno.ENOMEM:
            wrong.append((repr(made), f"ours {got}, theirs {said}"))
    assert not wrong, f"{len(wrong)}: {wrong[:20]}"


@live
@pytest.mark.parametrize("caps", [("bpf",), ("bpf", "net_admin"), ("net_admin",)])
def test_capabilities_against_the_kernel(caps):
    rng = random.Random(str(caps))
    specs = [random_spec(rng, MAP_TYPES[rng.randrange(1, MAP_TYPES_6_18)]) for _ in range(1000)]
    powers = Powers(**{cap: cap in caps for cap in ("bpf", "perfmon", "net_admin", "sys_admin")})
    with only(powers):
        said = [theirs(s) for s in specs]
    if "bpf" not in caps:  # where the sysctl keeps others out, everything that is not EINVAL at once is EPERM
        assert set(said) <= {errno.EPERM, errno.EINVAL, errno.E2BIG, ENOTSUPP, errno.ERANGE}
        return
    wrong = [(repr(s), ours(s, powers), t) for s, t in zip(specs, said, strict=True) if ours(s, powers) != t]
    assert not [row for row in wrong if row[2] != errno.ENOMEM]


def test_typedefs_of_keys_are_seen_through():
    btf, key, value = types(8)
    name = btf.add(Typedef("u32", btf.add(Typedef("__u32", key))))
    spec = MapSpec("m", "percpu_array", 4, 8, 1, btf=btf, btf_key_type_id=name, btf_value_type_id=value)
    assert ours(spec) == 0


def test_a_map_of_an_object_file_does_without_btf_that_does_not_fit():
    """A trie's key is a struct; libbpf asks again without BTF, and so do both engines, but only for files."""
    btf, key, value = types(8)
    spec = MapSpec("m", "lpm_trie", 8, 8, 1, MAP_FLAGS["no_prealloc"], btf=btf, btf_value_type_id=value)
    spec.btf_key_type_id = btf.add(Int("u64", 8))
    assert ours(spec) == errno.EINVAL
    program = Program("p", "socket_filter", [*RETURN], maps=[spec], license="GPL")
    assert judge(program).where == "map" and key
    spec.section = ".maps"
    assert judge(program).ok
    if available() is None:
        LiveMap(spec).close()
