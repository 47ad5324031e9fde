"""Record the profile of a kernel that runs in a virtual machine: the programs of ``osmia profile record``, put to it.

    OSMIA_ORACLE=DIR python tools/record_guest.py 6.1 [--output FILE]

The kit in OSMIA_ORACLE boots kernels under QEMU and answers batches of programs (``qemu_oracle.run_batch``).  Without
it this tool says so and exits with 2.  A file of the whole answers is written; ``tools/make_profiles.py`` makes each
profile a delta of its parent's.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from osmia.btf import Btf
from osmia.isa import encode
from osmia.kernel.profile_file import Sections
from osmia.live.record import Answer, Question, record, text
from osmia.live.record.asker import Progress

CHUNK = 60_000
TARGET_AT = 36


class GuestAsker:
    """A kernel under QEMU."""

    def __init__(self, version: str) -> None:
        import kernels
        import qemu_oracle

        self.asked = 0
        self.version, self.oracle, self.pack = version, qemu_oracle, qemu_oracle.pack
        self.btf = Btf.parse(kernels.find(version).btf.read_bytes())
        self.release = f"{version} ({kernels.find(version).package_version})"

    def ask(self, batch: Sequence[Question]) -> list[Answer]:
        """One boot a chunk."""
        answers: list[Answer] = []
        self.asked += len(batch)
        for start in range(0, len(batch), CHUNK):
            part = batch[start : start + CHUNK]
            self.oracle.pack = self.packing(part)
            try:
                verdicts, info = self.oracle.run_batch(
                    self.version, list(map(self.program, part)), log_size=1 << 16, memory=1024
                )
            finally:
                self.oracle.pack = self.pack
            self.release = info.release or self.release
            for number in info.crashed:
                print(f"{self.version}: no answer to {part[number]}", file=sys.stderr)
            answers += [Answer(v.errno, v.log, v.where) for v in verdicts]
        return answers

    def packing(self, part: Sequence[Question]) -> Any:
        """The kit's way to write a program down, but with targets by BTF id, which it takes by name."""
        ids = iter([q.btf_id for q in part])

        def pack(program: Any, *args: Any, **more: Any) -> bytes:
            made = bytearray(self.pack(program, *args, **more))
            made[TARGET_AT : TARGET_AT + 4] = next(ids).to_bytes(4, "little")
            return bytes(made)

        return pack

    def program(self, q: Question) -> Any:
        """The question in the kit's terms."""
        from program import Map, Program

        maps = [
            Map(m.type, m.key, m.value, m.entries, m.flags, m.btf_key, m.btf_value, m.inner if m.inner >= 0 else None,
                extra=m.extra)
            for m in q.maps
        ]  # fmt: skip
        made = Program(q.prog_type, encode(list(q.insns), "little"), maps=maps, license=q.license, btf=q.btf)
        made.expected_attach_type, made.flags, made.log_level = q.attach, q.flags, q.level
        made.unprivileged, made.caps = q.caps is not None, list(q.caps or ())
        return made


def told(what: str) -> Progress:
    """Progress on standard error."""
    return lambda answered, done: print(
        f"  {what}: {answered} answers, {done} probes done", file=sys.stderr, flush=True
    )


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("version")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    kit = os.environ.get("OSMIA_ORACLE")
    if not kit or not Path(kit, "qemu_oracle.py").exists():
        print("OSMIA_ORACLE names no kit that boots kernels", file=sys.stderr)
        return 2
    sys.path.insert(0, kit)
    asker = GuestAsker(options.version)
    out = options.output or Path(f"{options.version}.recorded.txt")

    def keep(sections: Sections) -> None:
        head = f"# Linux {options.version}, recorded from {asker.release}."
        out.write_text(text.written(head, sections), "utf-8")

    keep(record(asker, told, keep))
    return 0


if __name__ == "__main__":
    sys.exit(main())
