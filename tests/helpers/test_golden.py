"""What Linux 6.18 answered, recorded in golden/: our bodies answer the same, with no kernel at hand."""

import pytest
from helpers import both, golden
from maps import realmap


@pytest.fixture(scope="module")
def ours():
    return golden.lines(both.here, golden.our_print)


@pytest.mark.parametrize("name", ["numbers", "checksums", "packets", "printk"])
def test_as_recorded(ours, name):
    recorded = (golden.FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    assert ours[name] == recorded


@pytest.mark.live
@pytest.mark.skipif(bool(realmap.unavailable()), reason=str(realmap.unavailable()))
def test_this_kernel_still_says_so():
    import platform

    if tuple(map(int, platform.release().split(".")[:2])) < (6, 18):
        pytest.skip("recorded from 6.18")
    for name, text in golden.lines(both.on_kernel, golden.kernel_print).items():
        assert text == (golden.FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
