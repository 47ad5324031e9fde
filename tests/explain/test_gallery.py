"""Classic mistakes: what is said of each is kept beside its source, and the kernel says the same in its log."""

import os
import platform

import pytest
from explain import kit

from osmia import live
from osmia.explain import explain
from osmia.explain.build import BUILDERS, RULES
from osmia.explain.render import text_of
from osmia.testing.answers import Kernel, masked
from osmia.verifier.judge import judge

PIECES = kit.pieces()
SAME = platform.release().startswith("6.18.")
SCREEN = 40
"""Lines that a screen holds."""


def named(piece):
    return piece.name


def marked(pieces):
    """Pieces that take long are slow; those that need a kernel's types run beside that kernel only."""
    for piece in pieces:
        marks = [pytest.mark.slow] if "slow" in piece.options else []
        if "btf" in piece.options and not SAME:
            marks.append(pytest.mark.skip(reason="needs the types of Linux 6.18"))
        yield pytest.param(piece, marks=marks, id=piece.name)


@pytest.fixture(autouse=True)
def in_the_gallery(monkeypatch):
    monkeypatch.chdir(kit.GALLERY)


def test_there_are_enough():
    assert len(PIECES) >= 100
    assert len({piece.title for piece in PIECES}) == len(PIECES)
    kinds = {line.split()[0] for piece in PIECES for line in piece.golden.read_text("utf-8").splitlines()[:1]}
    assert kinds == {"#"}


@pytest.mark.parametrize("piece", list(marked(PIECES)))
def test_what_is_said_is_kept(piece):
    assert piece.told() == piece.golden.read_text("utf-8")


@pytest.mark.parametrize("piece", PIECES, ids=named)
def test_an_explanation_fits_a_screen(piece):
    said = piece.golden.read_text("utf-8").partition("verdict  ")
    lines = said[0].splitlines()[-6:] + said[2].splitlines()
    assert said[1] and len(lines) <= SCREEN
    assert all(len(line) <= 160 for line in lines)
    assert "fix          * " in said[2]
    assert not any(hole in said[2] for hole in ("{it}", "{call}", "{arg}", "{name}", "{declare}", "None"))


@pytest.mark.live
@pytest.mark.skipif(live.available() is not None or not SAME, reason="needs a Linux 6.18 that loads programs")
@pytest.mark.parametrize(
    "piece", [p for p in PIECES if "live=no" not in p.options and "slow" not in p.options], ids=named
)
def test_the_kernel_says_the_same(piece):
    program = piece.program()
    with Kernel() as kernel:
        answer = kernel.ask(program, 1, piece.power)
    verdict = judge(program, piece.kernel, piece.power)
    assert (verdict.errno, masked(verdict.log, program)) == (answer.errno, answer.log)


@pytest.mark.parametrize("name", ["null_lookup", "map_index_off_by_one", "packet_second_header", "leak_ringbuf"])
def test_facts_are_structured(name):
    piece = next(p for p in PIECES if p.name == name)
    said = explain(piece.program(), piece.kernel, piece.power).to_json()
    assert {"headline", "rule", "kind", "errno", "place", "origins", "fixes"} <= set(said)
    assert said["place"]["file"] == f"{name}.bpf.c"
    assert said["place"]["code"].strip() in piece.path.read_text("utf-8")
    assert said["place"]["line"] > 0
    assert said["origins"][0]["place"]["line"] > 0


def test_every_explanation_quotes_its_own_source():
    for piece in PIECES:
        if piece.path.suffix == ".s" or "slow" in piece.options or ("btf" in piece.options and not SAME):
            continue
        said = explain(piece.program(), piece.kernel, piece.power)
        source = piece.path.read_text("utf-8").splitlines()
        for place in [said.place, *[o.place for o in said.origins], *[check.place for check in said.checks]]:
            if place is not None and place.line:
                assert source[place.line - 1].rstrip() == place.code


def test_the_words_are_there_for_each_piece():
    kinds = set()
    for piece in PIECES:
        if "slow" not in piece.options and ("btf" not in piece.options or SAME):
            kinds.add(explain(piece.program(), piece.kernel, piece.power).kind)
    assert kinds <= set(RULES)
    assert len(kinds & set(BUILDERS)) >= 25


@pytest.mark.slow
@pytest.mark.parametrize("piece", [p for p in PIECES if p.path.suffix != ".s"], ids=named)
def test_sources_compile_to_the_kept_objects(piece, tmp_path, monkeypatch):
    kept = piece.program()
    monkeypatch.setattr(kit, "OBJECTS", tmp_path)
    piece.compile()
    assert piece.program().insns == kept.insns


def test_the_text_is_wrapped():
    piece = next(p for p in PIECES if p.name == "packet_header_length")
    said = explain(piece.program())
    narrow = text_of(said, 60)
    assert max(len(line) for line in narrow.partition("\nrule ")[2].splitlines()) <= 61
    assert os.linesep not in text_of(said, 100).strip().split("\n")[0]
