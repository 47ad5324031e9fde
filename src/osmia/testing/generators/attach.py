"""Programs that attach to what BTF names: tracepoints, iterators, struct_ops, functions, LSM hooks.

They load their arguments, follow the pointers that come with them, store through some, call helpers and return numbers
that may or may not be right.  Types and names are those of the kernel's BTF that is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from random import Random
from typing import Any

from osmia.btf import Btf, Func, FuncProto, Member, Ptr, Struct, Typedef, Union
from osmia.isa import Insn
from osmia.isa import consts as c
from osmia.isa import macros as m
from osmia.obj.model import Program

SIZES = {1: c.BPF_B, 2: c.BPF_H, 4: c.BPF_W, 8: c.BPF_DW}
SLEEPABLE = 1 << 4
OPS = ("tcp_congestion_ops", "tcp_congestion_ops", "bpf_dummy_ops")
WRITTEN = (
    *("snd_cwnd", "snd_cwnd_cnt", "snd_cwnd_stamp", "snd_ssthresh", "ecn_flags", "app_limited", "icsk_ca_priv"),
    *("sk_pacing_rate", "sk_pacing_status", "srtt_us", "icsk_ack", "packets_out"),
)
"""Fields that stores aim at: most of them a congestion control may write."""
RESULTS = (0, 0, 0, 0, 1, 1, -1, -22, -4095, -4096, 2, 1 << 31, -(1 << 31))
SEEN = ("do_exit", "migrate_disable", "__rcu_read_lock", "__x64_sys_exit", "bpf_fentry_test1", "update_socket_protocol")
"""Functions with rules of their own."""
HELPERS = (5, 6, 7, 8, 14, 15, 25, 35, 65, 107, 108, 113, 115, 125, 145, 147, 148, 158, 161, 174, 186, 187, 193)


def traced(rng: Random, btf: Btf) -> Program:
    """A program on a raw tracepoint or an iterator."""
    if rng.random() < 0.6:
        name = rng.choice(named(btf, "btf_trace_"))
        return finish(rng, btf, Program("traced", "tracing", [], "", "trace_raw_tp", name), template(btf, name), 1)
    name = rng.choice(named(btf, "bpf_iter_"))
    program = Program("iterates", "tracing", [], "", "trace_iter", name)
    return finish(rng, btf, program, function(btf, "bpf_iter_" + name), 0)


def struct_op(rng: Random, btf: Btf) -> Program:
    """A program for a member of a struct of functions; rarely for one that takes none."""
    name = rng.choice(OPS)
    found = btf.type(btf.find(name, Struct) or 0)
    members = found.members if isinstance(found, Struct) else ()
    number = int(rng.random() * (len(members) + 1)) if rng.random() < 0.1 else rng.choice(_functions(btf, name))
    proto = _pointed(btf, members[number].type_id) if number < len(members) else None
    program = Program("member", "struct_ops", [], "", str(number), f"{name}.{number}")
    return finish(rng, btf, program, proto if isinstance(proto, FuncProto) else None, 0)


def hooked(rng: Random, btf: Btf) -> Program:
    """A program on a function of the kernel or an LSM hook."""
    if rng.random() < 0.5:
        name = rng.choice(named(btf, "bpf_lsm_"))
        kind = rng.choice(("lsm_mac", "lsm_mac", "lsm_cgroup"))
        return finish(rng, btf, Program("guard", "lsm", [], "", kind, name), function(btf, "bpf_lsm_" + name), 0)
    kind = rng.choice(("trace_fentry", "trace_fexit", "modify_return"))
    name = rng.choice(named(btf, ""))
    if rng.random() < 0.15:
        name = rng.choice(SEEN)
    elif kind == "modify_return" and rng.random() < 0.9:
        name = "security_" + rng.choice(named(btf, "security_"))
    return finish(rng, btf, Program("follows", "tracing", [], "", kind, name), function(btf, name), 0)


def finish(rng: Random, btf: Btf, program: Program, proto: FuncProto | None, hidden: int) -> Program:
    """Give the program a body that fits the prototype, mostly, and a license."""
    program.license = "GPL" if rng.random() < 0.97 else "MIT"
    program.flags = SLEEPABLE if rng.random() < 0.12 else 0
    program.insns = Body(rng, btf, proto, hidden, program.prog_type == "struct_ops").make()
    return program


# -- what there is in the kernel's BTF


@cache
def named(btf: Btf, prefix: str) -> tuple[str, ...]:
    """The functions (typedefs, of tracepoints) whose name begins so, without that."""
    kind: Any = Typedef if prefix == "btf_trace_" else Func
    return tuple(sorted(n.removeprefix(prefix) for n in btf.names() if n.startswith(prefix) and btf.find(n, kind)))


@cache
def _functions(btf: Btf, name: str) -> tuple[int, ...]:
    found = btf.type(btf.find(name, Struct) or 0)
    assert isinstance(found, Struct)
    return tuple(i for i, x in enumerate(found.members) if isinstance(_pointed(btf, x.type_id), FuncProto))


def function(btf: Btf, name: str) -> FuncProto | None:
    """The prototype of a function."""
    func = btf.type(btf.find(name, Func) or 0)
    proto = btf.type(func.type_id) if isinstance(func, Func) else None
    return proto if isinstance(proto, FuncProto) else None


def template(btf: Btf, name: str) -> FuncProto | None:
    """The prototype of a tracepoint: its template's, else the typedef's."""
    found = function(btf, "__bpf_trace_" + name)
    typedef = btf.type(btf.find("btf_trace_" + name, Typedef) or 0)
    proto = _pointed(btf, typedef.type_id) if isinstance(typedef, Typedef) else None
    return found or (proto if isinstance(proto, FuncProto) else None)


def _pointed(btf: Btf, type_id: int) -> Any:
    pointer = btf.type(btf.resolve(type_id))
    return btf.type(btf.resolve(pointer.type_id)) if isinstance(pointer, Ptr) else None


# -- bodies


class Body:
    """The instructions of one program: r6 is the context, r7 to r9 hold what was loaded, a struct or a number."""

    def __init__(self, rng: Random, btf: Btf, proto: FuncProto | None, hidden: int, stores: bool) -> None:
        self.rng = rng
        self.btf = btf
        self.args = [param.type_id for param in proto.params[hidden:]] if proto is not None else []
        self.stores = stores
        self.structs: dict[int, Struct | Union] = {}
        self.insns: list[Insn] = [m.BPF_MOV64_REG(6, 1)]
        self.leaves: list[int] = []

    def make(self) -> list[Insn]:
        """A few steps, a result, and where the early leavers go."""
        for _ in range(1 + int(self.rng.random() * 7)):
            steps = (self.argument, self.argument, self.follow, self.follow, self.store, self.helper)
            self.rng.choice(steps)()
        self.result()
        for at in self.leaves:
            self.insns[at] = self.insns[at]._replace(off=len(self.insns) - at - 1)
        if self.leaves:
            self.insns += [m.BPF_MOV64_IMM(0, 0), m.BPF_EXIT_INSN()]
        return self.insns

    def size(self) -> int:
        """Of a load: mostly all eight bytes."""
        return self.rng.choice((8, 8, 8, 8, 8, 8, 4, 2, 1))

    def argument(self) -> None:
        """Load an argument; what it points to is known from now on."""
        reg, size = 7 + int(self.rng.random() * 3), self.size()
        number = int(self.rng.random() * (len(self.args) + 0.6))
        off = 8 * number if self.rng.random() < 0.95 else int(self.rng.random() * 100) - 8
        make = m.BPF_LDX_MEMSX if size < 8 and self.rng.random() < 0.1 else m.BPF_LDX_MEM
        self.insns.append(make(SIZES[size], reg, 6, off))
        found = _pointed(self.btf, self.args[number]) if number < len(self.args) else None
        self.known(reg, found)

    def known(self, reg: int, found: Any) -> None:
        """A register holds a pointer to that, or anything; a null is sent away, sometimes."""
        self.structs.pop(reg, None)
        if isinstance(found, Struct | Union) and found.members:
            self.structs[reg] = found
            if self.rng.random() < 0.4:
                self.leaves.append(len(self.insns))
                self.insns.append(m.BPF_JMP_IMM(c.BPF_JEQ, reg, 0, 0))

    def place(self, favourites: Sequence[str]) -> tuple[int, Member, int] | None:
        """A register that points to a struct, one of its members, and the offset of that."""
        if not self.structs:
            return None
        reg = self.rng.choice(sorted(self.structs))
        flat = list(flatten(self.btf, self.structs[reg]))
        liked = [x for x in flat if x[0].name in favourites]
        member, off = self.rng.choice(liked if liked and self.rng.random() < 0.8 else flat)
        return reg, member, off

    def follow(self) -> None:
        """Load a member of a struct, or something near it."""
        at = self.place(())
        if at is None:
            return self.argument()
        reg, member, off = at
        found = self.btf.type(self.btf.resolve(member.type_id))
        size = getattr(found, "size", 8) if self.rng.random() < 0.9 else self.size()
        off += 0 if self.rng.random() < 0.95 else int(self.rng.random() * 17) - 8
        to = 7 + int(self.rng.random() * 3)
        self.insns.append(m.BPF_LDX_MEM(SIZES.get(size, c.BPF_DW), to, reg, max(-32768, min(off, 32767))))
        self.known(to, _pointed(self.btf, member.type_id))
        return None

    def store(self) -> None:
        """Store a number or a pointer through a pointer; where programs may not, rarely."""
        at = self.place(WRITTEN)
        if at is None or not (self.stores or self.rng.random() < 0.1):
            return self.follow()
        reg, member, off = at
        found = self.btf.type(self.btf.resolve(member.type_id))
        size = SIZES.get(getattr(found, "size", 8) if self.rng.random() < 0.8 else self.size(), c.BPF_DW)
        off += 0 if self.rng.random() < 0.85 else int(self.rng.random() * 24) - 8
        off = max(-32768, min(off, 32767))
        if self.rng.random() < 0.6:
            self.insns.append(m.BPF_ST_MEM(size, reg, off, 1))
        elif self.rng.random() < 0.8:
            self.insns.append(m.BPF_STX_MEM(size, reg, self.rng.choice((6, 7, 8, 9, 10)), off))
        else:
            self.insns += [m.BPF_MOV64_IMM(1, 1), m.BPF_ATOMIC_OP(size, c.BPF_ADD, reg, 1, off)]
        return None

    def helper(self) -> None:
        """Call a helper, with whatever is at hand as its first arguments."""
        args = [m.BPF_MOV64_REG(n, self.rng.choice((6, 7, 8, 9, 10))) for n in range(1, 1 + int(self.rng.random() * 3))]
        number = self.rng.choice(HELPERS) if self.rng.random() < 0.8 else 1 + int(self.rng.random() * 211)
        self.insns += [*args, m.BPF_EMIT_CALL(number)]

    def result(self) -> None:
        """Something to end with: constants, unknown numbers, what was loaded."""
        roll = self.rng.random()
        if roll < 0.7:
            self.insns.append(m.BPF_MOV64_IMM(0, self.rng.choice(RESULTS)))
        elif roll < 0.8:
            self.insns.append(m.BPF_MOV32_IMM(0, self.rng.choice(RESULTS)))
        elif roll < 0.9:
            self.insns.append(
                m.BPF_LDX_MEM(SIZES[self.size()], 0, 6, 8 * int(self.rng.random() * (len(self.args) + 1)))
            )
        else:
            self.insns.append(m.BPF_MOV64_REG(0, self.rng.choice((6, 7, 8, 9))))
        self.insns.append(m.BPF_EXIT_INSN())


def flatten(btf: Btf, found: Struct | Union, base: int = 0, deep: int = 0) -> list[tuple[Member, int]]:
    """The members of a struct with their offsets in bytes; those of structs in it, too."""
    out = []
    for member in found.members:
        inner, off = btf.type(btf.resolve(member.type_id)), base + member.bit_offset // 8
        out.append((member, off))
        if isinstance(inner, Struct | Union) and deep < 4 and (deep < 2 or not member.name):
            out += flatten(btf, inner, off, deep + 1)
    return out
