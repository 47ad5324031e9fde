"""How a helper's body meets its row: ``@helper("bpf_…")`` and the conversion of registers.

A body is a typed function ``body(env, …)`` with one parameter per argument of the row:

- a map pointer arrives as the ``Map``, the context pointer as ``env.ctx``, numbers as int with the sign and width of
  their C type, and all other pointers as addresses;
- memory that the row pairs with a size, and memory of a fixed size, has been checked against ``env.memory``: a helper
  never sees bytes that the program may not touch (``Fault`` otherwise, as the verifier would have refused it);
- it returns an int: a value, an address, or a negative errno.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from osmia.errors import Fault, InternalError, MissingBody
from osmia.helpers.fast import FAST, fast_body
from osmia.kernel.helpers import HELPERS, HelperProto, helper_by_name

if TYPE_CHECKING:
    from osmia.vm.env import Env, HelperBody

Body = Callable[..., int]
Convert = Callable[["Env", tuple[int, ...], list[Any]], Any]

M64 = 0xFFFFFFFFFFFFFFFF
BODIES: dict[str, Body] = {}
"""Name → body, filled by ``@helper``."""
ON_THEIR_OWN: dict[str, HelperBody] = {}
"""Name → a function that takes the raw registers, filled by ``@raw_helper``."""

WIDTHS = {
    **{"__u8": (8, False), "__u16": (16, False), "__be16": (16, False), "__u32": (32, False), "__be32": (32, False)},
    **{"__wsum": (32, False), "__s32": (32, True), "int": (32, True), "__s64": (64, True), "long": (64, True)},
}
"""Bits and sign of the C types that are not plain u64."""


def helper(name: str) -> Callable[[Body], Body]:
    """Register the body of a helper."""

    def register(body: Body) -> Body:
        if name in BODIES or name in ON_THEIR_OWN:
            raise InternalError(f"{name} has two bodies")
        BODIES[name] = body
        return body

    return register


def raw_helper(name: str) -> Callable[[HelperBody], HelperBody]:
    """Register a body that does its own conversion: five u64 in, one u64 out."""

    def register(body: HelperBody) -> HelperBody:
        if name in BODIES or name in ON_THEIR_OWN:
            raise InternalError(f"{name} has two bodies")
        ON_THEIR_OWN[name] = body
        return body

    return register


# -- one argument ----------------------------------------------------------------------------------------------------


def parameter_type(declaration: str) -> str:
    """``__u32`` of ``__u32 size``; pointers keep their star."""
    return re.sub(r"\s*\w+$", "", declaration.replace("const ", "").strip()).strip()


def number(index: int, c_type: str) -> Convert:
    """A number with the width and sign of its C type."""
    bits, signed = WIDTHS.get(c_type, (64, False))
    mask, half = (1 << bits) - 1, 1 << bits - 1

    def convert(env: Env, regs: tuple[int, ...], done: list[Any]) -> int:
        value = regs[index] & mask
        return value - 2 * half if signed and value & half else value

    return convert


def as_map(index: int) -> Convert:
    """The map behind a handle; Fault when there is none."""
    return lambda env, regs, done: env.map_at(regs[index])


def as_context(index: int) -> Convert:
    """The context, which must be the one the program was given."""

    def convert(env: Env, regs: tuple[int, ...], done: list[Any]) -> Any:
        if regs[index] != env.ctx.address:
            raise Fault(f"{env.machine.describe(regs[index])} is not the context", address=regs[index])
        return env.ctx

    return convert


def as_address(index: int) -> Convert:
    """A pointer that the body looks into itself."""
    return lambda env, regs, done: regs[index]


def as_memory(index: int, size_index: int, write: bool, maybe_null: bool) -> Convert:
    """A pointer whose size is another argument."""

    def convert(env: Env, regs: tuple[int, ...], done: list[Any]) -> int:
        address, size = regs[index], regs[size_index] & 0xFFFFFFFF
        if not (maybe_null and address == 0 and size == 0):
            env.check(address, size, write)
        return address

    return convert


def as_fixed(index: int, size: int, write: bool) -> Convert:
    """A pointer to memory of a known size."""

    def convert(env: Env, regs: tuple[int, ...], done: list[Any]) -> int:
        env.check(regs[index], size, write)
        return regs[index]

    return convert


def as_element(index: int, field: str, write: bool) -> Convert:
    """A pointer to a key or value of the map that came before it."""

    def convert(env: Env, regs: tuple[int, ...], done: list[Any]) -> int:
        env.check(regs[index], int(getattr(done[0] if hasattr(done[0], field) else done[1], field)), write)
        return regs[index]

    return convert


def converter(proto: HelperProto, index: int) -> Convert:
    """What turns register ``index`` into the body's argument, by the kind in the row."""
    kind, *flags = proto.args[index].split(" | ")
    c_type = parameter_type(proto.c_args[index]) if index < len(proto.c_args) else ""
    write = "UNINIT" in kind or any(f in ("MEM_UNINIT", "MEM_WRITE") for f in flags)
    following = proto.args[index + 1] if index + 1 < len(proto.args) else ""
    if kind == "CONST_MAP_PTR":
        return as_map(index)
    if kind == "PTR_TO_CTX":
        return as_context(index)
    if kind in ("PTR_TO_MAP_KEY", "PTR_TO_MAP_VALUE"):
        return as_element(index, "key_size" if kind.endswith("KEY") else "value_size", write)
    if kind in ("PTR_TO_MEM", "PTR_TO_UNINIT_MEM", "PTR_TO_MEM_OR_NULL") and following.startswith("CONST_SIZE"):
        return as_memory(index, index + 1, write, "NULL" in proto.args[index])
    if kind == "PTR_TO_FIXED_SIZE_MEM" and proto.arg_sizes and index in proto.arg_sizes:
        return as_fixed(index, proto.arg_sizes[index], write)
    return number(index, c_type) if not c_type.endswith("*") else as_address(index)


# -- one helper ------------------------------------------------------------------------------------------------------


def converters(proto: HelperProto) -> tuple[Convert, ...]:
    """One per argument; a variadic helper's further ones are u64."""
    named = [c for c in proto.c_args if c != "..."]
    found = [converter(proto, i) for i in range(len(proto.args))]
    if "..." in proto.c_args:
        found += [number(i, "") for i in range(len(named), 5)]
    return tuple(found)


def adapt(proto: HelperProto, body: Body) -> HelperBody:
    """The function that the interpreter calls: raw registers in, raw R0 out."""
    steps = converters(proto)

    def call(env: Env, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
        regs = (r1, r2, r3, r4, r5)
        args: list[Any] = []
        for step in steps:
            args.append(step(env, regs, args))
        return body(env, *args) & M64

    call.__name__ = proto.name
    call.__doc__ = body.__doc__
    return call


def missing(name: str) -> HelperBody:
    """What stands in for a helper without a body: it raises MissingBody."""

    def call(env: Env, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
        raise MissingBody(name)

    call.__name__ = name
    return call


def has_body(name: str) -> bool:
    """Whether a helper can be called here."""
    load_bodies()
    return name in BODIES or name in ON_THEIR_OWN or name in FAST


@cache
def load_bodies() -> None:
    """Import every module of bodies."""
    from osmia.helpers import BODY_MODULES

    for module in BODY_MODULES:
        __import__(f"osmia.helpers.{module}")
    for name in (*BODIES, *ON_THEIR_OWN, *FAST):
        helper_by_name(name)  # a body without a row is a slip of the pen


@cache
def _table() -> dict[int, HelperBody]:
    load_bodies()
    return {row.id: _entry(row) for row in HELPERS}


def _entry(row: HelperProto) -> HelperBody:
    python = _python_body(row)
    if row.name in FAST:
        return fast_body(row.id, row.name, python)
    return python or missing(row.name)


def _python_body(row: HelperProto) -> HelperBody | None:
    if row.name in ON_THEIR_OWN:
        return ON_THEIR_OWN[row.name]
    body = BODIES.get(row.name)
    return adapt(row, body) if body else None


def table() -> dict[int, HelperBody]:
    """Helper number → body, for all 211: a function of raw registers, a ``FastBody`` where it is native (``fast``).

    Those without a body raise MissingBody when called.
    """
    return dict(_table())
