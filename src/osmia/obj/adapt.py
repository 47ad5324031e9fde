"""A program for an older kernel, as libbpf would hand it over: what the kernel lacks and the program can do without.

Everything here is a second try of libbpf's, or what it does after it has probed the kernel
(tools/lib/bpf/libbpf.c: ``bpf_object__sanitize_btf``, ``bpf_program_fixup_func_info``, ``bpf_object_load_btf``,
``bpf_object__create_map``).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from osmia.btf import Btf, DeclTag, Func, FuncProto, Ptr, Struct
from osmia.btf.sanitize import sanitize
from osmia.btf.types import GLOBAL
from osmia.kernel.prog_types import prog_type
from osmia.obj.model import FuncInfo, MapSpec, Program

ARG_CTX = "arg:ctx"
CONTEXTS = {"kprobe": "bpf_user_pt_regs_t"}
"""Names by which kernels know a context argument, where it is not the name that programs use."""


def adapt(program: Program, features: Collection[str]) -> Program:
    """The program with types that a kernel of these features (``kernel.features``) can read; itself where it can."""
    types = program.btf
    if types is None:
        return program
    made, rows = (types, program.func_info) if "arg-ctx-tag" in features else name_contexts(program, types)
    made = sanitize(made, features)
    if made is types:
        return program
    return replace(program, btf=made, func_info=rows, maps=[_with_types(spec, types, made) for spec in program.maps])


def name_contexts(program: Program, btf: Btf) -> tuple[Btf, list[FuncInfo]]:
    """Arguments tagged ``arg:ctx`` of global functions, with the context's own type, in a copy of the types.

    Each such function is declared once more, and func_info points there: another program may use the first one.
    """
    context = CONTEXTS.get(program.prog_type) or prog_type(program.prog_type).context.removeprefix("struct ")
    tagged = {t.type_id: t.component_idx for _, t in btf if isinstance(t, DeclTag) and t.name == ARG_CTX}
    if not context or not any(row.type_id in tagged for row in program.func_info[1:]):
        return btf, program.func_info
    made = btf.copy()
    rows = program.func_info[:1]
    for row in program.func_info[1:]:
        argument = tagged.get(row.type_id, -1)
        rows.append(replace(row, type_id=_redeclared(made, row.type_id, argument, context)) if argument >= 0 else row)
    return made, rows


def _redeclared(btf: Btf, type_id: int, argument: int, context: str) -> int:
    """The function with a pointer to the context as that argument; itself where it is none that the kernel checks."""
    function = btf.type(type_id)
    proto = btf.type(function.type_id) if isinstance(function, Func) else None
    if not isinstance(function, Func) or not isinstance(proto, FuncProto) or function.linkage != GLOBAL:
        return type_id
    if argument >= len(proto.params):
        return type_id
    params = list(proto.params)
    params[argument] = params[argument]._replace(type_id=btf.add(Ptr(btf.add(Struct(context, 0)))))
    return btf.add(replace(function, type_id=btf.add(replace(proto, params=tuple(params)))))


def without_map_types(program: Program) -> Program:
    """The program with maps whose keys and values have no types: libbpf's second try at BPF_MAP_CREATE."""
    return replace(program, maps=[_untyped(spec) for spec in program.maps])


def without_types(program: Program) -> Program | None:
    """The program without BTF, where BPF_BTF_LOAD failed; None for one that is nothing without it (struct_ops)."""
    if program.prog_type == "struct_ops":
        return None
    return replace(without_map_types(program), btf=None, func_info=[], line_info=[])


def _with_types(spec: MapSpec, old: Btf, new: Btf) -> MapSpec:
    inner = spec.inner and _with_types(spec.inner, old, new)
    return replace(spec, btf=new if spec.btf is old else spec.btf, inner=inner)


def _untyped(spec: MapSpec) -> MapSpec:
    return replace(spec, btf=None, btf_key_type_id=0, btf_value_type_id=0, inner=spec.inner and _untyped(spec.inner))
