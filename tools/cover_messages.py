"""Look for programs that make the running kernel say what no kept case shows yet: ``python tools/cover_messages.py``.

python tools/cover_messages.py --seconds 300      # tries random programs, writes tests/verifier/golden/messages
python tools/cover_messages.py --list             # writes tests/verifier/not_covered.txt
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from random import Random

from osmia.errors import OsmiaError
from osmia.obj.model import Program
from osmia.testing.answers import Kernel, ask_osmia
from osmia.testing.cases import Case, dump
from osmia.testing.generate import KINDS, generate
from osmia.testing.messages import Message, unseen
from osmia.testing.shrink import shrink
from osmia.verifier.env import Powers

TESTS = Path(__file__).parent.parent / "tests" / "verifier"
KEPT = TESTS / "golden" / "messages"
LIST = TESTS / "not_covered.txt"
SHRINK_SECONDS = 5.0
POWERS = (Powers(), Powers(), Powers(), Powers(perfmon=False, sys_admin=False))


def shown() -> list[str]:
    """What the kept cases and the tests say."""
    return [p.read_text("utf-8") for p in sorted(TESTS.rglob("*")) if p.suffix in (".txt", ".py") and p != LIST]


def look(seconds: float, seed: str) -> None:
    """Random programs until the time is over; each new message's smallest program is kept."""
    left, end, number = unseen(shown()), time.monotonic() + seconds, 0
    with Kernel() as kernel:
        while time.monotonic() < end:
            rng = Random(f"{seed} {number}")
            number += 1
            program, powers = generate(rng, rng.choice(KINDS)), rng.choice(POWERS)
            log = said(kernel, program, powers)
            for message in [m for m in left if m.pattern.search(log)]:
                if keep(kernel, program, powers, message):
                    left.remove(message)
                    print(f"{number}: {message}", flush=True)


def said(kernel: Kernel, program: Program, powers: Powers, level: int = 1) -> str:
    """The kernel's log, or nothing."""
    try:
        return kernel.ask(program, level, powers).log
    except OsmiaError:
        return ""


def keep(kernel: Kernel, program: Program, powers: Powers, message: Message) -> bool:
    """Make the program small and write the case; not where Osmia says something else (``osmia diff`` is for that)."""
    end = time.monotonic() + SHRINK_SECONDS
    small = shrink(program, lambda p: time.monotonic() < end and bool(message.pattern.search(said(kernel, p, powers))))
    answer = kernel.ask(small, 1, powers)
    ours = ask_osmia(small, 1, powers)
    if (ours.errno, ours.log) != (answer.errno, answer.log):
        print(f"differs or not judged ({ours.unsupported or ours.crash}): {message}", flush=True)
        return False
    KEPT.mkdir(parents=True, exist_ok=True)
    case = Case(replace(small), 1, powers, answer.errno, answer.log, f"Shows: {message.text.rstrip()}")
    (KEPT / f"{message.slug}.txt").write_text(dump(case), "utf-8")
    return True


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", default="messages")
    parser.add_argument("--list", action="store_true")
    args = parser.parse_args()
    if not args.list:
        look(args.seconds, args.seed)
    LIST.write_text("".join(f"{message}\n" for message in unseen(shown())), "utf-8")


if __name__ == "__main__":
    main()
