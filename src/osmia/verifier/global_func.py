"""What BTF says of a function's arguments, as far as the verifier relies on it.

(``btf_prepare_func_args`` and ``btf_is_prog_ctx_type`` in kernel/bpf/btf.c; Linux 6.18.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from errno import EFAULT, EINVAL, ENOENT, EOPNOTSUPP, ESRCH

from osmia.btf import (
    Btf,
    DeclTag,
    Enum,
    Enum64,
    Func,
    FuncProto,
    Int,
    Param,
    Ptr,
    Struct,
    Union,
    Void,
)
from osmia.btf import types as t
from osmia.btf.core_spec import essential_name
from osmia.errors import InputError
from osmia.verifier.consts import MEM_RDONLY, PTR_MAYBE_NULL, PTR_TRUSTED, PTR_UNTRUSTED
from osmia.verifier.env import Env, Subprog
from osmia.verifier.kernel_types import kernel_btf
from osmia.verifier.prog_ctx import is_prog_ctx_type, validate_prog_ctx_type

GLOBAL = 1  # linkage of a function in BTF
MAX_ARGS = 5
SCALARS = (Int, Enum, Enum64)
TAGS = ("ctx", "trusted", "untrusted", "nonnull", "nullable", "arena")


@dataclass(frozen=True, slots=True)
class SubprogArg:
    """One argument: ``base`` is "ANYTHING", "PTR_TO_CTX", "PTR_TO_MEM" (of ``mem_size`` bytes), "PTR_TO_DYNPTR",
    "PTR_TO_ARENA", "PTR_TO_BTF_ID" (to the kernel's type ``btf_id``).
    """

    base: str
    flags: int = 0
    mem_size: int = 0
    btf_id: int = 0


def btf_prepare_func_args(env: Env, number: int) -> None:
    """Fill in ``args`` and ``arg_cnt`` of function ``number`` from its BTF.

    Raises Rejected: EFAULT where the BTF itself is wrong, else EINVAL or EOPNOTSUPP; for static functions in silence,
    for nobody relies on them.
    """
    subprog = env.subprogs[number]
    if subprog.args_cached:
        return
    btf = program_btf(env)
    func = _function(env, subprog, number)
    proto = btf.type(func.type_id)
    if not isinstance(proto, FuncProto):
        raise env.reject(EFAULT, "func-btf", f"Invalid type of function {func.name}()\n")
    quiet = subprog.linkage != GLOBAL
    if len(proto.params) > MAX_ARGS:
        text = f"Global function {func.name}() with {len(proto.params)} > {MAX_ARGS} args. Buggy compiler.\n"
        raise env.reject(EINVAL, "func-args", "" if quiet else text)
    if not isinstance(btf.type(btf.resolve(proto.type_id)), SCALARS):
        text = f"Global function {func.name}() doesn't return scalar. Only those are supported.\n"
        raise env.reject(EINVAL, "func-return", "" if quiet else text)
    args = [_argument(env, subprog, func.name, i, param) for i, param in enumerate(proto.params)]
    subprog.args, subprog.arg_cnt, subprog.args_cached = args, len(args), True


def program_btf(env: Env) -> Btf:
    """The program's own types; only programs with func_info come here, and those have BTF."""
    btf = env.program.btf
    assert btf is not None
    return btf


def _function(env: Env, subprog: Subprog, number: int) -> Func:
    """The function's own type."""
    if not subprog.func_type_id:
        if subprog.linkage != GLOBAL:
            raise env.reject(EINVAL, "func-btf", "")
        raise env.reject(EFAULT, "func-btf", "Global functions need valid BTF\n")
    func = program_btf(env).type(subprog.func_type_id)
    if not isinstance(func, Func):
        raise env.reject(EFAULT, "func-btf", f"BTF of func#{number} doesn't point to KIND_FUNC\n")
    return func


def _argument(env: Env, subprog: Subprog, name: str, i: int, param: Param) -> SubprogArg:
    """One argument, from its type and its ``arg:`` tags."""
    btf = program_btf(env)
    tags = set(_tags(env, subprog, i))
    found = btf.type(btf.resolve(param.type_id))
    if isinstance(found, Ptr):
        made = _pointer(env, subprog, i, found, tags)
        if made is not None:
            return made
    if tags:
        raise env.reject(EINVAL, "func-arg", f"arg#{i} has pointer tag, but is not a pointer type\n")
    if isinstance(found, SCALARS):
        return SubprogArg("ANYTHING")
    if subprog.linkage != GLOBAL:
        raise env.reject(EINVAL, "func-arg", "")
    text = f"Arg#{i} type {kind_name(found)} in {name}() is not supported yet.\n"
    raise env.reject(EINVAL, "func-arg", text)


def _tags(env: Env, subprog: Subprog, i: int) -> Iterator[str]:
    for tag in arg_tags(env, subprog.func_type_id, i):
        if subprog.linkage != GLOBAL:
            text = f"arg#{i} type tag is not supported in static functions\n"
            raise env.reject(EOPNOTSUPP, "func-arg-tag", text)
        if tag not in TAGS:
            raise env.reject(EOPNOTSUPP, "func-arg-tag", f"arg#{i} has unsupported set of tags\n")
        yield tag


def arg_tags(env: Env, func_id: int, i: int) -> list[str]:
    """The ``arg:`` tags of argument ``i`` of a function of the program, without that prefix."""
    found: dict[tuple[int, int], list[str]] | None = env.room.get("arg tags")
    if found is None:
        found = env.room["arg tags"] = {}
        btf = program_btf(env)
        for type_id in btf.ids(DeclTag):
            tag = btf.type(type_id)
            if isinstance(tag, DeclTag) and tag.name.startswith("arg:"):
                found.setdefault((tag.type_id, tag.component_idx), []).append(tag.name.removeprefix("arg:"))
    return found.get((func_id, i), [])


def _pointer(env: Env, subprog: Subprog, i: int, ptr: Ptr, tags: set[str]) -> SubprogArg | None:
    """A pointer argument; None where only a static function has it."""
    btf = program_btf(env)
    invalid = f"arg#{i} has invalid combination of tags\n"
    if "ctx" in tags or is_prog_ctx_type(env, btf, ptr, i):
        if tags - {"ctx"}:
            raise env.reject(EINVAL, "func-arg-tag", invalid)
        if tags:
            validate_prog_ctx_type(env, btf, ptr, i)
        return SubprogArg("PTR_TO_CTX")
    if _is_dynptr(btf, ptr):
        if tags:
            raise env.reject(EINVAL, "func-arg-tag", invalid)
        return SubprogArg("PTR_TO_DYNPTR", MEM_RDONLY)
    if "trusted" in tags:
        if "nonnull" in tags:
            raise env.reject(EINVAL, "func-arg-tag", invalid)
        null = PTR_MAYBE_NULL if "nullable" in tags else 0
        return SubprogArg("PTR_TO_BTF_ID", PTR_TRUSTED | null, btf_id=kernel_type_of(env, i, btf, ptr))
    for tag in ("untrusted", "arena"):
        if tag in tags and len(tags) > 1:
            text = f"arg#{i} {tag} cannot be combined with any other tags\n"
            raise env.reject(EINVAL, "func-arg-tag", text)
    if "untrusted" in tags:
        return _untrusted(env, i, btf, ptr)
    if "arena" in tags:
        return SubprogArg("PTR_TO_ARENA")
    return memory_arg(env, i, ptr, tags) if subprog.linkage == GLOBAL else None


def _untrusted(env: Env, i: int, btf: Btf, ptr: Ptr) -> SubprogArg:
    """A pointer that nobody vouches for: bytes, or a struct of the kernel's."""
    target = btf.type(btf.resolve(ptr.type_id))
    if isinstance(target, (Void, Enum, Enum64)) or (isinstance(target, Int) and is_regular(target)):
        return SubprogArg("PTR_TO_MEM", MEM_RDONLY | PTR_UNTRUSTED)
    type_id = kernel_type_of(env, i, btf, ptr)
    found = kernel_btf(env).type(type_id)
    if not isinstance(found, (Struct, Union)):
        # a pointer's own name, which is none
        text = f"arg#{i} has type {kind_name(found)} '(anon)', but only struct or primitive types are allowed\n"
        raise env.reject(EINVAL, "func-arg-untrusted", text)
    return SubprogArg("PTR_TO_BTF_ID", PTR_UNTRUSTED, btf_id=type_id)


def is_regular(found: Int) -> bool:
    """Does an integer fill 1, 2, 4, 8 or 16 bytes?"""
    return found.size in (1, 2, 4, 8, 16) and found.bits == 8 * found.size and not found.offset


def kernel_type_of(env: Env, i: int, btf: Btf, ptr: Ptr) -> int:
    """The kernel's type that argument ``i`` means, by kind and name up to ``___`` (``btf_get_ptr_to_btf_id``)."""
    local = btf.type(btf.resolve(ptr.type_id))
    name = getattr(local, "name", "")
    shown = f"arg#{i} reference type('{kind_name(local)} {name or '(anon)'}')"
    if not name:
        text = f"{shown} candidate matching error: {-EINVAL}\n"
        raise env.reject(EINVAL, "func-arg-candidates", text)
    found = _candidates(env, local, essential_name(name))
    if not found:
        raise env.reject(ENOENT, "func-arg-candidates", f"{shown} has no matches\n")
    if len(found) > 1:
        raise env.reject(ESRCH, "func-arg-candidates", f"{shown} is ambiguous\n")
    return found[0]


def _candidates(env: Env, local: t.Type, essential: str) -> list[int]:
    """The kernel's types of that kind and name."""
    known: dict[tuple[type[t.Type], str], list[int]] = env.room.setdefault("kernel candidates", {})
    key = type(local), essential
    if key not in known:
        btf = kernel_btf(env)
        names = btf.names()
        flavours = [name for name in names if name.startswith(essential) and essential_name(name) == essential]
        known[key] = [i for name in flavours for i in names[name] if btf.kind_of(i) == local.kind]
    return known[key]


def _is_dynptr(btf: Btf, ptr: Ptr) -> bool:
    """Defined or only named as a struct."""
    found = btf.type(btf.resolve(ptr.type_id))
    struct = isinstance(found, Struct | Union) or (isinstance(found, t.Fwd) and not found.is_union)
    return struct and getattr(found, "name", "") == "bpf_dynptr"


def memory_arg(env: Env, i: int, ptr: Ptr, tags: set[str]) -> SubprogArg:
    """A pointer to the program's own data: as many bytes as its type has."""
    btf = program_btf(env)
    if "nullable" in tags:
        raise env.reject(EINVAL, "func-arg-tag", f"arg#{i} has invalid combination of tags\n")
    type_id = btf.resolve(ptr.type_id)
    found = btf.type(type_id)
    try:
        size = None if isinstance(found, (Void, t.Fwd, FuncProto, Func)) else btf.size_of(type_id)
    except InputError:
        size = None
    if size is None:
        kind, name = kind_name(found), getattr(found, "name", "")
        text = f"arg#{i} reference type('{kind} {name}') size cannot be determined: {-EINVAL}\n"
        raise env.reject(EINVAL, "func-arg-size", text)
    return SubprogArg("PTR_TO_MEM", 0 if "nonnull" in tags else PTR_MAYBE_NULL, size)


def kind_name(found: t.Type) -> str:
    """A type's kind as the log writes it."""
    return KIND_NAMES[found.kind]


KIND_NAMES = (
    *("UNKNOWN", "INT", "PTR", "ARRAY", "STRUCT", "UNION", "ENUM", "FWD", "TYPEDEF", "VOLATILE", "CONST", "RESTRICT"),
    *("FUNC", "FUNC_PROTO", "VAR", "DATASEC", "FLOAT", "DECL_TAG", "TYPE_TAG", "ENUM64"),
)
