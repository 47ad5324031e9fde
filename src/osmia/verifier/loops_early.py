"""Loops on the walk before Linux 6.17: each state knows the state that its loop was entered by, as far as is known.

A state whose loop's entry still has paths to walk may yet turn out to need more than it says, so others are compared
with it strictly.  (``get_loop_entry``, ``update_loop_entry`` in kernel/bpf/verifier.c, Linux 6.6 to 6.16; the idea is
from Wei, Mao, Zou and Chen, "A New Algorithm for Identifying Loops in Decompilation".)
"""

from __future__ import annotations

from osmia.verifier.env import Env
from osmia.verifier.state import State

Entries = dict[int, tuple[State, State]]
"""By the identity of a state: the state itself, which must live as long as its row, and the entry of its loop."""


def entries_of(env: Env) -> Entries:
    """The table of a walk."""
    found: Entries = env.room.setdefault("loop_entries", {})
    return found


def loop_entry(env: Env, state: State) -> State | None:
    """The outermost entry known of the loop that a state stands in; rows on the way are shortened to it."""
    entries = entries_of(env)
    row = entries.get(id(state))
    if row is None:
        return None
    topmost = row[1]
    while (above := entries.get(id(topmost))) is not None and above[1] is not topmost:
        topmost = above[1]
    at = state
    while (row := entries.get(id(at))) is not None and row[1] is not topmost:
        entries[id(at)] = at, topmost
        at = row[1]
    return topmost


def update_loop_entry(env: Env, cur: State, header: State) -> None:
    """``header`` may be the entry of the loop that ``cur`` stands in: if it is on the way being walked, and first."""
    cur_top = loop_entry(env, cur) or cur
    top = loop_entry(env, header) or header
    if top.branches and top.dfs_depth <= cur_top.dfs_depth:
        entries_of(env)[id(cur)] = cur, header


def unfinished_entry(env: Env, state: State) -> State | None:
    """The entry of a state's loop if paths from it are still to be walked."""
    entry = loop_entry(env, state)
    return entry if entry is not None and entry.branches > 0 else None


def inherit(env: Env, new: State, old: State) -> None:
    """A copy stands in the loop of the state that it was copied from."""
    entries = entries_of(env)
    row = entries.get(id(old))
    if row is None:
        entries.pop(id(new), None)
    else:
        entries[id(new)] = new, row[1]


def path_done(env: Env, state: State) -> None:
    """All paths from a state have ended: what loop it stands in, the state before it does, too."""
    row = entries_of(env).get(id(state))
    if row is not None and state.parent is not None:
        update_loop_entry(env, state.parent, row[1])
