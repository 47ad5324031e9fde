"""What kind of pointer a kernel function's argument is: its BTF and the ending of its name decide.

(``get_kfunc_ptr_arg_type``, ``__btf_type_is_scalar_struct`` in kernel/bpf/verifier.c, ``btf_struct_ids_match`` and
``btf_type_ids_nocast_alias`` in kernel/bpf/btf.c; Linux 6.18.)
"""

from __future__ import annotations

from errno import EINVAL

from osmia.btf import Array, Btf, FuncProto, Ptr, Struct, Type, Union, Void
from osmia.errors import InputError
from osmia.verifier import consts as c
from osmia.verifier.arg_names import arg_name
from osmia.verifier.btf_walk import WalkError, struct_at
from osmia.verifier.env import Env
from osmia.verifier.global_func import kind_name
from osmia.verifier.helper_args import register_is_null
from osmia.verifier.iterators import is_iter_arg
from osmia.verifier.kfunc_meta import SCALARS, KfuncDesc
from osmia.verifier.prog_ctx import is_prog_ctx_type
from osmia.verifier.regs import Reg
from osmia.words import s64

ALIAS = "___init"
REG_STRUCTS = {
    c.PTR_TO_SOCKET: "sock", c.PTR_TO_SOCK_COMMON: "sock_common", c.PTR_TO_TCP_SOCK: "tcp_sock",
    c.CONST_PTR_TO_MAP: "bpf_map",
}  # fmt: skip
"""The kernel's struct behind register types that are no BTF pointers (``reg2btf_ids``)."""
BY_STRUCT = {
    "bpf_list_head": "list head", "bpf_list_node": "list node", "bpf_rb_root": "rbtree root",
    "bpf_rb_node": "rbtree node",
}  # fmt: skip
LATER_BY_STRUCT = {"bpf_wq": "workqueue", "bpf_task_work": "task work", "bpf_res_spin_lock": "res spin lock"}
PROJECTIONS = {("__sk_buff", "sk_buff"), ("xdp_md", "xdp_buff")}
"""What programs see, and what the kernel has there."""


def struct_named(btf: Btf, type_id: int) -> str:
    """The name of the kernel's struct of that id; empty when it is none."""
    found = btf.type(type_id)
    return found.name if isinstance(found, Struct) else ""


def ptr_arg_kind(env: Env, desc: KfuncDesc, i: int, ptr: Ptr, ref_id: int) -> str:
    """The kind of pointer argument ``i``: "ctx", "null", "alloc", "dynptr", "iter", … "mem", "mem size".

    Raises Rejected for pointers that no function may take.
    """
    btf, param = desc.btf, desc.params[i]
    reg = env.state.regs()[i + 1]
    name, struct = param.name, struct_named(btf, ref_id)
    if desc.name == "bpf_cast_to_kern_ctx" or is_prog_ctx_type(env, btf, ptr, i):
        return "ctx"
    if name.endswith("__nullable") and register_is_null(reg):
        return "null"
    if name.endswith("__alloc"):
        return "alloc"
    if name.endswith("__refcounted_kptr"):
        return "refcounted kptr"
    if struct == "bpf_dynptr":
        return "dynptr"
    if is_iter_arg(desc, i):
        return "iter"
    if struct in BY_STRUCT:
        return BY_STRUCT[struct]
    for ending, kind in (("__str", "const str"), ("__map", "map")):
        if name.endswith(ending):
            return kind
    if struct in ("bpf_wq", "bpf_task_work"):
        return LATER_BY_STRUCT[struct]
    if name.endswith("__irq_flag"):
        return "irq flag"
    if struct in LATER_BY_STRUCT:
        return LATER_BY_STRUCT[struct]
    return _by_register(env, desc, i, reg, ptr, ref_id)


def _by_register(env: Env, desc: KfuncDesc, i: int, reg: Reg, ptr: Ptr, ref_id: int) -> str:
    """The kinds that hang on what the register is."""
    btf = desc.btf
    target = btf.type(ref_id)
    base = reg.type & c.BASE_TYPE_MASK
    if base == c.PTR_TO_BTF_ID or base in REG_STRUCTS:
        if not isinstance(target, (Struct, Union)):
            text = (
                f"kernel function {desc.name} args#{i} pointer type {kind_name(target)} {_name(target)} "
                "is not supported\n"
            )
            raise env.reject(EINVAL, "kfunc-arg", text, reg=i + 1)
        return "btf"
    if isinstance(target, FuncProto):
        return "callback"
    sized = i + 1 < len(desc.params) and is_mem_size(env, desc, i + 1)
    fits = isinstance(target, SCALARS) or is_scalar_struct(env, btf, target, 0)
    if not fits and not (sized and isinstance(target, Void)):
        text = (
            f"{arg_name(env, i)} pointer type {kind_name(target)} {_name(target)} must point to "
            f"{'void, ' if sized else ''}scalar, or struct with scalar\n"
        )
        raise env.reject(EINVAL, "kfunc-arg", text, reg=i + 1)
    return "mem size" if sized else "mem"


def _name(found: Type) -> str:
    return getattr(found, "name", "") or ""


def is_mem_size(env: Env, desc: KfuncDesc, i: int) -> bool:
    """Does argument ``i``, a number, say how long the memory behind the argument before it is?"""
    if not is_scalar(desc.btf, desc.params[i].type_id) or env.state.regs()[i + 1].type != c.SCALAR_VALUE:
        return False
    return desc.params[i].name.endswith(("__sz", "__szk"))


def is_scalar(btf: Btf, type_id: int) -> bool:
    """A number, behind any names?"""
    return isinstance(btf.type(btf.resolve(type_id)), SCALARS)


def is_scalar_struct(env: Env, btf: Btf, found: Type, depth: int) -> bool:
    """A struct of numbers only, four levels deep at most?  Says in the log when it is deeper."""
    if not isinstance(found, (Struct, Union)):
        return False
    for member in found.members:
        inner = btf.type(btf.resolve(member.type_id))
        if isinstance(inner, (Struct, Union)):
            if depth >= 3:
                env.say("max struct nesting depth exceeded\n")
                return False
            if not is_scalar_struct(env, btf, inner, depth + 1):
                return False
        elif isinstance(inner, Array):
            if not inner.nelems or not is_scalar(btf, inner.type_id):
                return False
        elif not isinstance(inner, SCALARS):
            return False
    return True


def is_nocast_alias(a: str, b: str) -> bool:
    """Is one name the other's with ``___init`` behind it?  Such structs are never taken for each other."""
    return a == b + ALIAS or b == a + ALIAS


def struct_ids_match(
    env: Env, btf: Btf, btf_id: int, off: int, wanted: int, strict: bool, wanted_in: Btf | None = None
) -> bool:
    """Does a struct of type ``wanted`` lie at ``off``, or (unless ``strict``) at the start of what lies there?

    ``wanted_in``: the BTF of ``wanted`` where it may be another one.  What the search says goes into the log.
    """
    same = wanted_in is None or wanted_in is btf
    if off == 0 and btf_id == wanted and same:
        return True
    here = 0 if strict else btf_id
    while here:
        try:
            here = struct_at(btf, here, off)
        except WalkError as error:
            env.say(error.text)
            return False
        except InputError:
            return False
        if here == wanted and same:
            return True
        off = 0
    return False


def process_btf_arg(env: Env, reg: Reg, desc: KfuncDesc, ref_id: int, i: int) -> None:
    """Does the register's struct fit the argument's?  Raises Rejected."""
    kernel = env.vmlinux
    assert kernel is not None
    btf, found = kernel, 0
    if (reg.type & c.BASE_TYPE_MASK) == c.PTR_TO_BTF_ID:
        btf, found = reg.btf, reg.btf_id
    else:
        found = kernel.find(REG_STRUCTS[reg.type & c.BASE_TYPE_MASK], Struct) or 0
    wanted, have = desc.btf.type(ref_id), btf.type(btf.resolve(found))
    strict = (desc.release and reg.ref_obj_id != 0) or is_nocast_alias(_name(btf.type(found)), _name(wanted))
    same = struct_ids_match(env, btf, btf.resolve(found), reg.off + s64(reg.value), ref_id, strict, desc.btf)
    if not same and (_name(wanted), _name(have)) not in PROJECTIONS:
        text = (
            f"kernel function {desc.name} args#{i} expected pointer to {kind_name(wanted)} {_name(wanted)} "
            f"but R{i + 1} has a pointer to {kind_name(have)} {_name(have)}\n"
        )
        raise env.reject(EINVAL, "kfunc-arg-struct", text, reg=i + 1, expected=_name(wanted), found=_name(have))
