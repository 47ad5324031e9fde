"""Small programs in text, and what is said to them.

Beside llvm's dialect: ``r1 = map 0``, ``r1 = value 0 5``, ``r2 = func name``, ``call name``, and ``name:`` before it.
"""

import re

import pytest

from osmia import live
from osmia.asm import llvm
from osmia.isa import macros as m
from osmia.obj.model import MapSpec, Program
from osmia.testing.answers import Kernel, ask_osmia
from osmia.verifier.env import Powers

LOAD = re.compile(r"r(\d+) = (map|value|func) (.*)")
CALL = re.compile(r"call ([a-z]\w*)")
ARRAY = MapSpec("array", "array", 4, 16, 4)
HASH = MapSpec("hash", "hash", 8, 24, 4)
STRING = MapSpec("string", "array", 4, 8, 1, 128, data=b"%d %s\0\0\0", frozen=True)
LOOK_UP = """
    *(u32 *)(r10 - 8) = 9
    r1 = map 0
    r2 = r10
    r2 += -8
    call 1
"""
"""R0: a value of map 0, or null."""


def insns(text):
    """Instructions of a program's text."""
    lines = [x.strip() for x in text.splitlines() if x.strip()]
    places = starts(text)
    made = []
    for line in lines:
        if not line.endswith(":"):
            made += _line(line, len(made), places)
    return made


def starts(text):
    """The slots of a text's functions by name."""
    found, at = {}, 0
    for line in filter(None, (x.strip() for x in text.splitlines())):
        if line.endswith(":"):
            found[line[:-1]] = at
        else:
            at += len(_line(line, 0, None))
    return found


def _line(line, at, places):
    if called := CALL.fullmatch(line):
        return [m.BPF_CALL_REL(places[called[1]] - at - 1 if places else 0)]
    found = LOAD.fullmatch(line)
    if not found:
        return llvm.parse(line)
    register, kind, rest = int(found[1]), found[2], found[3]
    if kind == "func":
        return m.BPF_LD_FUNC(register, places[rest] - at - 1 if places else 0)
    numbers = [int(x) for x in rest.split()]
    return m.BPF_LD_MAP_FD(register, *numbers) if kind == "map" else m.BPF_LD_MAP_VALUE(register, *numbers)


def program(prog_type, text, *maps, **others):
    """A program that is loaded under the GPL if nothing else is said."""
    return Program("t", prog_type, insns(text), maps=list(maps), **{"license": "GPL", **others})


def answer(made, level=2, powers=None):
    """Osmia's answer."""
    found = ask_osmia(made, level, powers or Powers())
    assert not found.crash and not found.unsupported, found
    return found


def said(made, powers=None):
    """Errno and last words."""
    found = answer(made, 1, powers)
    return found.errno, found.message


def same_as_kernel(made, level=2):
    """Assert that the running kernel gives the same answer, log and all."""
    theirs = Kernel().ask(made, level, Powers())
    ours = answer(made, level)
    assert ours.log == theirs.log
    assert ours.errno == theirs.errno


live_kernel = pytest.mark.skipif(bool(live.available()), reason=f"no bpf(2): {live.available()}")
