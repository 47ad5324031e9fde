"""What plain Python needs of the ``cython`` module where Cython is not installed.

A compiled module imports it like this, so that Cython is needed to build and never to run::

    try:
        import cython
    except ImportError:
        from osmia._cy import cython
    if not cython.compiled:
        from osmia.vm.raw import ld64  # compiled, the .pxd twin cimports the C version

C types live in the ``.pxd`` twin beside a module; annotations in the source are for mypy alone.
"""

from __future__ import annotations

from typing import Any

__all__ = ["cython"]


class _Shim:
    """A flag, which is all that the sources read at run time."""

    compiled = False


cython: Any = _Shim()
