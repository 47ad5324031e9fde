"""Compile the speed-critical modules when Cython and a C compiler are there; install without them otherwise.

The list is derived: a module is compiled when an augmenting ``.pxd`` twin stands beside it
(``raw.py`` apart: its twin only holds inline C functions for the others).
``OSMIA_PURE=1`` leaves everything as plain Python.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from setuptools import setup

ROOT = Path(__file__).parent
SRC = ROOT / "src"
FLAGS = ["-O3", "-g0", "-fwrapv", "-fno-strict-aliasing", "-Wno-unused-function"]
INLINE_ONLY = {"raw", "words", "native", "consts", "runwords", "packetwords"}
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": False,
    "embedsignature": False,
    "annotation_typing": False,  # C types come from the .pxd twin alone; annotations are for mypy
}


def extensions() -> list[Any]:
    """One extension per ``.py`` with a ``.pxd`` twin, each allowed to fail."""
    if os.environ.get("OSMIA_PURE"):
        return []
    try:
        from Cython.Build import cythonize
        from setuptools import Extension
    except ImportError:
        return []
    sources = (p.with_suffix(".py") for p in SRC.rglob("*.pxd") if p.stem not in INLINE_ONLY)
    twins = sorted(p.relative_to(ROOT) for p in sources if p.exists())
    made = [Extension(".".join(p.relative_to("src").with_suffix("").parts), [str(p)]) for p in twins]
    compiled: list[Any] = cythonize(
        made, compiler_directives=DIRECTIVES, build_dir="build/cython", include_path=[str(SRC)], quiet=True
    )
    for ext in compiled:
        ext.optional = True  # cythonize() drops it: without a C compiler the .py beside it serves
        ext.extra_compile_args = FLAGS
    return compiled


setup(ext_modules=extensions(), options={"build_ext": {"parallel": os.cpu_count() or 1}})
