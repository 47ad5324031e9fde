"""Rows of packet helpers against the running kernel: every answer, the packet and the context afterwards."""

import os

import pytest
from helpers.sequences import by_kernel, by_us, rows
from hypothesis import HealthCheck, given, settings
from maps import realmap

import osmia.vm.interp

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(realmap.unavailable()), reason=str(realmap.unavailable()))]
COMPILED = not osmia.vm.interp.__file__.endswith(".py")
COUNT = int(os.environ.get("OSMIA_SEQUENCES", "400" if COMPILED else "150"))


def many(test):
    return settings(max_examples=COUNT, deadline=None, suppress_health_check=list(HealthCheck))(test)


@many
@given(rows("xdp"))
def test_frames(row):
    assert by_us(row) == by_kernel(row)


@many
@given(rows("sched_cls"))
def test_socket_buffers(row):
    assert by_us(row) == by_kernel(row)
