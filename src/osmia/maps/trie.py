"""A trie of bit strings in native memory: the longest stored prefix of a key, found without a lock.

Source of the behaviour: kernel/bpf/lpm_trie.c.  A key is a u32 that counts bits, and the bytes they are in, highest bit
first.  A node stands for a prefix; it is an entry, or joins two branches that part behind it.  Nodes lie in one block
of memory behind the trie's own words and are named by *links*: offset in the block << 16 | length of the prefix.  The
length in the link is what makes a look-up quick: the bit that decides where to go on is known before the node is read.

Prefixes have a beginning in common, that of the root, and part behind it.  A table by the eight bits there says where a
look-up may begin: at the first node that counts these bits in, and with which entry above it (0: none).  It is off
(window 0) where keys are too short for it; keys that end within the eight bits begin at the root.

Several threads work on a trie at once.  Changes take the lock and appear by one store, so that a look-up, which takes
no lock, sees the trie before or after it.  An update puts a *new* node in the old one's place.  Nodes that are taken
out rest before they serve again, oldest first (the kernel waits until no program can hold a pointer to them); each
time one does, the generation goes up, and a look-up under way begins again.
"""

from __future__ import annotations

import errno

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.raw import copy, fence, ld8, ld32, ld64, load64, lock, st32, st64, unlock

    # The trie's own words, by offset (the .pxd twin has the same numbers): what look-ups read, what changes need.
    GENERATION, WINDOW, PREFIX, PREFIX_MASK, ROOT, BITS, VALUE_AT, DATA_SIZE = 0, 8, 16, 24, 32, 40, 48, 56
    LOCK, COUNT, FRESH, END, STRIDE, OLDEST, NEWEST, RESTING = 64, 72, 80, 88, 96, 104, 112, 120
    REST, VALUE_SIZE, MAX_ENTRIES = 128, 136, 144
    TABLE, NODES = 192, 192 + 256 * 16
    # A node: two children, the prefix's first 64 bits and a mask for its last bits, all ones in an entry, the node
    # freed after it, the bytes of the key as they were given; the value behind them.
    WORD, MASK, ENTRY, NEXT, DATA = 16, 24, 32, 40, 48
    SHORT = 64  # bits up to which a prefix fits into one word


ENOENT = -errno.ENOENT


def value_offset(data_size: int) -> int:
    """Where in a node its value begins."""
    return DATA + ((data_size + 7) & ~7)


def node_stride(data_size: int, value_size: int) -> int:
    """Bytes of a node."""
    return value_offset(data_size) + ((value_size + 7) & ~7)


def prepare(t: int, size: int, data_size: int, value_size: int, max_entries: int, rest: int) -> None:
    """Make ``size`` zeroed bytes at ``t`` an empty trie in which up to ``rest`` freed nodes rest."""
    st64(t + BITS, 8 * data_size)
    st64(t + DATA_SIZE, data_size)
    st64(t + VALUE_SIZE, value_size)
    st64(t + VALUE_AT, value_offset(data_size))
    st64(t + STRIDE, node_stride(data_size, value_size))
    st64(t + MAX_ENTRIES, max_entries)
    st64(t + FRESH, NODES)
    st64(t + END, size)
    st64(t + REST, rest)


def entries(t: int) -> int:
    """How many prefixes are in."""
    return int(ld64(t + COUNT))


# -- bits ------------------------------------------------------------------------------------------------------------


def word_of(data: int, size: int) -> int:
    """Up to eight bytes as a number, the first one highest, at the upper end of 64 bits."""
    if size == 4:
        return ld8(data) << 56 | ld8(data + 1) << 48 | ld8(data + 2) << 40 | ld8(data + 3) << 32
    word = 0
    at = 0
    while at < size:
        word |= ld8(data + at) << (56 - 8 * at)
        at += 1
    return word


def ones(bits: int) -> int:
    """A word with its upper ``bits`` bits set; all of them from 64 on."""
    M64 = 0xFFFFFFFFFFFFFFFF
    return M64 - (M64 >> bits) if bits < 64 else M64


def bit_of(data: int, at: int) -> int:
    """One bit of a key's bytes."""
    return (ld8(data + (at >> 3)) >> (7 - (at & 7))) & 1


def common(a: int, b: int, limit: int) -> int:
    """How many bits two keys share from the start, at most ``limit``."""
    at = 0
    while at + 64 <= limit and ld64(a + (at >> 3)) == ld64(b + (at >> 3)):
        at += 64
    while at + 8 <= limit and ld8(a + (at >> 3)) == ld8(b + (at >> 3)):
        at += 8
    while at < limit and bit_of(a, at) == bit_of(b, at):
        at += 1
    return at


def agree(node: int, data: int, known: int, length: int, size: int) -> int:
    """Whether a key begins with a node's prefix of that length, the first ``known`` bits being known to agree."""
    at = known >> 6 << 3
    while 8 * at + 64 <= length:
        if ld64(node + DATA + at) != ld64(data + at):
            return 0
        at += 8
    if 8 * at == length:
        return 1
    if at + 8 <= size:
        return 1 if (ld64(node + DATA + at) ^ ld64(data + at)) & ld64(node + MASK) == 0 else 0
    return 1 if common(node + DATA + at, data + at, length - 8 * at) == length - 8 * at else 0


# -- look-up ---------------------------------------------------------------------------------------------------------


def find(t: int, key: int) -> int:
    """The value of the longest prefix of the key, or 0."""
    length = ld32(key)
    bits = ld64(t + BITS)
    if length > bits:
        return 0
    word = word_of(key + 4, bits >> 3 if bits < SHORT else 8)
    while True:
        generation = load64(t + GENERATION)
        node = search(t, word, key + 4, length, bits)
        fence()
        if ld64(t + GENERATION) == generation:
            return node + ld64(t + VALUE_AT) if node else 0


def search(t: int, word: int, data: int, length: int, bits: int) -> int:
    """The node of the longest prefix of a key whose first 64 bits are also in ``word``, or 0."""
    window = load64(t + WINDOW)
    known = 0
    found = 0
    if window and length >= window + 7:
        if (word ^ ld64(t + PREFIX)) & ld64(t + PREFIX_MASK):
            return 0
        slot = t + TABLE + (((word >> (57 - window)) & 0xFF) << 4)
        link = load64(slot)
        found = ld64(slot + 8)
        known = window + 7
    else:
        link = load64(t + ROOT)
    if link == 0:
        return found
    return walk(t, data, length, link, known, found) if bits > SHORT else walk_short(t, word, length, link, found)


def walk_short(t: int, word: int, length: int, link: int, found: int) -> int:
    """The node of the longest prefix of ``length`` bits at the upper end of a word, from a link on; or ``found``."""
    while True:
        node = t + (link >> 16)
        if (word ^ ld64(node + WORD)) & ld64(node + MASK) or (link & 0xFFFF) > length:
            return found
        found ^= (found ^ node) & ld64(node + ENTRY)  # no branch: which nodes are entries can't be guessed
        after = load64(node + 8 * ((word >> ((link ^ 63) & 63)) & 1))
        if (after & 0xFFFF) <= (link & 0xFFFF):  # there is none, or this node serves elsewhere by now
            return found
        link = after


def walk(t: int, data: int, length: int, link: int, known: int, found: int) -> int:
    """The same for longer keys, whose bytes are at ``data``; the first ``known`` bits of what follows agree."""
    size = ld64(t + DATA_SIZE)
    while True:
        node = t + (link >> 16)
        bits = link & 0xFFFF
        if bits > length or not agree(node, data, known, bits, size):
            return found
        found ^= (found ^ node) & ld64(node + ENTRY)
        if bits == 8 * size:
            return found
        link = load64(node + 8 * bit_of(data, bits))
        if (link & 0xFFFF) <= bits:
            return found
        known = bits


# -- iteration -------------------------------------------------------------------------------------------------------


def step(t: int, key: int, out: int) -> int:
    """Write the key that follows in postorder (the first, where ``key`` is 0 or not there) to ``out``; 0 or -ENOENT."""
    lock(t + LOCK)
    link = first(t, ld64(t + ROOT))
    if key and ld32(key) <= ld64(t + BITS):
        link = following(t, key + 4, ld32(key), link)
    if link:
        st32(out, link & 0xFFFF)
        copy(out + 4, t + (link >> 16) + DATA, ld64(t + DATA_SIZE))
    unlock(t + LOCK)
    return 0 if link else ENOENT


def first(t: int, link: int) -> int:
    """The first node in postorder under a link: down to the left as long as it goes down at all."""
    while link:
        node = t + (link >> 16)
        below = ld64(node) if ld64(node) else ld64(node + 8)
        if below == 0:
            return link
        link = below
    return 0


def following(t: int, data: int, length: int, otherwise: int) -> int:
    """The entry after a prefix, 0 after the last, ``otherwise`` where the prefix is no entry."""
    behind = 0
    link = ld64(t + ROOT)
    while link and (link & 0xFFFF) < length:
        node = t + (link >> 16)
        if common(node + DATA, data, link & 0xFFFF) != link & 0xFFFF:
            return otherwise
        side = bit_of(data, link & 0xFFFF)
        if side == 0 and ld64(node + 8):
            behind = first(t, ld64(node + 8))
        elif ld64(node + ENTRY):
            behind = link
        link = ld64(node + 8 * side)
    node = t + (link >> 16)
    if link == 0 or (link & 0xFFFF) != length or ld64(node + ENTRY) == 0:
        return otherwise
    return behind if common(node + DATA, data, length) == length else otherwise
