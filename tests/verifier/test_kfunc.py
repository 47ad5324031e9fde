"""Calls of kernel functions: who may call which, iterators, sections, references; here and in the kernel."""

import pytest

from osmia import live
from osmia.btf import Func, Struct
from osmia.isa import Insn
from osmia.kernel.kfuncs import kfuncs
from osmia.live.prog import kernel_btf
from osmia.obj.model import Program
from osmia.testing.answers import TIME, Kernel, ask_osmia
from osmia.verifier.env import Powers

KINDS = (
    *(("xdp", "", ""), ("sched_cls", "", ""), ("socket_filter", "", ""), ("kprobe", "", ""), ("syscall", "", "")),
    *(("perf_event", "", ""), ("tracing", "trace_iter", "task"), ("tracing", "trace_raw_tp", "sched_switch")),
)
HARMFUL = ("bpf_wq_init",)
"""6.18.44 follows a null pointer when it gets a second map that has no special fields."""
END = [Insn(0xB7), Insn(0x95)]
SLEEPABLE = 1 << 4
FP = {slot: [Insn(0xBF, 1, 10), Insn(0x07, 1, 0, 0, -8 * slot)] for slot in (1, 2, 3)}


@pytest.fixture(scope="module")
def btf():
    try:
        return kernel_btf()
    except OSError:
        pytest.skip("no BTF of a kernel")


def call(btf, name):
    return Insn(0x85, 0, 2, 0, btf.find(name, Func) or 0)


def program(*insns, kind=("xdp", "", "")):
    flags = SLEEPABLE if kind[0] == "syscall" else 0
    return Program("t", kind[0], [*insns, *END], license="GPL", expected_attach_type=kind[1], attach_target=kind[2],
                   flags=flags)  # fmt: skip


def said(program):
    answer = ask_osmia(program, 1, Powers())
    return answer.errno, answer.message if answer.errno else ""


def test_the_table_says_who_may_call():
    table = kfuncs("6.18")
    assert table["bpf_task_acquire"].flags == {"acquire", "rcu", "ret_null"}
    assert table["bpf_task_acquire"].may_be_called("tracing", "trace_iter", "task")
    assert not table["bpf_task_acquire"].may_be_called("socket_filter", "cgroup_inet_ingress", "")
    assert table["bpf_iter_num_next"].flags == {"iter_next", "ret_null"}
    assert kfuncs("5.10") == {}


def counting(btf, body=(), last=3):
    """bpf_for(i, 0, last) with a body that may use r0, the pointer to the number."""
    new, next_, destroy = (call(btf, f"bpf_iter_num_{x}") for x in ("new", "next", "destroy"))
    head = [*FP[1], Insn(0xB7, 2), Insn(0xB7, 3, 0, 0, last), new]
    loop = [*FP[1], next_, Insn(0x15, 0, 0, len(body) + 1), *body, Insn(0x05, 0, 0, -len(body) - 5)]
    return [*head, *loop, *FP[1], destroy]


def test_iterators_end(btf):
    assert said(program(*counting(btf, [Insn(0x61, 1, 0)]))) == (0, "")
    assert said(program(*counting(btf, [Insn(0x61, 1, 0, 4)])))[0] == 13
    assert said(program(*counting(btf)[:-1])) == (
        22,
        "BPF_EXIT instruction in main prog would lead to reference leak",
    )
    assert said(program(*FP[1], call(btf, "bpf_iter_num_next"))) == (
        22,
        "expected an initialized iter_num as arg #0",
    )


def test_sections(btf):
    lock, unlock = call(btf, "bpf_rcu_read_lock"), call(btf, "bpf_rcu_read_unlock")
    assert said(program(lock, unlock)) == (0, "")
    assert said(program(lock, lock)) == (22, "nested rcu read lock (kernel function bpf_rcu_read_lock)")
    assert said(program(unlock)) == (22, "unmatched rcu read unlock (kernel function bpf_rcu_read_unlock)")
    off, on = call(btf, "bpf_preempt_disable"), call(btf, "bpf_preempt_enable")
    assert said(program(off, off, on, on)) == (0, "")
    assert said(program(off))[1].endswith("bpf_preempt_disable-ed region")
    save, restore = call(btf, "bpf_local_irq_save"), call(btf, "bpf_local_irq_restore")
    assert said(program(*FP[1], save, *FP[2], save, *FP[2], restore, *FP[1], restore)) == (0, "")
    assert said(program(*FP[1], save, *FP[2], save, *FP[1], restore))[0] == 13


def test_references(btf):
    kind = ("tracing", "trace_iter", "task")
    found = [Insn(0xB7, 1, 0, 0, 1), call(btf, "bpf_task_from_pid")]
    given_back = [Insn(0x15, 0, 0, 2), Insn(0xBF, 1, 0), call(btf, "bpf_task_release")]
    assert said(program(*found, *given_back, kind=kind)) == (0, "")
    assert said(program(*found, Insn(0xBF, 1, 0), call(btf, "bpf_task_release"), kind=kind)) == (
        13,
        "Possibly NULL pointer passed to trusted arg0",
    )
    kind = ("socket_filter", "", "")
    assert said(program(*found, *given_back, kind=kind)) == (
        13,
        "calling kernel function bpf_task_from_pid is not allowed",
    )


def test_numbers_that_are_no_functions(btf):
    struct = btf.find("task_struct", Struct)
    assert said(program(Insn(0x85, 0, 2, 0, struct))) == (22, f"kernel btf_id {struct} is not a function")
    assert said(program(Insn(0x85, 0, 2, -1, 5))) == (22, "failed to find BTF for kernel function")
    assert said(program(Insn(0x85, 0, 2, 1, 5))) == (71, "failed to find BTF for kernel function")


def sources(btf):
    """What may stand in every argument: nothing, zeros, the context, the stack, a pointer that nobody vouches for."""
    cast = call(btf, "bpf_rdonly_cast")
    task = [Insn(0xB7, 2, 0, 0, btf.find("task_struct", Struct)), cast, *(Insn(0xBF, n, 0) for n in range(1, 6))]
    stack = [x for n in range(1, 6) for x in (Insn(0xBF, n, 10), Insn(0x07, n, 0, 0, -64))]
    return ([], [Insn(0xB7, n) for n in range(1, 6)], [Insn(0xBF, n, 1) for n in range(2, 6)], stack, task)


@pytest.mark.live
@pytest.mark.parametrize("kind", KINDS)
def test_every_function_is_as_in_the_kernel(btf, kind):
    if (why := live.available()) is not None:
        pytest.skip(str(why))
    kernel, judged = Kernel(), 0
    for name in sorted(set(kfuncs("6.18")) - set(HARMFUL)):
        for source in sources(btf):
            asked = program(*source, call(btf, name), kind=kind)
            ours = ask_osmia(asked, 2, Powers())
            assert not ours.unsupported, name
            theirs = kernel.ask(asked, 2, Powers())
            assert (ours.errno, TIME.sub("", ours.log)) == (theirs.errno, TIME.sub("", theirs.log)), name
            judged += 1
    assert judged > 800
