"""Osmia's verifier as another kernel against that kernel, in a QEMU guest: ``python tools/guest_diff.py 6.1``.

Makes programs up at random (the generators of ``osmia diff``), judges them as the profile named, asks a guest in one
batch, and counts how many verdicts, errnos, error lines, instruction counts and logs agree.  What differs is put in
groups by cause; ``--shrink`` makes one program of each group small, some guest boots for all groups together.
``--save DIR`` writes these programs with the guest's answer, as the cases below tests/verifier/golden/kernels/KERNEL;
``--record FILE…`` asks the guest again about such cases.  The guests are found through $OSMIA_ORACLE; without them the
tool says so and exits with 3.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path

from guests import Guest, Task

from osmia.errors import Unavailable
from osmia.obj.model import Program
from osmia.testing.answers import Answer, ask_osmia
from osmia.testing.cases import Case, dump, parse
from osmia.testing.compare import Comparison, plain, what_differs
from osmia.testing.generate import KINDS
from osmia.testing.shrink import simpler, without
from osmia.testing.verify_diff import Group, Plan, case_of, describe, make
from osmia.verifier.judge import powers

GOLDEN = Path(__file__).parent.parent / "tests" / "verifier" / "golden" / "kernels"
CHECKS = ("verdict", "errno", "error", "processed", "log")
ASKED = tuple(kind for kind in KINDS if kind != "descriptors")
"""Guests are not told of an fd_array."""
CANDIDATES = 160
"""Smaller programs to try of one group in one boot."""
SECONDS = 10


def judge_one(task: tuple[Task, str, object]) -> Answer:
    """Osmia's answer."""
    what, kernel, btf = task
    return ask_osmia(what.program, what.level, what.powers, SECONDS, kernel, btf)  # type: ignore[arg-type]


def ours(guest: Guest, tasks: list[Task], jobs: int) -> list[Answer]:
    """Osmia's answers, in several processes."""
    if jobs == 1:
        return [judge_one((task, guest.kernel, guest.types_for(task.program))) for task in tasks]
    with ProcessPoolExecutor(jobs, get_context("fork")) as pool:
        return list(pool.map(judge_one, [(task, guest.kernel, None) for task in tasks], chunksize=16))


def compared(guest: Guest, tasks: list[Task], jobs: int, most: int) -> list[Comparison | None]:
    """Both answers to each program; None where one can't be had, or where Osmia goes through too many instructions.

    A guest takes minutes for a million instructions, so Osmia is asked first.
    """
    mine = ours(guest, tasks, jobs)
    short = [i for i, answer in enumerate(mine) if answer.processed <= most and "no verdict in" not in answer.crash]
    theirs = dict(zip(short, guest.ask([tasks[i] for i in short]), strict=True))
    made: list[Comparison | None] = []
    for i, (task, answer) in enumerate(zip(tasks, mine, strict=True)):
        said = theirs.get(i)
        made.append(None if said is None else Comparison(task.program, task.powers, task.level, said, answer))
    return made


def differs_in(found: Comparison) -> str:
    """The first of ``CHECKS`` in which the answers differ; "crash" and "unsupported" come before; "" for equal ones."""
    kernel, osmia = found.kernel, found.osmia
    if osmia.crash or osmia.unsupported:
        return "crash" if osmia.crash else "unsupported"
    pairs = (
        (bool(kernel.errno), bool(osmia.errno)), (kernel.errno, osmia.errno), (kernel.message, osmia.message),
        (kernel.processed, osmia.processed), (kernel.log, osmia.log),
    )  # fmt: skip
    return next((check for check, (a, b) in zip(CHECKS, pairs, strict=True) if a != b), "")


def cause(found: Comparison) -> str:
    """A name for what differs, the same for differences that look alike."""
    check = differs_in(found)
    if check == "unsupported":
        return f"unsupported: {found.osmia.unsupported}"
    if check == "error":
        return f"error: {plain(found.kernel.message)} | {plain(found.osmia.message)}"
    if check == "processed":
        return f"processed: {'more' if found.osmia.processed > found.kernel.processed else 'fewer'} than the kernel"
    return f"log: {what_differs(*found.first[1:])}" if check == "log" else found.cause


@dataclass
class Found:
    """What a run came to."""

    asked: int = 0
    no_answer: int = 0
    agree: Counter[str] = field(default_factory=Counter)
    judged: int = 0
    groups: dict[str, Group] = field(default_factory=dict)

    def add(self, found: Comparison | None, number: int, kind: str) -> None:
        """Count one."""
        self.asked += 1
        if found is None:
            self.no_answer += 1
            return
        check = differs_in(found)
        if check not in ("crash", "unsupported"):
            self.judged += 1
            self.agree.update(CHECKS[: CHECKS.index(check)] if check else CHECKS)
        if not check:
            return
        group = self.groups.setdefault(cause(found), Group(0, number, kind, found))
        group.count += 1
        if len(found.program.insns) < len(group.example.program.insns):
            group.example, group.number, group.kind = found, number, kind

    def text(self) -> str:
        """Percentages."""
        rows = [f"{self.asked} programs, {self.judged} judged by both, {self.no_answer} without an answer"]
        rows += [
            f"{c:10} {self.agree[c]:6} of {self.judged}  {100 * self.agree[c] / max(1, self.judged):6.2f} %"
            for c in CHECKS
        ]
        return "\n".join(rows)


def candidates(program: Program) -> list[Program]:
    """Smaller programs: without a run of instructions (long runs first), or with a simpler number."""
    made: list[Program] = []
    length = max(1, len(program.insns) // 2)
    while length:
        made += [p for at in range(0, len(program.insns), length) if (p := without(program, at, length)) and p.insns]
        length //= 2
    if program.btf is not None:
        made.append(replace(program, btf=None, func_info=[], line_info=[]))
    for at, insn in enumerate(program.insns):
        made += [
            replace(program, insns=[*program.insns[:at], new, *program.insns[at + 1 :]]) for new in simpler(insn)[:2]
        ]
    return made[:CANDIDATES]


def size(program: Program) -> tuple[int, bool, int]:
    """Fewer instructions are smaller, then no types, then smaller numbers."""
    return len(program.insns), program.btf is not None, sum(abs(i.imm).bit_length() for i in program.insns)


def made_small(guest: Guest, groups: list[Group], jobs: int, most: int, boots: int) -> None:
    """Every group's example as small as some boots allow; each boot tries smaller programs of every group."""
    left, before = list(groups), guest.boots
    while left and guest.boots - before < boots:
        tasks, owners = [], []
        for number, group in enumerate(left):
            for program in candidates(group.example.program):
                tasks.append(Task(program, group.example.level, group.example.powers))
                owners.append(number)
        smaller = set()
        for number, found in zip(owners, compared(guest, tasks, jobs, most), strict=True):
            group = left[number]
            if found is None or not differs_in(found) or cause(found) != cause(group.example):
                continue
            if size(found.program) < size(group.example.program):
                group.example = found
                smaller.add(number)
        left = [group for number, group in enumerate(left) if number in smaller]


def run(guest: Guest, plan: Plan, args: argparse.Namespace) -> Found:
    """A batch."""
    numbers = range(plan.first, plan.first + args.programs)
    made = [make(plan, number) for number in numbers]
    tasks = [Task(program, args.level, plan.powers) for _, program in made]
    found = Found()
    for number, (kind, _), one in zip(numbers, made, compared(guest, tasks, args.jobs, args.most), strict=True):
        found.add(one, number, kind)
    return found


def ranked(found: Found) -> list[tuple[str, Group]]:
    """Groups, the weighty first: crashes, verdicts, errnos …, and of each kind the most frequent."""
    order = ("crash", "unsupported", *CHECKS)
    return sorted(found.groups.items(), key=lambda item: (order.index(differs_in(item[1].example)), -item[1].count))


def slug(text: str) -> str:
    """A file name."""
    return "-".join(re.findall(r"[a-z0-9]+", text.lower()))[:60]


def record(guest: Guest, paths: Iterable[Path]) -> int:
    """Write the guest's answers into case files; 1 if one changed, or if Osmia says otherwise."""
    files = list(paths)
    cases = [parse(path.read_text("utf-8")) for path in files]
    tasks = [Task(case.program, case.level, case.powers) for case in cases]
    changed = 0
    for path, case, answer, mine in zip(files, cases, guest.ask(tasks), ours(guest, tasks, 1), strict=True):
        if answer is None:
            print(f"{path}: no answer")
            changed = 1
            continue
        case.errno, case.log = answer.errno, answer.log
        if dump(case) != path.read_text("utf-8"):
            path.write_text(dump(case), "utf-8")
            print(f"{path}: changed")
            changed = 1
        if mine != answer:
            print(f"{path}: Osmia says errno {mine.errno} {mine.message}{mine.crash}{mine.unsupported}")
            changed = 1
    return changed


def save(folder: Path, groups: Iterable[tuple[str, Group]]) -> None:
    """Each group's example with the guest's answer."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, group in groups:
        case: Case = case_of(group.example, name)
        (folder / f"{slug(name)}.txt").write_text(dump(case), "utf-8")


def caps_of(text: str | None) -> list[str] | None:
    """The capabilities named; None for all of them."""
    return None if text is None else [] if text == "none" else text.split(",")


def arguments() -> argparse.Namespace:
    """The command line's words."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kernel", help="5.10, 6.1, 6.12 or 7.2")
    parser.add_argument("--programs", type=int, default=600, help="in the batch")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first program")
    parser.add_argument("--kind", action="append", choices=KINDS, help="only programs of these kinds")
    parser.add_argument("--level", type=int, default=1, help="log level")
    parser.add_argument("--caps", help="a loader with these only: bpf, perfmon, net_admin, sys_admin; or none")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--most", type=int, default=5000, help="leave out programs that take more instructions")
    parser.add_argument("--shrink", type=int, default=0, metavar="BOOTS", help="make examples small in so many boots")
    parser.add_argument("--only", default="", help="show and shrink only groups with this in their name")
    parser.add_argument("--groups", type=int, default=12, help="how many groups to show and to shrink")
    parser.add_argument("--brief", action="store_true", help="groups by name only")
    parser.add_argument("--save", type=Path, metavar="DIR", help="write one case a group there")
    parser.add_argument("--record", type=Path, nargs="+", metavar="FILE", help="ask again about these cases")
    return parser.parse_args()


def main() -> int:
    """The command line."""
    args = arguments()
    try:
        guest = Guest(args.kernel)
    except Unavailable as error:
        print(error, file=sys.stderr)
        return 3
    if args.record:
        return record(guest, args.record)
    power = powers(args.caps is None, caps_of(args.caps))
    plan = Plan(args.seed, kinds=tuple(args.kind or ASKED), powers=power, first=args.first)
    found = run(guest, plan, args)
    chosen = [(name, group) for name, group in ranked(found) if args.only in name][: args.groups]
    if args.shrink:
        made_small(guest, [group for _, group in chosen], args.jobs, args.most, args.shrink)
    for name, group in chosen:
        print(
            f"{group.count:5} × {name}  (program {group.number}, {group.kind})"
            if args.brief
            else describe(name, group) + "\n"
        )
    print(found.text())
    if args.save:
        save(args.save, chosen)
    return int(bool(found.groups))


if __name__ == "__main__":
    sys.exit(main())
