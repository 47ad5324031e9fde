"""Assembly text, statement by statement, into a ``Unit``: comments, labels, instructions; directives are next door."""

from __future__ import annotations

import re

from osmia.asm.llvm_args import Args
from osmia.asm.llvm_directives import DIRECTIVES, SKIPPED
from osmia.asm.llvm_lex import Token, Value, integer, tokenize, unquote
from osmia.asm.llvm_parse import Fix, Parsed, Plan, instruction
from osmia.asm.llvm_unit import ALLOC, EXEC, NOBITS, PROGBITS, WRITE, Fixup, Section, Unit
from osmia.errors import AsmError, Place
from osmia.isa.insn import ByteOrder, encode

_COMMENT = re.compile(r'("(?:[^"\\\n]|\\.)*")|(/\*.*?\*/)|(?:#|//)[^\n]*|(/\*)', re.DOTALL)
_LABEL = re.compile(r'\s*([A-Za-z_.$@][\w.$@]*|\d+|"(?:[^"\\\n]|\\.)*")\s*:')
_STATEMENT = re.compile(r'(?:"(?:[^"\\\n]|\\.)*"|[^;"]|")+')
_NUMBER = re.compile(r"(?<![\w.$@])(?:[-+]\s*)?(?:0[xX][0-9a-fA-F]+|[0-9]+)(?![\w.$@])")
_MEMO = 1 << 16
_DIRECTION = re.compile(r"(\d+)([bf])\Z")
_BY_FOUR = (".text", ".BTF", ".BTF.ext")  # aligned without being told, as clang's own objects are
_HOMES = ((".text", EXEC | ALLOC), (".data", WRITE | ALLOC), (".bss", WRITE | ALLOC), (".rodata", ALLOC))


class Reader:
    """Reads a whole text into ``unit``; ``file`` names it in errors."""

    def __init__(self, order: ByteOrder = "little", file: str | None = None) -> None:
        self.unit = Unit(order)
        self.file = file
        self.line = 0
        self.known: dict[str, Value] = {}  # symbols that .set gave a number
        self.stack: list[tuple[Section, Section]] = []
        self._memo: dict[str, tuple[bytes, Fix | None]] = {}  # lines met before
        self._plans: dict[str, Plan] = {}  # lines without their numbers
        self._counts: dict[str, int] = {}  # of the labels that are numbers
        self.section = self.previous = self.enter(".text")

    @property
    def place(self) -> Place:
        """The line being read."""
        return Place(self.file, line=self.line)

    def read(self, text: str) -> Unit:
        """Every statement.  Raises AsmError with file, line and column."""
        for number, line in enumerate(_without_comments(text, self.file).split("\n"), 1):
            if not line or line.isspace():
                continue
            self.line = number
            met = self._memo.get(line)
            if met is not None:
                self._emit(*met)
            elif not self._planned(line):
                self._line(line)
        return self.unit

    def _planned(self, line: str) -> bool:
        """Read a line that differs from an earlier one in numbers only: five times as fast as reading it anew."""
        plan = self._plans.get(_NUMBER.sub("#", line))
        try:
            slots = plan.slots([_number(n) for n in _NUMBER.findall(line)]) if plan is not None else None
        except AsmError:  # too many digits: to be read slowly, and refused with its place
            return False
        if slots is None:
            return False
        data = encode(slots, self.unit.order)
        if len(self._memo) < _MEMO:
            self._memo[line] = data, None
        self._emit(data, None)
        return True

    def _line(self, line: str) -> None:
        for match in _STATEMENT.finditer(line):
            text, column = match[0], match.start() + 1
            while label := _LABEL.match(text):
                self._label(label[1], column + label.start(1))
                text, column = text[label.end() :], column + label.end()
            tokens = tokenize(text, self.place, column)
            if tokens:
                self._statement(tokens, line if text == line else None)

    def _statement(self, tokens: list[Token], line: str | None) -> None:
        first = tokens[0]
        if first.kind == "name" and first.text[0] == ".":
            self._directive(tokens)
        elif len(tokens) > 1 and tokens[1].text == "=" and first.kind == "name" and self._is_assignment(tokens):
            DIRECTIVES[".set"](self, Args([first, Token("sign", ",", tokens[1].column), *tokens[2:]], self))
        else:
            parsed = instruction(tokens, self.place, self.known)
            data = encode(parsed.insns, self.unit.order)
            if line is not None:
                self._learn(line, parsed, data)
            self._emit(data, parsed.fix)

    def _learn(self, line: str, parsed: Parsed, data: bytes) -> None:
        """Keep what the line became; where its numbers are plain, for lines like it, too."""
        if len(self._memo) < _MEMO:
            self._memo[line] = data, parsed.fix
        if parsed.plan is not None and len(_NUMBER.findall(line)) == len(parsed.plan.numbers):
            self._plans[_NUMBER.sub("#", line)] = parsed.plan

    def _is_assignment(self, tokens: list[Token]) -> bool:
        return not re.fullmatch(r"[rRwW]\d+", tokens[0].text) and tokens[2:3] != []

    def _directive(self, tokens: list[Token]) -> None:
        name = tokens[0].text
        if name in SKIPPED or name.startswith(".cfi_"):
            return
        handler = DIRECTIVES.get(name)
        if handler is None:
            raise AsmError(f"directive {name} is not known", self.place, column=tokens[0].column)
        args = Args(tokens[1:], self, tokens[0].column)
        handler(self, args)
        args.done()

    # -- labels and symbols

    def _label(self, name: str, column: int) -> None:
        place = Place(self.file, line=self.line, column=column)
        if name.isdigit():
            self._counts[name] = self._counts.get(name, 0) + 1
            name = f".L{name}\1{self._counts[name]}"
        elif name[0] == '"':
            name = unquote(name).decode(errors="replace")
        if name in self.known:
            raise AsmError(f"symbol {name!r} is already defined", place)
        self.unit.define(name, self.section.name, self.here(), place)

    def forget(self) -> None:
        """Statements read so far may mean something else now: a name has got a value."""
        self._memo.clear()
        self._plans.clear()

    def here(self) -> int:
        """The offset in the current section, in bytes."""
        return self.section.size if self.section.type == NOBITS else len(self.section.data)

    def settled(self, value: Value) -> Value:
        """The value with ``.``, ``1b`` and ``1f`` replaced by the labels that they mean here."""
        return Value(value.const, self._meant(value.plus), self._meant(value.minus))

    def _meant(self, name: str | None) -> str | None:
        if name is None:
            return None
        if name == ".":
            name = f".L.\1{self.section.name}\1{self.here()}"
            if name not in self.unit.symbols:
                self.unit.define(name, self.section.name, self.here(), self.place)
        elif match := _DIRECTION.match(name):
            count = self._counts.get(match[1], 0) + (match[2] == "f")
            name = f".L{match[1]}\1{count}"
        return name

    # -- sections and their contents

    def enter(self, name: str) -> Section:
        """The section of that name, made with the attributes that its name implies when it is new."""
        found = self.unit.sections.get(name)
        if found is None:
            flags = next((f for home, f in _HOMES if name == home or name.startswith(home + ".")), 0)
            kind = NOBITS if name == ".bss" or name.startswith(".bss.") else PROGBITS
            align = 4 if name in _BY_FOUR else 1
            found = self.unit.sections[name] = Section(name, kind, flags, align=align)
        return found

    def switch(self, section: Section) -> None:
        """What follows goes into ``section``."""
        self.previous, self.section = self.section, section

    def append(self, data: bytes) -> None:
        """Bytes at the end of the current section.  Raises AsmError where a section has none."""
        if self.section.type == NOBITS:
            if any(data):
                raise AsmError(f"section {self.section.name} holds nothing but zeros", self.place)
            self.section.size += len(data)
        else:
            self.section.data += data

    def wait(self, kind: str, size: int, value: Value, column: int) -> None:
        """A field at the end of the current section that ``value`` will fill in."""
        place = Place(self.file, line=self.line, column=column)
        self.section.fixups.append(Fixup(self.here(), kind, size, self.settled(value), place))

    def _emit(self, data: bytes, fix: Fix | None) -> None:
        if fix is not None:
            self.wait(fix.kind, 8, fix.value, fix.column)
        self.append(data)


def _number(text: str) -> int:
    """A number with its sign."""
    if text[0] in "+-":
        return -integer(text[1:].strip()) if text[0] == "-" else integer(text[1:].strip())
    return integer(text.strip())


def _without_comments(text: str, file: str | None) -> str:
    """The text with every comment gone; lines stay where they are."""
    if "#" not in text and "//" not in text and "/*" not in text:
        return text
    return _COMMENT.sub(lambda m: _uncomment(m, text, file), text)


def _uncomment(match: re.Match[str], text: str, file: str | None) -> str:
    if match[1]:
        return match[1]
    if match[3]:
        line = text.count("\n", 0, match.start()) + 1
        column = match.start() - text.rfind("\n", 0, match.start())
        raise AsmError("this comment has no end", file=file, line=line, column=column)
    return re.sub(r"[^\n]", " ", match[2]) if match[2] else ""


