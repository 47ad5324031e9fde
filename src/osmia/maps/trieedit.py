"""Changing a trie of ``maps.trie``: nodes, the table, insertion and deletion.

Functions whose name ends in ``_locked``, and what they call, want the trie's lock.
"""

from __future__ import annotations

import errno

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.maps.trie import (
        BITS,
        COUNT,
        DATA,
        DATA_SIZE,
        END,
        ENTRY,
        FRESH,
        GENERATION,
        LOCK,
        MASK,
        MAX_ENTRIES,
        NEWEST,
        NEXT,
        OLDEST,
        PREFIX,
        PREFIX_MASK,
        REST,
        RESTING,
        ROOT,
        SHORT,
        STRIDE,
        TABLE,
        VALUE_AT,
        VALUE_SIZE,
        WINDOW,
        WORD,
        bit_of,
        common,
        ones,
        word_of,
    )  # fmt: skip
    from osmia.raw import add64, copy, fence, fill, ld32, ld64, lock, st8, st64, store64, unlock

EINVAL, ENOENT, EEXIST, ENOSPC = -errno.EINVAL, -errno.ENOENT, -errno.EEXIST, -errno.ENOSPC
ENOMEM = -errno.ENOMEM


# -- the table -------------------------------------------------------------------------------------------------------


def changed(t: int, data: int, length: int) -> None:
    """The entry of a prefix came, went or moved: bring the table up to date."""
    root = ld64(t + ROOT)
    start = root & 0xFFFF
    bits = ld64(t + BITS)
    word = word_of(data, bits >> 3 if bits < SHORT else 8)
    if root == 0 or start + 8 > bits or start + 8 > SHORT:
        close_window(t)
    elif ld64(t + WINDOW) != start + 1:
        close_window(t)
        st64(t + PREFIX, ld64(t + (root >> 16) + WORD))
        st64(t + PREFIX_MASK, ones(start))
        fill_table(t, start, 0, 256)
        store64(t + WINDOW, start + 1)
    elif length >= start + 8:
        fill_table(t, start, (word >> (56 - start)) & 0xFF, 1)
    else:
        fill_table(t, start, ((word & ones(length)) >> (56 - start)) & 0xFF, 1 << (start + 8 - length))


def close_window(t: int) -> None:
    """No look-up begins at the table from now on, and those that did begin again."""
    store64(t + WINDOW, 0)
    add64(t + GENERATION, 1)
    fence()


def fill_table(t: int, start: int, index: int, count: int) -> None:
    """Set ``count`` rows of the table by the eight bits behind ``start``, from ``index`` on."""
    end = index + count
    while index < end:
        fill_row(t, start, ld64(t + PREFIX) | index << (56 - start), t + TABLE + 16 * index)
        index += 1


def fill_row(t: int, start: int, word: int, row: int) -> None:
    """Find out where look-ups of keys that begin like ``word`` begin."""
    begin = 0
    best = 0
    link = ld64(t + ROOT)
    while link and begin == 0:
        node = t + (link >> 16)
        bits = link & 0xFFFF
        if bits >= start + 8:
            begin = link if (word ^ ld64(node + WORD)) >> (56 - start) == 0 else 0
            link = 0
        elif (word ^ ld64(node + WORD)) & ones(bits):
            link = 0
        else:
            best = node if ld64(node + ENTRY) else best
            link = ld64(node + 8 * ((word >> (63 - bits)) & 1))
    store64(row + 8, best)
    store64(row, begin)


# -- nodes -----------------------------------------------------------------------------------------------------------


def take(t: int) -> int:
    """Offset of a node to fill in, or 0: one that has rested, or the next one never used."""
    if ld64(t + RESTING) <= ld64(t + REST):
        at = ld64(t + FRESH)
        if at + ld64(t + STRIDE) <= ld64(t + END):
            st64(t + FRESH, at + ld64(t + STRIDE))
            return at
    at = ld64(t + OLDEST)
    if at:
        st64(t + OLDEST, ld64(t + at + NEXT))
        st64(t + RESTING, ld64(t + RESTING) - 1)
        add64(t + GENERATION, 1)
        fence()
    return at


def retire(t: int, at: int) -> None:
    """Let a node rest that nothing points to any more.  Who is reading it may go on to do so."""
    st64(t + at + NEXT, 0)
    if ld64(t + OLDEST):
        st64(t + ld64(t + NEWEST) + NEXT, at)
    else:
        st64(t + OLDEST, at)
    st64(t + NEWEST, at)
    st64(t + RESTING, ld64(t + RESTING) + 1)


def make(t: int, data: int, length: int, entry: int) -> int:
    """A new node without children for the first ``length`` bits of a key's bytes; its link, or 0 without memory."""
    M64 = 0xFFFFFFFFFFFFFFFF
    at = take(t)
    if at == 0:
        return 0
    node = t + at
    size = ld64(t + DATA_SIZE)
    store64(node, 0)
    store64(node + 8, 0)
    copy(node + DATA, data, size)
    st64(node + ENTRY, M64 if entry else 0)
    st64(node + NEXT, 0)
    st64(node + WORD, word_of(data, size if size < 8 else 8) & ones(length))
    if 8 * size <= SHORT:
        st64(node + MASK, ones(length))
    else:
        set_mask(node + MASK, length & 63)
    return at << 16 | length


def set_mask(at: int, bits: int) -> None:
    """Eight bytes in memory's order, of which the first ``bits`` bits are ones."""
    st64(at, 0)
    fill(at, 0xFF, bits >> 3)
    if bits & 7:
        st8(at + (bits >> 3), (0xFF00 >> (bits & 7)) & 0xFF)


# -- changes ---------------------------------------------------------------------------------------------------------


def place_of(t: int, data: int, length: int) -> int:
    """Where the link is that the node of a prefix has, or would have: in a node above, or in the trie's head."""
    place = t + ROOT
    link = ld64(place)
    while link:
        node = t + (link >> 16)
        bits = link & 0xFFFF
        if bits >= length or common(node + DATA, data, bits) != bits:
            return place
        place = node + 8 * bit_of(data, bits)
        link = ld64(place)
    return place


def put(t: int, key: int, value: int, flags: int) -> int:
    """Insert, or put a new node in the old one's place; 0 or a negative errno.  ``flags`` is at most BPF_EXIST."""
    if ld32(key) > ld64(t + BITS):
        return EINVAL
    lock(t + LOCK)
    bad = put_locked(t, key + 4, ld32(key), value, flags)
    unlock(t + LOCK)
    return bad


def put_locked(t: int, data: int, length: int, value: int, flags: int) -> int:
    """``put`` with the lock held."""
    place = place_of(t, data, length)
    old = ld64(place)
    there = old != 0 and (old & 0xFFFF) == length and common(t + (old >> 16) + DATA, data, length) == length
    known = there and ld64(t + (old >> 16) + ENTRY) != 0
    if known and flags == 1:
        return EEXIST
    if not known and flags == 2:
        return ENOENT
    if not known and ld64(t + COUNT) >= ld64(t + MAX_ENTRIES):
        return ENOSPC
    link = make(t, data, length, 1)
    if link == 0:
        return ENOMEM
    set_value(t, t + (link >> 16), value)
    if there:
        bad = replace(t, place, old, link)
    elif old:
        bad = branch(t, place, old, link, data)
    else:
        store64(place, link)
        bad = 0
    if bad:
        retire(t, link >> 16)
        return bad
    if not known:
        st64(t + COUNT, ld64(t + COUNT) + 1)
    changed(t, data, length)
    return 0


def set_value(t: int, node: int, value: int) -> None:
    """Copy a value in, zeros behind it up to the node's end."""
    start = ld64(t + VALUE_AT)
    fill(node + start, 0, ld64(t + STRIDE) - start)
    copy(node + start, value, ld64(t + VALUE_SIZE))


def replace(t: int, place: int, old: int, link: int) -> int:
    """Put a new node where one of the same prefix is."""
    node = t + (link >> 16)
    before = t + (old >> 16)
    st64(node, ld64(before))
    st64(node + 8, ld64(before + 8))
    store64(place, link)
    retire(t, old >> 16)
    return 0


def branch(t: int, place: int, old: int, link: int, data: int) -> int:
    """Put a new node where one of another prefix is: above it, or beside it under a node that joins both."""
    before = t + (old >> 16)
    length = link & 0xFFFF
    limit = old & 0xFFFF if (old & 0xFFFF) < length else length
    shared = common(before + DATA, data, limit)
    if shared == length:
        st64(t + (link >> 16) + 8 * bit_of(before + DATA, length), old)
        store64(place, link)
        return 0
    joint = make(t, data, shared, 0)
    if joint == 0:
        return ENOMEM
    node = t + (joint >> 16)
    st64(node + 8 * bit_of(data, shared), link)
    st64(node + 8 * (1 - bit_of(data, shared)), old)
    store64(place, joint)
    return 0


def drop(t: int, key: int) -> int:
    """Take exactly this prefix out; 0, -ENOENT, or -EINVAL for a length that no key has."""
    if ld32(key) > ld64(t + BITS):
        return EINVAL
    lock(t + LOCK)
    bad = drop_locked(t, key + 4, ld32(key))
    unlock(t + LOCK)
    return bad


def drop_locked(t: int, data: int, length: int) -> int:
    """``drop`` with the lock held.  A joint that loses a branch goes as well."""
    above = 0
    place = t + ROOT
    link = ld64(place)
    while link and (link & 0xFFFF) < length:
        node = t + (link >> 16)
        if common(node + DATA, data, link & 0xFFFF) != link & 0xFFFF:
            return ENOENT
        above = place
        place = node + 8 * bit_of(data, link & 0xFFFF)
        link = ld64(place)
    node = t + (link >> 16)
    if link == 0 or (link & 0xFFFF) != length or common(node + DATA, data, length) != length or ld64(node + ENTRY) == 0:
        return ENOENT
    unlink(t, above, place, link)
    st64(t + COUNT, ld64(t + COUNT) - 1)
    changed(t, data, length)
    return 0


def unlink(t: int, above: int, place: int, link: int) -> None:
    """Take the entry at ``place`` out; ``above`` is the place of the node that ``place`` is in, 0 at the root."""
    node = t + (link >> 16)
    left = ld64(node)
    right = ld64(node + 8)
    if left and right:
        store64(node + ENTRY, 0)  # it goes on as a joint; its value stays as it is
        return
    parent = t + (ld64(above) >> 16) if above else 0
    if left or right or parent == 0 or ld64(parent + ENTRY):
        store64(place, left | right)
    else:
        store64(above, ld64(parent + 8 - (place - parent)))
        retire(t, parent - t)
    retire(t, link >> 16)
