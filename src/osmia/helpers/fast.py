"""Which helpers have a native body: their name → the module and the function that both engines call.

A native body is one function, the same for the interpreter and the JIT, compiled and not::

    u64 f(u64 run, u64 r1, u64 r2, u64 r3, u64 r4, u64 r5) noexcept nogil

``run`` is the address of the running thread's block (``vm.run``); whatever the function needs stands behind it:
``run.host`` (the words of ``vm.hostwords``), ``run.packet`` (``vm.packetstate``), a map's handle (``maps.base``).
It holds no GIL, makes no object and raises nothing.  It lives in a module ``helpers/fast_*.py`` whose ``.pxd`` twin
declares it ``cdef … noexcept nogil``; ``osmia.native.address_of(module, function)`` is its address, and
uncompiled it is an ordinary function of ints.

- What the verifier would have refused is a fault: in checked runs (``run.checked``) the function asks ``may`` for every
  pointer before it touches it, and answers ``refuse(…)`` where that says no; the engine sees ``run.fault`` and
  raises the typed error.  Trusted runs skip that.
- What it can't do itself it *declines*: it answers ``decline(run)``, and the engine calls the Python body of the same
  name with the same registers (a host without words, a map family without native functions).  So it must have
  touched nothing yet.  A helper of ``ALWAYS`` never declines and has no Python body.

To add a helper: write the function, add its row here, and take its Python body away unless it may decline.
"""

from __future__ import annotations

from osmia.native import address_of

FAST: dict[str, tuple[str, str]] = {}
"""Name of the helper → module (in ``osmia.helpers``) and function of the native body."""

ALWAYS: set[str] = set()
"""Helpers whose native body does the whole work: they have no Python body to fall back on."""


def rows(module: str, *names: str, always: bool = False) -> None:
    """Add helpers whose function in ``osmia.helpers.<module>`` has the helper's name without ``bpf_``."""
    for name in names:
        FAST[name] = (f"osmia.helpers.{module}", name.removeprefix("bpf_"))
        if always:
            ALWAYS.add(name)


def address(name: str) -> int:
    """Where the compiled native body of a helper is; 0 uncompiled, or where it has none."""
    row = FAST.get(name)
    return address_of(*row) if row else 0
