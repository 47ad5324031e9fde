"""Write the thin headers of src/osmia/cc/include (linux/…, uapi/linux/…, net/…, stddef.h …) from tools/headers.txt.

    python tools/gen_fronts.py [--check]

A front brings a layer of types (``osmia/uapi.h``, or all of ``vmlinux.h``) and the macros that BTF does not hold.
Macros named ``@group`` come from our own tables (kernel/uapi.py, Python's errno).
"""

from __future__ import annotations

import errno
import re
import sys
from pathlib import Path

from osmia.isa import consts
from osmia.kernel import uapi

ROOT = Path(__file__).parent.parent
LIST = ROOT / "tools/headers.txt"
INCLUDE = ROOT / "src/osmia/cc/include"
LAYERS = {"uapi": ["osmia/uapi.h"], "kernel": ["vmlinux.h"], "-": []}
HEAD = """\
/* SPDX-License-Identifier: Apache-2.0 */
/* {what} Written by tools/gen_fronts.py: do not edit. */
#pragma once
"""

SOCKET = {
    **{"AF_UNSPEC": 0, "AF_UNIX": 1, "AF_LOCAL": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16, "AF_PACKET": 17},
    **{"AF_VSOCK": 40, "AF_XDP": 44, "PF_INET": 2, "PF_INET6": 10},
    **{"SOL_SOCKET": 1, "SOL_TCP": 6, "SOL_UDP": 17},
    **{"SO_REUSEADDR": 2, "SO_SNDBUF": 7, "SO_RCVBUF": 8, "SO_KEEPALIVE": 9, "SO_PRIORITY": 12, "SO_REUSEPORT": 15},
    **{"SO_BINDTODEVICE": 25, "SO_MARK": 36, "SO_MAX_PACING_RATE": 47},
}
# Constants that <linux/bpf.h> has as macros, so that no enum of the BTF brings them.
BPF_MACROS = (
    *("BPF_F_TEST_RUN_ON_CPU", "BPF_F_TEST_XDP_LIVE_FRAMES", "BPF_F_TEST_SKB_CHECKSUM_COMPLETE"),
    *("BPF_OBJ_NAME_LEN", "BPF_TAG_SIZE"),
)
INSN = [n for n in vars(consts) if re.fullmatch(r"BPF_[A-Z0-9_]+", n) and not n.startswith(("BPF_REG", "BPF_PSEUDO"))]


def groups() -> dict[str, dict[str, int]]:
    """Macros made from tables, by group."""
    return {
        "bpf": {n: getattr(uapi, n) for n in BPF_MACROS},
        "insn": {n: getattr(consts, n) for n in INSN if isinstance(getattr(consts, n), int)},
        "tc": {n: v for n, v in vars(uapi).items() if n.startswith("TC_ACT_")},
        "errno": {n: v for v, n in sorted(errno.errorcode.items())},
        "socket": SOCKET,
    }


def read_list(text: str) -> dict[str, tuple[str, list[str], list[str]]]:
    """Front by path: layer, other words, and the lines that define macros."""
    fronts: dict[str, tuple[str, list[str], list[str]]] = {}
    body: list[str] = []
    for line in text.splitlines():
        if line.startswith("\t"):
            body.append(line[1:])
        elif line and not line.startswith("#"):
            path, _, rest = line.partition(": ")
            layer, *others = rest.split()
            body = []
            fronts[path] = (layer, others, body)
    return fronts


def macro(line: str) -> str:
    """One macro, defined only where nobody did, or a line as it stands, or a group."""
    if line.startswith("| "):
        return line[2:] + "\n"
    if line.startswith("@"):
        return "".join(macro(f"{name} {_number(value)}") for name, value in groups()[line[1:]].items())
    name = re.match(r"\w+", line)
    assert name is not None, line
    return f"#ifndef {name[0]}\n#define {line.rstrip()}\n#endif\n"


def _number(value: int) -> str:
    return f"({value})" if value < 0 else str(value) if value < 256 else f"{value:#x}"


def front(path: str, layer: str, others: list[str], body: list[str]) -> str:
    """The text of one front."""
    includes = LAYERS[layer] + [o for o in others if o != "uapi"]
    what = {"uapi": "Stable types", "kernel": "Kernel types", "-": "Macros"}[layer]
    text = HEAD.format(what=f"{what} under the name that programs know.")
    text += "".join(f"#include <{i}>\n" for i in includes)
    return text + "".join(macro(line) for line in body)


def generate() -> dict[Path, str]:
    """Every front, by its path."""
    made = {}
    for path, (layer, others, body) in read_list(LIST.read_text()).items():
        made[INCLUDE / path] = front(path, layer, others, body)
        if "uapi" in others:
            made[INCLUDE / "uapi" / path] = front(path, "-", [path], [])
    return made


def main() -> int:
    """Write or check the files."""
    made = generate()
    if "--check" in sys.argv[1:]:
        stale = [p for p, text in made.items() if not p.exists() or p.read_text() != text]
        print(*(f"{p} differs" for p in stale), sep="\n", file=sys.stderr)
        return 1 if stale else 0
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
