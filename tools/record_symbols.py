"""Write src/osmia/kernel/data/no-address-NAME.txt: the functions of the running kernel's BTF without a symbol.

    python tools/record_symbols.py NAME

``/proc/kallsyms`` lists what ``kallsyms_lookup_name`` finds; compilers gave the other functions' symbols a suffix.
"""

from __future__ import annotations

import os
import sys
import textwrap
from pathlib import Path

from osmia.btf import Func
from osmia.kernel.features import DATA
from osmia.live.prog import kernel_btf

HEAD = """\
# Functions in the kernel's BTF that its symbol table does not know by that name.  Recorded from Linux
# {release} by tools/record_symbols.py: do not edit.
"""


def main(name: str) -> None:
    """Compare BTF and symbols, and write what is missing."""
    symbols = {line.split()[2] for line in Path("/proc/kallsyms").read_text("ascii").splitlines()}
    btf = kernel_btf()
    functions = {getattr(btf.type(i), "name", "") for i in btf.ids(Func)}
    text = textwrap.fill(" ".join(sorted(functions - symbols)), 118, break_on_hyphens=False)
    out = DATA / f"no-address-{name}.txt"
    out.write_text(HEAD.format(release=os.uname().release) + text + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
