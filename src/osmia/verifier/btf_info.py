"""What the program's BTF says of its functions and lines: does it fit the instructions?

(``check_btf_info_early``, ``check_btf_info`` and what they call in kernel/bpf/verifier.c, Linux 6.18.)  Records of
another size and CO-RE relocations are a loader's affair: a ``Program`` has neither.
"""

from __future__ import annotations

from errno import EINVAL

from osmia.btf import Btf, Enum, Enum64, Func, FuncProto, Int, Type
from osmia.errors import BtfError
from osmia.verifier.env import Env, Subprog

MAX_ROWS = ((1 << 31) - 1) // 16
"""Rows of line_info that the kernel counts up to."""


def check_btf_info_early(env: Env) -> None:
    """Is there BTF where there has to be some, and does func_info name functions?  Raises Rejected."""
    program = env.program
    if not program.func_info and not program.line_info:
        return
    if program.btf is None:
        raise env.reject(EINVAL, "no-btf", "")
    if program.func_info:
        check_btf_func_early(env, program.btf)


def check_btf_func_early(env: Env, btf: Btf) -> None:
    """Offsets of func_info rise from 0, and every type is a function.

    These messages have no newline: in the log the statistics follow on the same line.
    """
    before = 0
    for i, row in enumerate(env.program.func_info):
        if i == 0 and row.insn:
            raise env.reject(
                EINVAL, "func-info-start", f"nonzero insn_off {row.insn} for the first func info record"
            )  # fmt: skip
        if i and row.insn <= before:
            raise env.reject(
                EINVAL, "func-info-order",
                f"same or smaller insn offset ({row.insn}) than previous func info record ({before})",
            )  # fmt: skip
        func = known_type(btf, row.type_id)
        if not isinstance(func, Func):
            raise env.reject(EINVAL, "func-info-type", f"invalid type id {_s32(row.type_id)} in func info")
        if not isinstance(known_type(btf, func.type_id), FuncProto):
            raise env.reject(EINVAL, "func-info-proto", "")
        before = row.insn


def check_btf_info(env: Env) -> None:
    """Do func_info and line_info fit the functions that the instructions show?  Raises Rejected."""
    program = env.program
    if (not program.func_info and not program.line_info) or program.btf is None:
        check_abnormal_return(env)
        if not env.rules.btf_info_early:
            check_btf_info_early(env)  # says that BTF is missing, if it is
        return
    check_btf_func(env, program.btf)
    check_btf_line(env, program.btf)


def check_abnormal_return(env: Env) -> None:
    """Functions whose return type nobody knows may neither read packets nor tail-call."""
    for subprog in env.subprogs[1:]:
        if subprog.has_ld_abs:
            raise env.reject(EINVAL, "ld-abs-subprog", "LD_ABS is not allowed in subprogs without BTF\n")
        if subprog.has_tail_call:
            raise env.reject(EINVAL, "tail-call-subprog", "tail_call is not allowed in subprogs without BTF\n")


def check_btf_func(env: Env, btf: Btf) -> None:
    """One row of func_info for each function; notes names, linkage and types."""
    rows = env.program.func_info
    if not rows:
        check_abnormal_return(env)
        return
    if len(rows) != len(env.subprogs):
        raise env.reject(
            EINVAL, "func-info-count", "number of funcs in func_info doesn't match number of subprogs\n"
        )  # fmt: skip
    if not env.rules.btf_info_early:
        check_btf_func_early(env, btf)
    for number, row in enumerate(rows):
        subprog = env.subprogs[number]
        if subprog.start != row.insn:
            raise env.reject(
                EINVAL, "func-info-layout", "func_info BTF section doesn't match subprog layout in BPF program\n"
            )  # fmt: skip
        func = btf.type(row.type_id)
        assert isinstance(func, Func)
        subprog.name, subprog.linkage, subprog.func_type_id = func.name, func.linkage, row.type_id
        if number and not returns_scalar(btf, func):
            judge_return(env, subprog)


def judge_return(env: Env, subprog: Subprog) -> None:
    """A function that returns no number neither reads packets nor tail-calls: both may end it early."""
    if subprog.has_ld_abs:
        raise env.reject(EINVAL, "ld-abs-return", "LD_ABS is only allowed in functions that return 'int'.\n")
    if subprog.has_tail_call:
        raise env.reject(EINVAL, "tail-call-return", "tail_call is only allowed in functions that return 'int'.\n")


def returns_scalar(btf: Btf, func: Func) -> bool:
    """Does a function return an enum or an integer of at most 8 bytes?"""
    proto = btf.type(func.type_id)
    assert isinstance(proto, FuncProto)
    made = btf.type(btf.resolve(proto.type_id))
    return isinstance(made, Enum | Enum64) or (isinstance(made, Int) and made.size <= 8)


def check_btf_line(env: Env, btf: Btf) -> None:
    """Lines stand in order, at instructions, with texts, and every function begins with one."""
    rows = env.program.line_info
    if not rows:
        return
    if len(rows) > MAX_ROWS:
        raise env.reject(EINVAL, "line-info-count", "")
    before, begun = 0, 0
    for i, row in enumerate(rows):
        if (i and row.insn <= before) or row.insn >= env.n_insns:
            raise env.reject(
                EINVAL, "line-info-order",
                f"Invalid line_info[{i}].insn_off:{row.insn} (prev_offset:{before} prog->len:{env.n_insns})\n",
            )  # fmt: skip
        if not env.insns[row.insn].code:
            raise env.reject(EINVAL, "line-info-insn", f"Invalid insn code at line_info[{i}].insn_off\n")
        if not (has_string(btf, row.line_off) and has_string(btf, row.file_off)):
            raise env.reject(EINVAL, "line-info-string", f"Invalid line_info[{i}].line_off or .file_name_off\n")
        if begun < len(env.subprogs):
            subprog = env.subprogs[begun]
            if row.insn == subprog.start:
                subprog.linfo_idx = i
                begun += 1
            elif row.insn > subprog.start:
                raise env.reject(EINVAL, "line-info-func", f"missing bpf_line_info for func#{begun}\n")
        before = row.insn
    if begun < len(env.subprogs):
        missing = len(env.subprogs) - begun
        raise env.reject(
            EINVAL, "line-info-funcs", f"missing bpf_line_info for {missing} funcs starting from func#{begun}\n"
        )  # fmt: skip


def known_type(btf: Btf, type_id: int) -> Type | None:
    """The type of that id, if there is one."""
    try:
        return btf.type(type_id)
    except BtfError:
        return None


def has_string(btf: Btf, offset: int) -> bool:
    """Does the offset lie in the string section?"""
    return offset < btf.strings_size


def _s32(value: int) -> int:
    return (value ^ 0x80000000) - 0x80000000
