"""Refusals of calls: arguments of the wrong kind, sizes, helpers that are not there."""

from __future__ import annotations

import re

from osmia.explain import build_pointers as pointers
from osmia.explain.build_stack import _passed as passed
from osmia.explain.case import Case
from osmia.explain.effects import Spot
from osmia.explain.model import Known
from osmia.explain.rule import Draft
from osmia.explain.words import OTHERS, bytes_of, value_words
from osmia.kernel.helpers import HELPERS, HelperProto
from osmia.verifier import consts as c
from osmia.verifier.map_compat import HELPER_TAKES, MAP_TAKES

KINDS = {
    "CONST_MAP_PTR": ("a map", "Pass the map itself: &map."),
    "PTR_TO_MAP_KEY": ("the address of a key", "Pass the address of a variable that holds the key: &key."),
    "PTR_TO_MAP_VALUE": ("the address of a value", "Pass the address of a variable that holds the value: &value."),
    "PTR_TO_UNINIT_MAP_VALUE": ("memory for a value", "Pass the address of a variable for the value: &value."),
    "PTR_TO_CTX": ("the program's context", "Pass ctx as the program was given it."),
    "PTR_TO_MEM": ("the address of memory", "Pass the address of a variable (&x), not its value."),
    "PTR_TO_UNINIT_MEM": ("the address of memory to write to", "Pass the address of a variable (&x)."),
    "PTR_TO_FUNC": ("a function of the program", "Pass the name of a static function."),
    "PTR_TO_TIMER": ("a timer in a map value", "Pass &value->timer of a value from a look-up."),
    "PTR_TO_SPIN_LOCK": ("a lock in a map value", "Pass &value->lock of a value from a look-up."),
    "PTR_TO_SOCKET": ("a socket", "Pass what a socket look-up returned."),
    "PTR_TO_SOCK_COMMON": ("a socket", "Pass ctx->sk (after a NULL check) or what a look-up returned."),
    "PTR_TO_RINGBUF_MEM": ("a ring buffer record", "Pass what bpf_ringbuf_reserve() returned, unchanged."),
    "PTR_TO_DYNPTR": ("a dynptr", "Pass the address of a struct bpf_dynptr."),
    "PTR_TO_CONST_STR": ("a constant string", 'Pass a string that is constant: static const char fmt[] = "…";'),
    "CONST_SIZE": ("a size", "Pass a size."),
    "ANYTHING": ("any value", ""),
}  # fmt: skip
"""What an argument's kind means, and what to pass."""
SUBSTITUTES = {
    "bpf_probe_read": "bpf_probe_read_kernel() or bpf_probe_read_user()",
    "bpf_probe_read_str": "bpf_probe_read_kernel_str() or bpf_probe_read_user_str()",
    "bpf_probe_read_kernel": "reading the packet through data and data_end, in networking programs",
    "bpf_ringbuf_reserve": "bpf_perf_event_output() with a perf event array (kernels before 5.8)",
    "bpf_ringbuf_output": "bpf_perf_event_output() with a perf event array (kernels before 5.8)",
    "bpf_loop": "a for loop with a constant bound (kernels before 5.17)",
    "bpf_ktime_get_boot_ns": "bpf_ktime_get_ns() (kernels before 5.8)",
    "bpf_ktime_get_tai_ns": "bpf_ktime_get_ns() (kernels before 6.1)",
    "bpf_strncmp": "__builtin_memcmp() with a constant length (kernels before 5.17)",
    "bpf_get_current_task_btf": "bpf_get_current_task() with BPF_CORE_READ() (kernels before 5.11)",
    "bpf_map_lookup_percpu_elem": "bpf_map_lookup_elem(), which finds the element of this CPU (kernels before 5.19)",
    "bpf_get_func_ip": "PT_REGS_IP(ctx) in kprobes (kernels before 5.15)",
    "bpf_trace_vprintk": "bpf_trace_printk() with three values at most (kernels before 5.16)",
    "bpf_snprintf": "bpf_trace_printk(), or formatting in user space (kernels before 5.13)",
    "bpf_for_each_map_elem": "a loop over keys that are known (kernels before 5.13)",
    "bpf_get_current_comm": "the task's name: there is no current process where packets are handled",
    "bpf_get_current_pid_tgid": "the process: there is none where packets are handled; look it up by socket cookie "
                                "(bpf_get_socket_cookie) in a map that a tracing or cgroup program fills",
    "bpf_skb_load_bytes": "reading the packet through data and data_end, or bpf_xdp_load_bytes() in XDP",
    "bpf_skb_store_bytes": "writing the packet through data and data_end",
    "bpf_redirect_neigh": "bpf_redirect() (kernels before 5.10)",
    "bpf_timer_init": "checking bpf_ktime_get_ns() when events come",
}  # fmt: skip
"""What can be used in place of a helper that is not there."""


INSTEAD = {
    "bpf_iter_num_": "a for loop with a constant bound, or bpf_loop() (Linux 5.17); bpf_for() needs Linux 6.4",
    "bpf_rcu_read_": "nothing: programs that can't sleep run inside an RCU section anyway",
    "bpf_dynptr_": "bpf_skb_load_bytes(), bpf_xdp_load_bytes(), or data and data_end",
    "bpf_task_": "bpf_get_current_task() with BPF_CORE_READ()",
    "bpf_cgroup_": "bpf_get_current_cgroup_id() and its relatives",
}
"""What can be used in place of kernel functions that are not there, by how they begin."""


def helper(name: str) -> HelperProto | None:
    """The row of a helper."""
    return next((each for each in HELPERS if each.name == name), None)


def argument_type(case: Case, draft: Draft) -> None:
    """The argument is of another kind than the helper declares."""
    reg = case.reg(case.regno)
    if reg is None:
        return
    proto, at = helper(case.callee), case.regno - 1
    kinds = proto.kinds(case.env.prog_type)[1] if proto is not None else ()
    kind, *flags = kinds[at].split(" | ") if 0 <= at < len(kinds) else ("",)
    kind = kind.removesuffix("_OR_NULL")
    wanted, advice = KINDS.get(kind, ("", ""))
    draft.headline = "{it} is passed to {call}() as argument {arg}" + (f", which has to be {wanted}" if wanted else "")
    if reg.type & c.PTR_MAYBE_NULL:
        pointers.maybe_null(case, draft)
        return
    if reg.type == c.SCALAR_VALUE and pointers.lost_pointer(case, draft):
        return
    if proto is not None:
        draft.notes.append(f"Its declaration: {proto.declaration}")
    if "MEM_ALLOC" in flags or kind == "PTR_TO_RINGBUF_MEM" or "RINGBUF" in kind:
        draft.fix("Pass what bpf_ringbuf_reserve() returned, with no offset, once.")
    elif reg.type == c.SCALAR_VALUE:
        draft.fix(_number_passed(case, kind, advice))
    elif advice:
        draft.fix(advice)
    else:
        draft.fix(f"Pass {_expected(case)}.")


def _number_passed(case: Case, kind: str, advice: str) -> str:
    name = passed(case)
    if kind in ("PTR_TO_MAP_KEY", "PTR_TO_MAP_VALUE", "PTR_TO_MEM", "PTR_TO_UNINIT_MEM") and name.isidentifier():
        return f"{advice} Here probably &{name}."
    return advice or f"Pass {_expected(case)}: a number is no pointer."


def _expected(case: Case) -> str:
    types = case.reason.expected
    if not isinstance(types, tuple):
        return "what it expects"
    words = []
    for each in types:
        text = OTHERS.get(each & c.BASE_TYPE_MASK) if isinstance(each, int) else None
        if text and text not in words:
            words.append(text)
    return " or ".join(words[:4]) or "what it expects"


def helper_memory(case: Case, draft: Draft) -> None:
    """Memory is wanted, and the register is no pointer to any."""
    reg = case.reg(case.regno)
    if reg is not None and reg.type & c.PTR_MAYBE_NULL:
        pointers.maybe_null(case, draft)
    elif reg is not None and reg.type == c.SCALAR_VALUE:
        pointers.invalid_mem_access(case, draft)
        draft.headline = "{it} is a number, and {call}() wants memory as argument {arg}"
        draft.fixes.clear()
        draft.fix("Pass the address of a variable (&x), not its value.")


def argument_maybe_null(case: Case, draft: Draft) -> None:
    """A pointer that may be NULL, passed on."""
    if case.regno < 0:
        found = case.numbers(r"arg(\d+)")
        if not found or case.step is None:
            return
        draft.spot = Spot(len(case.step.frames) - 1, min(found[0] + (case.kind != "argument-maybe-null"), 5))
    pointers.maybe_null(case, draft)


def size_of_argument(case: Case, draft: Draft) -> None:
    """A size without a lower or upper bound; the memory that goes with it stands in the register before."""
    negative = case.kind == "size-negative"
    reg = case.reg(case.regno - 1)
    room = _room(case, case.regno - 1)
    name = passed(case)
    if room > 0:
        draft.known.append(
            Known(f"R{case.regno - 1}, the memory", f"{bytes_of(room)}: {value_words(case.env, reg)}" if reg else "")
        )
    leave = case.leave
    most = room if room > 0 else 256
    size = case.reg(case.regno)
    if size is not None and size.smin < -(1 << 62) and size.smax > 1 << 62:
        draft.headline = "nothing limits the size {it} that is passed to {call}()"
    elif not negative and size is not None and size.s32_min < 0:
        draft.headline = "the size {it} that is passed to {call}() may be negative, and counts as a very large one then"
        negative = True
    both = f"if ({{name}} < 0 || {{name}} > {most}) {leave}"
    if negative:
        draft.fix("Check both ends before the call (of an unsigned variable the upper one is enough):",
                  f"{{declare}}{both}", case.place)  # fmt: skip
    else:
        draft.fix("Bound it before the call:", f"{{declare}}if ({{name}} > {most}) {leave}", case.place)
    mask = (1 << (most + 1).bit_length() - 1) - 1
    draft.fix("Or mask it:", f"{{declare}}{{name}} &= {mask:#x};", case.place)
    if name and not name.isidentifier() and not draft.variable:
        draft.notes.append(f"The size is the expression {name}.")


def zero_size(case: Case, draft: Draft) -> None:
    """A size of 0, or a map without keys or values."""
    reg = case.reg(1)
    if not case.callee.startswith("bpf_map_") or reg is None or reg.map is None:
        return
    what = "keys" if case.regno == 2 else "values"
    draft.headline = f'{{call}}() needs a map with {what}, and map "{reg.map.name}" (type {reg.map.spec.type}) has none'
    draft.rule = "Each helper works on certain map types, and each map type with certain helpers."
    draft.spot = None
    draft.fix("Use the helpers that belong to this type of map, or another type.")


def _room(case: Case, regno: int) -> int:
    """Bytes behind a pointer that is passed; 0 where that is not known."""
    reg = case.reg(regno)
    if reg is None or reg.mask:
        return 0
    if reg.type == c.PTR_TO_STACK:
        return max(-reg.off, 0)
    size = reg.map.value_size if reg.map is not None else reg.mem_size
    return max(size - reg.off, 0)


def helper_not_offered(case: Case, draft: Draft) -> None:
    """Which program types have it, and what does it instead."""
    proto = helper(case.callee)
    if proto is None:
        draft.fix("There is no such helper: check who wrote the number that is called.")
        return
    missing = _too_new(case, proto)
    if missing:
        draft.headline = f"{{call}}() came with Linux {_version(proto.since)}; Linux {case.kernel} does not have it"
        draft.rule = "A kernel has the helpers that existed when it was made."
    else:
        types = offering(case, proto.id)
        if types:
            draft.notes.append(f"On Linux {case.kernel} it is there for: {', '.join(types)}.")
    other = SUBSTITUTES.get(case.callee)
    if other:
        draft.fix(f"In its place: {other}.")
    if missing and case.env.program.btf is not None:
        draft.fix("Guard the call, so that older kernels don't see it:",
                  f"if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_{case.callee[4:]}))")  # fmt: skip
    elif not other:
        draft.fix("Do this part in a program of a type that has it, and pass the result through a map.")


def _too_new(case: Case, proto: HelperProto) -> bool:
    return bool(case.env.profile.version) and proto.since > case.env.profile.version[:2]


def _version(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def offering(case: Case, number: int) -> list[str]:
    """The program types that have a helper."""
    profile = case.env.profile
    rows = profile.tables.get("shapes", {})
    found: list[str] = []
    for kind, attach, target in rows:
        if kind in found:
            continue
        shape = profile.shape(kind, "" if attach == "*" else attach, "" if target == "*" else target)
        if not shape.errno and shape.helper(number) in ("offered", "sleepable"):
            found.append(kind)
    found.sort()
    return found if len(found) < 12 else [*found[:10], "…"]


def unknown_helper(case: Case, draft: Draft) -> None:
    """A number without a helper: poisoned by CO-RE, or of a newer kernel."""
    why = case.env.program.poisoned.get(case.slot, "")
    if why or (case.insn is not None and 0xBAD0000 <= case.insn.imm <= 0xBAD0000 + 0x1000000):
        _poisoned(case, draft, why)
        return
    if helper(case.callee) is not None:
        helper_not_offered(case, draft)
        return
    number = case.insn.imm if case.insn is not None else 0
    draft.fix(f"Helper {number} does not exist; check who wrote the number.")


def _poisoned(case: Case, draft: Draft, why: str) -> None:
    """The loader put a call of a helper that does not exist where something is missing on the target."""
    missing = why.rpartition(": ")[2].removesuffix(" (weak)")
    named = re.search(r"kernel function '(\w+)'", why)
    draft.headline = (
        f"the target kernel lacks something that the program uses: {missing or 'the loader marked the place'}"
    )
    draft.rule = (
        "Where a CO-RE relocation, map or weak kernel function can't be resolved, the loader writes a call of a helper "
        "that does not exist (195896080 is 0xbad2310): fine as long as no path reaches it."
    )
    if ": " in why:
        draft.notes.append(f"The relocation: {why.removesuffix(': ' + missing)}.")
    draft.fixes.clear()
    enum = re.search(r"enum (\w+)::(\w+)", why)
    field = re.search(r"struct (\w+)\.([\w.\[\]]+)", why)
    if enum:
        draft.fix("Guard it:", f"if (bpf_core_enum_value_exists(enum {enum[1]}, {enum[2]})) {{ … }}", case.place)
    elif field:
        member = f"((struct {field[1]} *)0)->{field[2]}"
        draft.fix("Guard the access, so that no path comes here where the member is missing:",
                  f"if (bpf_core_field_exists({member})) {{ … }}", case.place)  # fmt: skip
        draft.fix("If the member was renamed, describe the older struct too (struct NAME___old { … } "
                  "__attribute__((preserve_access_index))) and read whichever exists.")  # fmt: skip
    elif named:
        other = next((text for start, text in INSTEAD.items() if named[1].startswith(start)), "")
        if other:
            draft.fix(f"In its place: {other}.")
        draft.fix("Declare it __weak and guard the call:", f"if (bpf_ksym_exists({named[1]})) {{ … }}", case.place)
    else:
        draft.fix("Guard it:", "if (bpf_core_type_exists(struct NAME)) { … }", case.place)
    if enum or field:
        draft.notes.append("It was resolved against the types of --btf, by default the running kernel's.")


def map_helper_mismatch(case: Case, draft: Draft) -> None:
    """Which map types the helper takes, and which helpers the map."""
    from osmia.kernel.uapi import MAP_TYPES

    numbers = case.numbers(r"map_type (\d+) into func")
    if not numbers or numbers[0] >= len(MAP_TYPES):
        return
    kind, func = MAP_TYPES[numbers[0]], case.callee.removeprefix("bpf_")
    draft.headline = f"{{call}}() does not work on maps of type {kind}"
    takes, taken = HELPER_TAKES.get(func), MAP_TAKES.get(kind)
    if takes:
        draft.notes.append(f"{{call}}() takes: {', '.join(takes)}.")
    if taken:
        draft.notes.append(f"A map of type {kind} is for: {', '.join('bpf_' + each for each in list(taken)[:8])}.")
    draft.fix("Use a helper for this type of map, or change the map's type.")


def other_map(case: Case, draft: Draft) -> None:
    """The map that the value lies in, and the one that was passed."""
    value, given = case.reg(1), case.reg(2)
    if value is not None and given is not None and value.map is not None and given.map is not None:
        draft.headline = f'{{call}}() is given map "{given.map.name}" with a value of map "{value.map.name}"'
        if value.map is given.map:
            draft.headline = f'{{call}}() is given a value of another element\'s inner map than "{given.map.name}"'
        draft.fix(f"Pass the map that the value was found in: &{value.map.name}.")
