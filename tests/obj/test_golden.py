"""Checked-in objects (compiled from c/) against checked-in texts; see golden_text.py for how to make them anew."""

from __future__ import annotations

import pytest
from obj.golden_text import GOLDEN, KCONFIG, linked, read, render

from osmia.btf import Btf, Func, FuncProto, Struct
from osmia.errors import LinkError
from osmia.obj import load


@pytest.mark.parametrize("name", sorted(p.stem for p in GOLDEN.glob("*.txt")))
def test_collections_are_what_they_were(name):
    assert render(linked(name)) == (GOLDEN / f"{name}.txt").read_text()


def test_both_byte_orders_mean_the_same():
    little, big = linked("calls"), linked("calls.be")
    assert {n: p.insns for n, p in little.programs.items()} == {n: p.insns for n, p in big.programs.items()}
    assert {n: p.line_info for n, p in little.programs.items()} == {n: p.line_info for n, p in big.programs.items()}


def test_reasons_of_poison_name_the_field_or_function():
    (why,) = linked("core").programs["fields"].poisoned.values()
    assert "task_struct" in why and "nothing_like_this" in why
    assert "'bpf_no_such_kfunc'" in linked("externs").programs["functions"].poisoned[10]


def test_without_a_target_programs_keep_names_and_compiled_offsets():
    programs = load(read("externs"), kconfig={"CONFIG_HZ": 1, "CONFIG_BPF_SYSCALL": True, "CONFIG_BPF_JIT": "y",
                    "CONFIG_NR_CPUS": 4, "CONFIG_DEFAULT_HOSTNAME": '"x"'}).programs  # fmt: skip
    found = [(x.name, x.kind, x.weak) for x in programs["functions"].externs]
    assert found == [("bpf_task_from_pid", "func", False), ("bpf_task_release", "func", False),
                     ("bpf_no_such_kfunc", "func", True), ("bpf_no_such_kfunc", "func", True)]  # fmt: skip
    assert not programs["functions"].poisoned
    assert not load(read("core")).programs["fields"].poisoned
    assert [i.imm for i in programs["functions"].insns if i.code == 0x85] == [0, 0, 0]


def test_a_target_of_types_alone_says_nothing_of_functions():
    types = Btf()
    types.add(Struct("task_struct", 8, ()))
    programs = load(read("externs"), target_btf=types, kconfig=KCONFIG).programs
    assert {x.name for x in programs["functions"].externs} >= {"bpf_task_from_pid", "bpf_no_such_kfunc"}
    assert not programs["functions"].poisoned


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "extern 'CONFIG_HZ' has no value"),
        ({"CONFIG_HZ": "250", "CONFIG_NR_CPUS": "70000"}, "'CONFIG_NR_CPUS' (int): the value '70000' needs at most 2"),
        ({"CONFIG_HZ": "y"}, "extern 'CONFIG_HZ' (int): the value 'y' needs tristate, char or"),
        ({"CONFIG_HZ": '"x"'}, "needs a char array"),
        ({"CONFIG_HZ": "1z"}, "needs a number"),
    ],
)
def test_configuration_that_does_not_fit(config, message):
    with pytest.raises(LinkError) as e:
        load(read("externs"), path="x.o", kconfig=config)
    assert message in str(e.value)
    assert str(e.value).startswith("x.o, section .kconfig: ")


def test_a_strong_symbol_that_the_target_lacks():
    kernel = Btf()
    kernel.add(Func("another", kernel.add(FuncProto(0, ()))))
    with pytest.raises(LinkError, match="the target has no kernel function 'bpf_task_from_pid'"):
        load(read("externs"), target_btf=kernel, kconfig=KCONFIG)
    with pytest.raises(LinkError, match="kallsyms has no 'schedule'"):
        load(read("externs"), kconfig=KCONFIG, kallsyms={})


def test_the_number_of_cpus_sizes_event_arrays_only():
    maps = {cpus: load(read("maps"), cpus=cpus).maps for cpus in (1, 64)}
    assert (maps[1]["perf"].max_entries, maps[64]["perf"].max_entries) == (1, 64)
    assert maps[1]["typed"].max_entries == maps[64]["typed"].max_entries == 100
