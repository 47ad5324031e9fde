"""The words of a run: one native block per running thread, which native code, helpers and Python share.

``R_…`` are offsets in bytes, each of a u64 word; ``F_…`` are the codes of the first word.  ``runwords.pxd`` holds the
same numbers for compiled modules (a test compares them), and the JIT takes its offsets from ``OFFSETS``.

- fault, pc, address, size: what went wrong (``F_…``), at which slot, and the access that was refused
- fuel, budget: instructions left until ``refill`` is asked, and after that; stop: another thread wants the run to end
- checked: 1 where every access is checked, 0 where a verifier did it before
- cpu: the number of the CPU that the program sees; ctx: the context's address; packet: its packet's state, or 0
- host: the host's words, or 0 where it has none; memory: the native table of regions (``Memory.native``)
- stack: the lowest frame; room: bytes of frames in use; depth: of the innermost frame; used: most bytes ever in use
- low, span, writable: the window that the last look-up opened; low2 …: the one before
- tail_calls: how many were taken; call: C function ``u64 call(run, callback, r1 … r5)`` that runs a callback
- machine: a number that finds the run's Python side again; scratch: four words for helpers
- python: C function ``u64 python(run, helper, r1 … r5)`` that runs the Python body of the helper of that number
- floor: bytes of frames that were in use when the program that runs was entered: a tail call moves it
"""

from __future__ import annotations

RUN = (
    *"fault pc address size fuel budget stop checked cpu ctx packet host memory stack room".split(),
    *"low span writable low2 span2 writable2 tail_calls call machine depth used".split(),
    *"scratch0 scratch1 scratch2 scratch3 python floor".split(),
)
OFFSETS = {name: 8 * index for index, name in enumerate(RUN)}
"""Offset by name."""

(
    R_FAULT, R_PC, R_ADDRESS, R_SIZE, R_FUEL, R_BUDGET, R_STOP, R_CHECKED, R_CPU, R_CTX, R_PACKET, R_HOST,
    R_MEMORY, R_STACK, R_ROOM, R_LOW, R_SPAN, R_WRITABLE, R_LOW2, R_SPAN2, R_WRITABLE2, R_TAIL_CALLS, R_CALL,
    R_MACHINE, R_DEPTH, R_USED, R_SCRATCH0, R_SCRATCH1, R_SCRATCH2, R_SCRATCH3,
    R_PYTHON, R_FLOOR,
) = OFFSETS.values()  # fmt: skip

FAULTS = tuple("none read write budget depth callx beyond python stopped map readonly_map context callback".split())
(
    F_NONE, F_READ, F_WRITE, F_BUDGET, F_DEPTH, F_CALLX, F_BEYOND, F_PYTHON, F_STOPPED, F_MAP, F_READONLY_MAP,
    F_CONTEXT, F_CALLBACK,
) = range(len(FAULTS))  # fmt: skip
