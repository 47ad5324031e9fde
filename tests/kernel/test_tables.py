"""The tables against each other and, where its record is at hand, against what kernels answered."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from osmia.errors import InternalError, UsageError
from osmia.kernel import helpers, prog_types, uapi
from osmia.kernel.helpers import HELPERS, helper_by_id, helper_by_name

ROOT = Path(__file__).parents[2]
RECORD = Path(os.environ.get("OSMIA_ORACLE_DATA", ROOT.parent / "shared/oracle/data"))
needs_record = pytest.mark.skipif(not RECORD.is_dir(), reason="no record of kernels (OSMIA_ORACLE_DATA)")


def test_rows_are_numbered() -> None:
    assert [h.id for h in HELPERS] == list(range(1, 212))
    assert len({h.name for h in HELPERS}) == 211


def test_every_row_is_consistent() -> None:
    for h in HELPERS:
        assert len(h.args) <= 5
        named = [a for a in h.c_args if a != "..."]
        unchecked = {"bpf_get_branch_snapshot": 1}.get(h.name, 0)  # the verifier does not look at its flags
        assert len(named) == len(h.args) + unchecked or h.c_args[-1] == "...", h.name
        assert h.ret.isidentifier() or "|" in h.ret
        assert all(i < len(h.args) for i in (*(h.arg_sizes or ()), *(h.arg_structs or ())))
        assert h.since <= (6, 2)


def test_known_rows() -> None:
    row = helper_by_name("bpf_map_update_elem")
    assert row is helper_by_id(2)
    assert row.args == ("CONST_MAP_PTR", "PTR_TO_MAP_KEY", "PTR_TO_MAP_VALUE", "ANYTHING")
    expected = "long bpf_map_update_elem(struct bpf_map *map, const void *key, const void *value, __u64 flags)"
    assert row.declaration == expected
    assert helper_by_name("bpf_ktime_get_ns").declaration == "__u64 bpf_ktime_get_ns(void)"
    assert helper_by_name("bpf_strtol").arg_sizes == {3: 8}
    assert helper_by_name("bpf_d_path").arg_structs == {0: "path"}


def test_kinds_by_program_type() -> None:
    row = helper_by_name("bpf_setsockopt")
    assert row.kinds("sock_ops")[1][0] == "PTR_TO_CTX"
    assert row.kinds("struct_ops")[1][0] == "PTR_TO_BTF_ID_SOCK_COMMON"


@pytest.mark.parametrize("number", [0, -1, 212, 1 << 40])
def test_unknown_id(number: int) -> None:
    with pytest.raises(UsageError):
        helper_by_id(number)


def test_unknown_names() -> None:
    for ask in (helper_by_name, uapi.prog_type, uapi.attach_type, uapi.map_type, prog_types.prog_type):
        with pytest.raises(UsageError):
            ask("no_such_name")


BROKEN = ["1", "x|3.18|-|INTEGER()|long bpf_a(void)", "1|3|-|INTEGER()|long bpf_a(void)",
          "1|3.1|-|integer|long bpf_a(void)", "1|3.1|-|INTEGER()|nothing"]  # fmt: skip


@pytest.mark.parametrize("line", [b.replace("|", "\t") for b in BROKEN])
def test_broken_rows(line: str) -> None:
    with pytest.raises(InternalError, match=r"helpers\.txt:1"):
        list(helpers.parse_rows(line))


def test_type_numbers() -> None:
    assert uapi.PROG_TYPES[6] == "xdp"
    assert uapi.MAP_TYPES[27] == "ringbuf"
    assert uapi.ATTACH_TYPES[24] == "trace_fentry"
    assert len(uapi.PROG_TYPES) == uapi.PROG_TYPES_6_18
    assert uapi.MAP_TYPES[uapi.MAP_TYPES_6_18 :] == ("insn_array", "rhash")
    assert uapi.ATTACH_TYPES[uapi.ATTACH_TYPES_6_18] == "trace_fsession"


def test_return_names() -> None:
    xdp = prog_types.prog_type("xdp")
    assert (xdp.context, xdp.return_name(1), xdp.return_name(77)) == ("struct xdp_md", "XDP_DROP", "77")
    assert prog_types.prog_type("sched_cls").return_name(0xFFFFFFFF) == "TC_ACT_UNSPEC"
    assert prog_types.prog_type("kprobe").return_name(5) == "5"


def test_files_are_fresh() -> None:
    """The generator, fed with the data file's own columns, writes both files again, byte for byte."""
    header = Path("/usr/include/linux/bpf.h")
    if not header.exists() or "FN(user_ringbuf_drain" not in header.read_text():
        pytest.skip("no UAPI header of 6.1 or later")
    subprocess.run([sys.executable, ROOT / "tools/gen_helpers.py", "--check"], check=True)


@needs_record
def test_rows_equal_the_record() -> None:
    record = json.loads((RECORD / "helper_prototypes.json").read_text())["helpers"]
    for theirs, ours in zip(record, HELPERS, strict=True):
        every = theirs.get("variants", [theirs])
        first = every[0]
        assert (ours.id, ours.name, ours.ret) == (theirs["id"], theirs["name"], first["ret"])
        assert list(ours.args) == first["args"]
        assert ours.gpl_only == first["gpl_only"]
        assert ours.might_sleep == first["might_sleep"]
        assert ours.pkt_access == first["pkt_access"]
        assert {str(i + 1): n for i, n in (ours.arg_sizes or {}).items()} == first.get("arg_sizes", {})
        assert {str(i + 1): n for i, n in (ours.arg_structs or {}).items()} == first.get("arg_structs", {})
        known = [(ours.ret, list(ours.args)), *((v.ret, list(v.args)) for v in ours.variants)]
        assert all((v["ret"], v["args"]) in known for v in every)


@needs_record
@pytest.mark.parametrize("kernel", ["5.10", "6.1", "6.12", "6.18", "7.2"])
def test_since_agrees_with_recorded_kernels(kernel: str) -> None:
    names = json.loads((RECORD / f"{kernel}.json").read_text())["helpers"]["names"]
    version = tuple(map(int, kernel.split(".")))
    assert {int(i): n for i, n in names.items()} == {h.id: h.name for h in HELPERS if h.since <= version}


@needs_record
@pytest.mark.parametrize("kernel", ["6.18", "7.2"])
def test_map_types_agree_with_recorded_kernels(kernel: str) -> None:
    assert set(json.loads((RECORD / f"{kernel}.json").read_text())["maps"]) <= set(uapi.MAP_TYPES)


def test_flags_are_distinct_bits() -> None:
    for table in (uapi.PROG_FLAGS, uapi.MAP_FLAGS):
        assert len(set(table.values())) == len(table)
        assert all(re.fullmatch(r"0b10*", bin(v)) for v in table.values())
