"""What a Python programmer sees: reprs of one line, errors with program and source line, threads, pickles."""

import pickle
import threading

import pytest

import osmia
from osmia import cc
from osmia.errors import BudgetExceeded, Fault, Unavailable, UsageError, VmError

C = """#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("xdp") int reads(struct xdp_md *c)
{
	char *p = (void *)(long)c->data;
	return p[1000];
}
char l[] SEC("license") = "GPL";
"""


@pytest.fixture(scope="module")
def collection():
    try:
        return osmia.compile(C)
    except Unavailable as e:
        pytest.skip(str(e))


def test_a_fault_names_program_and_line(collection):
    with pytest.raises(Fault) as caught:
        collection["reads"].load().run(data=bytes(64))
    assert str(caught.value).startswith("reads: insn 1 (<text>:6): read of 1 byte at ")
    facts = caught.value.to_json()
    assert facts["program"] == "reads" and facts["insn"] == 1 and facts["source"] == "<text>:6"
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_also_when_it_is_repeated_or_out_of_budget(collection):
    with pytest.raises(Fault, match=r"^reads: insn 1 "):
        collection["reads"].load().run(data=bytes(64), repeat=3)
    with pytest.raises(BudgetExceeded, match=r"^reads: insn 1 "):
        collection["reads"].load(budget=1).run(data=bytes(2000))


def test_nameless_programs_have_only_a_slot():
    with pytest.raises(VmError, match=r"^insn 0: read of 8 bytes"):
        osmia.Program("r0 = *(u64 *)(r1 + 100)\nexit", "xdp").load().run(data=bytes(64))


def test_where_a_slot_comes_from(collection):
    program = collection["reads"]
    assert [program.source_of(i) for i in (0, 1, 99)] == ["<text>:5", "<text>:6", "<text>:6"]
    assert osmia.Program("exit").source_of(0) == ""


def test_reprs_are_one_short_line(collection):
    result = osmia.Program("r0 = 2\nexit", "xdp", name="pass").load().run(data=bytes(1500))
    assert repr(result).startswith("<Result pass: XDP_PASS, 2 insns, ") and "data 1500 bytes" in repr(result)
    assert repr(osmia.MapSpec("c", "array", 4, 8)) == "MapSpec('c', 'array', key_size=4, value_size=8)"
    assert repr(osmia.MapSpec("c", "array", data=bytes(4096))) == "MapSpec('c', 'array', data=<4096 bytes>)"
    for value in (result, collection, collection["reads"], collection["reads"].load(), collection.maps, osmia.World()):
        assert len(repr(value)) < 200 and "\n" not in repr(value)


@pytest.mark.parametrize("wrong", [7, None, 1.5, ["exit"]])
def test_what_is_no_program(wrong):
    with pytest.raises(UsageError, match="a program is made of"):
        osmia.Program(wrong)


@pytest.mark.parametrize("wrong", ["text", 7, [1]])
def test_what_is_no_packet(wrong):
    with pytest.raises(UsageError, match="data is bytes"):
        osmia.Program("exit", "xdp").load().run(data=wrong)


def test_values_pickle(collection):
    program = osmia.Program("r0 = 1\nexit", "xdp", maps=[osmia.MapSpec("c", "array", 4, 8, 16)])
    result = program.load().run(data=bytes(64))
    for value in (program.maps[0], result, osmia.Insn(0x95, 0, 0, 0, 0)):
        assert pickle.loads(pickle.dumps(value)) == value
    assert pickle.loads(pickle.dumps(program)).load().run(data=bytes(64)).action == "XDP_DROP"


def test_one_world_for_each_thread():
    got = []

    def work(number):
        executable = osmia.Program(f"r0 = {number}\nexit", "xdp").load()
        got.extend(executable.run(data=bytes(64)).retval for _ in range(50))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == sorted([0, 1, 2, 3] * 50)


def test_the_name_of_a_task_as_kernels_define_it():
    for head in ("", "#define TASK_COMM_LEN 16\n"):
        try:
            cc.compile(f'{head}#include "vmlinux.h"\nchar comm[TASK_COMM_LEN];\n')
        except Unavailable as e:
            pytest.skip(str(e))


def test_also_when_it_can_not_be_loaded():
    with pytest.raises(VmError, match=r"^odd: insn 0: "):
        osmia.Program(b"\xff" * 8, "xdp", name="odd", section="xdp").load()
