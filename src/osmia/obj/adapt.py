"""A program for an older kernel, as libbpf would hand it over: what the kernel lacks and the program can do without.

Everything here is a second try of libbpf's, or what it does after it has probed the kernel
(tools/lib/bpf/libbpf.c: ``bpf_object__sanitize_btf``, ``bpf_object_load_btf``, ``bpf_object__create_map``).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from osmia.btf import Btf
from osmia.btf.sanitize import sanitize
from osmia.obj.model import MapSpec, Program


def adapt(program: Program, features: Collection[str]) -> Program:
    """The program with types that a kernel of these features (``kernel.features``) can read; itself where it can."""
    types = program.btf
    if types is None or (made := sanitize(types, features)) is types:
        return program
    return replace(program, btf=made, maps=[_with_types(spec, types, made) for spec in program.maps])


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
