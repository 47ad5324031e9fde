"""Which engine runs a program: the interpreter at once, native code when it pays, the cache before either compiles.

``jit`` compiles before the first run.  ``auto`` takes code from the cache at load; else it counts what the
interpreter runs, and compiles in the background once that has cost about as much as compiling will.  New code is
used from the next run on.  A large program gets unoptimised code first.

LLVM works without the GIL, one compilation at a time (a lock of llvmlite's).  A program that ends does not wait for
more than the step that LLVM is in.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from osmia.errors import OsmiaError, Unavailable
from osmia.native import address_of
from osmia.vm.decode import Code
from osmia.vm.jit.build import Kinds, Native, Recipe
from osmia.vm.jit.llvm import FAST, FULL, one_line

HOT = 4_000_000
"""Instructions that the compiled interpreter runs in about 7 ms; O2 takes 6 to 60 of another core."""
HOT_UNCOMPILED = 100_000
"""The same for the interpreter in Python, which is about a hundred times slower."""
LARGE = 1000
"""Lines of IR from which on O2 takes so long (0.1 ms a line) that unoptimised code (0.015 ms) is worth having first."""


class Tiers:
    """The native code of one machine's programs, by the interpreter's numbers of them."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self.hot = HOT if address_of("osmia.vm.run", "may") else HOT_UNCOMPILED
        self.note = ""
        """Why there is no native code although it was asked for; "" while there is no reason."""
        self._recipes: list[Recipe] = []
        self._native: list[Native | None] = []
        self._kept: list[Native] = []  # a run may still be in code that was replaced
        self._heat = 0
        self._worker: threading.Thread | None = None

    def add(
        self, code: Code, maps: Sequence[Any], ksyms: Mapping[str, int], checked: bool, kinds: Kinds | None
    ) -> None:
        """A program was decoded; the first is the machine's own."""
        recipe = Recipe(code, maps, ksyms, checked, kinds)
        self._recipes.append(recipe)
        self._native.append(None)
        if len(self._recipes) > 1 or self.engine == "interp":
            return
        make: Callable[[], Native | None] = recipe.compiled if self.engine == "jit" else recipe.cached
        try:
            self._take(0, make())
        except Unavailable as e:
            self.give_up(e)

    @property
    def ready(self) -> bool:
        """Is there native code of the machine's own program?"""
        return bool(self._native) and self._native[0] is not None

    def native(self, index: int) -> Native:
        """The code of a program, compiled now if it is not yet.  Raises Unavailable."""
        found = self._native[index]
        if found is None:
            try:
                found = self._recipes[index].compiled()
            except Unavailable as e:
                self.give_up(e)
                raise
            self._take(index, found)
        return found

    def give_up(self, error: Exception) -> None:
        """No native code any more: the interpreter runs what follows."""
        self.note = f"{one_line(error)}; the interpreter runs the program"
        self._native = [None] * len(self._native)
        if self.engine == "jit":
            warnings.warn(self.note, RuntimeWarning, stacklevel=2)
        self.engine = "interp"

    def ran(self, insns: int) -> None:
        """The interpreter ran so many instructions: enough to compile?"""
        self._heat += insns
        if self._heat >= self.hot and self.engine == "auto" and self._worker is None:
            self._worker = threading.Thread(target=self._compile, name="osmia-jit")
            self._worker.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the background, in seconds; whether there is native code."""
        if self._worker is not None:
            self._worker.join(timeout)
        return self.ready

    def _take(self, index: int, native: Native | None) -> None:
        if native is not None:
            self._kept.append(native)
            self._native[index] = native

    def _compile(self) -> None:
        """In the background: the steps to optimised code."""
        recipe = self._recipes[0]
        try:
            large = len(recipe.unit().ir.splitlines()) > LARGE
            for level in (FAST, FULL) if large else (FULL,):
                if not threading.main_thread().is_alive():
                    return  # the program ends: it does not wait for us
                self._take(0, recipe.compiled(level))
        except OsmiaError as e:
            self.give_up(e)
