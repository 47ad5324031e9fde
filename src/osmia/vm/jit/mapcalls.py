"""Calls of map helpers where it is known which map: straight to the map's function, or no call at all.

Checked code tests key and value where they stand, inline; most lie at a constant offset on the stack, which needs no
test.  An array's look-up is an addition (kernel/bpf/arraymap.c has it as IR for the same reason).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from osmia.vm.jit.memory import RDONLY_PROG, check_bytes, place
from osmia.vm.jit.unit import MapShape, Symbol

if TYPE_CHECKING:
    from osmia.vm.jit.source import Source
    from osmia.vm.jit.types import State
    from osmia.vm.jit.writer import Writer

KEY, VALUE, OUT, FLAGS, CPU = "key", "value", "out", "flags", "cpu"


class Call(NamedTuple):
    """``operation``: the handle's function; ``registers``: what R2 and on are; ``words``: what the function takes."""

    operation: str
    registers: tuple[str, ...]
    words: tuple[str, ...]
    changes: bool = True


CALLS = {
    "bpf_map_lookup_elem": Call("lookup", (KEY,), (KEY, CPU), False),
    "bpf_map_update_elem": Call("update", (KEY, VALUE, FLAGS), (KEY, VALUE, FLAGS, CPU)),
    "bpf_map_delete_elem": Call("delete", (KEY,), (KEY,)),
    "bpf_map_push_elem": Call("push", (VALUE, FLAGS), (VALUE, FLAGS)),
    "bpf_map_pop_elem": Call("pop", (OUT,), (OUT,)),
    "bpf_map_peek_elem": Call("peek", (OUT,), (OUT,), False),
}


class Known(NamedTuple):
    """A call whose map is known."""

    call: Call
    number: int
    shape: MapShape

    def size(self, what: str) -> int:
        """Bytes behind a pointer."""
        return self.shape.key_size if what == KEY else self.shape.value_size


def known(source: Source, slot: int, state: State) -> Known | None:
    """The call in that row, where it can do without the helper's body."""
    call, table = CALLS.get(source.helper_name(slot)), state[1]
    if call is None or table is None or not table.is_map:
        return None
    shape = source.shape(table.number)
    if shape is None or call.operation not in shape.operations or (call.changes and shape.flags & RDONLY_PROG):
        return None
    return Known(call, table.number, shape)


def write(w: Writer) -> bool:
    """The call; False where it has to go to the helper's body."""
    found = known(w.source, w.slot, w.state)
    if found is None:
        return False
    if found.call.operation == "lookup" and found.shape.type in ("array", "percpu_array"):
        _index(w, found)
    else:
        _call(w, found)
    return True


def _call(w: Writer, found: Known) -> None:
    values = {CPU: ""}
    for register, what in enumerate(found.call.registers, 2):
        if w.checked and what != FLAGS:
            check_bytes(w, register, found.size(what), what == OUT)
        values[what] = w.num(register)
    if CPU in found.call.words:
        values[CPU] = w.load_word("cpu")
    name = f"map{found.number}"
    function = w.module.function(f"{name}.{found.call.operation}", Symbol(found.call.operation, found.number), 5)
    owner = w.module.symbol(f"{name}.object", Symbol("object", found.number))
    words = [*(values[what] for what in found.call.words), "0", "0", "0"][:4]
    w.set_num(0, w.let(f"call i64 {function}(ptr {owner}{''.join(f', i64 {word}' for word in words)})"))


def _index(w: Writer, found: Known) -> None:
    """``values + index * stride``, or null for an index beyond the end."""
    shape, stride = found.shape, (found.shape.value_size + 7) & ~7
    pointer, _ = place(w, 2, 0, 4, False)
    index = w.let(f"zext i32 {w.let(f'load i32, ptr {pointer}, align 1')} to i64")
    fine = w.let(f"icmp ult i64 {index}, {shape.max_entries}")
    if shape.type == "percpu_array":
        cpu = w.load_word("cpu")
        fine = w.let(f"and i1 {fine}, {w.let(f'icmp ult i64 {cpu}, {shape.copies}')}")
        index = w.let(f"add i64 {index}, {w.let(f'mul i64 {cpu}, {shape.max_entries}')}")
    values = w.module.symbol(f"map{found.number}.values", Symbol("values", found.number))
    at = w.let(f"getelementptr i8, ptr {values}, i64 {w.let(f'mul i64 {index}, {stride}')}")
    w.set_ptr(0, w.let(f"select i1 {fine}, ptr {at}, ptr null"))
