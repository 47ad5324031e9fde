"""Standard streams that are closed, full or gone; the ways to ask for help."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from osmia.cli.main import COMMANDS, main

OSMIA = f"{sys.executable} -m osmia.cli.main"
PROGRAM = "b7000000010000009500000000000000\n"


def shell(line, given=PROGRAM):
    done = subprocess.run(line, shell=True, input=given, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("what", ["--version", "-V", "--help", "disasm -", "run -", "run - --json", "asm -"])
def test_output_that_nobody_takes_is_one_line(what):
    given = "exit\n" if what.startswith("asm") else PROGRAM
    closed = shell(f"{OSMIA} {what} >&-", given)
    assert closed[0] == 3 and closed[2].count("\n") == 1 and "can't write the output" in closed[2]
    if Path("/dev/full").exists():
        status, _, err = shell(f"{OSMIA} {what} >/dev/full", given)
        assert status == 3 and err.count("\n") == 1 and "No space left on device" in err


def test_the_same_for_a_plain_object(tmp_path):
    (tmp_path / "a.s").write_text("exit\n")
    assert main(["asm", str(tmp_path / "a.s"), "-o", str(tmp_path / "a.o")]) == 0
    for where in (">&-", *([">/dev/full"] if Path("/dev/full").exists() else [])):
        status, _, err = shell(f"{OSMIA} disasm {tmp_path}/a.o {where}")
        assert status == 3 and err.count("\n") == 1 and "can't write the output" in err


def test_an_output_file_that_is_full_or_not_there():
    if Path("/dev/full").exists():
        status, _, err = shell(f"{OSMIA} asm - -o /dev/full", "exit\n")
        assert status == 3 and err == "osmia: can't write the output: No space left on device\n"
    status, _, err = shell(f"{OSMIA} asm - -o /nowhere/x", "exit\n")
    assert status == 2 and err == "osmia: /nowhere/x: No such file or directory\n"


@pytest.mark.parametrize("command", ["run", "disasm", "asm", "inspect", "emit", "btf dump", "conformance-plugin", "cc"])
def test_standard_input_that_is_closed(command):
    status, _, err = shell(f"{OSMIA} {command} {'' if 'conf' in command else '-'} <&-")
    assert status == 2 and err == "osmia: standard input is closed\n"


def test_ctrl_c_ends_a_run_without_a_traceback(tmp_path):
    import signal

    (tmp_path / "loop.s").write_text("l: goto l\nexit\n")
    words = [*OSMIA.split(), "run", "--trace", str(tmp_path / "loop.s")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    heed = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731 (jobs in the background do not)
    with subprocess.Popen(words, **pipes, preexec_fn=heed) as running:
        assert running.stdout.readline()  # it is at it
        running.send_signal(signal.SIGINT)
        assert b"Traceback" not in running.communicate(timeout=60)[1] and running.returncode == 130


@pytest.mark.parametrize("args", [["-h"], ["help"], ["run", "-h"], ["help", "run"], ["btf", "dump", "-h"]])
def test_every_way_to_ask_for_help(args, capsys):
    assert main(args) == 0
    assert "Usage: osmia" in capsys.readouterr().out


def test_the_version_by_each_name(capsys):
    from osmia import __version__

    for args in (["--version"], ["-V"]):
        assert main(args) == 0 and capsys.readouterr().out == f"osmia {__version__}\n"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_help_of_every_command_has_examples(name, capsys):
    assert main([name, "--help"]) == 0
    assert f"$ osmia {name} " in capsys.readouterr().out.replace("| osmia", "$ osmia")


def test_a_mistyped_command_is_guessed(capsys):
    assert main(["rnu"]) == 2
    assert "Did you mean 'run'?" in capsys.readouterr().err


def test_version_is_quick():
    took = []
    for _ in range(5):
        begin = time.perf_counter()
        subprocess.run([*OSMIA.split(), "--version"], check=True, capture_output=True)
        took.append(time.perf_counter() - begin)
    bare = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    assert min(took) < 0.08 + (time.perf_counter() - bare)
