"""``consts.pxd`` repeats ``consts.py`` for compiled modules: the two must say the same."""

import re
from pathlib import Path

from osmia.verifier import consts

TWIN = (Path(consts.__file__).parent / "consts.pxd").read_text()


def test_the_twin_has_the_same_numbers():
    twin = {name: int(value) for name, value in re.findall(r"^    ([A-Z]\w+) = (-?\d+)$", TWIN, re.M)}
    wide = set(re.findall(r'^    const \w+ (\w+) "', TWIN, re.M))
    ours = {name: value for name, value in vars(consts).items() if name.isupper()}
    assert wide == set(ours) - set(twin)
    assert twin == {name: value for name, value in ours.items() if name in twin}


def test_wide_numbers_are_the_limits_of_their_types():
    c = {
        name: re.search(rf"#define OSMIA_{name} \((\w+)\)", TWIN).group(1) for name in ("S64_MIN", "U64_MAX", "S32_MAX")
    }
    assert c == {"S64_MIN": "INT64_MIN", "U64_MAX": "UINT64_MAX", "S32_MAX": "INT32_MAX"}
    assert (consts.S64_MIN, consts.U64_MAX, consts.S32_MAX) == (-(2**63), 2**64 - 1, 2**31 - 1)
