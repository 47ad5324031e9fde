"""``osmia disasm`` of plain objects without click and what it imports: half the time of a whole process.

Everything out of the ordinary (other options, other inputs, any error) is left to the full command, which says
what is wrong; so nothing is printed before all of it is known.
"""

from __future__ import annotations

import sys

INTERRUPTED = 130
_FLAGS = {
    "-d": "", "--disassemble": "", "-r": "reloc", "--reloc": "reloc", "-S": "source", "--source": "source",
    "-D": "all_sections", "--disassemble-all": "all_sections", "-z": "zeroes", "--disassemble-zeroes": "zeroes",
}  # fmt: skip


def disasm(args: list[str]) -> int | None:
    """The exit status, or None: not a job for this one."""
    paths = [arg for arg in args if arg not in _FLAGS]
    if not paths or any(path.startswith("-") for path in paths):
        return None
    chosen = {name: True for arg in args if arg in _FLAGS and (name := _FLAGS[arg])}
    try:
        text = "".join(_listing(path, chosen) for path in paths)
    except Exception:
        return None
    except KeyboardInterrupt:
        return INTERRUPTED
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        from osmia.cli.common import _left

        return _left()
    except (OSError, AttributeError):  # a full disk, or no standard output at all
        return None
    return 0


def _listing(path: str, chosen: dict[str, bool]) -> str:
    from osmia.obj.disasm import Listing, Options

    with open(path, "rb") as file:  # noqa: PTH123 -- pathlib alone costs 3 ms
        data = file.read()
    listing = Listing(data, path, Options(**chosen))  # type: ignore[arg-type]
    text = "".join(listing.chunks())
    if listing.warnings:
        raise ValueError("the full command says them")
    return text
