"""Which engine runs a program: the interpreter at once, native code when it pays, the cache before either compiles.

``jit`` compiles before the first run.  ``auto`` counts what the interpreter runs: soon it looks whether the cache has
the code (at load, when the process has done that for another program), and once running has cost about as much as
compiling will, it compiles in the background.  New code is used from the next run on.  A large program gets
unoptimised code first.

LLVM works without the GIL, one compilation at a time (a lock of llvmlite's).  A program that ends does not wait for
more than the step that LLVM is in.
"""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from osmia.errors import OsmiaError, Unavailable
from osmia.native import address_of

if TYPE_CHECKING:
    from osmia.vm.decode import Code
    from osmia.vm.jit.build import Kinds, Native, Recipe

WARM = 200_000
"""Instructions after which the cache is asked: importing what writes a program's key takes about 15 ms."""
HOT = 4_000_000
"""Instructions that the compiled interpreter runs in about 7 ms; O2 takes 6 to 60 of another core."""
HOT_UNCOMPILED = 100_000
"""The same for the interpreter in Python, which is about a hundred times slower."""
LARGE = 1000
"""Lines of IR from which on O2 takes so long (0.1 ms a line) that unoptimised code (0.015 ms) is worth having first."""

EMITTER = "osmia.vm.jit.emit"
"""The module whose import is most of that."""


class Tiers:
    """The native code of one machine's programs, by the interpreter's numbers of them."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self.hot = HOT if address_of("osmia.vm.run", "may") else HOT_UNCOMPILED
        self._steps: list[tuple[int, Callable[[], None]]] = []  # from how much heat on what is done
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
        from osmia.vm.jit.build import Recipe

        recipe = Recipe(code, maps, ksyms, checked, kinds)
        self._recipes.append(recipe)
        self._native.append(None)
        if len(self._recipes) > 1 or self.engine == "interp":
            return
        if self.engine == "jit":
            self._try(recipe.compiled)
            return
        self._steps = [(self.hot, self._compile)]
        if EMITTER in sys.modules:
            self._try(recipe.cached)
        else:
            self._steps.insert(0, (min(WARM, self.hot), self._look))

    def _try(self, make: Callable[[], Native | None]) -> None:
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
        from osmia.vm.jit.llvm import one_line

        self.note = f"{one_line(error)}; the interpreter runs the program"
        self._native = [None] * len(self._native)
        if self.engine == "jit":
            warnings.warn(self.note, RuntimeWarning, stacklevel=2)
        self.engine = "interp"

    def ran(self, insns: int) -> None:
        """The interpreter ran so many instructions: time for the next step?"""
        self._heat += insns
        if not self._steps or self._heat < self._steps[0][0] or self.engine != "auto":
            return
        if self._worker is None or not self._worker.is_alive():
            step = self._steps.pop(0)[1]
            self._worker = threading.Thread(target=step, name="osmia-jit")
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

    def _look(self) -> None:
        """In the background: is it in the cache?"""
        try:
            self._take(0, self._recipes[0].cached())
        except OsmiaError as e:
            self.give_up(e)

    def _compile(self) -> None:
        """In the background: the steps to optimised code."""
        from osmia.vm.jit.llvm import FAST, FULL

        recipe = self._recipes[0]
        try:
            large = len(recipe.unit().ir.splitlines()) > LARGE
            for level in (FAST, FULL) if large else (FULL,):
                if not threading.main_thread().is_alive():
                    return  # the program ends: it does not wait for us
                self._take(0, recipe.compiled(level))
        except OsmiaError as e:
            self.give_up(e)
