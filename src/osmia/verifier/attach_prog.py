"""Programs as targets: functions of a loaded program that are traced (fentry, fexit) or replaced (EXT).

(The first half of ``bpf_check_attach_target`` in kernel/bpf/verifier.c, ``btf_check_func_type_match`` in
kernel/bpf/btf.c; Linux 6.18.)  The target was judged before, and what its verification found stands in
``env.room["target"]``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from errno import EINVAL

from osmia.btf import Btf, Enum, Enum64, Func, FuncProto, Int, Ptr, Struct, Type, Union
from osmia.btf import types as t
from osmia.obj.model import Program
from osmia.verifier.btf_info import known_type
from osmia.verifier.env import Env
from osmia.verifier.global_func import kind_name

GLOBAL = 1  # linkage of a function in BTF
SCALARS = (Int, Enum, Enum64)
FRONT_AND_BACK = ("trace_fentry", "trace_fexit")


@dataclass(frozen=True, slots=True)
class Target:
    """A program that was accepted: what is asked of it when another one is attached.

    Lists go by function.  ``prog_type``, ``attach_type`` and ``attach_target`` are those of the program that it
    replaces a function of, where it is an EXT program itself; ``own_type`` is its own.
    """

    program: Program
    own_type: str
    prog_type: str
    attach_type: str
    attach_target: str
    btf: Btf | None
    func_ids: tuple[int, ...]
    unreliable: tuple[bool, ...]
    exception_cb: tuple[bool, ...]
    changes_pkt_data: tuple[bool, ...]
    might_sleep: tuple[bool, ...]


def target_of(env: Env) -> Target:
    """The target that the program of a finished verification makes."""
    program, subprogs = env.program, env.subprogs
    return Target(
        program,
        env.room.get("own type", env.prog_type),
        env.prog_type,
        program.expected_attach_type,
        program.attach_target,
        program.btf,
        tuple(row.type_id for row in program.func_info),
        tuple(s.unreliable for s in subprogs),
        tuple(s.is_exception_cb for s in subprogs),
        tuple(s.changes_pkt_data for s in subprogs),
        tuple(s.might_sleep for s in subprogs),
    )


def check_target(env: Env, target: Target | None, target_id: int, name: str) -> int:
    """May a function of that program be traced or replaced?  The function's number; 0 of the kernel's own.

    Raises Rejected.
    """
    extension = env.prog_type == "ext"
    if target is None:
        if extension:
            raise env.reject(EINVAL, "ext-kernel", "Cannot replace kernel functions\n")
        return 0
    if target_id not in target.func_ids:
        raise env.reject(EINVAL, "target-function", f"Subprog {name} doesn't exist\n")
    subprog = target.func_ids.index(target_id)
    if target.exception_cb[subprog]:
        who = "Extension" if extension else "FENTRY/FEXIT"
        text = f"{who} programs cannot attach to exception callback\n"
        raise env.reject(EINVAL, "target-exception-cb", text)
    if extension:
        check_replaced(env, target, subprog)
    if env.prog_type != "tracing" and target.own_type == env.prog_type:
        raise env.reject(EINVAL, "ext-of-ext", "Cannot recursively attach\n")
    if extension and target.own_type == "tracing" and target.attach_type in FRONT_AND_BACK:
        raise env.reject(EINVAL, "ext-of-fentry", "Cannot extend fentry/fexit\n")
    return subprog


def check_replaced(env: Env, target: Target, subprog: int) -> None:
    """A replacement may do no more than what it replaces.  Raises Rejected."""
    main = env.subprogs[0]
    if target.unreliable[subprog]:
        raise env.reject(EINVAL, "ext-static", "Cannot replace static functions\n")
    if main.changes_pkt_data and not target.changes_pkt_data[subprog]:
        text = "Extension program changes packet data, while original does not\n"
        raise env.reject(EINVAL, "ext-changes-packet", text)
    if main.might_sleep and not target.might_sleep[subprog]:
        text = "Extension program may sleep, while original does not\n"
        raise env.reject(EINVAL, "ext-sleeps", text)


def inherit(env: Env, target: Target) -> None:
    """From here on a replacement is judged as a program of the kind that it replaces a function of."""
    env.room["own type"] = env.prog_type
    env.prog_type = target.own_type if target.own_type != "ext" else target.prog_type
    env.program = replace(
        env.program, expected_attach_type=target.attach_type, attach_target=target.attach_target, attach_prog=None
    )
    for what in ("helper rules", "kfuncs allowed", "ctx"):
        env.room.pop(what, None)


# -- do the prototypes fit?


def match_extension(env: Env, btf2: Btf, func2: Func) -> None:
    """Has the main function the prototype of what it replaces (``btf_check_type_match``)?  Raises Rejected."""
    program = env.program
    if not program.func_info or program.btf is None:
        raise env.reject(EINVAL, "ext-btf", "Program extension requires BTF\n")
    func1 = known_type(program.btf, program.func_info[0].type_id)
    if not isinstance(func1, Func):
        raise env.reject(EINVAL, "ext-btf", "")
    for func in (func1, func2):
        if func.linkage != GLOBAL:
            raise env.reject(EINVAL, "ext-linkage", f"{func.name}() is not a global function\n")
    protos = known_type(program.btf, func1.type_id), known_type(btf2, func2.type_id)
    if not isinstance(protos[0], FuncProto) or not isinstance(protos[1], FuncProto):
        raise env.reject(EINVAL, "ext-proto", "")
    _match_protos(env, (program.btf, btf2), (func1.name, func2.name), (protos[0], protos[1]))


def _match_protos(env: Env, btfs: tuple[Btf, Btf], names: tuple[str, str], protos: tuple[FuncProto, FuncProto]) -> None:
    fn1, fn2 = names
    count1, count2 = (len(proto.params) for proto in protos)
    if count1 != count2:
        text = f"{fn1}() has {count1} args while {fn2}() has {count2} args\n"
        raise env.reject(EINVAL, "ext-arg-count", text)
    result1, result2 = (_plain(btf, proto.type_id) for btf, proto in zip(btfs, protos, strict=True))
    if not same_info(result1, result2):
        kinds = kind_name(result1), kind_name(result2)
        text = f"Return type {kinds[0]} of {fn1}() doesn't match type {kinds[1]} of {fn2}()\n"
        raise env.reject(EINVAL, "ext-return", text)
    for i in range(count1):
        args = (_plain(btf, proto.params[i].type_id) for btf, proto in zip(btfs, protos, strict=True))
        _match_arg(env, btfs, names, i, *args)


def _match_arg(env: Env, btfs: tuple[Btf, Btf], names: tuple[str, str], i: int, arg1: Type, arg2: Type) -> None:
    """Numbers of the same size, pointers to structs of the same name."""
    fn1, fn2 = names
    if not same_info(arg1, arg2):
        text = f"arg{i} in {fn1}() is {kind_name(arg1)} while {fn2}() has {kind_name(arg2)}\n"
        raise env.reject(EINVAL, "ext-arg", text)
    size1, size2 = getattr(arg1, "size", 0), getattr(arg2, "size", 0)
    if size1 != size2:
        text = f"arg{i} in {fn1}() has size {size1} while {fn2}() has {size2}\n"
        raise env.reject(EINVAL, "ext-arg-size", text)
    if isinstance(arg1, SCALARS):
        return
    if not isinstance(arg1, Ptr) or not isinstance(arg2, Ptr):
        raise env.reject(EINVAL, "ext-arg", f"arg{i} in {fn1}() has unrecognized type\n")
    struct1, struct2 = _plain(btfs[0], arg1.type_id), _plain(btfs[1], arg2.type_id)
    for fn, found in ((fn1, struct1), (fn2, struct2)):
        if not isinstance(found, (Struct, Union)):
            raise env.reject(EINVAL, "ext-arg", f"arg{i} in {fn}() is not a pointer to context\n")
    if _name(struct1) != _name(struct2):
        text = f"arg{i} {fn1}(struct {_name(struct1)} *) doesn't match {fn2}(struct {_name(struct2)} *)\n"
        raise env.reject(EINVAL, "ext-arg-struct", text)


def _plain(btf: Btf, type_id: int) -> Type:
    """The type without modifiers; typedefs are modifiers too."""
    return btf.type(btf.resolve(type_id))


def _name(found: Type) -> str:
    return getattr(found, "name", "") or "(anon)"


def same_info(one: Type, other: Type) -> bool:
    """Do two types have the same kind, flag and number of parts (the info word of BTF)?"""
    return type(one) is type(other) and _parts(one) == _parts(other)


def _parts(found: Type) -> tuple[int, bool]:
    if isinstance(found, (Struct, Union)):
        return len(found.members), found.kind_flag
    if isinstance(found, (Enum, Enum64)):
        return len(found.values), found.signed
    if isinstance(found, FuncProto):
        return len(found.params), False
    return 0, isinstance(found, t.Fwd) and found.is_union
