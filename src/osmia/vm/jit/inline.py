"""Helpers as IR instead of calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from osmia.vm.jit import loops, mapcalls

if TYPE_CHECKING:
    from osmia.vm.jit.writer import Writer


def cpu(w: Writer) -> bool:
    """bpf_get_smp_processor_id."""
    w.set_num(0, w.load_word("cpu"))
    return True


INLINE: dict[str, Callable[[Writer], bool]] = {
    **dict.fromkeys(mapcalls.CALLS, mapcalls.write),
    "bpf_get_smp_processor_id": cpu,
    "bpf_loop": loops.loop,
}
"""Helper → what writes it; False where this call has to go to the native body."""
