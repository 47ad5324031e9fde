"""What can a program call?  The helpers: one row each in ``kernel.helpers``, one typed function each here.

``table()`` is what a machine takes: helper number → function of raw registers.  All 211 rows are in it; those without
a body raise ``MissingBody`` by name when they are called.
"""

from osmia.helpers.registry import BODIES, has_body, helper, raw_helper, table

BODY_MODULES = (
    *("maps", "ringbuf", "perf", "clock", "tasks", "trace", "control"),
    *("redirect", "dynptr", "locks", "tracing"),
)
"""Modules of bodies, one per family."""

__all__ = ["BODIES", "BODY_MODULES", "has_body", "helper", "raw_helper", "table"]
