"""Find programs that tell behaviours apart: src/osmia/kernel/data/witnesses.jsonl, which ``osmia profile record`` asks.

    python tools/find_witnesses.py [--random 4000] [--seconds 300]

A witness of a behaviour (``features.txt``) is a short program that Osmia's verifier judges otherwise (errno, or the
line that says why) with and without it.  Which of the two a kernel answers says whether it behaves so.  The programs
are the kept cases of ``tests/verifier/golden`` and random ones (``osmia.testing.generate``).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from osmia.kernel import profile as profiles
from osmia.kernel.features import DATA, Feature, features, parse_version
from osmia.live.record.witness import FILE, UNKNOWN, Outcome, outcome, questions, toggled
from osmia.obj.model import Program
from osmia.obj.record import record
from osmia.testing.cases import parse
from osmia.testing.generate import generate
from osmia.verifier.env import Powers

CASES = Path(__file__).parent.parent / "tests" / "verifier" / "golden"
KINDS = ("mixed", "alu", "branches", "stack", "packets", "maps", "context", "helpers", "loops", "atomics", "mutants")
MOST = 80
"""Instructions of a witness at most."""


def candidates(random: int) -> list[Program]:
    """Short programs that can be put to any kernel, the shortest first."""
    found = []
    for path in sorted(CASES.rglob("*.txt")):
        case = parse(path.read_text("utf-8"))
        if case.powers == Powers():
            found.append(case.program)
    rng = Random("witnesses")
    found += [generate(rng, rng.choice(KINDS)) for _ in range(random)]
    return sorted((p for p in found if len(p.insns) <= MOST and list(questions(p))), key=lambda p: len(p.insns))


def kernels_of(feature: Feature) -> list[profiles.Profile]:
    """The recorded kernels on both sides of the change, the newer first."""
    names = sorted(profiles.names(), key=parse_version)
    near = []
    for version in (feature.since, feature.until):
        after = [name for name in names if version and parse_version(name) >= version]
        before = [name for name in names if version and parse_version(name) < version]
        near += [*after[:1], *before[-1:]]
    return [profiles.load(name) for name in dict.fromkeys(near)]


class Search:
    """The verdicts known so far."""

    def __init__(self, pool: list[Program], until: float) -> None:
        self.pool, self.until = pool, until
        self.known: dict[tuple[str, int], Outcome] = {}
        self.found: dict[int, set[str]] = {}

    def plain(self, profile: profiles.Profile, number: int) -> Outcome:
        """The verdict of a kernel as it is."""
        key = profile.name, number
        if key not in self.known:
            self.known[key] = safely(self.pool[number], profile)
        return self.known[key]

    def witnesses(self, name: str, profile: profiles.Profile) -> Iterator[int]:
        """The programs by which a kernel with and one without the behaviour differ."""
        other = toggled(profile, name)
        for number, program in enumerate(self.pool):
            if time.monotonic() > self.until:
                return
            if UNKNOWN not in (was := self.plain(profile, number), now := safely(program, other)) and was != now:
                yield number

    def look_for(self, feature: Feature, wanted: int) -> int:
        """Find some programs for a behaviour; how many."""
        there = {n for n, names in self.found.items() if feature.name in names}
        for profile in kernels_of(feature):
            for number in self.witnesses(feature.name, profile):
                self.found.setdefault(number, set()).add(feature.name)
                there.add(number)
                if len(there) >= wanted:
                    return len(there)
        return len(there)


def safely(program: Program, profile: profiles.Profile) -> Outcome:
    """The verdict, where the verifier gives one."""
    try:
        return outcome(program, profile)
    except Exception as e:
        print(f"{type(e).__name__}: {e}", file=sys.stderr)
        return UNKNOWN


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--random", type=int, default=4000, help="random programs beside the kept ones")
    parser.add_argument("--seconds", type=int, default=600, help="when to stop")
    parser.add_argument("--each", type=int, default=2, help="programs for each behaviour")
    options = parser.parse_args()
    pool = candidates(options.random)
    print(f"{len(pool)} programs", file=sys.stderr)
    search = Search(pool, time.monotonic() + options.seconds)
    for feature in features().values():
        print(f"{feature.name}: {search.look_for(feature, options.each)}", file=sys.stderr, flush=True)
    rows = [record(pool[number], "little") for number in sorted(search.found)]
    text = "".join(json.dumps(row, default=bytes.hex, separators=(",", ":")) + "\n" for row in rows)
    (DATA / FILE).write_text(text, "utf-8")
    print(f"{len(rows)} witnesses of {len(set().union(*search.found.values()))} behaviours")
    return 0


if __name__ == "__main__":
    sys.exit(main())
