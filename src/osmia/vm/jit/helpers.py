"""Calls of helpers and kernel functions: as IR, straight to a native body, or in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osmia.kernel.helpers import helper_by_id
from osmia.vm.jit.inline import INLINE
from osmia.vm.jit.stack import never_fails
from osmia.vm.jit.unit import Symbol

if TYPE_CHECKING:
    from osmia.vm.jit.writer import Writer


def helper(w: Writer) -> None:
    """A call of a helper or kernel function: as IR, by address, or in Python."""
    number = w.source.helper_at(w.slot)
    name = w.source.options.fast.get(number)
    if name is None:
        python(w)
    elif name not in INLINE or not INLINE[name](w):
        native(w, number, name)


def python(w: Writer) -> None:
    """The body that the decoder found, through the engine."""
    w.sync()
    w.set_num(0, w.module.call(w, "python", [w.row_address(), *(w.num(n) for n in range(1, 6))]))
    w.resync()
    w.check_fault()


def native(w: Writer, number: int, name: str) -> None:
    """A helper's native body."""
    function = w.module.function(f"fast.{name}", Symbol("fast", name=name), 6)
    row = helper_by_id(number)
    count = 5 if "..." in row.c_args else len(row.args)
    words = ", ".join(f"i64 {w.num(n) if n <= count else 0}" for n in range(1, 6))
    fails = not never_fails(w.source, w.slot, w.state)
    w.sync()
    if fails:
        w.store_word("pc", str(w.slot))  # the native body does not know it
    w.set_num(0, w.let(f"call i64 {function}(ptr %run, {words})"))
    w.resync()
    if fails:
        w.check_fault()
