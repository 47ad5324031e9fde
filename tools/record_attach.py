"""What a kernel in a guest says of attaching to each of its functions, against src/osmia/kernel/data/attach.txt.

    OSMIA_ORACLE=DIR python tools/record_attach.py 7.2 [--functions]

A program of each kind is put to every LSM hook and, with ``--functions``, to every function of the kernel's BTF
(50,000; a minute or two a kind).  Prints the sets as rows of the table, and what is not in it, and exits with 1 where
the table says otherwise.  The versions in the table are those of mainline; a stable kernel may carry a change earlier.
"""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Callable, Iterable

from guests import Guest, Task

from osmia.btf import Func
from osmia.isa import Insn
from osmia.isa import consts as c
from osmia.isa import macros as m
from osmia.kernel.attach import LSM_SETS, TRACE_SETS, is_in
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


def hook(name: str, insns: list[Insn], kind: str = "lsm_mac", flags: int = 0) -> Program:
    """A program on an LSM hook."""
    return Program("hook", "lsm", insns, "", kind, name, license="GPL", flags=flags)


def lsm_facts(guest: Guest) -> Facts:
    """The sets of LSM hooks."""
    names = functions(guest, "bpf_lsm_")
    hooks = [n for n, a in said(guest, names, lambda n: hook(n, ZERO)) if "wrong type name" not in a.log]
    found: Facts = {which: set() for which in LSM_SETS}
    found["lsm-disabled"] = {n for n, a in said(guest, hooks, lambda n: hook(n, ZERO)) if "disabled hook" in a.log}
    hooks = [n for n in hooks if n not in found["lsm-disabled"]]
    asleep = said(guest, hooks, lambda n: hook(n, ZERO, flags=SLEEPABLE))
    found["lsm-sleepable"] = {n for n, a in asleep if not a.errno}
    found["lsm-bool"] = {n for n, a in said(guest, hooks, lambda n: hook(n, UNKNOWN)) if "[0, 1]" in a.log}
    calls = said(guest, hooks, lambda n: hook(n, [m.BPF_EMIT_CALL(SETSOCKOPT), *ZERO], "lsm_cgroup"))
    found["lsm-sockopt"] = {n for n, a in calls if not any(x in a.log for x in NO_HELPER)}
    found["lsm-untrusted"] = untrusted(guest, hooks)
    return found


def untrusted(guest: Guest, hooks: list[str]) -> set[str]:
    """The hooks whose pointers are no whole objects."""
    plain: set[str] = set()
    for number in range(MOST_ARGS):
        load = [m.BPF_LDX_MEM(c.BPF_DW, 6, 1, 8 * number), *ZERO]
        for name, answer in said(guest, hooks, lambda n, load=load: hook(n, load), 2):  # type: ignore[misc]
            loaded = LOADED.search(answer.log)
            if loaded and not loaded[1]:
                plain.add(name)
    return plain


def trace_facts(guest: Guest) -> Facts:
    """The sets of functions that are traced or changed."""
    names = functions(guest, "")

    def follow(kind: str, flags: int = 0) -> dict[str, Answer]:
        make = lambda n: Program("f", "tracing", ZERO, "", kind, n, license="GPL", flags=flags)  # noqa: E731
        return dict(said(guest, names, make))

    front, back, change = follow("trace_fentry"), follow("trace_fexit"), follow("modify_return")
    asleep = follow("trace_fentry", SLEEPABLE)
    shaped = ("unsupported", "Too many", "malformed", "cannot be found")
    denied = {n for n, a in front.items() if a.errno and not any(x in a.log for x in shaped)}
    return {
        "trace-denied": denied,
        "trace-noreturn": {n for n, a in back.items() if a.errno and not front[n].errno},
        "trace-modifiable": {n for n, a in change.items() if not a.errno and not n.startswith("security_")},
        "trace-sleepable": {n for n, a in asleep.items() if not a.errno},
    }


def functions(guest: Guest, prefix: str) -> list[str]:
    """The functions of the kernel's BTF whose names begin so, without that."""
    btf = guest.btf
    return sorted(n.removeprefix(prefix) for n in btf.names() if n.startswith(prefix) and btf.find(n, Func))


def said(
    guest: Guest, names: Iterable[str], make: Callable[[str], Program], level: int = 1
) -> list[tuple[str, Answer]]:
    """The answers to a program for each name; names without one are left out."""
    names = list(names)
    answers = guest.ask([Task(make(name), level) for name in names])
    return [(name, answer) for name, answer in zip(names, answers, strict=True) if answer is not None]


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
