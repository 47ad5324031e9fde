"""Attach targets: sets of functions, programs as targets, LSM hooks; on the types that are shipped."""

from dataclasses import replace
from random import Random

import pytest

from osmia.cli.main import main
from osmia.errors import UsageError
from osmia.isa import consts as c
from osmia.isa import macros as m
from osmia.kernel.attach import SETS, is_in, names_in
from osmia.obj import record
from osmia.obj.model import Program
from osmia.testing.generators import attach, extensions
from osmia.verifier.judge import judge, kernel_btf

KERNEL = "7.2"
PASS = [m.BPF_MOV64_IMM(0, 0), m.BPF_EXIT_INSN()]
ARGUMENT = [m.BPF_LDX_MEM(c.BPF_DW, 6, 1, 0), *PASS]


def lsm(hook, insns=PASS, kind="lsm_mac", flags=0):
    return Program("guard", "lsm", list(insns), "", kind, hook, license="GPL", flags=flags)


def target(kind="xdp"):
    rng = Random(1)
    while True:
        made = extensions.target_program(rng)
        if made.prog_type == kind and made.btf is not None and made.insns[-3].code != 0x85:
            return made


def extension(function, kinds, insns=PASS, context="xdp_md"):
    made = Program("fresh", "ext", list(insns), license="GPL", attach_target=function, attach_prog=target())
    extensions.describe(Random(1), made, [("fresh", kinds, 0)], context, 0.0)
    return made


class TestSets:
    def test_names_are_known_by_version(self):
        assert not is_in("lsm-disabled", "file_alloc_security", (6, 18))
        assert is_in("lsm-disabled", "file_alloc_security", (7, 2))
        assert is_in("lsm-sleepable", "inet_conn_established", (6, 1))
        assert not is_in("lsm-sleepable", "inet_conn_established", (6, 18))

    def test_a_star_is_any_ending(self):
        assert is_in("trace-sleepable", "__x64_sys_openat", (7, 2))
        assert not is_in("trace-sleepable", "__x64_sys_openat", (6, 18))

    def test_every_set_has_names(self):
        assert all(names_in(which, (7, 2)) for which in SETS)

    def test_an_unknown_set(self):
        with pytest.raises(KeyError):
            names_in("nothing", (6, 18))


class TestHooks:
    def test_arguments_are_trusted_but_where_objects_go(self):
        whole = judge(lsm("file_open", ARGUMENT), KERNEL, log_level=2).log
        going = judge(lsm("task_free", ARGUMENT), KERNEL, log_level=2).log
        assert "R6=trusted_ptr_file()" in whole
        assert "R6=ptr_task_struct()" in going

    def test_what_is_behind_the_arguments(self):
        returned = [m.BPF_LDX_MEM(c.BPF_DW, 6, 1, 8), *PASS]
        assert (
            "R6=scalar(smin=smin32=-4095,smax=smax32=0)" in judge(lsm("file_open", returned), KERNEL, log_level=2).log
        )
        assert "doesn't have 3-th argument" in judge(lsm("task_free", returned), KERNEL).log

    @pytest.mark.parametrize(("value", "errno"), [(0, 0), (-13, 0), (1, 22), (-4096, 22)])
    def test_what_a_hook_returns(self, value, errno):
        insns = [m.BPF_MOV64_IMM(0, value), m.BPF_EXIT_INSN()]
        assert judge(lsm("file_open", insns), KERNEL).errno == errno

    def test_where_programs_sleep(self):
        assert judge(lsm("file_open", flags=attach.SLEEPABLE), KERNEL).ok
        assert "is not sleepable" in judge(lsm("task_free", flags=attach.SLEEPABLE), KERNEL).log

    def test_void_hooks_of_cgroups(self):
        verdict = judge(lsm("task_free", kind="lsm_cgroup"), KERNEL)
        assert verdict.errno == 22
        assert "void LSM hooks can't modify return value" in verdict.log


class TestPrograms:
    @pytest.mark.parametrize(
        ("function", "kinds", "said"),
        [
            ("helper", "in", ""),
            ("helper", "i", "fresh() has 1 args while helper() has 2 args"),
            ("helper", "il", "arg1 in fresh() has size 8 while helper() has 4"),
            ("local", "i", "local() is not a global function"),
            ("missing", "i", "Tracing programs must provide btf_id"),
        ],
    )
    def test_replacing_a_function(self, function, kinds, said):
        verdict = judge(extension(function, kinds), KERNEL)
        assert verdict.ok is (said == "")
        assert said in verdict.log

    def test_the_replaced_context_is_read_as_the_target_reads_it(self):
        read = [m.BPF_LDX_MEM(c.BPF_W, 0, 1, 8), m.BPF_EXIT_INSN()]
        assert judge(extension("reader", "ci", read), KERNEL).ok
        wrong = judge(extension("reader", "ci", read, "__sk_buff"), KERNEL)
        assert "doesn't match reader(struct xdp_md *)" in wrong.log

    def test_a_replacement_does_no_more_than_the_original(self):
        moves = [m.BPF_MOV64_IMM(2, 0), m.BPF_EMIT_CALL(44), *PASS]
        assert "Extension program changes packet data" in judge(extension("reader", "ci", moves), KERNEL).log

    def test_a_replacement_of_a_replacement(self):
        inner = extension("helper", "in")
        outer = replace(extension("helper", "in"), attach_prog=inner, attach_target="fresh")
        assert "Cannot recursively attach" in judge(outer, KERNEL).log

    def test_a_target_that_is_refused(self):
        bad = replace(target(), insns=[m.BPF_EXIT_INSN()], func_info=[], btf=None)
        verdict = judge(replace(extension("helper", "in"), attach_prog=bad), KERNEL)
        assert (verdict.ok, verdict.where, verdict.errno) == (False, "target", 13)

    def test_a_ring_of_targets(self):
        program = extension("helper", "in")
        program.attach_prog = program
        with pytest.raises(UsageError, match="attach_prog"):
            judge(program, KERNEL)

    def test_what_follows_a_program_sees_the_kernels_context(self):
        follows = Program("follows", "tracing", list(ARGUMENT), "", "trace_fentry", "reader", license="GPL")
        follows.attach_prog = target()
        assert "R6=ptr_xdp_buff()" in judge(follows, KERNEL, log_level=2).log

    def test_no_program_is_modified(self):
        changes = Program("changes", "tracing", list(PASS), "", "modify_return", "reader", license="GPL")
        changes.attach_prog = target()
        assert "can't modify return codes of BPF programs" in judge(changes, KERNEL).log

    def test_a_record_keeps_the_target(self):
        import json

        row = record.record(extension("helper", "in"))
        read = record.load(json.dumps(row).encode()).programs["fresh"]
        assert read.attach_target == "helper"
        assert read.attach_prog is not None
        assert read.attach_prog.insns == target().insns
        assert judge(read, KERNEL).ok

    def test_on_the_command_line(self, tmp_path, capsys):
        (tmp_path / "t.jsonl").write_bytes(_line(target()))
        (tmp_path / "e.jsonl").write_bytes(_line(replace(extension("helper", "i"), attach_prog=None)))
        files = [str(tmp_path / "e.jsonl"), "--target-prog", str(tmp_path / "t.jsonl")]
        assert main(["verify", *files, "--kernel", KERNEL]) == 1
        assert "fresh() has 1 args while helper() has 2 args" in capsys.readouterr().out


def _line(program):
    import json

    return json.dumps(record.record(program) | {"attach_btf": program.attach_target}).encode()


def _extension(rng, btf):
    return extensions.extension(rng)


class TestGenerator:
    @pytest.mark.parametrize("make", [attach.traced, attach.struct_op, attach.hooked, _extension])
    def test_programs_get_a_verdict(self, make):
        rng, btf = Random(4), kernel_btf(KERNEL)
        programs = [make(rng, btf) for _ in range(60)]
        verdicts = [judge(program, KERNEL) for program in programs]
        assert sum(not v.unsupported for v in verdicts) > 45
        assert any(v.ok for v in verdicts)
        assert len({v.error.kind for v in verdicts if v.error is not None}) > 5
