"""Rows of packet helpers against the running kernel: every answer, the packet and the context afterwards."""

import os

import pytest
from helpers.sequences import TUNNEL_ROWS, by_kernel, by_us, rows
from hypothesis import HealthCheck, given, settings
from maps import realmap

import osmia.vm.interp

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(realmap.unavailable()), reason=str(realmap.unavailable()))]
COMPILED = not osmia.vm.interp.__file__.endswith(".py")
COUNT = int(os.environ.get("OSMIA_SEQUENCES", "400" if COMPILED else "150"))


ENGINES = [{"engine": engine, "checked": checked} for engine in ("interp", "jit") for checked in (True, False)]


def many(test):
    return settings(max_examples=COUNT, deadline=None, suppress_health_check=list(HealthCheck))(test)


def compare(row):
    """The same from the kernel, from the interpreter, and now and then from the JIT."""
    expected = by_kernel(row)
    engines = ENGINES if row.packet[-1] % 8 == 0 else ENGINES[:2]
    for options in engines:
        assert by_us(row, **options) == expected, options


@many
@given(rows("xdp"))
def test_frames(row):
    compare(row)


@many
@given(rows("sched_cls"))
def test_socket_buffers(row):
    compare(row)


@many
@given(TUNNEL_ROWS)
def test_tunnels(row):
    compare(row)
