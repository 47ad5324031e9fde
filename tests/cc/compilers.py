"""What the tests of this room share: the compilers at hand, and each compilation done once."""

from functools import cache
from pathlib import Path

from osmia import cc
from osmia.errors import Unavailable

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.bpf.c"))


def _at_hand() -> list[str]:
    """The wheel's compiler whenever it is installed, and the first clang of the system."""
    names = []
    for name in ("ziglang", "clang", "clang-19"):
        try:
            cc.find_compiler(name)
        except Unavailable:
            continue
        names.append(name)
    return [n for n in names if n != "clang-19" or "clang" not in names]


COMPILERS = _at_hand()


@cache
def build(source: Path | str, compiler: str, cpu: str = "v3", **options: object) -> bytes:
    return cc.compile(source, compiler=compiler, cpu=cpu, **options)  # type: ignore[arg-type]
