"""Compare the verifier with recorded verdicts of Linux: ``[OSMIA_KERNEL=6.1] python tools/verify_golden.py --jobs 2``.

Counts how many verdicts, error lines, instruction counts and logs (levels 1 and 2) agree, and groups the logs that
don't by their first pair of differing lines.  ``--show NAME`` prints both logs of one program around that place.
The record is golden.jsonl.xz below $OSMIA_ORACLE.
"""

from __future__ import annotations

import argparse
import difflib
import json
import lzma
import multiprocessing
import os
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
ORACLE = Path(os.environ.get("OSMIA_ORACLE", ROOT.parent / "shared" / "oracle"))
GOLDEN = ORACLE / "golden" / "golden.jsonl.xz"
KERNEL = os.environ.get("OSMIA_KERNEL", "6.18")
"""Whose verdicts; level-2 logs were kept of 6.18 only."""
POLICY = 1
"""EPERM, from a machine that forbids some program types to everybody: no verdict of the verifier's."""
MAX_LOG = 60_000
PROCESSED = re.compile(
    r"^processed (\d+) insns .*? max_states_per_insn (\d+) total_states (\d+) peak_states (\d+)", re.M
)
KFUNC = re.compile(r"(\bcall \w+#)\d{4,}")
"""The call of a kernel function: its number is another one in every build of the kernel."""
NUMBER = re.compile(r"0x[0-9a-f]+|\d+")
CHECKS = ("verdict", "error", "processed", "states", "log1", "log2")


def rows(path: Path = GOLDEN) -> Iterator[str]:
    """The recorded programs, a line of JSON each, but for those that the recording machine's policy refused."""
    with lzma.open(path, "rt") as file:
        yield from (line for line in file if is_fit(json.loads(line)))


def is_fit(row: dict[str, Any]) -> bool:
    """Was the program judged, and would it look the same here?  A mutant may show a kernel function's number."""
    calls = {x["insn"] for x in row.get("relocs", ()) if x["kind"] == "func"}
    shown = any(row["insns_hex"][16 * insn : 16 * insn + 2] != "85" for insn in calls)
    return bool(row["v"][KERNEL]["errno"] != POLICY and not shown)


def chosen(only: str = "", most_processed: int = 0, limit: int = 0) -> list[str]:
    """Programs by name, without those that take long, evenly spread."""
    lines = [line for line in rows() if only in json.loads(line)["name"]]
    if most_processed:
        lines = [x for x in lines if (counts(json.loads(x)["v"][KERNEL]["log"]) or (0,))[0] <= most_processed]
    return lines[:: max(1, len(lines) // limit)][:limit] if limit else lines


def clip(log: str) -> str:
    """A long log without its middle, as the record keeps it."""
    half = MAX_LOG // 2
    return log if len(log) <= MAX_LOG else f"{log[:half]}\n...{len(log) - MAX_LOG} characters cut...\n{log[-half:]}"


def error_line(log: str) -> str:
    """What the verifier said last before its statistics."""
    said = [
        line for line in log.split("\n") if line and not line.startswith(("processed ", "verification time", "stack "))
    ]
    return said[-1] if said else ""


def counts(log: str) -> tuple[int, ...]:
    """Processed instructions, then the three counts of states; empty without statistics."""
    found = PROCESSED.search(log)
    return tuple(map(int, found.groups())) if found else ()


def judge(row: dict[str, Any], level: int) -> dict[str, Any]:
    """Our answer in the words of the record."""
    from osmia.verifier.batch import Batch, How

    line = json.dumps({k: v for k, v in row.items() if k not in ("v", "log2")}).encode()
    batch = Batch(How((KERNEL,), level))
    answer: dict[str, Any] = batch.answer(line, 1)["kernels"][KERNEL]
    answer["log"] = KFUNC.sub(r"\1ID", clip(answer["log"]))
    return answer


def compare(line: str, levels: tuple[int, ...] = (1, 2)) -> dict[str, Any]:
    """What agrees (by the names of ``CHECKS``), and the first lines that don't."""
    row = json.loads(line)
    theirs = row["v"][KERNEL]
    answer = judge(row, levels[0])
    made: dict[str, Any] = {"name": row["name"], "usec": 0, "where": answer.get("where", ""), "same": {}, "pairs": {}}
    if made["where"] in ("unsupported", "crash"):
        made["feature"] = answer.get("unsupported") or answer["reason"]["text"]
        return made
    same = made["same"]
    same["verdict"] = answer["errno"] == theirs["errno"]
    if not same["verdict"]:
        made["pairs"]["verdict"] = (
            f"errno {theirs['errno']}: {error_line(theirs['log'])}",
            (f"errno {answer['errno']}: {error_line(answer['log'])}"),
        )
    logs = {level: KFUNC.sub(r"\1ID", row["log2"] if level == 2 else theirs["log"]) for level in levels}
    for level, expected in logs.items():
        got = answer["log"] if level == levels[0] else judge(row, level)["log"]
        same[f"log{level}"] = got == expected
        if level == levels[0]:
            made["pairs"] |= _counts(same, expected, got, theirs["errno"])
        if got != expected:
            made["pairs"][f"log{level}"] = first_difference(expected, got)
    return made


def _counts(same: dict[str, bool], expected: str, got: str, errno: int) -> dict[str, tuple[str, str]]:
    pairs = {}
    if errno:
        same["error"] = error_line(expected) == error_line(got)
        if not same["error"]:
            pairs["error"] = error_line(expected), error_line(got)
    theirs, ours = counts(expected), counts(got)
    if theirs:
        same["processed"], same["states"] = theirs[:1] == ours[:1], theirs == ours
        if theirs != ours:
            pairs["processed" if theirs[:1] != ours[:1] else "states"] = f"{theirs}", f"{ours}"
    return pairs


def first_difference(expected: str, got: str) -> tuple[str, str]:
    """The first lines that differ."""
    theirs, ours = expected.split("\n"), got.split("\n")
    pairs = zip([*theirs, "<end>"], [*ours, "<end>"], strict=False)
    return next((pair for pair in pairs if pair[0] != pair[1]), ("<end>", "<end>"))


def careful(task: tuple[str, tuple[int, ...]]) -> dict[str, Any]:
    """Our own failures are results, too."""
    began = time.perf_counter()
    try:
        made = compare(*task)
    except Exception as e:
        made = {
            "name": json.loads(task[0])["name"],
            "where": "crash",
            "feature": f"{type(e).__name__}: {e}",
            "same": {},
            "pairs": {},
        }
    return made | {"seconds": time.perf_counter() - began}


def run(lines: list[str], levels: tuple[int, ...], jobs: int) -> Iterator[dict[str, Any]]:
    """Results in order."""
    from osmia.verifier.judge import kernel_btf

    tasks = [(line, levels) for line in lines]
    if jobs == 1:
        yield from map(careful, tasks)
        return
    kernel_btf()
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("fork")) as pool:
        yield from pool.map(careful, tasks, chunksize=8)


def report(results: list[dict[str, Any]], examples: int) -> None:
    """Percentages, then groups."""
    judged = [r for r in results if r["same"]]
    print(f"{len(results)} programs, {len(judged)} judged, {sum(r['seconds'] for r in results):.1f} s")
    for check in CHECKS:
        asked = [r["same"][check] for r in judged if check in r["same"]]
        if asked:
            print(f"{check:10} {sum(asked):5} of {len(asked):5}  {100 * sum(asked) / len(asked):6.2f} %")
    for where in ("crash", "unsupported"):
        groups(where, [(r["feature"], r["name"]) for r in results if r["where"] == where], examples)
    for check in CHECKS:
        groups(
            check, [("\n      ".join(r["pairs"][check]), r["name"]) for r in judged if check in r["pairs"]], examples
        )


def groups(title: str, found: list[tuple[str, str]], examples: int) -> None:
    """Texts that are equal but for their numbers, with a few names each."""
    names: dict[str, list[str]] = defaultdict(list)
    first: dict[str, str] = {}
    for text, name in found:
        key = NUMBER.sub("#", text)
        names[key].append(name)
        first.setdefault(key, text)
    if found:
        print(f"\n== {title}: {len(found)} in {len(names)} groups")
    for key, count in Counter({key: len(got) for key, got in names.items()}).most_common(examples):
        print(f"{count:5} {first[key]}\n      -> {', '.join(names[key][:4])}")


def show(line: str, level: int) -> None:
    """Both logs of one program around the first difference."""
    row = json.loads(line)
    expected = row["log2"] if level == 2 else row["v"][KERNEL]["log"]
    answer = judge(row, level)
    print(f"{row['name']}: {row['prog_type']}, theirs errno {row['v'][KERNEL]['errno']}, ours {answer['errno']} "
          f"{answer.get('unsupported') or ''}{answer.get('reason') or ''}")  # fmt: skip
    theirs, ours = expected.split("\n"), answer["log"].split("\n")
    at = next((i for i, (a, b) in enumerate(zip(theirs, ours, strict=False)) if a != b), min(len(theirs), len(ours)))
    print(f"--- equal up to line {at}")
    print("\n".join(theirs[max(0, at - 12) : at]))
    window = slice(at, at + 25)
    print("\n".join(difflib.ndiff(theirs[window], ours[window])))


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--limit", type=int, default=0, help="only so many programs, evenly spread")
    parser.add_argument("--only", default="", help="only programs whose name contains this")
    parser.add_argument("--show", metavar="NAME", help="print both logs of this program")
    parser.add_argument("--level", type=int, choices=(1, 2), help="one log level (2 for --show)")
    parser.add_argument("--examples", type=int, default=12, help="groups to print of each kind")
    parser.add_argument("--skip-slow", type=int, default=20000, help="pass over programs of more processed insns")
    args = parser.parse_args()
    if not GOLDEN.is_file():
        print(f"no record of verdicts at {GOLDEN} (set OSMIA_ORACLE)", file=sys.stderr)
        return 3
    if args.show:
        show(
            next(line for line in rows() if f'"name": "{args.show}"' in line or f'"name":"{args.show}"' in line),
            args.level or 2,
        )
        return 0
    lines = chosen(args.only, args.skip_slow, args.limit)
    levels = (args.level,) if args.level else (1, 2) if KERNEL == "6.18" else (1,)
    report(list(run(lines, levels, args.jobs)), args.examples)
    return 0


if __name__ == "__main__":
    sys.exit(main())
