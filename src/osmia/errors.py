"""Every error that Osmia raises, by cause.

::

    OsmiaError
    ├── InputError                 something the user gave is wrong; says where
    │   ├── DecodeError            bytes that are no instruction stream
    │   ├── AsmError               assembly text (line, column)
    │   ├── ElfError               not an object file, or a broken one
    │   ├── BtfError               broken BTF or .BTF.ext
    │   ├── LinkError              sections, symbols, relocations, map definitions
    │   │   └── CoreError          a CO-RE relocation without a match in the target BTF
    │   ├── CompileError           the C compiler's own words
    │   ├── RecordError            programs.jsonl, pcap and other record files
    │   └── UsageError             a name or value that an API or command does not know
    ├── VmError                    a running program did what it may not
    │   ├── Fault                  an access outside what the program may touch
    │   ├── BudgetExceeded         the instruction budget ran out
    │   └── BadInsn                an instruction that the machine does not execute
    ├── MissingBody                a helper or kfunc that exists, but has no body here
    ├── MapError                   a map operation refused, with the kernel's errno
    ├── KernelError                the real kernel said no (errno, log)
    ├── Unavailable                this machine lacks what is needed (compiler, bpf(2), library)
    └── InternalError              a bug of ours, never of the input

``Place`` says where: file, section, byte offset, instruction, line, column; each part that is known.
"""

from __future__ import annotations

import errno as _errno
from typing import Any, NamedTuple

_LABELS = {"section": "section {}", "offset": "offset {:#x}", "insn": "insn {}"}


class Place(NamedTuple):  # no dataclass: importing that module would cost every command some milliseconds
    """Where in the input: every part is optional.  ``offset`` in bytes, ``insn`` in slots, lines and columns from 1."""

    file: str | None = None
    section: str | None = None
    offset: int | None = None
    insn: int | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        numbers = ":".join(str(n) for n in (self.line, self.column) if n is not None)
        spot = f":{numbers}" if self.file else f"line {numbers}"
        head = (self.file or "") + (spot if numbers else "")
        tail = [_LABELS[k].format(v) for k in _LABELS if (v := getattr(self, k)) is not None]
        return ", ".join([head, *tail] if head else tail)

    def within(self, outer: Place) -> Place:
        """The same place, with what it lacks taken from ``outer``."""
        return outer._replace(**self.known())

    def known(self) -> dict[str, Any]:
        """The parts that are known, by name."""
        return {name: value for name, value in self._asdict().items() if value is not None}


class OsmiaError(Exception):
    """The root: catch this one to catch them all."""

    exit_status = 1

    def to_json(self) -> dict[str, Any]:
        """What a script wants to know: the kind, the words, and the place where there is one."""
        return {"error": type(self).__name__, "message": str(self)}


class InputError(OsmiaError):
    """Bad input.  ``reason`` is the sentence, ``place`` says where."""

    exit_status = 2

    def __init__(self, reason: str, place: Place | None = None, **where: Any) -> None:
        self.reason = reason
        self.place = Place(**where).within(place or Place())
        super().__init__(reason)

    def __str__(self) -> str:
        place = str(self.place)
        return f"{place}: {self.reason}" if place else self.reason

    def at(self, **where: Any) -> InputError:
        """Add what the caller knows of the place (it never overrides the finer knowledge); returns self."""
        self.place = self.place.within(Place(**where))
        return self

    def to_json(self) -> dict[str, Any]:
        """The reason and every known part of the place."""
        return {"error": type(self).__name__, "message": self.reason, **self.place.known()}


class DecodeError(InputError):
    """Bytes that are no instruction stream (a length that is no multiple of 8, half an ld_imm64)."""


class AsmError(InputError):
    """Assembly text that can't be read, or an instruction that a dialect can't write."""


class ElfError(InputError):
    """Not an eBPF object file, or a damaged one."""


class BtfError(InputError):
    """BTF or .BTF.ext data that is damaged or inconsistent."""


class LinkError(InputError):
    """An object file whose parts do not fit: unknown section, symbol, relocation or map definition."""


class CoreError(LinkError):
    """A CO-RE relocation that finds no match in the target BTF."""


class CompileError(InputError):
    """The C compiler refused the source; ``output`` holds its words untouched."""

    def __init__(self, reason: str, output: str = "", place: Place | None = None, **where: Any) -> None:
        super().__init__(reason, place, **where)
        self.output = output


class RecordError(InputError):
    """A record file (programs.jsonl, pcap, JSON) that can't be read."""


class UsageError(InputError):
    """A name, option or value that is not known; the message lists what is."""


class VmError(OsmiaError):
    """A running program did what it may not; ``pc`` is the slot of the instruction.

    ``program`` and ``source`` ("prog.bpf.c:12") name the place where they are known, "" otherwise.
    """

    def __init__(self, reason: str, pc: int = -1) -> None:
        self.reason = reason
        self.pc = pc
        self.program = self.source = ""
        super().__init__(reason)

    def __str__(self) -> str:
        place = f"insn {self.pc}" if self.pc >= 0 else ""
        place += f" ({self.source})" if place and self.source else ""
        return ": ".join(filter(None, (self.program, place, self.reason)))

    def to_json(self) -> dict[str, Any]:
        """The reason and every known part of the place."""
        place = {"program": self.program, "insn": self.pc if self.pc >= 0 else None, "source": self.source}
        told = {name: value for name, value in place.items() if value not in ("", None)}
        return {"error": type(self).__name__, "message": self.reason, **told}


class Fault(VmError):
    """An access outside every region that the program may touch."""

    def __init__(self, reason: str, pc: int = -1, address: int = 0, size: int = 0, access: str = "read") -> None:
        self.address, self.size, self.access = address, size, access
        super().__init__(reason, pc)


class BudgetExceeded(VmError):
    """The instruction budget ran out before the program ended."""


class BadInsn(VmError):
    """An instruction that is reserved, unknown, or jumps out of the program."""


class MissingBody(OsmiaError):
    """A helper or kfunc that Linux has and Osmia's table names, but that has no body yet."""

    def __init__(self, name: str, why: str = "") -> None:
        self.name = name
        super().__init__(f"{name} has no body yet" + (f": {why}" if why else ""))


class MapError(OsmiaError):
    """A map operation that the kernel would refuse; ``errno`` is the kernel's (positive)."""

    def __init__(self, errno: int, reason: str = "") -> None:
        self.errno = errno
        name = _errno.errorcode.get(errno, str(errno))
        super().__init__(f"{reason}: {name}" if reason else name)


class KernelError(OsmiaError):
    """The real kernel refused; ``errno`` is positive, ``log`` is the verifier's, possibly empty."""

    def __init__(self, what: str, errno: int, log: str = "") -> None:
        self.errno, self.log = errno, log
        super().__init__(f"{what}: {_errno.errorcode.get(errno, str(errno))}")


class Unavailable(OsmiaError):
    """This machine lacks something that the request needs; the message says what would provide it."""

    exit_status = 3


class InternalError(OsmiaError):
    """A bug of Osmia's.  Please report it with the input."""

    exit_status = 70
