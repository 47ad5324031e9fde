"""From what the command line names to a collection: files of any form, filters, global variables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osmia import inputs
from osmia.api import Collection
from osmia.errors import UsageError
from osmia.session.filters import compile_expression

if TYPE_CHECKING:
    from osmia.sim import World

BARE = "unspec"
"""The type of instructions that nobody gave one."""


def from_file(
    path: str, world: World, *, packets: bool = False, prog_type: str | None = None, kconfig: str | None = None,
    **options: Any,
) -> Collection:  # fmt: skip
    """A program in any form, fitted to the world's types where it holds CO-RE relocations.

    Bare instructions without a ``prog_type`` are a computation on memory; where ``packets`` are meant, and if they are
    classic BPF, a socket filter.  ``options``: ``cpu``, ``dialect``.
    """
    from osmia.obj.kconfig import parse_config

    read = inputs.read(path)
    if kconfig is not None:
        options["kconfig"] = parse_config(inputs.read_file(kconfig), file=kconfig)
    kind = prog_type or ("socket_filter" if packets or _is_classic(read, options.get("dialect")) else BARE)
    btf = world.btf if read.kind in ("object", "c", "records") else None
    return Collection(inputs.load(read, btf=btf, prog_type=kind, **options))


def _is_classic(read: inputs.Input, dialect: str | None) -> bool:
    if dialect is None and read.kind == "asm":
        dialect = inputs.dialect_of(inputs.text_of(read))
    return dialect == "classic"


def from_filter(expression: str | None, classic: str | Path | None) -> Collection:
    """A socket filter: a tcpdump expression, or a file in classic BPF."""
    if expression is not None:
        read = inputs.Input(compile_expression(expression), "<expression>", "asm")
    else:
        read = inputs.read(classic or "-")
    return Collection(inputs.load(read._replace(kind="asm"), dialect="classic", prog_type="socket_filter"))


def assign(collection: Collection, settings: Iterable[str]) -> None:
    """Set global variables: ``NAME=VALUE`` each, VALUE in JSON, as a hexadecimal number, or else text.

    Raises UsageError for names that are not there and values that do not fit.
    """
    for text in settings:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"a setting is NAME=VALUE, not {text!r}")
        collection.variables[name] = _value(value)


def _value(text: str) -> Any:
    if re.fullmatch("0x[0-9a-fA-F]+", text):
        return int(text, 16)
    try:
        return json.loads(text)
    except ValueError:
        return text
