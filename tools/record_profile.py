"""Write src/osmia/kernel/data/profiles/6.18.txt: what the running kernel offers each kind of program.

    python tools/record_profile.py [--output FILE] [--check]

Every row is the answer of bpf(2) to a small program: each program type with each attach type and, where kernel BTF
names the target, each target; each offset and size of the context; each helper; an unknown return value; fewer
capabilities.  Takes about a minute and needs root.  Where the machine's policy refuses a type whatever the program
(errno 1 and no log, see ``POLICY``), the rows come from ``BELIEVED`` below and say so.
``--check`` writes nothing and exits with 1 when the recorded file differs.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import profile_text

from osmia.btf import Func, FuncProto, Ptr, Struct, Typedef, Var
from osmia.errors import KernelError
from osmia.isa import Insn, encode
from osmia.isa import consts as c
from osmia.isa.macros import (
    BPF_EMIT_CALL,
    BPF_EXIT_INSN,
    BPF_LDX_MEM,
    BPF_LDX_MEMSX,
    BPF_MOV64_IMM,
    BPF_ST_MEM,
    BPF_STX_MEM,
)
from osmia.kernel.profile import DATA
from osmia.kernel.uapi import ATTACH_TYPES as ATTACH
from osmia.kernel.uapi import ATTACH_TYPES_6_18, PROG_TYPE, PROG_TYPES
from osmia.live import syscall
from osmia.live.prog import kernel_btf
from osmia.testing.powers import only
from osmia.verifier.env import Powers

SLEEPABLE = 1 << 4
HELPERS = range(1, 212)
FULL, FAR = 1024, 32768
SIZES = {1: c.BPF_B, 2: c.BPF_H, 4: c.BPF_W, 8: c.BPF_DW}
WINDOW = 320
IN_RANGE = re.compile(r"should have been in \[(-?\d+), (-?\d+)\]")
LOADED = re.compile(r"\bR6(?:_w)?=(\w+)")
UNUSABLE = ("cannot use helper", "unknown func", "invalid func")
CAPS = (("bpf",), ("bpf", "net_admin"), ("bpf", "perfmon"), ("bpf", "perfmon", "net_admin"), ("bpf", "sys_admin"))

HEAD = """\
# What Linux 6.18 offers each kind of program.  Recorded from {release} by tools/record_profile.py: do not edit.
# Rows marked "believed" follow from the kernel's rules; the recording machine refused to be asked.
# shapes: type, attach type, target, then the tables that hold; * is any.  ctx: r(ead) or w(rite), size in bytes,
# first..last+step offsets, register type; "unsigned" may not extend the sign.  helpers: like another set, + more,
# - fewer, ! known and refused.  helper caps: without that capability unknown, but for the program types behind it.

{features}
[limits]
max_insns 1000000
max_insns_unprivileged 4096
max_used_maps 64
max_used_btfs 64
max_subprogs 256
max_cpus 256
"""

# fentry, fexit, fmod_ret and LSM programs have the helpers of raw tracepoints with BTF and those of trampolines
# (kernel/trace/bpf_trace.c, kernel/bpf/bpf_lsm.c).
BELIEVED = """
tracing trace_fentry * ctx=btf helpers=trampoline returns=0..0 sleepable=may believed
tracing trace_fexit * ctx=btf helpers=trampoline returns=0..0 sleepable=may believed
tracing modify_return * ctx=btf helpers=modify_return sleepable=may believed
lsm lsm_mac * ctx=btf helpers=lsm returns=rule sleepable=may believed
lsm lsm_cgroup * ctx=btf helpers=lsm_cgroup returns=rule sleepable=no believed

[helpers trampoline]
like tracing
+ get_func_arg get_func_arg_cnt get_func_ret

[helpers modify_return]
like trampoline
! sk_storage_get sk_storage_delete

[helpers lsm]
like trampoline
+ bprm_opts_set d_path ima_file_hash ima_inode_hash inode_storage_delete inode_storage_get

[helpers lsm_cgroup]
like lsm
- get_attach_cookie get_func_arg get_func_arg_cnt get_func_ret
+ get_local_storage get_retval set_retval
"""
BY_BTF = ("tracing trace_raw_tp *",)
"""Shapes whose context depends on the target, of which there are more than a table can hold."""
POLICY_CAPS = {"ext": ("bpf", "perfmon", "net_admin"), "lsm": ("bpf", "perfmon")}
BPF_HELPERS = """
cgrp_storage_delete cgrp_storage_get current_task_under_cgroup dynptr_data dynptr_from_mem dynptr_read dynptr_write
for_each_map_elem get_current_ancestor_cgroup_id get_current_cgroup_id jiffies64 kptr_xchg loop per_cpu_ptr
ringbuf_discard_dynptr ringbuf_reserve_dynptr ringbuf_submit_dynptr spin_lock spin_unlock this_cpu_ptr timer_cancel
timer_init timer_set_callback timer_start user_ringbuf_drain
""".split()
"""Helpers that unprivileged programs don't have; the recording machine loads none, so a 6.1 was asked."""
BPF_FIELDS = {("cgroup_skb", "r", 76), ("cgroup_skb", "r", 80), ("cgroup_skb", "w", 152)}
"""Fields of the context that unprivileged programs may not touch (``cg_skb_is_valid_access`` in net/core/filter.c)."""


@dataclass(frozen=True)
class Shape:
    """One way of loading a program: type, attach type (a number), target and its BTF id."""

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
        return f"{self.type} {ATTACH[self.attach]} {self.target}"


@dataclass
class Facts:
    """What the kernel said about one shape; equal facts share a row."""

    errno: int = 0
    message: str = ""
    sleepable: str = "no"
    returns: str = ""
    value: int = 0
    helpers: frozenset[str] = frozenset()
    outline: tuple[bool, ...] = ()
    ctx: tuple[profile_text.Row, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Answer:
    """Errno (0: loaded) and log of one load."""

    errno: int
    log: str

    @property
    def last(self) -> str:
        """The last line that is not a statistic."""
        lines = [x for x in self.log.splitlines() if x and not x.startswith(("processed ", "verification time"))]
        return lines[-1] if lines else ""


def ask(shape: Shape, insns: Iterable[Insn], level: int = 0) -> Answer:
    """Load the program and forget it."""
    code = encode(list(insns), sys.byteorder)
    number = PROG_TYPE[shape.type]
    attr = syscall.ProgAttr(number, code, "GPL", "", shape.flags, 0, shape.attach, shape.btf_id)
    try:
        fd, log = syscall.prog_load(attr, level, 1 << 16)
    except KernelError as error:
        return Answer(error.errno or 0, error.log)
    os.close(fd)
    return Answer(0, log)


def ending(value: int) -> list[Insn]:
    """Return a constant."""
    return [BPF_MOV64_IMM(0, value), BPF_EXIT_INSN()]


# -- which shapes there are


def shapes() -> Iterator[Shape]:
    """Every type with every attach type, and every target that kernel BTF names."""
    for kind in PROG_TYPES[1:]:
        if kind != "struct_ops":
            yield from (Shape(kind, attach) for attach in range(ATTACH_TYPES_6_18))
    btf = kernel_btf()
    yield Shape("tracing", ATTACH.index("trace_raw_tp"), "*", btf.find("btf_trace_sched_switch", Typedef) or 0)
    for name in sorted(btf.names()):
        if name.startswith("bpf_iter_") and (found := btf.find(name, Func)):
            yield Shape("tracing", ATTACH.index("trace_iter"), name.removeprefix("bpf_iter_"), found)
    yield from struct_ops()


def struct_ops() -> Iterator[Shape]:
    """Every function pointer of every struct that a ``struct bpf_struct_ops_NAME`` exists for."""
    btf = kernel_btf()
    for wrapper in sorted(n for n in btf.names() if n.startswith("bpf_struct_ops_")):
        name = wrapper.removeprefix("bpf_struct_ops_")
        found = btf.find(name, Struct)
        target = btf.type(found) if found else None
        for number, member in enumerate(target.members if isinstance(target, Struct) else ()):
            pointer = btf.type(btf.skip_modifiers(member.type_id))
            if isinstance(pointer, Ptr) and isinstance(btf.type(btf.skip_modifiers(pointer.type_id)), FuncProto):
                yield Shape("struct_ops", number, f"{name}.{member.name}", found or 0)


# -- what each may do


def probe(shape: Shape) -> tuple[Shape, Facts]:
    """The verdict on the smallest program; what it may return; whether it may sleep; helpers; the context, coarsely."""
    facts = Facts()
    asleep = replace(shape, flags=SLEEPABLE)
    awake_says, asleep_says = ([ask(s, ending(value), 1) for value in (0, 1)] for s in (shape, asleep))
    if all(a.errno for a in (*awake_says, *asleep_says)):
        facts.errno, facts.message = awake_says[0].errno, awake_says[0].last
        return shape, facts
    must = all(a.errno for a in awake_says)
    facts.sleepable = "must" if must else "no" if all(a.errno for a in asleep_says) else "may"
    shape = asleep if must else shape
    facts.value = next(v for v, a in enumerate(asleep_says if must else awake_says) if not a.errno)
    facts.returns = returns(shape)
    facts.helpers = probe_helpers(shape, facts.value)
    if facts.sleepable == "may" and probe_helpers(asleep, facts.value) != facts.helpers:
        raise SystemExit(f"{shape}: other helpers in sleepable programs")
    facts.outline = tuple(can_read(shape, off, size, facts.value) for size in (4, 8) for off in range(0, 256, size))
    return shape, facts


def returns(shape: Shape) -> str:
    """The range of R0 at the end, "" where all is well."""
    answer = ask(shape, [BPF_LDX_MEM(c.BPF_DW, 0, 10, -8), BPF_EXIT_INSN()], 1)
    said = IN_RANGE.search(answer.log)
    if answer.errno and not said:
        raise SystemExit(f"{shape}: {answer.last}")
    return f"{said[1]}..{said[2]}" if said else ""


def probe_helpers(shape: Shape, value: int) -> frozenset[str]:
    """The helpers it may call; ``!name`` where the verifier knows it and refuses it to this program."""
    found = set()
    for number in HELPERS:
        log = ask(shape, [BPF_EMIT_CALL(number), *ending(value)], 1).log
        if not any(x in log for x in UNUSABLE):
            refused = "helper call is not allowed" in log
            found.add(f"{'!' if refused else ''}{profile_text.helper_name(number)}")
    return frozenset(found)


def can_read(shape: Shape, off: int, size: int, value: int) -> bool:
    """Does a load of the context get through?"""
    return ask(shape, [BPF_LDX_MEM(SIZES[size], 6, 1, off), *ending(value)]).errno == 0


def probe_context(shape: Shape, value: int) -> tuple[profile_text.Row, ...]:
    """Every offset and size that may be read or written, as runs."""
    cells: dict[tuple[str, int, str], list[int]] = {}
    for size in SIZES:
        for off in offsets(shape, size, value):
            if can_read(shape, off, size, value):
                cap = " cap=bpf" if (shape.type, "r", off) in BPF_FIELDS else ""
                cells.setdefault(("r", size, loaded_type(shape, off, size, value) + cap), []).append(off)
            if can_write(shape, off, size, value):
                cap = "cap=bpf" if (shape.type, "w", off) in BPF_FIELDS else ""
                cells.setdefault(("w", size, cap), []).append(off)
    return profile_text.runs(cells)


def offsets(shape: Shape, size: int, value: int) -> list[int]:
    """Offsets worth a try: all of a window around 0, and far ones where the context has no end in it."""
    found = list(range(-16, WINDOW))
    if can_read(shape, -size, size, value):
        found += range(-FAR, -16, size)
    if can_read(shape, WINDOW, size, value):
        found += [off for off in range(WINDOW, FAR) if off % size == 0 or off < FULL]
    return found


def loaded_type(shape: Shape, off: int, size: int, value: int) -> str:
    """The register type after a load, in the kernel's terms; with a word where it may not extend a sign."""
    said = LOADED.findall(ask(shape, [BPF_LDX_MEM(SIZES[size], 6, 1, off), *ending(value)], 2).log)
    extends = size == 8 or ask(shape, [BPF_LDX_MEMSX(SIZES[size], 6, 1, off), *ending(value)]).errno == 0
    return profile_text.type_name(said[-1]) + ("" if extends else " unsigned")


def can_write(shape: Shape, off: int, size: int, value: int) -> bool:
    """Does a store to the context get through?  Of a constant and of a register alike, or the recording ends."""
    constant = ask(shape, [BPF_ST_MEM(SIZES[size], 1, off, 1), *ending(value)]).errno
    register = ask(shape, [BPF_MOV64_IMM(2, 1), BPF_STX_MEM(SIZES[size], 1, 2, off), *ending(value)]).errno
    if bool(constant) != bool(register):
        raise SystemExit(f"{shape}: constants and registers are stored differently at {off}")
    return constant == 0


# -- capabilities


def powers(caps: Iterable[str]) -> Powers:
    """A loader who has these capabilities."""
    return Powers(**{name: name in caps for name in ("bpf", "perfmon", "net_admin", "sys_admin")})


def needed_caps(shape: Shape, value: int) -> tuple[str, ...]:
    """The fewest capabilities that load it."""
    for caps in CAPS:
        with only(powers(caps)):
            if ask(shape, ending(value)).errno == 0:
                return caps
    raise SystemExit(f"{shape}: loads with no set of capabilities")


def lost_without_perfmon(shape: Shape, facts: Facts) -> set[str]:
    """The helpers that a program of this type loses when its loader has no CAP_PERFMON."""
    with only(powers(("bpf", "net_admin"))):
        return set(facts.helpers - probe_helpers(shape, facts.value))


def caps_section(found: list[tuple[Shape, Facts]]) -> list[str]:
    """What loading each type takes, and which helpers are kept from whom."""
    first = {shape.type: (shape, facts) for shape, facts in reversed(found) if not facts.errno}
    caps = {kind: needed_caps(shape, facts.value) for kind, (shape, facts) in sorted(first.items())} | POLICY_CAPS
    lost = {k: lost_without_perfmon(*first[k]) for k, needed in caps.items() if k in first and "perfmon" not in needed}
    lines = ["[caps]", *(f"{kind} {' '.join(needed)}" for kind, needed in sorted(caps.items())), "", "[helper caps]"]
    for name in sorted(set().union(*lost.values())):
        kept = [kind for kind, gone in lost.items() if name in first[kind][1].helpers and name not in gone]
        lines.append(" ".join([name, "perfmon", *kept]))
    return [*lines, *(f"{name} bpf" for name in BPF_HELPERS), ""]


def features() -> Iterator[str]:
    """Behaviours that kernels differ in."""
    variable = next(iter(kernel_btf().ids(Var)), 0)
    load = [Insn(c.BPF_LD | c.BPF_IMM | c.BPF_DW, 1, c.BPF_PSEUDO_BTF_ID, 0, variable), Insn(0, 0, 0, 0, 0)]
    if ask(Shape("socket_filter"), [*load, *ending(0)]).errno == 0:
        yield "data-symbols"


# -- putting it together


def gathered(found: list[tuple[Shape, Facts]]) -> list[tuple[str, Shape, Facts]]:
    """One row per fact: the attach types of a type that change nothing become ``*``."""
    rows = []
    for kind in PROG_TYPES:
        mine = [(s, f) for s, f in found if s.type == kind and s.target == "*"]
        loads = [(s, f) for s, f in mine if not f.errno]
        usual = max(loads, key=lambda row: [f for _, f in loads].count(row[1]), default=None)
        if usual and len(loads) == len(mine):
            rows.append((f"{kind} * *", *usual))
            loads = [(s, f) for s, f in loads if f != usual[1]]
        rows += [(s.label, s, f) for s, f in loads]
        rows += [(s.label, s, f) for s, f in found if s.type == kind and s.target != "*" and (not f.errno or f.message)]
    return rows


def shape_row(label: str, facts: Facts, contexts: profile_text.Tables, helpers: profile_text.Tables) -> str:
    """The line of one shape; its tables get names."""
    if facts.errno:
        return f"{label} errno={facts.errno} message={facts.message}"
    ctx = "btf" if label in BY_BTF else contexts.name(label, facts.ctx)
    words = [label, f"ctx={ctx}", f"helpers={helpers.name(label, facts.helpers)}"]
    words += [f"returns={facts.returns}"] if facts.returns else []
    return " ".join([*words, f"sleepable={facts.sleepable}"])


def record() -> str:
    """Ask everything and write it down."""
    found = [probe(shape) for shape in shapes()]
    contexts, helpers = profile_text.Tables(), profile_text.Tables()
    lines = ["[shapes]"]
    for label, shape, facts in gathered(found):
        if not facts.errno and label not in BY_BTF:
            facts.ctx = probe_context(shape, facts.value)
        lines.append(shape_row(label, facts, contexts, helpers))
    head = [
        HEAD.format(release=os.uname().release, features="\n".join(["[features]", *features(), ""])),
        *caps_section(found),
    ]
    tables = [line for name, rows in contexts.named.items() for line in (f"[ctx {name}]", *map(str, rows), "")]
    earlier: dict[str, frozenset[str]] = {}
    for name, names in helpers.named.items():
        tables += profile_text.helper_section(name, names, earlier)
        earlier[name] = names
    return "\n".join([*head, *lines, *BELIEVED.strip().splitlines(), "", *tables])


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, default=DATA / "6.18.txt")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    text = record()
    if options.check:
        return int(options.output.read_text("utf-8") != text)
    options.output.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
