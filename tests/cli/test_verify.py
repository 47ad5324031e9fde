"""osmia verify and osmia verdict."""

import json

import pytest

from osmia.cli.main import main
from osmia.isa import encode
from osmia.isa import macros as m
from osmia.verifier.batch import Batch, How

GOOD = encode((m.BPF_MOV64_IMM(0, 2), m.BPF_EXIT_INSN())).hex()
BAD = encode((m.BPF_MOV64_REG(0, 5), m.BPF_EXIT_INSN())).hex()


def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def row(name, code=GOOD, **more):
    return {"name": name, "prog_type": "xdp", "insns_hex": code, **more}


@pytest.fixture
def asked(tmp_path, capsys):
    """Run a command on a file of records: exit status, output, errors."""

    def ask(command, *rows, options=(), text=None):
        path = tmp_path / "programs.jsonl"
        path.write_text(lines(*rows) if text is None else text)
        status = main([command, str(path), *options])
        said = capsys.readouterr()
        return status, said.out, said.err

    return ask


def test_an_accepted_program(asked):
    status, out, _ = asked("verify", row("good"))
    assert (status, out) == (0, "good (xdp): accepted (2 insns processed, 0 states, stack 0)\n")


def test_a_rejected_program_says_why(asked):
    status, out, _ = asked("verify", row("good"), row("bad", BAD))
    assert status == 1
    assert out.endswith("bad (xdp): rejected with EACCES: R5 !read_ok\n  0: (bf) r0 = r5\n")


def test_the_log_on_demand(asked):
    _, out, _ = asked("verify", row("good"), options=["--log-level", "6"])
    assert "func#0 @0\nLive regs before insn:\n" in out
    assert "0: (b7) r0 = 2                        ; R0=2\n1: (95) exit\nverification time " in out
    assert "stack depth 0\nprocessed 2 insns (limit 1000000)" in out
    assert out.endswith("mark_read 0\ngood (xdp): accepted (2 insns processed, 0 states, stack 0)\n")


def test_a_long_log_is_printed_while_it_grows(asked, monkeypatch):
    monkeypatch.setattr("osmia.verifier.log.STREAM_AT", 100)
    monkeypatch.setattr("osmia.verifier.log.STREAM_KEEPS", 10)
    code = encode((*[m.BPF_MOV64_IMM(0, 2)] * 200, m.BPF_EXIT_INSN())).hex()
    streamed = asked("verify", row("p", code), options=["--log-level", "2"])[1]
    whole = asked("verify", row("p", code), options=["--log-level", "2", "--json"])[1]
    assert streamed.startswith(json.loads(whole)["programs"][0]["log"])


def test_a_small_buffer_fails_the_load_as_in_the_kernel(asked):
    status, out, _ = asked("verify", row("good"), options=["--log-level", "2", "--log-size", "40", "--json"])
    made = json.loads(out)["programs"][0]
    assert (status, made["ok"], made["error"], made["log_cut"], len(made["log"])) == (1, False, "ENOSPC", True, 39)


def test_json(asked):
    status, out, _ = asked("verify", row("bad", BAD), options=["--json"])
    (program,) = json.loads(out)["programs"]
    assert status == 1
    assert program["reason"] == {
        "kind": "uninit-register", "text": "R5 !read_ok", "insn": 0, "register": 5, "shown": "(bf) r0 = r5",
    }  # fmt: skip
    assert (program["processed"], program["stack_depth"]) == (1, "0")


def test_power_matters(asked):
    leak = encode((m.BPF_MOV64_REG(0, 10), m.BPF_EXIT_INSN())).hex()
    assert asked("verify", row("leak", leak) | {"prog_type": "socket_filter"})[0] == 0
    for options in (["--unprivileged"], ["--caps", "bpf"]):
        status, out, _ = asked("verify", row("leak", leak) | {"prog_type": "socket_filter"}, options=options)
        assert (status, "R0 leaks addr as return value" in out) == (1, True)


@pytest.mark.parametrize(
    "options", [["--kernel", "2.4"], ["--prog", "nobody"], ["--caps", "everything"], ["--btf", "/nowhere"]]
)
def test_bad_options_are_one_line(asked, options):
    status, out, err = asked("verify", row("good"), options=options)
    assert (status, out, err.count("\n")) == (2, "", 1)


def test_a_verdict_a_line_with_what_the_line_wants(asked):
    rows = (row("good"), row("", BAD, log_level=0), row("nobody", unprivileged=True), row("some", caps=["bpf"]))
    status, out, err = asked("verdict", *rows)
    made = [json.loads(line) for line in out.splitlines()]
    answers = [answer["kernels"]["6.18"] for answer in made]
    assert (status, [answer["name"] for answer in made]) == (0, ["good", "", "nobody", "some"])
    assert [answer["errno"] for answer in answers] == [0, 13, 1, 1]
    assert answers[0]["log"].startswith("processed 2 insns (limit 1000000) ")
    assert [answer["log"] for answer in answers[1:]] == ["", "", ""]
    assert err == "6.18: 1 of 4 accepted, 3 rejected\n"


def test_addresses_are_masked(asked):
    code = encode((*m.BPF_LD_MAP_FD(1, 0), m.BPF_MOV64_IMM(0, 0), m.BPF_EXIT_INSN())).hex()
    _, out, _ = asked("verdict", row("p", code, maps=[{"type": "hash", "key": 4, "value": 8, "entries": 1}]),
                      options=["--log-level", "2"])  # fmt: skip
    log = json.loads(out)["kernels"]["6.18"]["log"]
    assert "0: (18) r1 = 0xADDR       ; R1=map_ptr(ks=4,vs=8)\n" in log


def test_many_processes_answer_in_order(asked):
    rows = [row(f"p{number}", BAD if number % 3 else GOOD) for number in range(50)]
    status, out, _ = asked("verdict", *rows, options=["--jobs", "2"])
    assert status == 0
    assert [json.loads(line)["name"] for line in out.splitlines()] == [f"p{number}" for number in range(50)]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_bad_line_is_one_clear_error(asked, jobs, tmp_path):
    text = lines(*[row("good")] * 20) + '{"name": "x", "prog_type": "xdp", "insns_hex": 7}\n'
    status, _, err = asked("verdict", text=text, options=["--jobs", jobs])
    assert status == 2
    assert err.splitlines()[-1].startswith(f"osmia: {tmp_path / 'programs.jsonl'}:21: insns_hex:")


@pytest.mark.parametrize("text", ["nonsense\n", "[]\n", '{"name": 1}\n', "\xff\n", lines(row("x", caps=["all"])),
                                  lines(row("x", log_level=-1)), '{"a":' * 5000 + "\n"])  # fmt: skip
def test_what_is_no_record(asked, text):
    status, out, err = asked("verdict", text=text)
    assert (status, out, err.count("\n")) == (2, "", 1)


def test_our_own_failures_do_not_end_a_batch(monkeypatch):
    def fails(*_, **__):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("osmia.verifier.batch.judge", fails)
    answer = Batch(How()).answer(json.dumps(row("p")).encode(), 1)["kernels"]["6.18"]
    assert (answer["where"], answer["reason"]["text"]) == ("crash", "ZeroDivisionError: oh")


LEAK = encode((m.BPF_MOV64_IMM(0, 0), m.BPF_LDX_MEM(0, 0, 2, 0), m.BPF_EXIT_INSN())).hex()


def test_an_explanation_takes_the_place_of_the_reason(asked):
    status, out, _ = asked("verify", row("good"), row("bad", BAD), options=["--explain"])
    assert status == 1
    assert out.startswith("good (xdp): accepted (2 insns processed, 0 states, stack 0)\nbad: R5 is read, but ")
    assert "\n  --> insn 0\n      (bf) r0 = r5\nverdict      Linux 6.18 refuses the load: EACCES\n" in out
    assert "\x1b" not in out


def test_an_explanation_as_facts(asked):
    _, out, _ = asked("verify", row("bad", LEAK), row("good"), options=["--explain", "--json"])
    bad, good = json.loads(out)["programs"]
    assert "explanation" not in good
    said = bad["explanation"]
    assert (said["kind"], said["error"], said["place"]["insn"]) == ("uninit-register", "EACCES", 1)
    assert said["known"] == [{"name": "R2", "text": "nothing: never written on this path"}]
    assert said["fixes"] and said["rule"].endswith(".")


def test_colours_are_for_terminals(asked, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "70")
    _, out, _ = asked("verify", row("bad", BAD), options=["--explain"])
    assert "\x1b[" in out
