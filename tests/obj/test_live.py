"""The running kernel takes what we link."""

from __future__ import annotations

import pytest
from obj import judge
from obj.golden_text import KCONFIG, read
from obj.test_against_libbpf import kernel

from osmia import live
from osmia.errors import KernelError
from osmia.obj import load

NOT_ALLOWED = ("tracing", "lsm", "struct_ops")  # a machine's policy or configuration may forbid them


@pytest.mark.live
@pytest.mark.parametrize("name", ["calls", "globals", "maps", "legacy", "sections", "core"])
def test_golden_programs_load(name):
    reason = live.available()
    if reason or not judge.VMLINUX.exists():
        pytest.skip(reason or "the kernel shows no BTF")
    collection = load(read(name), path=f"{name}.bpf.o", target_btf=kernel(), kconfig=KCONFIG)
    loaded = [take(program) for program in collection.programs.values() if program.autoload]
    assert any(loaded)


def take(program) -> bool:
    """Load and forget; False where the kernel's policy says no."""
    try:
        with live.load(program):
            return True
    except KernelError as error:
        assert program.prog_type in NOT_ALLOWED and error.errno == 1 and not error.log, error.log
        return False
