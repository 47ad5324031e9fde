"""The functions of a program: where they start, and that control stays inside them."""

from __future__ import annotations

from errno import E2BIG, EEXIST, EINVAL, ENOENT, EPERM

from osmia.btf import Btf, DeclTag, Func
from osmia.isa import consts as c
from osmia.isa.insn import s32
from osmia.verifier.consts import BPF_MAX_SUBPROGS
from osmia.verifier.env import Env, Subprog
from osmia.verifier.flow import is_helper_call, is_kfunc_call, is_pseudo_call, is_pseudo_func, jmp_offset
from osmia.verifier.insn import VInsn
from osmia.verifier.kfunc_meta import add_kfunc_call

TAIL_CALL = 12
FAR = c.BPF_JMP32 | c.BPF_JA
ENDS = (c.BPF_JMP | c.BPF_EXIT, FAR, c.BPF_JMP | c.BPF_JA)
"""What may stand last in a function."""
EXCEPTION_CALLBACK = "exception_callback:"
GLOBAL = 1  # linkage of a function in BTF


def add_subprog_and_kfunc(env: Env) -> None:
    """Find every function that is called or pointed to, in the order of their slots; level 2 lists them.

    Raises Rejected for a call that leads out of the program, too many functions, or a loader without CAP_BPF; the
    functions found until then are known all the same.
    """
    starts = {0}
    handler = 0
    try:
        handler = collect_functions(env, starts)
    finally:
        env.subprogs = [Subprog(start) for start in sorted(starts)]
    if handler:
        env.exception_callback_subprog = env.find_subprog(handler)
        mark_exception_callback(env.subprogs[env.exception_callback_subprog])
    if env.log.level2:
        for number, subprog in enumerate(env.subprogs):
            env.say(f"func#{number} @{subprog.start}\n")


def mark_exception_callback(subprog: Subprog) -> None:
    """The function is called by the kernel alone, with the program's frames already gone."""
    subprog.is_cb = subprog.is_async_cb = subprog.is_exception_cb = True


def collect_functions(env: Env, starts: set[int]) -> int:
    """Every call and every address of a function adds to ``starts``; the slot of the exception callback, or 0."""
    rules = env.rules
    for insn in env.insns:
        kfunc = is_kfunc_call(insn) and rules.kfunc_calls
        if not (kfunc or is_pseudo_call(insn) or (is_pseudo_func(insn) and rules.pseudo_func)):
            continue
        if not env.bpf_capable:
            what = "loading/calling other bpf or kernel" if rules.kfunc_calls else "function calls to other bpf"
            text = f"{what} functions are allowed for CAP_BPF and CAP_SYS_ADMIN\n"
            raise env.reject(EPERM, "function-calls", text)
        if kfunc:
            add_kfunc_call(env, insn)
        else:
            add_subprog(env, starts, insn.idx + insn.imm + 1)
    handler = exception_callback_slot(env)
    if handler:
        add_subprog(env, starts, handler)
    return handler


def add_subprog(env: Env, starts: set[int], slot: int) -> None:
    """One more function, unless it is known."""
    if not 0 <= slot < env.n_insns:
        raise env.reject(EINVAL, "call-target", "call to invalid destination\n")
    if slot not in starts and len(starts) >= BPF_MAX_SUBPROGS:
        raise env.reject(E2BIG, "too-many-subprogs", "too many subprograms\n")
    starts.add(slot)


def exception_callback_slot(env: Env) -> int:
    """Where the function starts that a tag on the main function names for exceptions; 0: there is no such tag.

    (``bpf_find_exception_callback_insn_off``.)  Raises Rejected.
    """
    program = env.program
    btf = program.btf
    if not program.func_info or btf is None:
        return 0
    names = exception_callback_tags(btf, program.func_info[0].type_id)
    if not names:
        return 0
    if len(names) > 1:
        text = "multiple exception callback tags for main subprog\n"
        raise env.reject(EEXIST, "exception-cb-tags", text)
    name = names[0]
    type_id = btf.find(name, Func)
    func = btf.type(type_id) if type_id else None
    if not isinstance(func, Func):
        text = f"exception callback '{name}' could not be found in BTF\n"
        raise env.reject(ENOENT, "exception-cb-missing", text)
    if func.linkage != GLOBAL:
        text = f"exception callback '{name}' must have global linkage\n"
        raise env.reject(EINVAL, "exception-cb-linkage", text)
    slots = [row.insn for row in program.func_info if row.type_id == type_id]
    if 0 in slots:
        env.say("invalid exception callback insn_off in func_info: 0\n")
        if len(slots) == 1:
            raise env.reject(EINVAL, "exception-cb-main", "")
    if not slots:
        text = "exception callback type id not found in func_info\n"
        raise env.reject(EINVAL, "exception-cb-func-info", text)
    return slots[-1]


def exception_callback_tags(btf: Btf, main_id: int) -> list[str]:
    """What the tags on the main function itself name."""
    found = []
    for type_id in btf.ids(DeclTag):
        tag = btf.type(type_id)
        assert isinstance(tag, DeclTag)
        if tag.type_id == main_id and tag.component_idx == -1 and tag.name.startswith(EXCEPTION_CALLBACK):
            found.append(tag.name.removeprefix(EXCEPTION_CALLBACK))
    return found


def check_subprogs(env: Env) -> None:
    """No jump leaves its function, and no function runs into the next; notes who tail-calls and who reads packets."""
    number = 0
    subprog, end = env.subprogs[0], env.subprog_end(0)
    for insn in env.insns:
        note_kind(subprog, insn)
        if is_jump(insn):
            target = s32(insn.idx + jmp_offset(env, insn) + 1)
            if not subprog.start <= target < end:
                raise env.reject(EINVAL, "jump-target", f"jump out of range from insn {insn.idx} to {target}\n")
        if insn.idx == end - 1:
            if insn.code not in ENDS or (insn.code == FAR and not env.rules.gotol):
                raise env.reject(EINVAL, "no-end", "last insn is not an exit or jmp\n")
            number += 1
            if number < len(env.subprogs):
                subprog, end = env.subprogs[number], env.subprog_end(number)


def note_kind(subprog: Subprog, insn: VInsn) -> None:
    """What later rules ask about the whole function."""
    if is_helper_call(insn) and insn.imm == TAIL_CALL:
        subprog.has_tail_call = subprog.tail_call_reachable = True
    if insn.code & 7 == c.BPF_LD and insn.code & 0xE0 in (c.BPF_ABS, c.BPF_IND):
        subprog.has_ld_abs = True


def is_jump(insn: VInsn) -> bool:
    """Any code of the jump classes but calls and exits."""
    return insn.code & 7 in (c.BPF_JMP, c.BPF_JMP32) and insn.code & 0xF0 not in (c.BPF_EXIT, c.BPF_CALL)
