"""struct_ops: which members a program may stand in for, what its arguments are, which fields it may write.

(``check_struct_ops_btf_id`` in kernel/bpf/verifier.c, ``prepare_arg_info`` in kernel/bpf/bpf_struct_ops.c, and the
``btf_struct_access`` of each struct; Linux 6.18.)  Which members the kernel has a use for stands in the profile.
"""

from __future__ import annotations

from dataclasses import dataclass
from errno import EINVAL
from typing import TYPE_CHECKING

from osmia.btf import Btf, Func, FuncProto, Param, Ptr, Struct
from osmia.verifier.consts import PTR_MAYBE_NULL, PTR_TO_BTF_ID, PTR_TRUSTED
from osmia.verifier.env import Env
from osmia.verifier.errors import Rejected
from osmia.verifier.refs import acquire_reference

if TYPE_CHECKING:
    from osmia.kernel.profile import Shape

ENOTSUPP = 524
GPL_LICENSES = ("GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL")
NULLABLE, REFERENCE = "__nullable", "__ref"
"""How the kernel's stub functions mark arguments that may be null, and those that come with a reference."""


@dataclass(slots=True)
class CtxArg:
    """An argument that the stub marks: its offset in the context, register type and struct, and the reference that a
    walk holds (``struct bpf_ctx_arg_aux``).
    """

    offset: int
    type: int
    btf_id: int
    refcounted: bool = False
    ref_obj_id: int = 0


def check_struct_ops_btf_id(env: Env, target_id: int) -> None:
    """The member of a struct of functions that the program stands in for.  Raises Rejected."""
    if env.program.license not in GPL_LICENSES:
        text = "struct ops programs must have a GPL compatible license\n"
        raise env.reject(EINVAL, "struct-ops-license", text)
    btf = env.vmlinux
    if not target_id or btf is None:
        raise env.reject(ENOTSUPP, "struct-ops-target", "")
    found = btf.type(target_id)
    assert isinstance(found, Struct)
    if not btf.find(f"bpf_struct_ops_{found.name}", Struct):
        raise env.reject(ENOTSUPP, "struct-ops-struct", f"attach_btf_id {target_id} is not a supported struct\n")
    proto, name = member_proto(env, btf, found)
    args = marked_args(btf, found.name, name, proto)
    if any(arg.refcounted for arg in args) and any(subprog.has_tail_call for subprog in env.subprogs):
        raise env.reject(EINVAL, "struct-ops-tail-call", "program with __ref argument cannot tail call\n")
    env.room["attach_proto"], env.room["attach_name"], env.room["attach_btf"] = proto, name, btf
    env.room["struct_ops"], env.room["ctx args"] = found.name, args


def member_proto(env: Env, btf: Btf, found: Struct) -> tuple[FuncProto, str]:
    """The prototype and name of the member whose number is the expected attach type."""
    number = int(env.program.expected_attach_type or "0")
    if number >= len(found.members):
        text = f"attach to invalid member idx {number} of struct {found.name}\n"
        raise env.reject(EINVAL, "struct-ops-member", text)
    member = found.members[number]
    pointer = btf.type(btf.resolve(member.type_id))
    proto = btf.type(btf.resolve(pointer.type_id)) if isinstance(pointer, Ptr) else None
    if not isinstance(proto, FuncProto):
        text = f"attach to invalid member {member.name}(@idx {number}) of struct {found.name}\n"
        raise env.reject(EINVAL, "struct-ops-function", text)
    program = env.program
    shape = env.profile.shape(env.prog_type, program.expected_attach_type, program.attach_target)
    if shape.errno or (env.sleepable and shape.sleepable == "no"):
        raise unsupported_member(env, shape, member.name, found.name)
    return proto, member.name


def unsupported_member(env: Env, shape: Shape, member: str, struct: str) -> Rejected:
    """The kernel has no use for a program there."""
    text = f"attach to unsupported member {member} of struct {struct}\n"
    return env.reject(shape.errno or EINVAL, "struct-ops-unsupported", text)


def marked_args(btf: Btf, struct: str, member: str, proto: FuncProto) -> list[CtxArg]:
    """The arguments that the kernel's stub ``STRUCT__MEMBER`` marks by their names."""
    found = btf.find(f"{struct}__{member}", Func)
    stub = btf.type(found) if found else None
    stub_proto = btf.type(stub.type_id) if isinstance(stub, Func) else None
    if not isinstance(stub_proto, FuncProto) or len(stub_proto.params) != len(proto.params):
        return []
    args = []
    for number, param in enumerate(stub_proto.params):
        if param.name.endswith((NULLABLE, REFERENCE)):
            args.append(_marked(btf, number, param, proto.params[number]))
    return args


def _marked(btf: Btf, number: int, stub: Param, param: Param) -> CtxArg:
    pointer = btf.type(btf.resolve(param.type_id))
    struct = btf.resolve(pointer.type_id) if isinstance(pointer, Ptr) else 0
    refcounted = stub.name.endswith(REFERENCE)
    flags = PTR_TRUSTED if refcounted else PTR_TRUSTED | PTR_MAYBE_NULL
    return CtxArg(8 * number, PTR_TO_BTF_ID | flags, struct, refcounted)


def acquire_args(env: Env) -> None:
    """A walk of the main program begins: it holds the references that its arguments come with."""
    args: list[CtxArg] = env.room.get("ctx args", [])
    for arg in args:
        arg.ref_obj_id = acquire_reference(env, 0) if arg.refcounted else 0


def marked_arg(env: Env, off: int) -> CtxArg | None:
    """The marked argument at an offset of the context."""
    args: list[CtxArg] = env.room.get("ctx args", [])
    return next((arg for arg in args if arg.offset == off), None)
