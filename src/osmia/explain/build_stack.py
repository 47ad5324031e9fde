"""Refusals around the stack and registers: what was never written, what is too large, who left nothing behind."""

from __future__ import annotations

from osmia.explain.build_bounds import bound_fixes, stride
from osmia.explain.build_pointers import story_of
from osmia.explain.case import CALL, EXIT, Case
from osmia.explain.model import Known
from osmia.explain.returns import arguments
from osmia.explain.rule import Draft
from osmia.explain.words import bytes_of
from osmia.isa.consts import BPF_PSEUDO_CALL, BPF_PSEUDO_FUNC
from osmia.verifier import consts as c
from osmia.verifier.regs import Reg

LIMIT = 512


def uninit_register(case: Case, draft: Draft) -> None:
    """A register that nothing was written to, or whose content a call took away."""
    insn = case.insn
    if insn is None or case.step is None:
        return
    story = story_of(case, draft)
    lost = next((o for o in reversed(story.origins) if o.kind == "lost"), None)
    regno = case.regno
    if insn.code & 0xF0 == EXIT and insn.code & 7 == 5 and regno == 0:
        draft.headline = "the function ends without a return value on this path"
        draft.rule = "R0 is the return value; every path has to set it before exit."
        draft.fixes.clear()
        draft.fix("Return a value on every path:", case.leave, case.place)
    elif lost is not None:
        draft.headline = f"R{regno} is read, but a call has destroyed its content"
        draft.rule = "A call leaves its result in R0 and nothing in R1 to R5; R6 to R9 keep their values."
        draft.fixes.clear()
        draft.fix("Keep the value in R6 to R9, or on the stack, over the call; in C, check the number of arguments of "
                  "what is called.")  # fmt: skip
    elif insn.code & 0xF0 == CALL and insn.code & 7 == 5:
        draft.headline = f"{{call}}() takes an argument {regno}, and R{regno} holds none"
        draft.rule = "Every argument that a function declares must be passed."
        draft.fixes.clear()
        draft.fix(f"Pass argument {regno}; compare the call with the declaration.")
    elif regno and not any(o.kind in ("start",) for o in story.origins):
        draft.notes.append(
            "When a program begins, R1 holds the context and R10 the frame pointer; the others hold nothing."
        )


def stack_read(case: Case, draft: Draft) -> None:
    """Bytes that were never written: by a load, or by a helper that reads a struct with holes."""
    found = case.numbers(r"invalid (?:indirect )?read from stack (?:R\d+ )?off (-?\d+)\+(\d+) size (\d+)")
    if not found:
        return
    off, at, size = found
    first = off + at
    draft.known.append(
        Known("the stack", f"fp{first:+d} was not written; the access takes fp{off:+d} to fp{off + size - 1:+d}")
    )
    if not case.is_call:
        draft.headline = f"a variable on the stack (fp{off:+d}) is read before all of it was written"
        return
    draft.headline = (
        f"{{call}}() reads {bytes_of(size)} of the stack, and byte {at} of them was never written on this path"
    )
    name = _passed(case).lstrip("&")
    draft.fixes.clear()
    if name:
        draft.fix("Clear all of it where it is declared, padding between members included:",
                  f"__builtin_memset(&{name}, 0, sizeof({name}));")  # fmt: skip
    else:
        draft.fix("Clear all of it first, padding between members included: __builtin_memset(&key, 0, sizeof(key));")
    if size > 8 or size % 8:
        draft.notes.append("An initialiser = {} need not clear the padding between members; memset does.")


def _passed(case: Case) -> str:
    """The argument in question as the source line writes it."""
    args = arguments(case.place) if case.place is not None else []
    return args[case.regno - 1] if 0 < case.regno <= len(args) else ""


def stack_bounds(case: Case, draft: Draft) -> None:
    """Above the frame pointer, or deeper than 512 bytes."""
    found = case.numbers(r"stack R\d+ off=(-?\d+) size=(-?\d+)")
    reg = case.reg(case.regno)
    if reg is not None and reg.mask:
        draft.index = True
        draft.headline = "{it} is used as an index into an array on the stack and may lead outside of it"
        bound_fixes(case, draft, _room(case, reg))
        return
    if not found:
        return
    off, size = found
    if off < -LIMIT:
        draft.headline = f"a variable lies {-off} bytes below the frame pointer; the stack has {LIMIT}"
        draft.fixes.clear()
        big_stack(draft)
    elif off + size > 0 or off >= 0:
        draft.headline = f"the access reaches {bytes_of(off + size)} above the end of the stack frame"
        draft.fixes.clear()
        if case.is_call:
            draft.headline = (
                f"{{call}}() is given {bytes_of(size)} at fp{off:+d}, where {bytes_of(max(-off, 0))} of stack are left"
            )
            draft.fix(
                f"Pass sizeof the variable: {bytes_of(-off)} are left from there."
                if off < 0
                else "Pass the address of a variable."
            )
        else:
            draft.fix("The index is outside the array: check it against the array's length.")


def big_stack(draft: Draft) -> None:
    """What to do instead of a large variable."""
    draft.fix("Keep large buffers in a per-CPU array map of one element and look it up, or in a global variable:",
              "struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 1); __type(key, __u32); "
              '__type(value, struct scratch); } scratch SEC(".maps");')  # fmt: skip


def stack_unbounded(case: Case, draft: Draft) -> None:
    """An index into an array on the stack without bounds."""
    draft.index = True
    draft.headline = "{it} is used as an index into an array on the stack, and has no bounds"
    reg = case.reg(case.regno)
    draft.fixes.clear()
    if reg is not None:
        bound_fixes(case, draft, _room(case, reg))


def _room(case: Case, reg: Reg) -> int:
    """The largest index that leads no further than the end of the frame."""
    fixed = reg.off + (case.insn.off if case.insn is not None and not case.is_call else 0)
    return (-fixed - max(case.size, 1)) // stride(reg)


def stack_depth(case: Case, draft: Draft) -> None:
    """One function too large, or all of a chain together."""
    env = case.env
    functions = [(case.sources.function(s.start) or f"func#{i}", s) for i, s in enumerate(env.subprogs)]
    one = case.numbers(r"stack size of subprog (\d+) is (\d+)")
    many = case.numbers(r"combined stack size of (\d+) calls is (\d+)")
    if one and one[0] < len(functions):
        draft.headline = f"{functions[one[0]][0]}() needs {one[1]} bytes of stack; there are {LIMIT}"
    elif many:
        draft.headline = (
            f"{many[0]} functions that call each other need {many[1]} bytes of stack together; there are {LIMIT}"
        )
    draft.rule = f"All functions on a call chain share {LIMIT} bytes of stack; each frame is rounded up."
    for name, subprog in functions[:8]:
        calls = _called(case, subprog.start)
        tail = f", calls {', '.join(calls)}" if calls else ""
        draft.known.append(Known(f"{name}()", f"{bytes_of(subprog.stack_depth)} of stack{tail}"))
    big_stack(draft)
    if many:
        draft.fix("Or make fewer frames: static __always_inline for small functions, fewer levels of calls.")


def _called(case: Case, start: int) -> list[str]:
    env = case.env
    number = env.find_subprog(start)
    names: list[str] = []
    for insn in env.insns[start : env.subprog_end(number)]:
        direct = insn.code == 0x85 and insn.src == BPF_PSEUDO_CALL
        if direct or (insn.code == 0x18 and insn.src == BPF_PSEUDO_FUNC):
            name = case.sources.function(insn.idx + insn.imm + 1)
            if name and name not in names:
                names.append(name + "()")
    return names[:4]


def return_range(case: Case, draft: Draft) -> None:
    """What the program type may return, and what this path does."""
    expected = case.reason.expected
    reg = case.reg(0)
    if not isinstance(expected, tuple) or reg is None:
        return
    low, high = expected
    where = "the callback" if "callback" in case.text else "the program"
    allowed = str(low) if low == high else f"{low} or {high}" if high == low + 1 else f"{low} to {high}"
    if low == -4095 and high == 0:
        allowed = "0 or a negative error number (-EPERM is -1)"
    draft.rule = (
        f"Programs of type {case.env.prog_type} return {allowed}."
        if where == "the program"
        else f"This callback returns {allowed}."
    )
    if reg.mask == 0 and reg.type == c.SCALAR_VALUE:
        value = reg.value - (1 << 64) if reg.value >> 63 else reg.value
        draft.headline = f"{where} returns {value} on this path, and may return only {allowed}"
    else:
        draft.headline = f"{where} returns a value on this path that may be outside {allowed}"
    if low == high:
        draft.fix(f"Return {low} on every path:", f"return {low};", case.place)
    else:
        draft.fix(f"Return {allowed} on every path, or bound the value first.", "", case.place)
    if low == 0 and high == 0 and where == "the program":
        draft.notes.append("To hand out a result, write it to a map or a global variable.")


def call_depth(case: Case, draft: Draft) -> None:
    """The functions of the chain."""
    env, step = case.env, case.step
    if step is None:
        return
    names = [case.sources.function(env.subprogs[view.subprog].start) or f"func#{view.subprog}" for view in step.frames]
    draft.headline = f"functions call each other more than {len(names)} deep"
    draft.known.append(Known("the calls", " > ".join(f"{name}()" for name in [*names, case.callee] if name)))
    draft.spot = None
