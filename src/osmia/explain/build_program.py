"""Refusals of the whole program: too large, too long to verify, loops, maps, capabilities, what it attaches to."""

from __future__ import annotations

import re

from osmia.explain import checks
from osmia.explain.case import Case
from osmia.explain.effects import Spot, value_at
from osmia.explain.model import Check, Known, Place
from osmia.explain.rule import Draft
from osmia.explain.words import bytes_of, value_words
from osmia.isa.consts import BPF_PSEUDO_FUNC, BPF_PSEUDO_KFUNC_CALL, LD_IMM64

PAGE = 4096
CALL_INSN = 0x85
MOST = 5


def insn_count(case: Case, draft: Draft) -> None:
    """More instructions than a program may have."""
    env = case.env
    limit = env.profile.limit("max_insns" if env.powers.bpf else "max_insns_unprivileged")
    if not env.n_insns:
        draft.headline = "the program has no instructions"
        draft.fix("Give it a function with code.")
        return
    draft.headline = f"the program has {env.n_insns} instructions; {limit} are the limit for this loader"
    if not env.powers.bpf:
        draft.fix("Load with CAP_BPF: then 1,000,000 are possible.")
    draft.fix("Split it: tail calls into further programs, or functions that are not inlined (static __noinline).")
    draft.fix("Replace unrolled loops (#pragma unroll) by real ones, bpf_for() or bpf_loop().")
    for name, size in _sizes(case):
        draft.known.append(Known(f"{name}()", f"{size} instructions"))


def _sizes(case: Case) -> list[tuple[str, int]]:
    rows = [(s.name, s.end - s.start) for s in case.env.program.subprogs]
    return sorted(rows, key=lambda row: -row[1])[:MOST]


def too_many_insns(case: Case, draft: Draft) -> None:
    """Where the million instructions went."""
    visits = case.trail.visits
    loops = _loops(case)
    lines = _lines(case, visits)
    for place, count in lines:
        if count * 100 < case.trail.steps:
            continue
        draft.known.append(Known(str(place), f"{count} instructions walked: {place.code.strip() or place.shown}"))
    depth = case.trail.last.depth if case.trail.last is not None else 0
    if depth * 2 > case.trail.steps:
        draft.notes.append(f"One path alone is {depth} instructions long: the loop has too many turns.")
    else:
        draft.notes.append(
            f"The longest path here is {depth} instructions: it is the number of different paths, from branches inside "
            "loops or in a row, that grew too large."
        )
    if loops:
        place, count = loops[0]
        draft.place = place
        draft.headline = (
            f"the verifier gave up after 1,000,000 instructions; the loop at {place} alone was walked {count} times"
        )
    draft.fix("Give loops a small constant bound, and fewer branches inside: each turn is walked once for every "
              "different state that it is entered with.")  # fmt: skip
    draft.fix("Use bpf_for(i, 0, n) or bpf_loop(n, callback, &ctx, 0): the body is walked a few times whatever n is "
              "(Linux 6.4, 5.17).")  # fmt: skip
    draft.fix("Move parts into global functions (without static): each is verified once, not at every call.")


def too_many_jumps(case: Case, draft: Draft) -> None:
    """Which branches wait."""
    waiting: dict[str, int] = {}
    for path in case.env.stack:
        place = case.place_of(path.prev_insn_idx)
        key = f"{place}: {place.code.strip() or place.shown}"
        waiting[key] = waiting.get(key, 0) + 1
    most = sorted(waiting.items(), key=lambda row: -row[1])[:MOST]
    draft.known += [Known("waiting", f"{count} branches of {key}") for key, count in most]
    draft.fix("Break a long chain of conditions into global functions, or into a loop with bpf_loop() or bpf_for().")
    draft.fix("Replace long switch statements and if-chains by a look-up in an array map.")


def _loops(case: Case) -> list[tuple[Place, int]]:
    """Jumps backwards by how often they were walked."""
    found = []
    for slot, count in case.trail.visits.items():
        insn = case.env.insns[slot]
        if insn.code & 7 in (5, 6) and insn.code & 0xF0 not in (0x80, 0x90) and insn.off < 0:
            found.append((count, insn.idx))
    return [(case.place_of(slot), count) for count, slot in sorted(found, reverse=True)[:MOST]]


def _lines(case: Case, visits: dict[int, int]) -> list[tuple[Place, int]]:
    """Source lines by the instructions that were walked for them."""
    sums: dict[tuple[str, int], int] = {}
    places: dict[tuple[str, int], Place] = {}
    for slot, count in visits.items():
        place = case.place_of(slot)
        key = (place.file, place.line) if place.line else ("", -slot - 1)
        sums[key] = sums.get(key, 0) + count
        places.setdefault(key, place)
    most = sorted(sums.items(), key=lambda row: -row[1])[:MOST]
    return [(places[key], count) for key, count in most]


def infinite_loop(case: Case, draft: Draft) -> None:
    """The branches of the loop, and what they compare."""
    found = case.numbers(r"infinite loop detected at insn (\d+)")
    slot = found[0] if found else case.slot
    draft.place = case.place_of(slot) if 0 <= slot < len(case.env.insns) else None
    branches = _turn(case, slot)
    draft.path += branches
    if branches:
        draft.notes.append("One turn brought back exactly the state that it began with, so it would go on for ever.")
    else:
        draft.notes.append("The compiled loop has no condition: nothing that it depends on changes inside.")
    draft.fix("Change what the condition depends on in every turn: for (i = 0; i < 16; i++) with a constant bound.")
    draft.fix("If the end depends on data, use bpf_for(i, 0, n) or bpf_loop(), or add a counter that ends the loop.")


def _turn(case: Case, slot: int) -> list[Check]:
    """The branches of the last turn."""
    step = case.trail.last
    found: list[Check] = []
    while step is not None and step.before is not None and len(found) < MOST:
        before = step.before
        insn = case.env.insns[before.insn]
        if checks.is_branch(insn):
            reg = value_at(before, Spot(len(before.frames) - 1, insn.dst))
            knew = value_words(case.env, reg) if reg is not None else ""
            found.append(Check(checks.condition(case, before, step), case.place_of(before.insn), knew))
        step = before
        if before.insn == slot:
            break
    return found[::-1]


def slot_in_text(case: Case, draft: Draft) -> None:
    """Refused before the walk: the message names the instruction."""
    found = case.numbers(r"insn (\d+)")
    if found and found[0] < len(case.env.insns):
        draft.place = case.place_of(found[0])


def reserved_fields(case: Case, draft: Draft) -> None:
    """Fields that newer kernels give a meaning: calls of kernel functions."""
    insn, version = case.insn, case.env.profile.version
    if insn is None or insn.code != CALL_INSN or insn.src != BPF_PSEUDO_KFUNC_CALL or not version or version >= (5, 13):
        return
    draft.headline = f"the program calls a kernel function, which came with Linux 5.13; this is {case.kernel}"
    draft.rule = "Older kernels know calls of helpers and of the program's own functions only."
    draft.fix("Use a helper that does it, or do without on such kernels: bpf_for() and the iterators are kernel "
              "functions too; a for loop with a constant bound works from 5.3 on.")  # fmt: skip


def no_end(case: Case, draft: Draft) -> None:
    """A function whose last instruction lets the path run on: the first such."""
    env = case.env
    for number in range(len(env.subprogs)):
        end = env.subprog_end(number) - 1
        if 0 <= end < len(env.insns) and env.insns[end].code not in (0x95, 0x05, 0x06):
            draft.place = case.place_of(end)
            return


def func_info_count(case: Case, draft: Draft) -> None:
    """Functions that an old kernel does not count: callbacks, before it knew addresses of functions."""
    version = case.env.profile.version
    callbacks = any(insn.code == LD_IMM64 and insn.src == BPF_PSEUDO_FUNC for insn in case.env.insns)
    if callbacks and version and version < (5, 13):
        draft.headline = (
            f"the program passes a function as a callback, which came with Linux 5.13; this is {case.kernel}"
        )
        draft.rule = (
            "Older kernels know no addresses of functions, so they have no bpf_loop(), timers or for_each helpers."
        )
        draft.fix("Write a for loop with a constant bound (Linux 5.3), or unroll it: #pragma unroll.")


def map_create(case: Case, draft: Draft) -> None:
    """What about a map BPF_MAP_CREATE does not take."""
    name = case.text.removeprefix("map ").strip()
    spec = next((m for m in case.env.program.maps if m.name[:15] == name), None)
    draft.headline = f'the map "{name}" can\'t be made ({case.verdict.errno_name})'
    if spec is None:
        return
    draft.known.append(
        Known(
            f'map "{spec.name}"',
            f"type {spec.type}, key {bytes_of(spec.key_size)}, value "
            f"{bytes_of(spec.value_size)}, {spec.max_entries} entries, flags {spec.flags:#x}",
        )
    )
    for text in map_faults(spec.type, spec.key_size, spec.value_size, spec.max_entries, spec.flags):
        draft.fix(text)
    if not draft.fixes:
        draft.fix("Compare type, sizes, flags and the number of entries with what this type of map wants; value types "
                  "with locks, timers or kernel pointers fit some map types only.")  # fmt: skip


def map_faults(kind: str, key: int, value: int, entries: int, flags: int) -> list[str]:
    """What is known to be wrong with a map's numbers."""
    found = []
    arrays = ("array", "percpu_array", "prog_array", "perf_event_array", "array_of_maps", "cgroup_array", "devmap",
              "cpumap", "xskmap", "sockmap", "reuseport_sockarray")  # fmt: skip
    if kind in ("ringbuf", "user_ringbuf"):
        if key or value:
            found.append("A ring buffer has no key and no value: leave both out.")
        if not entries or entries & (entries - 1) or entries % PAGE:
            found.append("max_entries of a ring buffer is its size in bytes: a power of 2 and a multiple of the page "
                         f"size ({PAGE}), for example 256 * 1024.")  # fmt: skip
        return found
    if not entries and kind not in ("perf_event_array", "sk_storage", "task_storage", "inode_storage", "cgrp_storage",
                                    "cgroup_storage", "percpu_cgroup_storage"):  # fmt: skip
        found.append("max_entries is 0: set it with __uint(max_entries, N).")
    if kind in arrays and key != 4:
        found.append(f"Keys of this type of map are indexes: __type(key, __u32), not {bytes_of(key)}.")
    if kind in ("queue", "stack", "bloom_filter") and key:
        found.append("This type of map has no key: leave __type(key, …) out.")
    if kind == "lpm_trie" and not flags & 1:
        found.append("An LPM trie needs __uint(map_flags, BPF_F_NO_PREALLOC).")
    if kind == "hash" and not key:
        found.append("The key has no size: __type(key, …).")
    if not value and kind not in ("bloom_filter",):
        found.append("The value has no size: __type(value, …).")
    if kind in ("percpu_array", "percpu_hash", "lru_percpu_hash", "percpu_cgroup_storage") and value > 32768:
        found.append("Values of per-CPU maps have 32 KiB at most.")
    return found


def prog_capability(case: Case, draft: Draft) -> None:
    """Which capabilities are missing."""
    env = case.env
    needed = sorted({"bpf", *env.profile.caps(env.prog_type)})
    missing = [cap for cap in needed if not getattr(env.powers, cap)]
    draft.headline = f"loading {env.prog_type} programs takes " + " and ".join("CAP_" + cap.upper() for cap in needed)
    draft.fix("Run the loader with " + ", ".join("CAP_" + cap.upper() for cap in missing or needed) + " (or as root).")


def prog_type(case: Case, draft: Draft) -> None:
    """Type and attach type don't go together."""
    program = case.env.program
    draft.known.append(Known("type", f"{program.prog_type}, expected attach type "
                             f"{program.expected_attach_type or 'none'}"))  # fmt: skip


def no_target(case: Case, draft: Draft) -> None:
    """A kernel function, tracepoint or struct that the target does not have."""
    program, btf = case.env.program, case.env.vmlinux
    target = program.attach_target.partition(".")[0]
    if not target:
        draft.headline = "the program does not say what it attaches to"
        draft.fix('Name it in the section: SEC("fentry/do_unlinkat").')
        return
    draft.headline = f"{target} does not exist in the target kernel's types"
    if btf is None:
        return
    near = _near(case, target)
    if near:
        draft.fix(f"Perhaps {' or '.join(near)}?")


def _near(case: Case, target: str) -> list[str]:
    """Names in the kernel's BTF that look like a target."""
    import difflib

    from osmia.btf import Func, Typedef

    btf = case.env.vmlinux
    assert btf is not None
    tracepoint = case.env.program.expected_attach_type == "trace_raw_tp"
    names = set()
    for _, found in btf:
        if isinstance(found, Typedef if tracepoint else Func) and found.name:
            names.add(found.name.removeprefix("btf_trace_") if tracepoint else found.name)
    return difflib.get_close_matches(target, names, 3, 0.75)


def missing_symbols(case: Case, draft: Draft) -> None:
    """Kernel functions and variables that were not found: refused because of them."""
    gone = []
    for extern in case.env.program.externs:
        if extern.kind != "addr" and not extern.weak and case.env.insns and not case.env.insns[extern.insn].imm:
            gone.append(extern.name)
    if gone and case.verdict.where == "reloc":
        draft.headline = f"the target kernel has no {', '.join(dict.fromkeys(gone))}"
        draft.rule = "Kernel functions and variables are found by name in the kernel's BTF when the program is loaded."
        draft.fixes.clear()
        draft.fix("Mark it __weak and call it only where bpf_ksym_exists(name) says that it is there.")


def jump_place(text: str) -> int:
    """The instruction that a message about jumps names; -1 if none."""
    found = re.search(r"from insn (\d+)", text)
    return int(found.group(1)) if found else -1
