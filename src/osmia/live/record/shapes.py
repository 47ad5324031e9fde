"""The kinds of programs to ask about: types with attach types, and with the targets that the kernel's BTF names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from osmia.btf import Btf, Func, FuncProto, Ptr, Struct, Typedef
from osmia.isa import Insn
from osmia.isa.macros import BPF_EXIT_INSN, BPF_MOV64_IMM
from osmia.kernel.uapi import ATTACH_TYPE, ATTACH_TYPES, PROG_TYPES
from osmia.live.record.asker import Question

SLEEPABLE = 1 << 4
TRACEPOINT = "sched_switch"
TRACED = {
    "trace_fentry": ("vfs_read", "bpf_fentry_test1"),
    "trace_fexit": ("vfs_read", "bpf_fentry_test1"),
    "trace_fsession": ("vfs_read", "bpf_fentry_test1"),
    "modify_return": ("security_file_open",),
}
"""Functions to try in the place of any function: the first that BTF has stands for all."""
HOOKS = {"lsm_mac": ("file_open", "bprm_check_security", "task_alloc"), "lsm_cgroup": ("socket_bind", "socket_create")}


@dataclass(frozen=True, slots=True)
class Shape:
    """One way of loading a program: type, attach type (a number), target, the target's BTF id, flags."""

    type: str
    attach: int = 0
    target: str = "*"
    btf_id: int = 0
    flags: int = 0

    @property
    def label(self) -> str:
        """``tracing trace_iter task``; of struct_ops the member's number: ``struct_ops 16 tcp_congestion_ops``."""
        if self.type == "struct_ops":
            return f"{self.type} {self.attach} {self.target.partition('.')[0]}"
        return f"{self.type} {ATTACH_TYPES[self.attach]} {self.target}"

    @property
    def by_btf(self) -> bool:
        """Does the context hold 64-bit arguments typed by BTF?"""
        return self.type in ("tracing", "lsm", "struct_ops")

    def asks(self, *insns: Insn, value: int | None = None, level: int = 0, flags: int = 0) -> Question:
        """The question about a program of this kind; with ``value`` it ends by returning that."""
        code = insns if value is None else (*insns, *ending(value))
        return Question(self.type, code, self.attach, self.btf_id, self.flags | flags, level)


def ending(value: int) -> tuple[Insn, Insn]:
    """Return a constant."""
    return BPF_MOV64_IMM(0, value), BPF_EXIT_INSN()


def shapes(btf: Btf) -> Iterator[Shape]:
    """Every type with every attach type, and every target that kernel BTF names."""
    for kind in PROG_TYPES[1:]:
        if kind not in ("struct_ops", "lsm", "ext"):
            yield from (Shape(kind, attach) for attach in range(len(ATTACH_TYPES)))
    yield Shape("tracing", ATTACH_TYPE["trace_raw_tp"], "*", btf.find(f"btf_trace_{TRACEPOINT}", Typedef) or 0)
    for attach, names in TRACED.items():
        found = next((i for i in (btf.find(name, Func) for name in names) if i), 0)
        yield Shape("tracing", ATTACH_TYPE[attach], "*", found)
    for name in sorted(btf.names()):
        if name.startswith("bpf_iter_") and (function := btf.find(name, Func)):
            yield Shape("tracing", ATTACH_TYPE["trace_iter"], name.removeprefix("bpf_iter_"), function)
    for attach, names in HOOKS.items():
        found = next((i for i in (btf.find(f"bpf_lsm_{name}", Func) for name in names) if i), 0)
        yield Shape("lsm", ATTACH_TYPE[attach], "*", found)
    yield from struct_ops(btf)


def struct_ops(btf: Btf) -> Iterator[Shape]:
    """Every function pointer of every struct that a ``struct bpf_struct_ops_NAME`` exists for."""
    for wrapper in sorted(n for n in btf.names() if n.startswith("bpf_struct_ops_")):
        name = wrapper.removeprefix("bpf_struct_ops_")
        found = btf.find(name, Struct)
        target = btf.type(found) if found else None
        for number, member in enumerate(target.members if isinstance(target, Struct) else ()):
            pointer = btf.type(btf.skip_modifiers(member.type_id))
            if isinstance(pointer, Ptr) and isinstance(btf.type(btf.skip_modifiers(pointer.type_id)), FuncProto):
                yield Shape("struct_ops", number, f"{name}.{member.name}", found or 0)
