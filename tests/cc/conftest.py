import os
import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory):
    """What the tests find out about compilers stays out of the user's cache."""
    old = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    yield
    os.environ.pop("XDG_CACHE_HOME") if old is None else os.environ.update(XDG_CACHE_HOME=old)


@pytest.fixture
def bpftool():
    path = shutil.which("bpftool") or shutil.which("bpftool", path="/usr/sbin:/sbin")
    if not path:
        pytest.skip("no bpftool")
    return path


@pytest.fixture
def bpffs(bpftool):
    """A directory for pinned programs, which go when it goes."""
    base = Path("/sys/fs/bpf")
    if os.geteuid() or not os.path.ismount(base):
        pytest.skip("not root, or no bpf file system at /sys/fs/bpf")
    probe = subprocess.run([bpftool, "prog", "list"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("this kernel does not let us use bpf(2)")
    place = base / f"osmia_test_{os.getpid()}"
    yield place_made(place)
    shutil.rmtree(place, ignore_errors=True)


def place_made(place: Path) -> Path:
    place.mkdir(exist_ok=True)
    return place
