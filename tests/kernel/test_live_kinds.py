"""The helpers' argument kinds against the running verifier, which says what it expected instead of a wrong argument.

Each argument in turn gets a number where the row wants a pointer, and the context where it wants a number; what comes
before is right.  The kernel prints sets of register types, not kinds: so each kind must always give the same set.
"""

import os
import re
import sys
from collections import defaultdict

import pytest

from osmia import live
from osmia.errors import KernelError
from osmia.isa import consts, encode
from osmia.isa import macros as m
from osmia.kernel.helpers import HELPERS
from osmia.kernel.uapi import ATTACH_TYPE, PROG_TYPE
from osmia.live import syscall
from osmia.live.maps import LiveMap
from osmia.obj.model import MapSpec

PLAIN = """socket_filter kprobe sched_cls sched_act tracepoint xdp perf_event lwt_in lwt_xmit sock_ops sk_skb
cgroup_device sk_msg raw_tracepoint lwt_seg6local flow_dissector cgroup_sysctl"""
SHAPES = {
    **dict.fromkeys(PLAIN.split(), ""),
    "cgroup_skb": "cgroup_inet_ingress", "cgroup_sock": "cgroup_inet_sock_create", "sk_lookup": "sk_lookup",
    "cgroup_sock_addr": "cgroup_inet4_connect", "cgroup_sockopt": "cgroup_getsockopt", "netfilter": "netfilter",
    "sk_reuseport": "sk_reuseport_select",
}  # fmt: skip
NUMBERS = ("ANYTHING", "CONST_SIZE", "CONST_SIZE_OR_ZERO", "CONST_ALLOC_SIZE_OR_ZERO")
MEMORY = ("PTR_TO_MEM", "PTR_TO_UNINIT_MEM", "PTR_TO_FIXED_SIZE_MEM", "PTR_TO_MEM_OR_NULL", "PTR_TO_MAP_KEY",
          "PTR_TO_MAP_VALUE", "PTR_TO_MAP_VALUE_OR_NULL")  # fmt: skip
ABSENT = re.compile(
    r"unknown func|cannot use helper|program of this type cannot|invalid func|not supported|not allowed|might sleep"
)
EXPECTED = re.compile(r"R(\d) type=(\S+) expected=(.*)")

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(live.available()), reason=f"no bpf(2): {live.available()}")]


@pytest.fixture(scope="module")
def array():
    with LiveMap(MapSpec("m", "array", 4, 8, 4)) as made:
        yield made


def right(register, kind):
    """Instructions that give a register what its kind wants; None where that takes more than a few."""
    base = kind.partition(" |")[0]
    if base in NUMBERS:
        return [m.BPF_MOV64_IMM(register, 8)]
    if base in ("PTR_TO_CTX", "PTR_TO_CTX_OR_NULL"):
        return [m.BPF_MOV64_REG(register, 6)]
    if base in MEMORY:
        return [m.BPF_MOV64_REG(register, 10), m.BPF_ALU64_IMM(consts.BPF_ADD, register, -64)]
    if base == "CONST_MAP_PTR":
        return list(m.BPF_LD_MAP_FD(register, 0))
    return None


def ask(prog_type, helper, registers, array):
    """The log of a program that calls the helper with those registers."""
    zero = [m.BPF_ST_MEM(consts.BPF_DW, 10, -8 * i, 0) for i in range(1, 9)]
    body = [
        m.BPF_MOV64_REG(6, 1),
        *zero,
        *registers,
        m.BPF_EMIT_CALL(helper.id),
        m.BPF_MOV64_IMM(0, 0),
        m.BPF_EXIT_INSN(),
    ]
    code = b"".join(encode_with(i, array) for i in body)
    attr = syscall.ProgAttr(
        PROG_TYPE[prog_type], code, "GPL", "kinds", attach_type=ATTACH_TYPE.get(SHAPES[prog_type], 0)
    )
    try:
        os.close(syscall.prog_load(attr, 1, 1 << 13)[0])
    except KernelError as error:
        return error.log
    return ""


def encode_with(insn, array):
    """The slot's bytes; the map's number becomes its fd."""
    return encode([insn._replace(imm=array.fd) if insn.code == 0x18 else insn], sys.byteorder)


def wrong(prog_type, helper, index, array):
    """What the kernel expected of one argument: "map_ptr", "" when it took the wrong one, None when not reached."""
    args = helper.kinds(prog_type)[1]
    registers = []
    for i, kind in enumerate(args):
        if i == index:
            is_number = kind.partition(" |")[0] in NUMBERS
            registers += [m.BPF_MOV64_REG(i + 1, 6) if is_number else m.BPF_MOV64_IMM(i + 1, 7)]
        else:
            registers += right(i + 1, kind) or [m.BPF_MOV64_IMM(i + 1, 0)]
    log = ask(prog_type, helper, registers, array)
    if ABSENT.search(log):
        return None
    found = EXPECTED.search(log)
    return found[3] if found and int(found[1]) == index + 1 else ""


def reachable(args, index):
    return all(right(i + 1, kind) for i, kind in enumerate(args[:index]))


def test_each_kind_means_one_thing_to_the_kernel(array) -> None:
    """First arguments in every program type, the others in the first type that offers the helper."""
    seen = defaultdict(lambda: defaultdict(list))
    asked = 0
    for helper in HELPERS:
        whole = False
        for prog_type in SHAPES:
            args = helper.kinds(prog_type)[1]
            for index, kind in enumerate(args if not whole else args[:1]):
                if not reachable(args, index):
                    continue
                said = wrong(prog_type, helper, index, array)
                if said is None:
                    break
                asked += 1
                seen[kind.partition(" |")[0]][said].append(f"{helper.name}#{index} in {prog_type}")
            else:
                whole = True
    assert asked > 1500
    for kind, answers in seen.items():
        assert len(answers) == 1, (kind, dict(answers))
    meaning = {kind: next(iter(answers)) for kind, answers in seen.items()}
    assert meaning["PTR_TO_CTX"] == "ctx"
    assert meaning["CONST_MAP_PTR"] == "map_ptr"
    assert meaning["ANYTHING"] == ""
    assert meaning["CONST_SIZE"] == "scalar"
