"""Since which version kernels have a program, attach or map type, or a kernel function: ``data/since.txt``."""

from __future__ import annotations

from functools import cache

from osmia.errors import InternalError
from osmia.kernel.features import DATA, Version, parse_version
from osmia.kernel.helpers import helper_by_name

TABLE = DATA / "since.txt"
KINDS = ("prog", "attach", "map", "kfunc")


def since(kind: str, name: str) -> Version | None:
    """The first mainline version with it; None where it is older than 5.10, or no version is known.

    ``kind`` is one of ``KINDS``, or "helper" with a name without prefix.  Raises UsageError for an unknown helper.
    """
    if kind == "helper":
        return helper_by_name(f"bpf_{name}").since
    return _rows().get((kind, name))


@cache
def _rows() -> dict[tuple[str, str], Version]:
    found: dict[tuple[str, str], Version] = {}
    for line in TABLE.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, name, version, _ = line.split(" ")
            if kind not in KINDS:
                raise InternalError(f"{TABLE.name} is damaged: {line!r}")
            found[kind, name] = parse_version(version)
    return found
