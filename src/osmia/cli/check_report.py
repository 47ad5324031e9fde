"""What ``osmia check`` found, for eyes, scripts, JUnit readers and GitHub."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from osmia.errors import InputError

if TYPE_CHECKING:
    from osmia.verifier.matrix import Cell, Matrix, Row

NARROW = 0.01
"""From this part of the complexity limit on, a cell says how much of it was used."""
WIDE = 1000
"""Columns of output that no terminal shows: nothing is cut."""
GUESSED = "~"
"""Marks a kernel that was interpolated."""
LEVELS = {"refused": "error", "unknown": "warning"}
MARKS = {"accepted": ("✓", "green"), "refused": ("✗", "red"), "unknown": ("?", "yellow")}


def document(rows: Sequence[Row], bad: Sequence[InputError], matrix: Matrix) -> dict[str, Any]:
    """Everything, as ``--json`` prints it."""
    kernels = {"kernels": list(matrix.kernels), "interpolated": matrix.interpolated}
    return {**kernels, "programs": list(map(_program, rows)), "errors": [e.to_json() for e in bad]}


def _program(row: Row) -> dict[str, Any]:
    cells = {cell.kernel: _facts(cell) for cell in row.cells}
    return {"file": row.file, "name": row.name, "type": row.prog_type, "status": row.status, "kernels": cells}


def _facts(cell: Cell) -> dict[str, Any]:
    made: dict[str, Any] = {"status": cell.status}
    if cell.reason:
        made["reason"] = cell.reason
    if cell.place.line:
        made |= {"file": cell.place.file, "line": cell.place.line}
    if cell.verdict is not None:
        made |= {"errno": cell.verdict.errno, "processed": cell.verdict.processed}
        made |= {"kind": cell.verdict.error.kind, "insn": cell.verdict.error.insn} if cell.verdict.error else {}
        made |= {"log": cell.verdict.log} if not cell.verdict.ok else {}
    return made


# -- for eyes


def show(rows: Sequence[Row], bad: Sequence[InputError], matrix: Matrix) -> None:
    """One table, then the reasons, the same ones of several kernels together."""
    from rich.console import Console

    console = Console(file=sys.stdout, highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)
    if rows:
        console.print(_table(rows, matrix))
    for line in _reasons(rows):
        console.print(line, markup=False)
    for error in bad:
        console.print(f"no verdict: {error}", markup=False)
    if matrix.interpolated:
        console.print(f"{GUESSED} not recorded from such a kernel: made of its neighbours", style="dim")


def _table(rows: Sequence[Row], matrix: Matrix) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("program", "type"):
        table.add_column(name, no_wrap=True)
    for kernel in matrix.kernels:
        name = Path(kernel).stem if "/" in kernel else kernel
        table.add_column(name + GUESSED * (kernel in matrix.interpolated), no_wrap=True, justify="right")
    for file in dict.fromkeys(row.file for row in rows):
        table.add_row(f"[bold]{Path(file).name}[/]")
        for row in (row for row in rows if row.file == file):
            table.add_row(f"  {row.name}", row.prog_type, *map(_short, row.cells))
    return table


def _short(cell: Cell) -> str:
    mark, colour = MARKS[cell.status]
    return f"[{colour}]{_figure(cell)} {mark}[/]"


def _figure(cell: Cell) -> str:
    """Processed instructions, with the part of the limit when that is much; or the error."""
    if cell.status == "unknown" or cell.verdict is None:
        return ""
    if cell.status == "refused":
        return cell.verdict.errno_name
    processed = cell.verdict.processed
    return f"{processed:,}" if cell.budget < NARROW else f"{processed // 1000}k {cell.budget:.0%}"


def _reasons(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        for (_, reason, place), kernels in _alike(row).items():
            file, line = (value for _, value in place[:2])
            yield f"  {row.name} on {', '.join(kernels)}: {reason}" + (f" ({file}:{line})" if line else "")


# -- for CI


def write_junit(rows: Sequence[Row], bad: Sequence[InputError], path: str) -> None:
    """JUnit's XML: a suite per file, a case per program and kernel; a file that can't be read is an error."""
    root = ElementTree.Element("testsuites", name="osmia check")
    for file in dict.fromkeys(row.file for row in rows):
        cells = [(row, cell) for row in rows if row.file == file for cell in row.cells]
        suite = _suite(root, file, [cell.status for _, cell in cells])
        for row, cell in cells:
            _case(suite, row, cell)
    for error in bad:
        suite = _suite(root, error.place.file or "input", ["unknown"])
        case = ElementTree.SubElement(suite, "testcase", name="read", classname=error.place.file or "input")
        ElementTree.SubElement(case, "error", message=_xml(str(error)))
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _suite(root: ElementTree.Element, name: str, statuses: list[str]) -> ElementTree.Element:
    counts = {"tests": len(statuses), "failures": statuses.count("refused"), "errors": statuses.count("unknown")}
    return ElementTree.SubElement(root, "testsuite", {"name": _xml(name), **{k: str(v) for k, v in counts.items()}})


def _case(suite: ElementTree.Element, row: Row, cell: Cell) -> None:
    seconds = f"{cell.verdict.usec / 1e6:.6f}" if cell.verdict is not None else "0"
    name = f"{row.name} on {cell.kernel}"
    case = ElementTree.SubElement(suite, "testcase", name=_xml(name), classname=_xml(row.file), time=seconds)
    if cell.status != "accepted":
        kind = "failure" if cell.status == "refused" else "error"
        element = ElementTree.SubElement(case, kind, message=_xml(cell.reason))
        element.text = _xml(cell.verdict.log) if cell.verdict is not None else None


def _xml(text: str) -> str:
    """Text without the characters that XML 1.0 can't hold."""
    return "".join(c if c in "\t\n\r" or "\x20" <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff" else "�"
                   for c in text)  # fmt: skip


def workflow_commands(rows: Sequence[Row], bad: Sequence[InputError]) -> Iterator[str]:
    """A command per refusal or missing verdict, at its source line where that is known; kernels that agree share one.

    (docs.github.com, "Workflow commands for GitHub Actions")
    """
    for row in rows:
        for (status, reason, place), kernels in _alike(row).items():
            words = [f"{name}={_property(str(value))}" for name, value in place if value]
            words.append("title=" + _property(f"{row.name} on Linux {', '.join(kernels)}"))
            yield f"::{LEVELS[status]} {','.join(words)}::{_data(reason)}"
    for error in bad:
        yield f"::error file={_property(_near(error.place.file or ''))}::{_data(str(error))}"


def _alike(row: Row) -> dict[tuple[str, str, tuple[tuple[str, Any], ...]], list[str]]:
    """The kernels of each status, reason and place."""
    found: dict[tuple[str, str, tuple[tuple[str, Any], ...]], list[str]] = {}
    for cell in row.cells:
        if cell.status != "accepted":
            place = ("file", _near(cell.place.file or row.file)), ("line", cell.place.line), ("col", cell.place.column)
            found.setdefault((cell.status, cell.reason, place), []).append(cell.kernel)
    return found


def _near(file: str) -> str:
    """A path below the working directory as seen from there, which is how a repository's files are named."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_absolute() and path.is_relative_to(Path.cwd()) else file


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
