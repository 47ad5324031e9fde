"""Write src/osmia/kernel/data/helpers.txt and src/osmia/cc/include/bpf/bpf_helper_defs.h.

    python tools/gen_helpers.py [--header /usr/include/linux/bpf.h] [--kinds RECORD.json] [--check]

C prototypes come from the UAPI header (its prototype lines only, none of its text) and from ``FIXED`` below: helpers
younger than the header, and helpers that the header gives one prototype per program type.  Kinds and flags of the
verifier come from a record of the kernel's ``struct bpf_func_proto`` objects; without ``--kinds`` those in the tree
are kept.  The record is JSON: ``{"helpers": [{"id", "name", "ret", "args", "gpl_only", "pkt_access", "might_sleep",
"arg_sizes", "arg_structs", "variants"}]}``, with the RET_ and ARG_ names without prefix.  A kernel does not hand
those objects out, so ``tests/kernel/test_live_kinds.py`` checks the rows by what the running verifier expects.
``--check`` writes nothing and exits with 1 when the tree's files differ.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
DATA = ROOT / "src/osmia/kernel/data/helpers.txt"
DEFS = ROOT / "src/osmia/cc/include/bpf/bpf_helper_defs.h"
COUNT = 211

HEAD = """\
# The helpers of Linux 6.18.  Written by tools/gen_helpers.py: do not edit.
# Columns, by tab: id, first kernel, flags (gpl: GPL programs only; pkt: takes packet pointers; sleep: may sleep),
# the verifier's return and argument kinds, C prototype, and program types with other kinds
# (!gpl: of any licence).  [16] is the size of fixed-size memory, [sk_buff] the kernel struct of a BTF pointer.
"""

# First kernel, by the last id that it brought.
SINCE = """
3.18:2 3.19:3 4.1:11 4.2:16 4.3:22 4.4:25 4.5:26 4.6:30 4.8:36 4.9:41 4.10:44 4.11:45 4.12:47 4.13:50 4.14:53 4.15:57
4.16:59 4.17:64 4.18:80 4.19:83 4.20:90 5.0:92 5.1:98 5.2:108 5.3:109 5.4:110 5.5:115 5.6:118 5.7:124 5.8:135 5.9:141
5.10:155 5.11:162 5.12:163 5.13:165 5.14:168 5.15:175 5.16:179 5.17:185 5.18:193 5.19:203 6.0:207 6.1:209 6.2:211
"""

FIXED = [
    "u64 bpf_get_socket_cookie(void *ctx)",
    "long bpf_sk_assign(void *ctx, void *sk, u64 flags)",
    "void *bpf_kptr_xchg(void *dst, void *ptr)",
    "long bpf_dynptr_read(void *dst, u32 len, const struct bpf_dynptr *src, u32 offset, u64 flags)",
    "long bpf_dynptr_write(const struct bpf_dynptr *dst, u32 offset, void *src, u32 len, u64 flags)",
    "void *bpf_dynptr_data(const struct bpf_dynptr *ptr, u32 offset, u32 len)",
    "void *bpf_cgrp_storage_get(struct bpf_map *map, struct cgroup *cgroup, void *value, u64 flags)",
    "long bpf_cgrp_storage_delete(struct bpf_map *map, struct cgroup *cgroup)",
]

# The kernel's types, as programs see them.
TYPES = {
    **{f"{sign}{bits}": f"__{sign}{bits}" for sign in "us" for bits in (8, 16, 32, 64)},
    "size_t": "unsigned long",
    "struct sk_buff": "struct __sk_buff",
    "struct xdp_buff": "struct xdp_md",
    "struct sk_msg_buff": "struct sk_msg_md",
}

# Program types whose kinds differ from the row's (the record does not say which; tests/kernel/test_live_kinds.py
# asks the running kernel).  "*" stands for the row's kinds with the first argument replaced; "!gpl" for a helper that
# programs of that type may call whatever their licence.
NOT_TC = """
cgroup_device cgroup_skb cgroup_sock cgroup_sock_addr cgroup_sockopt cgroup_sysctl ext flow_dissector kprobe lsm
netfilter perf_event raw_tracepoint raw_tracepoint_writable sk_lookup sk_msg sk_reuseport sk_skb sock_ops socket_filter
struct_ops syscall tracepoint tracing xdp
"""
VARIANTS = {
    "bpf_get_cgroup_classid": [(NOT_TC, "INTEGER()")],
    "bpf_get_socket_cookie": [
        ("lsm sk_reuseport syscall tracing", "INTEGER(PTR_TO_BTF_ID_SOCK_COMMON | PTR_MAYBE_NULL)")
    ],
    "bpf_get_stackid": [("perf_event", "!gpl INTEGER(PTR_TO_CTX, CONST_MAP_PTR, ANYTHING)")],
    "bpf_setsockopt": [("cgroup_sock_addr sock_ops", "PTR_TO_CTX *")],
    "bpf_getsockopt": [("cgroup_sock_addr sock_ops", "PTR_TO_CTX *")],
    "bpf_sk_storage_get": [
        (
            "cgroup_sock",
            "PTR_TO_MAP_VALUE_OR_NULL(CONST_MAP_PTR, PTR_TO_CTX, PTR_TO_MAP_VALUE_OR_NULL, ANYTHING)",
        ),
        (
            "tracing",
            "PTR_TO_MAP_VALUE_OR_NULL(CONST_MAP_PTR, PTR_TO_BTF_ID_OR_NULL[sock_common], PTR_TO_MAP_VALUE_OR_NULL, "
            "ANYTHING)",
        ),
    ],
    "bpf_sk_storage_delete": [("tracing", "INTEGER(CONST_MAP_PTR, PTR_TO_BTF_ID_OR_NULL[sock_common])")],
    "bpf_sk_assign": [("sk_lookup", "INTEGER(PTR_TO_CTX, PTR_TO_SOCKET_OR_NULL, ANYTHING)")],
    "bpf_xdp_get_buff_len": [("lsm syscall tracing", "INTEGER(PTR_TO_BTF_ID[xdp_buff])")],
}

_PROTOTYPE = re.compile(r"^ \* ((?:\w+ )+\*?)(bpf_\w+)\((.*)\)$", re.MULTILINE)


def prototypes(header: str) -> dict[str, str]:
    """C prototypes by name, in the types that programs see."""
    found = {m[2]: f"{m[1]}{m[2]}({m[3]})" for m in _PROTOTYPE.finditer(header)}
    fixed = {re.search(r"bpf_\w+(?=\()", p)[0]: p for p in FIXED}  # type: ignore[index]
    return {name: _program_types(p) for name, p in {**found, **fixed}.items()}


def _program_types(prototype: str) -> str:
    for old, new in TYPES.items():
        prototype = re.sub(rf"(?<!\w){old}(?!\w)", new, prototype)
    return prototype


def since(number: int) -> str:
    """The first kernel with that helper."""
    pairs = (item.split(":") for item in SINCE.split())
    return next(version for version, last in pairs if number <= int(last))


def kinds(proto: dict[str, Any]) -> str:
    """``RET(ARG, ARG[extra])`` of one recorded prototype."""
    extras = {**proto.get("arg_sizes", {}), **proto.get("arg_structs", {})}
    marks = [f"[{extras[str(i)]}]" if str(i) in extras else "" for i in range(1, len(proto["args"]) + 1)]
    return f"{proto['ret']}({', '.join(a + m for a, m in zip(proto['args'], marks, strict=True))})"


def flags(proto: dict[str, Any]) -> str:
    """``gpl,pkt,sleep`` of one recorded prototype, or ``-``."""
    words = {"gpl": "gpl_only", "pkt": "pkt_access", "sleep": "might_sleep"}
    return ",".join(w for w, key in words.items() if proto[key]) or "-"


def verifier_columns(recorded: dict[str, Any]) -> tuple[str, str]:
    """Flags and kinds of one recorded helper; of several implementations the first is the row."""
    row = recorded.get("variants", [recorded])[0]
    return flags(row), kinds(row)


def variants(name: str, row: str) -> list[str]:
    """The last columns: ``types: kinds``."""
    made = []
    for types, other in VARIANTS.get(name, []):
        if other.endswith("*"):
            other = re.sub(r"\(\w+", "(" + other.removesuffix(" *"), row, count=1)
        made.append(f"{','.join(types.split())}: {other}")
    return made


def columns_in_tree() -> dict[int, tuple[str, str]]:
    """The verifier's columns as they stand in the data file."""
    lines = [line.split("\t") for line in DATA.read_text().splitlines() if line and line[0] != "#"]
    return {int(c[0]): (c[2], c[3]) for c in lines}


def recorded_columns(record: Path) -> dict[int, tuple[str, str]]:
    """The verifier's columns from a record file."""
    return {h["id"]: verifier_columns(h) for h in json.loads(record.read_text())["helpers"]}


def table(header: str, record: Path | None, names: dict[int, str]) -> str:
    """The whole data file."""
    by_name = prototypes(header)
    columns = recorded_columns(record) if record else columns_in_tree()
    rows = [HEAD]
    for number in range(1, COUNT + 1):
        name = names[number]
        words, verifier = columns[number]
        others = variants(name, verifier)
        rows.append("\t".join([str(number), since(number), words, verifier, by_name[name], *others]) + "\n")
    return "".join(rows)


def names_in_header(header: str) -> dict[int, str]:
    """Helper names by id: the header's list, and the fixed ones that follow it."""
    listed = re.findall(r"^\s*FN\((\w+)(?:, \d+, FN\w*)?\)", header, re.MULTILINE)
    listed += re.findall(r"^\s*FN\((\w+), \d+", header, re.MULTILINE) if not listed else []
    known = ["unspec", *[n for n in listed if n != "unspec"]]
    for young in ("cgrp_storage_get", "cgrp_storage_delete"):
        if young not in known:
            known.append(young)
    return {i: f"bpf_{name}" for i, name in enumerate(known)}


DEFS_HEAD = """\
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The helpers of Linux 6.18 as callable C names.  Written by tools/gen_helpers.py: do not edit.
 *
 * A helper is a constant function pointer whose value is the helper's number: the compiler turns a call through it
 * into the instruction `call NUMBER`.  Maps are `void *`, because each map definition is a type of its own.
 */
#pragma once

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

"""


def definitions(data: str) -> str:
    """bpf_helper_defs.h, from the text of the data file."""
    rows = [line.split("\t") for line in data.splitlines() if line and line[0] != "#"]
    protos = [(int(r[0]), r[1], r[2], r[4].replace("struct bpf_map *", "void *")) for r in rows]
    structs = sorted(set(re.findall(r"struct \w+", " ".join(p[3] for p in protos))))
    forward = "".join(f"{s};\n" for s in structs)
    return DEFS_HEAD + forward + "".join(_definition(*p) for p in protos)


def _definition(number: int, version: str, words: str, prototype: str) -> str:
    ret, name, args = re.fullmatch(r"(.*?)(bpf_\w+)\((.*)\)", prototype).groups()  # type: ignore[union-attr]
    notes = {"gpl": "GPL only", "sleep": "may sleep"}
    remark = "".join(f", {notes[w]}" for w in words.split(",") if w in notes)
    return f"\n/* {number}: since {version}{remark} */\nstatic {ret}(* const {name})({args}) = (void *) {number};\n"


def main() -> int:
    """Write or check both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--header", type=Path, default=Path("/usr/include/linux/bpf.h"))
    parser.add_argument("--kinds", type=Path, help="record of the kernel's prototypes (JSON)")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    options = parser.parse_args()
    header = options.header.read_text()
    data = table(header, options.kinds, names_in_header(header))
    made = {DATA: data, DEFS: definitions(data)}
    if options.check:
        stale = [p for p, text in made.items() if p.read_text() != text]
        print(*(f"{p} differs" for p in stale), sep="\n", file=sys.stderr)
        return 1 if stale else 0
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
