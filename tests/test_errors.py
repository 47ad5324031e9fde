"""The error tree: what is drawn is what exists, and places read well."""

import inspect
import re

from osmia import errors
from osmia.errors import AsmError, InputError, Place


def test_the_drawing_is_the_tree():
    drawn = re.findall(r"^(│?[ │├└─]*)(\w+)", errors.__doc__.split("::")[1].split("``Place``")[0], re.M)
    parents, stack = {}, []
    for lead, name in ((m[0], m[1]) for m in drawn if m[1] in dir(errors)):
        depth = len(lead) // 4 - 1
        stack[depth:] = [name]
        parents[name] = stack[depth - 1] if depth else None
    real = {n: c for n, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, errors.OsmiaError)}
    assert parents == {n: (c.__base__.__name__ if n != "OsmiaError" else None) for n, c in real.items()}


def test_place_in_words():
    assert str(Place(file="a.s", line=3, column=7)) == "a.s:3:7"
    assert str(Place(file="a.o", section=".text", offset=16)) == "a.o, section .text, offset 0x10"
    assert str(Place(insn=4)) == "insn 4"
    assert str(Place(line=3)) == "line 3"


def test_finer_knowledge_wins():
    e = AsmError("unknown word", line=3).at(file="a.s", line=9)
    assert str(e) == "a.s:3: unknown word"
    assert e.to_json() == {"error": "AsmError", "message": "unknown word", "file": "a.s", "line": 3}
    assert isinstance(e, InputError)
