"""Batch commands: counts, errnos and contents as on the running kernel."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from maps import realmap
from maps.test_live_operations import Pair, spec_of

from osmia.errors import MapError
from osmia.maps import batch

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(realmap.unavailable()), reason=str(realmap.unavailable()))]

TYPES = ["array", "percpu_array", "hash", "percpu_hash", "lru_hash", "queue", "ringbuf", "perf_event_array"]
FLAGS = st.sampled_from([0, 0, 0, 0, 1, 4, 8])


def ours(call, *args):
    try:
        return call(*args)
    except MapError as e:
        return batch.Batch([], None, e.errno)


@pytest.mark.parametrize("type_", TYPES)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_batches(type_, data):
    pair = Pair(spec_of(type_, 8, 4, 0))
    size, keyed = pair.real.value_size, pair.spec.key_size
    try:
        numbers = data.draw(st.lists(st.integers(0, 6), min_size=1, max_size=8))
        keys = [n.to_bytes(4, "little")[:keyed] for n in numbers]
        values = [bytes([n + 1]) * size for n in numbers]
        flags = data.draw(FLAGS)
        mine = ours(batch.update_batch, pair.mine, list(zip(keys, values, strict=True)), flags)
        flat = b"".join(keys), b"".join(values)
        real = realmap.batch(realmap.UPDATE_BATCH, pair.real.fd, *flat, len(keys), None, flags)
        assert (mine.errno, mine.count) == same_count(real, len(keys))
        lookups(pair, data.draw(st.integers(1, 9)) if "array" in type_ else 16, data.draw(FLAGS))
        if type_ == "lru_hash":
            return  # evictions depend on the CPU that the kernel worked on
        gone = [n.to_bytes(4, "little")[:keyed] for n in data.draw(st.lists(st.integers(0, 6), min_size=1, max_size=4))]
        mine = ours(batch.delete_batch, pair.mine, gone, flags)
        real = realmap.batch(realmap.DELETE_BATCH, pair.real.fd, b"".join(gone), b"", len(gone), None, flags)
        assert (mine.errno, mine.count) == same_count(real, len(gone))
        taken = ours(batch.take_batch, pair.mine, 16)
        real = realmap.batch(realmap.TAKE_BATCH, pair.real.fd, bytes(16 * 4), bytes(16 * size), 16)
        assert taken.errno == real[0] and (taken.errno == 524 or taken.count == real[1])
        assert pair.spec.key_size == 0 or type_ == "perf_event_array" or pair.both()[0] == pair.both()[1]
    finally:
        pair.real.close()


def same_count(real, asked):
    """A command refused as a whole leaves the count as it was."""
    bad, count = real[:2]
    return bad, 0 if bad in (22, 524) and count == asked else count


def lookups(pair, count, flags):
    size, keyed = pair.real.value_size, pair.spec.key_size
    mine = ours(batch.lookup_batch, pair.mine, count, None, flags)
    real = realmap.batch(realmap.LOOKUP_BATCH, pair.real.fd, bytes(4 * count), bytes(size * count), count, None, flags)
    assert mine.errno == real[0]
    if real[0] in (0, 2) and pair.spec.type != "lru_hash":
        rows = {real[2][i * keyed : (i + 1) * keyed]: real[3][i * size : (i + 1) * size] for i in range(real[1])}
        assert dict(mine.elements) == rows
