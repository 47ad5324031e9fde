"""The numbers that compiled modules cimport are those of the Python module."""

import re
from pathlib import Path

from osmia.isa import consts


def test_the_twin_says_the_same():
    text = Path(consts.__file__).with_name("consts.pxd").read_text()
    twin = {name: int(number) for name, number in re.findall(r"^    (\w+) = (\d+)$", text, re.MULTILINE)}
    numbers = {n: v for n, v in vars(consts).items() if isinstance(v, int) and not n.startswith("_")}
    assert twin == numbers
