"""How do I get an object from C?  A clang that knows BPF, found here, and headers of our own.

>>> from osmia import cc
>>> data = cc.compile('''
...     #include <linux/bpf.h>
...     #include <bpf/bpf_helpers.h>
...     SEC("xdp") int pass(struct xdp_md *ctx) { return XDP_PASS; }
...     char LICENSE[] SEC("license") = "GPL";
... ''')                                                            # doctest: +SKIP
>>> data[:4]                                                         # doctest: +SKIP
b'\\x7fELF'
"""

from __future__ import annotations

from osmia.cc.compiler import CPUS, EMITS, INCLUDE, Job, Output, compile, run
from osmia.cc.toolchain import Compiler, find_compiler, installed_compilers

__all__ = [
    "CPUS",
    "EMITS",
    "INCLUDE",
    "Compiler",
    "Job",
    "Output",
    "compile",
    "find_compiler",
    "installed_compilers",
    "run",
]
