"""Helpers as IR."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osmia.vm.jit.writer import Writer

INLINE: dict[str, Callable[[Writer], bool]] = {}
"""Helper → what writes it; False where this call has to go to the native body."""
