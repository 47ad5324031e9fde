"""Refusals of loads, stores and pointer moves: what is known of the pointer, what is missing, what would do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from osmia.explain import checks
from osmia.explain.case import Case
from osmia.explain.model import Check, Known
from osmia.explain.origin import Spot, Story, follow, name_of
from osmia.explain.rule import Draft
from osmia.explain.source import accessed, shown_expression
from osmia.explain.words import OTHERS, bytes_of, number, span
from osmia.verifier import consts as c

if TYPE_CHECKING:
    from osmia.explain.trail import Step
    from osmia.verifier.regs import Reg

PACKET_TYPES = (c.PTR_TO_PACKET, c.PTR_TO_PACKET_META)
FAR = 1 << 29
"""From here on an offset counts as unbounded."""


def base_type(reg: Reg) -> int:
    """A register's type without flags."""
    return reg.type & c.BASE_TYPE_MASK


def story_of(case: Case, draft: Draft) -> Story:
    """The life of the value that the draft blames."""
    assert draft.spot is not None and case.step is not None
    return follow(case, case.step, draft.spot, index=draft.index)


# -- pointers that are none


def invalid_mem_access(case: Case, draft: Draft) -> None:
    """NULL not excluded, a number used as a pointer, or a pointer to something that has no bytes."""
    reg = case.reg(case.regno)
    if reg is None:
        return
    if reg.type & c.PTR_MAYBE_NULL:
        maybe_null(case, draft)
    elif reg.type == c.SCALAR_VALUE:
        _number_as_pointer(case, draft, reg)
    elif reg.type == c.PTR_TO_PACKET_END:
        draft.headline = "{it} marks the end of the packet; nothing can be read through it"
        draft.fix("Read through a pointer that starts at ctx->data, and compare that with data_end first.")
    elif base_type(reg) == c.CONST_PTR_TO_MAP:
        draft.headline = "{it} is a map, not one of its values"
        draft.fix("Look the value up: bpf_map_lookup_elem(&map, &key), and compare the result with NULL.")
    elif base_type(reg) == c.PTR_TO_FUNC:
        draft.headline = "{it} is a function, not memory"
    else:
        draft.fix("Use a pointer of another kind, or a helper that reads what this one points to.")


def maybe_null(case: Case, draft: Draft) -> None:
    """A pointer that was not compared with NULL on this path."""
    draft.headline = "{it} may be NULL here" + (f", and is passed to {case.callee}()" if case.is_call else "")
    draft.rule = "A pointer that may be NULL has to be compared with NULL before it is used."
    story = story_of(case, draft)
    if story.compared:
        draft.notes.append(
            "It was compared, but that said nothing to the verifier about this copy of the pointer: "
            "compare the very variable that is used."
        )
    else:
        draft.notes.append("No branch on this path compares it with NULL.")
    leave = case.leave
    name = draft.variable or "pointer"
    draft.fix("Check it first:", f"if (!{name}) {leave}", case.place)
    root = story.root
    if root is not None and story.root_kind == "call" and "lookup_elem" in "".join(o.text for o in story.origins):
        draft.notes.append(
            "Each look-up returns a pointer of its own: a check of an earlier look-up does not count for this one, "
            "and an array's look-up too can return NULL."
        )


def _number_as_pointer(case: Case, draft: Draft, reg: Reg) -> None:
    """To the verifier it is a number: NULL, a pointer that was lost, or an address read from memory."""
    if lost_pointer(case, draft):
        return
    story = story_of(case, draft)
    if reg.mask == 0 and reg.value == 0:
        _null_here(case, draft, story)
    elif story.root_kind == "load":
        _address_from_memory(case, draft)
    elif any(o.kind == "arithmetic" for o in story.origins) and any("pointer" in o.known for o in story.origins):
        draft.headline = "{it} was a pointer, but the arithmetic made a number of it"
        draft.rule = "Only adding or subtracting a number keeps a pointer a pointer."
        draft.fix("Keep the pointer, and do the arithmetic on an index that is added to it once.")
    else:
        draft.headline = "{it} is a number to the verifier, and is used as a pointer"
        draft.rule = "Memory is reached only through pointers that the verifier knows to be valid."
        draft.fix("For kernel memory use bpf_probe_read_kernel(&copy, sizeof(copy), address), for a process's memory "
                  "bpf_probe_read_user().")  # fmt: skip


def lost_pointer(case: Case, draft: Draft) -> bool:
    """Was it a pointer until a call made it void?"""
    lost = next((o for o in reversed(story_of(case, draft).origins) if o.kind == "lost"), None)
    if lost is not None and "packet" in lost.text:
        draft.headline = "{it} pointed into the packet before a call that may have moved the packet"
        draft.rule = "Helpers that change the packet make every pointer into it void, data and data_end included."
        draft.fix("Read ctx->data and ctx->data_end again behind the call, and check the bounds again:",
                  "data = (void *)(long)ctx->data; data_end = (void *)(long)ctx->data_end;", lost.place)  # fmt: skip
    elif lost is not None and "ended" in lost.text:
        draft.headline = f"{{it}} is used after what it pointed to was given back on {lost.place}"
        draft.rule = "After its release an object is gone, and every pointer to it void."
        draft.fix("Use it before the release, release it once, or copy what you need from it.", "", lost.place)
    else:
        return False
    return True


def _null_here(case: Case, draft: Draft, story: Story) -> None:
    draft.headline = "{it} is NULL on this path, and used"
    draft.rule = "Nothing can be read or written at address 0."
    if any("is NULL" in check.held for check in story.checks):
        draft.fix("The check is the wrong way round, or the branch does not leave the function: in the branch where it "
                  "is NULL, don't use it.", case.leave, story.checks[-1].place)  # fmt: skip
        return
    step, null = last_branch(case, "is NULL")
    if step is not None and null is not None:
        draft.path.append(null)
        draft.notes.append("The check says that it is NULL here, and the compiler took that for granted.")
        draft.fix("The check is the wrong way round: use it only where it is not NULL:",
                  "if (!{name}) " + case.leave, null.place)  # fmt: skip
        return
    draft.fix("Give it a valid pointer, or compare it with NULL before this.")


def last_branch(case: Case, held: str) -> tuple[Step | None, Check | None]:
    """The newest branch on the path whose condition ends so."""
    step = case.step
    while step is not None and step.before is not None:
        insn = case.env.insns[step.before.insn]
        if checks.is_branch(insn):
            text = checks.condition(case, step.before, step)
            if text.endswith(held):
                return step, Check(text, case.place_of(step.before.insn))
        step = step.before
    return None, None


def _address_from_memory(case: Case, draft: Draft) -> None:
    draft.headline = "{it} is an address that was read from memory: to the verifier just a number"
    draft.rule = "Only pointers that the verifier itself follows can be dereferenced; an address loaded as data can't."
    prog_type = case.env.prog_type
    if prog_type in ("xdp", "sched_cls", "sched_act", "cgroup_skb", "sk_skb", "socket_filter"):
        draft.fix("Pointers that are stored in maps or packets can't be followed. For packet data begin at ctx->data, "
                  "for map values at a look-up.")  # fmt: skip
        return
    name = draft.variable or "address"
    draft.fix(
        "Kernel memory:", f"bpf_probe_read_kernel(&copy, sizeof(copy), {name});  or  BPF_CORE_READ({name}, member)"
    )
    draft.fix(
        "A process's memory (arguments of system calls, uprobes):", f"bpf_probe_read_user(&copy, sizeof(copy), {name});"
    )


# -- out of bounds


def out_of_bounds(case: Case, draft: Draft) -> None:
    """Behind the end of a packet, a map value or other memory."""
    reg = case.reg(case.regno)
    if reg is None:
        return
    if base_type(reg) in PACKET_TYPES:
        _packet_bounds(case, draft, reg)
        return
    found = case.numbers(r"_size=(\d+) off=(-?\d+) size=(\d+)")
    if not found:
        return
    size, off, width = found
    what = _what(reg)
    draft.known.append(Known("the object", f"{what}, {bytes_of(size)}"))
    if reg.mask == 0:
        _constant_bounds(case, draft, size, off, width, what)
    else:
        _variable_bounds(case, draft, reg, size, width, what)


def _what(reg: Reg) -> str:
    base = base_type(reg)
    if base == c.PTR_TO_MAP_VALUE:
        return f'a value of map "{reg.map.name}"' if reg.map is not None and reg.map.name else "a map value"
    return {c.PTR_TO_MAP_KEY: "a map's key", c.PTR_TO_MEM: "the memory"}.get(base, "the memory")


def _constant_bounds(case: Case, draft: Draft, size: int, off: int, width: int, what: str) -> None:
    doing = f"{case.callee}() is given {bytes_of(width)}" if case.is_call else f"the access takes {bytes_of(width)}"
    draft.headline = f"{doing} from offset {off}, but {what} has {bytes_of(size)}"
    if off < 0:
        draft.fix("The offset is negative: it reaches in front of the object.")
        return
    if case.is_call and off + width > size:
        draft.fix(f"Pass {max(size - off, 0)} as the size (sizeof of what the pointer points to), or make it larger.")
        return
    draft.fix(f"Use an index or member inside the first {bytes_of(size)}; check that the struct in the map's "
              "definition (__type(value, …)) is the one that the code uses.")  # fmt: skip


def _variable_bounds(case: Case, draft: Draft, reg: Reg, size: int, width: int, what: str) -> None:
    """The pointer was moved by a number that may be too large (or too small)."""
    draft.index = True
    assert case.insn is not None
    fixed = reg.off + (0 if case.is_call else case.insn.off)
    low, high = span(reg)
    step = stride(reg)
    limit = size - fixed - width
    if low + fixed < 0:
        draft.headline = f"{{it}} may be as small as {low // step}, which is in front of {what}"
        draft.fix(
            "Check the lower bound too, or make the variable unsigned:",
            f"if ({{name}} < 0) {case.leave}",
            case.place,
        )
        return
    most = limit // step if limit >= 0 else -1
    times = "" if step == 1 else f" (times {step})"
    draft.headline = (
        f"{{it}} may be as large as {number(high // step)}{times}: the access then ends at byte "
        f"{number(high + fixed + width)}, and {what} has {size}"
    )
    bound_fixes(case, draft, most)
    changed_after_check(case, draft)


def changed_after_check(case: Case, draft: Draft) -> None:
    """A bound that was checked on a number which is changed afterwards, on another line."""
    changed = story_of(case, draft).changed
    if changed is None or changed[1].place is None or case.place is None:
        return
    check, change = changed
    assert change.place is not None
    if change.place.line not in (0, check.place.line, case.place.line):
        draft.notes.append(
            f"{check.held} was checked on {check.place}, but {change.place} changed the number after that "
            f"({change.text}): check it again, behind the change."
        )


def bound_fixes(case: Case, draft: Draft, most: int) -> None:
    """How to keep the index from 0 to ``most``."""
    if most < 0:
        draft.fix("Not even the first element fits: the object is too small for this access.")
        return
    leave = case.leave
    draft.fix(
        f"It has to be {most} at most: check that before the access:",
        f"{{declare}}if ({{name}} > {most}) {leave}",
        case.place,
    )
    mask = (1 << (most + 1).bit_length() - 1) - 1
    if mask:
        draft.fix("Or mask it, if every value may come:", f"{{declare}}{{name}} &= {mask:#x};", case.place)


def stride(reg: Reg) -> int:
    """What the variable part of an offset is a multiple of: the size of an array's elements, if it is a power of 2."""
    bits = reg.mask | reg.value
    return bits & -bits if bits and reg.mask else 1


def _packet_bounds(case: Case, draft: Draft, reg: Reg) -> None:
    found = case.numbers(r"off=(-?\d+) size=(\d+), R\d+\(id=(\d+),off=-?\d+,r=(\d+)\)")
    if not found:
        return
    off, width, ident, reach = found
    need = off + width
    draft.rule = "A byte of the packet may be touched after a comparison with data_end showed that it is there."
    draft.headline = f"the access needs {bytes_of(need)} of the packet, and " + (
        f"only {reach} are known to be there" if reach else "nothing says that they are there"
    )
    comparisons = packet_comparisons(case)
    draft.path += [check for _, check in comparisons]
    leave = case.leave
    if ident:
        _moved_packet_pointer(case, draft, need, reach)
        return
    if comparisons and not reach and not comparisons[-1][0]:
        draft.headline = f"the packet is accessed on the path where {comparisons[-1][1].held}: where it has ended"
        draft.fix("The check is the wrong way round, or its branch does not leave the function:",
                  f"if (data + {need} > data_end) {leave}", comparisons[-1][1].place)  # fmt: skip
        return
    if not comparisons:
        draft.notes.append("No branch on this path compares a packet pointer with data_end.")
    base = accessed(case.place) if case.place is not None else ""
    member = "->" in shown_expression(case.place) if case.place is not None else False
    shown = f"{base} + 1" if base and member else f"data + {need}"
    draft.fix(f"Check for {bytes_of(need)} before this line:", f"if ((void *)({shown}) > data_end) {leave}", case.place)
    if reach:
        draft.notes.append(f"What was checked covers {bytes_of(reach)}; this access ends at byte {need}.")


def packet_comparisons(case: Case) -> list[tuple[bool, Check]]:
    """The branches on the path that compare a packet pointer with data_end; True where the bytes are there."""
    found: list[tuple[bool, Check]] = []
    step = case.step
    while step is not None and step.before is not None and len(found) < 3:
        before = step.before
        insn = case.env.insns[before.insn]
        if checks.is_branch(insn) and insn.code & 8:
            left, right = before.regs[insn.dst].type, before.regs[insn.src].type
            if c.PTR_TO_PACKET_END in (left, right) and left != right:
                held = checks.condition(case, before, step)
                inside = ("<" in held) == (right == c.PTR_TO_PACKET_END)
                found.append((inside, Check(held, case.place_of(before.insn))))
        step = before
    return found[::-1]


def _moved_packet_pointer(case: Case, draft: Draft, need: int, reach: int) -> None:
    """The pointer was moved by a number from the packet or elsewhere: its range begins anew there."""
    reg = case.reg(case.regno)
    assert reg is not None
    leave = case.leave
    if reg.umax > 0xFFFF:
        draft.index = True
        moved = story_of(case, draft).index
        place = case.place_of(moved[0].insn) if moved is not None else None
        draft.headline = (
            "{it} was added to a packet pointer and may be too large: a check with data_end does not count then"
        )
        draft.rule = "The verifier follows a packet pointer only as long as what was added to it is at most 65535."
        draft.fix(
            "Bound the number before it is added to the pointer:", f"{{declare}}if ({{name}} > 1500) {leave}", place
        )
        return
    draft.headline = f"behind the variable offset the access needs {bytes_of(need)}, and " + (
        f"only {reach} are known to be there" if reach else "nothing was checked since the pointer was moved"
    )
    base = accessed(case.place) if case.place is not None else ""
    draft.fix("Compare the moved pointer itself with data_end, behind the addition:",
              f"if ((void *)({base or 'p'} + 1) > data_end) {leave}", case.place)  # fmt: skip


def unbounded(case: Case, draft: Draft) -> None:
    """No upper bound at all, or so large that it is none."""
    draft.index = True
    draft.headline = "nothing limits {it}, which is used as an offset"
    size = _object_size(case)
    bound_fixes(case, draft, size if size >= 0 else 63)


def _object_size(case: Case) -> int:
    """The largest variable offset that the object has room for; -1 where that is not known."""
    reg = case.reg(case.regno)
    if reg is None:
        return -1
    size = reg.map.value_size if reg.map is not None else reg.mem_size
    width = case.size or 1
    fixed = reg.off + (case.insn.off if case.insn is not None and not case.is_call else 0)
    return (size - fixed - width) // stride(reg)


def negative(case: Case, draft: Draft) -> None:
    """The offset may be negative."""
    reg = case.reg(case.regno)
    draft.index = reg is not None and reg.mask != 0
    draft.headline = "{it} is used as an offset and may be negative"
    leave = case.leave
    draft.fix("Make it unsigned (__u32, __u64), so that one comparison bounds it on both sides.")
    draft.fix("Or check the lower bound as well:", f"{{declare}}if ({{name}} < 0) {leave}", case.place)
    size = _object_size(case)
    if 0 <= size < 1 << 16:
        draft.fix("Or mask it:", f"{{declare}}{{name}} &= {(1 << (size + 1).bit_length() - 1) - 1:#x};", case.place)


def packet_range(case: Case, draft: Draft) -> None:
    """The pointer is used in the branch where it lies behind data_end."""
    draft.headline = "{it} lies at or behind data_end on this path, and the packet is accessed through it"
    draft.fix("The check is the wrong way round, or its branch does not leave the function: access the packet where "
              "pointer + size <= data_end holds.", "", case.place)  # fmt: skip


# -- moving pointers


def pointer_arithmetic(case: Case, draft: Draft) -> None:
    """What exactly is not possible."""
    text = case.text
    reg = case.reg(case.regno)
    if "32-bit" in text:
        draft.headline = "a pointer is moved with 32-bit arithmetic, which would cut off its upper half"
        draft.fix("Use 64-bit types for pointers and what is added to them: (long) or __u64, not int or __u32.")
    elif "subtract pointer from scalar" in text:
        draft.headline = "a pointer is subtracted from a number"
        draft.fix("Swap the two sides, or compute with offsets.")
    elif "bitwise" in text or "operator" in text:
        op = text.rpartition("operator ")[2].split(" ")[0] if "bitwise" in text else ""
        draft.headline = f"a bitwise operation {op} is used on a pointer".replace("  ", " ")
        if "bitwise" not in text:
            draft.headline = "a pointer is multiplied, divided or shifted"
        draft.fix("Do the arithmetic on an index, and add that to the pointer once.")
    elif "stack pointer" in text:
        draft.headline = "something is subtracted from a pointer into the stack"
        draft.fix("Add a negative constant, or index an array from its beginning.")
    elif reg is not None and base_type(reg) == c.PTR_TO_PACKET_END:
        draft.headline = "data_end is used in arithmetic; it can only be compared"
        draft.rule = "data_end may be compared with packet pointers, and nothing may be added to it."
        draft.fix("Move the packet pointer instead:", "if (data + len > data_end)")
    elif reg is not None and reg.type != c.SCALAR_VALUE:
        draft.headline = "{it} can't be moved"
        draft.notes.append("No offset may be added to this kind of pointer: use it as it was given.")


def pointer_maybe_null(case: Case, draft: Draft) -> None:
    """Arithmetic on a pointer that may be null."""
    maybe_null(case, draft)
    draft.headline = "{it} may be NULL, and is moved before that was checked"


def pointer_offset(case: Case, draft: Draft) -> None:
    """An offset where none, or a smaller one, is possible."""
    text = case.text
    reg = case.reg(case.regno) if case.regno >= 0 else None
    if "unbounded min value" in text:
        draft.headline = "a pointer is moved by a number without a lower bound"
        _index_of_addition(case, draft)
        negative(case, draft)
    elif "makes" in text and "out of bounds" in text:
        _far_offset(case, draft)
    elif "modified" in text:
        draft.headline = "{it} is not where it was when it was given, and must be"
        draft.fix("Pass or read through the original pointer; use the struct's members for constant offsets.")
    elif "variable" in text:
        target = OTHERS.get(base_type(reg), "the object") if reg is not None else "the object"
        draft.headline = f"{target} is accessed at an offset that is not constant"
        draft.index = True
        draft.fix("Use constant offsets: read the members by name; for arrays use a switch or a helper "
                  "(bpf_skb_load_bytes, bpf_probe_read_kernel).")  # fmt: skip
    elif "negative offset" in text:
        draft.headline = "{it} is used with a negative offset"
        draft.fix("container_of() does not work here; pass the original pointer.")


def _far_offset(case: Case, draft: Draft) -> None:
    """The number that is added may be so small or so large that no object has such an offset."""
    _index_of_addition(case, draft)
    reg = case.reg(draft.spot.number) if draft.spot is not None else None
    if reg is None or reg.mask == 0:
        draft.headline = "a pointer is moved by more than 2^29 bytes"
        draft.fix("Use an offset inside the object.")
        return
    draft.rule = "What is added to a pointer must be bounded on both sides: at least 0 in the end, and below 2^29."
    if reg.smin < 0:
        draft.headline = f"{{it}} is added to a pointer and may be negative, down to {number(reg.smin)}"
        leave = case.leave
        draft.fix("Make it unsigned (__u32, __u64), so that one comparison bounds it on both sides.")
        draft.fix("Or check the lower bound as well:", f"{{declare}}if ({{name}} < 0) {leave}", case.place)
    else:
        draft.headline = f"{{it}} is added to a pointer and may be as large as {number(reg.umax)}"
        bound_fixes(case, draft, 63)


def _index_of_addition(case: Case, draft: Draft) -> None:
    """The number that is added to a pointer in this instruction is to blame."""
    insn, step = case.insn, case.step
    if insn is None or step is None or not insn.code & 8:
        return
    frame = len(step.frames) - 1
    number_first = step.regs[insn.dst].type == c.SCALAR_VALUE
    draft.spot = Spot(frame, insn.dst if number_first else insn.src)
    draft.variable = name_of(case, step, frame, draft.spot.number)


def misaligned(case: Case, draft: Draft) -> None:
    """An address that is not a multiple of the size."""
    if case.is_call or not case.size:
        return
    reg = case.reg(case.regno)
    where = "on the stack" if reg is not None and reg.type == c.PTR_TO_STACK else "in memory"
    draft.headline = f"{bytes_of(case.size)} are accessed {where} at an address that is not a multiple of {case.size}"


def read_only(case: Case, draft: Draft) -> None:
    """What is written to may only be read."""
    reg = case.reg(case.regno)
    if reg is not None and reg.type & c.PTR_MAYBE_NULL:
        maybe_null(case, draft)


def ctx_access(case: Case, draft: Draft) -> None:
    """A field that is not there, not in that size, or not to be written."""
    found = case.numbers(r"invalid bpf_context access off=(-?\d+) size=(\d+)")
    insn = case.insn
    if not found or insn is None:
        return
    off, size = found
    writes = insn.code & 7 in (2, 3)
    doing = "written" if writes else "read"
    env = case.env
    shape = env.profile.shape(env.prog_type, env.program.expected_attach_type, env.program.attach_target)
    name = _field(case)
    draft.headline = (
        f"{name or 'the context'}, {bytes_of(size)} at offset {off}, can't be {doing} by programs of type {{type}}"
    )
    if not shape.btf_ctx:
        sizes = [each for each in (1, 2, 4, 8) if each != size and shape.ctx_access(off, each, writes)]
        if shape.ctx_access(off, size, not writes) is not None:
            draft.notes.append(f"The field can be {'read' if writes else 'written'}, not {doing}.")
        elif sizes:
            draft.notes.append(f"At this offset accesses of {' or '.join(map(str, sizes))} bytes are possible.")
            draft.fix("Access the whole field with its own type, then cut the value down.")
        else:
            others = _types_with(case, off, size, writes)
            if others:
                draft.notes.append(f"Types that have it: {', '.join(others)}.")
    if shape.btf_ctx:
        draft.notes.append("The context is an array of the target's arguments, 8 bytes each: BPF_PROG() names them.")


SKB_TYPES = ("socket_filter", "sched_cls", "sched_act", "cgroup_skb", "sk_skb", "lwt_in", "lwt_out", "lwt_xmit")
"""Program types whose context is struct __sk_buff."""


def _field(case: Case) -> str:
    """The context's field as the source calls it: `` `skb->mark` ``."""
    text = shown_expression(case.place) if case.place is not None else ""
    found = re.search(r"[A-Za-z_]\w*->\w+", text)
    return f"`{found.group()}`" if found else ""


def _types_with(case: Case, off: int, size: int, writes: bool) -> list[str]:
    """The types with the same context that have the field."""
    if case.env.prog_type not in SKB_TYPES:
        return []
    found = []
    for kind in SKB_TYPES:
        shape = case.env.profile.shape(kind)
        if not shape.errno and shape.ctx_access(off, size, writes):
            found.append(kind)
    return found
