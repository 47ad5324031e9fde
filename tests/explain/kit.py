"""The gallery: classic mistakes, each with its object and what is said to it.

``PYTHONPATH=tests python -m explain.kit [NAME…]`` compiles the sources in ``gallery`` anew into ``objects`` and writes
``gallery/NAME.txt``.  The first line of a source is the mistake in words; ``// options:`` may follow: unprivileged,
caps=LIST, kernel=VERSION, type=TYPE (of assembly), nobtf (the program is loaded without BTF), btf (it needs the
running kernel's types), live=no (the running kernel can't be asked), slow.
"""

from __future__ import annotations

import lzma
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from osmia import cc, inputs
from osmia.explain import explain
from osmia.explain.render import text_of
from osmia.obj import load
from osmia.obj.model import Program
from osmia.testing.answers import masked
from osmia.verifier.env import Powers
from osmia.verifier.judge import judge, kernel_btf, powers

HERE = Path(__file__).parent
GALLERY, OBJECTS = HERE / "gallery", HERE / "objects"
TAIL = 12
"""Lines of the log that are shown."""
STATS = re.compile(r"processed \d+ insns \(limit.*")


@dataclass(frozen=True)
class Piece:
    """One mistake."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name.partition(".")[0]

    @property
    def title(self) -> str:
        """What is wrong, in words."""
        return self.path.read_text("utf-8").splitlines()[0].removeprefix("// ")

    @property
    def options(self) -> list[str]:
        found = re.search(r"^// options: (.*)$", self.path.read_text("utf-8"), re.M)
        return found.group(1).split() if found else []

    def option(self, name: str, default: str = "") -> str:
        return next((o.partition("=")[2] for o in self.options if o.startswith(name + "=")), default)

    @property
    def kernel(self) -> str:
        return self.option("kernel", "6.18")

    @property
    def power(self) -> Powers:
        caps = self.option("caps")
        return powers("unprivileged" not in self.options, caps.split(",") if caps else None)

    @property
    def golden(self) -> Path:
        return GALLERY / f"{self.name}.txt"

    @property
    def object(self) -> Path:
        return OBJECTS / f"{self.name}.o.xz"

    @property
    def command(self) -> str:
        """How a reader would ask."""
        words = ["osmia verify --explain", self.path.name]
        words += ["--unprivileged"] if "unprivileged" in self.options else []
        for name, flag in (("caps", "--caps"), ("kernel", "--kernel"), ("type", "--type")):
            words += [f"{flag} {self.option(name)}"] if self.option(name) else []
        return " ".join(words)

    def program(self) -> Program:
        """The only program of the object, or of the assembly."""
        types = kernel_btf(self.kernel)
        if self.path.suffix == ".s":
            programs = inputs.load(self.path, btf=types, prog_type=self.option("type")).programs
        else:
            data = lzma.decompress(self.object.read_bytes())
            programs = load(data, path=f"{self.name}.bpf.o", target_btf=types, name=self.name[:8]).programs
        (program,) = programs.values()
        if "nobtf" in self.options:
            without_btf(program)
        return program

    def compile(self) -> None:
        """Make the object anew."""
        if self.path.suffix != ".s":
            data = cc.compile(self.path.name, extra=["-Wno-everything"])
            self.object.write_bytes(lzma.compress(data, preset=9))

    def told(self) -> str:
        """What is said: the end of the log, and the explanation."""
        program = self.program()
        verdict = judge(program, self.kernel, self.power)
        said = explain(program, self.kernel, self.power)
        assert said is not None, (self.name, str(verdict))
        log = [line for line in ids_masked(masked(STATS.sub("", verdict.log), program)).splitlines() if line]
        shown = [*(["…"] if len(log) > TAIL else []), *log[-TAIL:]] or ["(empty)"]
        text = ids_masked(text_of(said))
        return "\n".join((f"# {self.title}", f"$ {self.command}", "", *shown, "", text.rstrip("\n"), ""))


def without_btf(program: Program) -> None:
    """As it is loaded where BTF can't be: no types, no lines."""
    program.btf, program.func_info, program.line_info = None, [], []
    for spec in program.maps:
        spec.btf, spec.btf_key_type_id, spec.btf_value_type_id = None, 0, 0


def ids_masked(text: str) -> str:
    """Ids of the kernel's types differ from build to build."""
    return re.sub(r"(\bcall bpf_\w+#)\d{4,}", r"\1ID", text)


def pieces() -> list[Piece]:
    """Everything in the gallery, by name."""
    return [Piece(path) for path in sorted([*GALLERY.glob("*.bpf.c"), *GALLERY.glob("*.s")])]


def main(names: list[str]) -> None:
    """Record the named ones, or all."""
    import os

    OBJECTS.mkdir(exist_ok=True)
    os.chdir(GALLERY)
    for piece in pieces():
        if not names or piece.name in names:
            piece.compile()
            try:
                piece.golden.write_text(piece.told(), "utf-8")
            except Exception as e:
                print(f"{piece.name}: {type(e).__name__}: {e}", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
