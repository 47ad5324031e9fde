"""Every example in a command's help is a line that works."""

import json
import os
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from osmia import cc
from osmia.cli.main import COMMANDS, EXAMPLES, main
from osmia.errors import Unavailable
from osmia.kernel.types import types_of

TWO = """#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
SEC("kprobe/do_exit") int {name}(void *c)
{{
	struct task_struct *task = (void *)bpf_get_current_task();
	return BPF_CORE_READ(task, tgid);
}}
char l[] SEC("license") = "GPL";
"""
XDP = """#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("xdp") int drop(struct xdp_md *c) { return XDP_DROP; }
char l[] SEC("license") = "GPL";
"""


REPLACEMENT = """#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("freplace/drop") int check(struct xdp_md *c) { return XDP_PASS; }
char l[] SEC("license") = "GPL";
"""
STATUS = {"osmia profile diff": 1}
"""Of examples that say no, as a diff does."""


def lines():
    for name in sorted(COMMANDS):
        epilog = import_module(f"osmia.cli.{name.replace('-', '_')}").command.epilog or ""
        yield from (line.strip()[2:] for line in epilog.splitlines() if line.strip().startswith("$ "))
    yield from EXAMPLES


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A directory with everything that the examples name, and osmia on the path."""
    made = tmp_path_factory.mktemp("examples")
    try:
        cc.find_compiler()
    except Unavailable as e:
        pytest.skip(str(e))
    (made / "prog.bpf.c").write_text(XDP)
    for name in "ab":
        (made / f"{name}.bpf.c").write_text(TWO.format(name=name))
    for name in ("prog", "a", "b"):
        (made / f"{name}.bpf.o").write_bytes(cc.compile(made / f"{name}.bpf.c"))
    record = {"name": "p", "prog_type": "xdp", "insns_hex": "b7000000020000009500000000000000"}
    (made / "programs.jsonl").write_text(json.dumps(record) + "\n")
    (made / "prog.s").write_text("r0 = 1\nexit\n")
    (made / "filter.txt").write_text("ldh [12]\njne #0x806, drop\nret #-1\ndrop: ret #0\n")
    shutil.copy(Path(__file__).parent.parent.parent / "examples" / "packets.pcap", made / "traffic.pcap")
    (made / "build").mkdir()
    shutil.copy(made / "prog.bpf.o", made / "build")
    shutil.copy(made / "prog.bpf.o", made / "firewall.bpf.o")
    (made / "replace.bpf.c").write_text(REPLACEMENT)
    (made / "vendor.btf").write_bytes(types_of("6.1"))
    (made / "vendor.txt").write_text("parent 6.1\nversion 6.1\n")
    (made / "osmia").write_text(f'#!/bin/sh\nexec {sys.executable} -m osmia.cli.main "$@"\n')
    (made / "osmia").chmod(0o755)
    return made


@pytest.mark.parametrize("line", list(lines()))
def test_the_examples_work(line, place):
    for need in ("/sys/kernel/btf/vmlinux", "jq", "tcpdump"):
        if need in line and not (Path(need).exists() or shutil.which(need)):
            pytest.skip(f"{need} is not here")
    if "profile record" in line:
        pytest.skip("takes minutes, and root: tests/live/test_record.py")
    env = {**os.environ, "PATH": f"{place}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], cwd=place, env=env, capture_output=True, check=False)
    expected = next((status for begin, status in STATUS.items() if line.startswith(begin)), 0)
    assert done.returncode == expected, done.stderr.decode()
    assert "-o" in line or ">" in line or "osmia cc" in line or done.stdout


def test_the_help_of_osmia_itself(capsys):
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"$ {line}" in out for line in EXAMPLES) and "Exit status: 0 done" in out
