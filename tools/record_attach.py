"""What a kernel in a guest says of attaching to each of its functions, against src/osmia/kernel/data/attach.txt.

    OSMIA_ORACLE=DIR python tools/record_attach.py 7.2 [--functions]

A program of each kind is put to every LSM hook and, with ``--functions``, to every function of the kernel's BTF
(50,000; a few minutes).  Prints the sets as rows of the table, and what is not in it, and exits with 1 where
the table says otherwise.  The versions in the table are those of mainline; a stable kernel may carry a change earlier.
"""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Callable
from functools import partial

from guests import Guest, Task

from osmia.btf import Func
from osmia.isa import Insn
from osmia.isa import consts as c
from osmia.isa import macros as m
from osmia.kernel.attach import TRACE_SETS, is_in
from osmia.kernel.features import parse_version
from osmia.obj.model import Program
from osmia.testing.answers import Answer

SLEEPABLE = 1 << 4
SETSOCKOPT = 49
ZERO = [m.BPF_MOV64_IMM(0, 0), m.BPF_EXIT_INSN()]
UNKNOWN = [m.BPF_LDX_MEM(c.BPF_DW, 0, 10, -8), m.BPF_EXIT_INSN()]
LOADED = re.compile(r"R6(?:_w)?=(trusted_)?ptr_")
NO_HELPER = ("unknown func", "cannot use helper")
MOST_ARGS = 6
Facts = dict[str, set[str]]
Asked = dict[str, tuple[Callable[[str], Program], int]]


def hook(name: str, insns: list[Insn], kind: str = "lsm_mac", flags: int = 0) -> Program:
    """A program on an LSM hook."""
    return Program("hook", "lsm", insns, "", kind, name, license="GPL", flags=flags)


def lsm_facts(guest: Guest) -> Facts:
    """The sets of LSM hooks, from one boot."""
    asked: Asked = {"awake": (lambda n: hook(n, ZERO), 1), "asleep": (lambda n: hook(n, ZERO, flags=SLEEPABLE), 1)}
    asked["returns"] = (lambda n: hook(n, UNKNOWN), 1)
    asked["sockopt"] = (lambda n: hook(n, [m.BPF_EMIT_CALL(SETSOCKOPT), *ZERO], "lsm_cgroup"), 1)
    for number in range(MOST_ARGS):
        load = [m.BPF_LDX_MEM(c.BPF_DW, 6, 1, 8 * number), *ZERO]
        asked[f"arg{number}"] = (partial(hook, insns=load), 2)
    said = ask_all(guest, functions(guest, "bpf_lsm_"), asked)
    hooks = {n for n, a in said["awake"].items() if "wrong type name" not in a.log}
    disabled = {n for n in hooks if "disabled hook" in said["awake"][n].log}
    hooks -= disabled
    loads = [(n, LOADED.search(a.log)) for x in range(MOST_ARGS) for n, a in said[f"arg{x}"].items() if n in hooks]
    return {
        "lsm-disabled": disabled,
        "lsm-sleepable": {n for n in hooks if not said["asleep"][n].errno},
        "lsm-untrusted": {n for n, loaded in loads if loaded and not loaded[1]},
        "lsm-bool": {n for n in hooks if "[0, 1]" in said["returns"][n].log},
        "lsm-sockopt": {n for n in hooks if not any(x in said["sockopt"][n].log for x in NO_HELPER)},
    }


def trace_facts(guest: Guest) -> Facts:
    """The sets of functions that are traced or changed."""
    kinds = {"front": "trace_fentry", "back": "trace_fexit", "change": "modify_return"}
    asked: Asked = {what: (partial(follow, kind), 1) for what, kind in kinds.items()}
    asked["asleep"] = (partial(follow, "trace_fentry", flags=SLEEPABLE), 1)
    said = ask_all(guest, functions(guest, ""), asked)
    front = said["front"]
    shaped = ("unsupported", "Too many", "malformed", "cannot be found")
    return {
        "trace-denied": {n for n, a in front.items() if a.errno and not any(x in a.log for x in shaped)},
        "trace-noreturn": {n for n, a in said["back"].items() if a.errno and not front[n].errno},
        "trace-modifiable": {n for n, a in said["change"].items() if not a.errno and not n.startswith("security_")},
        "trace-sleepable": {n for n, a in said["asleep"].items() if not a.errno},
    }


def follow(kind: str, name: str, flags: int = 0) -> Program:
    """A program before, behind or in the place of a function's result."""
    return Program("follow", "tracing", ZERO, "", kind, name, license="GPL", flags=flags)


def functions(guest: Guest, prefix: str) -> list[str]:
    """The functions of the kernel's BTF whose names begin so, without that."""
    btf = guest.btf
    return sorted(n.removeprefix(prefix) for n in btf.names() if n.startswith(prefix) and btf.find(n, Func))


def ask_all(guest: Guest, names: list[str], asked: Asked) -> dict[str, dict[str, Answer]]:
    """The answers to each kind of program for each name."""
    tasks = [Task(make(name), level) for make, level in asked.values() for name in names]
    answers = iter(guest.ask(tasks, timeout=900))
    return {what: {name: next(answers) or Answer(-1) for name in names} for what in asked}


def compare(kernel: str, found: Facts, known: set[str]) -> bool:
    """Print the sets, and where the table has more or fewer names; True where it agrees."""
    version, agrees = parse_version(kernel), True
    for which, names in found.items():
        print(textwrap.fill(f"{which} {' '.join(sorted(names))}", 118, subsequent_indent="    "))
        table = {n for n in known if is_in(which, n, version)} - (found.get("lsm-disabled", set()) - names)
        for sign, more in (("+", names - table), ("-", table - names)):
            if more:
                agrees = False
                print(f"  {sign} {' '.join(sorted(more))}")
    return agrees


def main() -> int:
    """Ask, print, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("kernel")
    parser.add_argument("--functions", action="store_true")
    args = parser.parse_args()
    guest = Guest(args.kernel)
    agrees = compare(args.kernel, lsm_facts(guest), set(functions(guest, "bpf_lsm_")))
    if args.functions:
        facts = trace_facts(guest)
        assert set(facts) == set(TRACE_SETS)
        agrees = compare(args.kernel, facts, set(functions(guest, ""))) and agrees
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
