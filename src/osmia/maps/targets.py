"""Numbers for the programs in prog_arrays: what stands in a slot, and how an engine gets from there to a program.

A number belongs to one object for ever and is never given to another, so an engine may keep what it knows of it.
"""

from __future__ import annotations

import weakref
from itertools import count
from threading import Lock
from typing import Any

_lock = Lock()
_next = count(1)
_numbers: dict[int, int] = {}  # id() of an object that lives → its number
_objects: dict[int, Any] = {}  # number → the object, or a weak reference to it where it takes one


def number_of(target: Any) -> int:
    """The number of an object, from 1 on: the same each time."""
    with _lock:
        found = _numbers.get(id(target))
        if found is None:
            found = _numbers[id(target)] = next(_next)
            _objects[found] = _reference(target, id(target), found)
        return found


def target_of(number: int) -> Any:
    """The object of a number, or None: it is gone, or there never was one."""
    found = _objects.get(number)
    return found() if isinstance(found, weakref.ref) else found


def _reference(target: Any, identity: int, number: int) -> Any:
    def forget(_: Any) -> None:
        _numbers.pop(identity, None)
        _objects.pop(number, None)

    try:
        return weakref.ref(target, forget)
    except TypeError:
        return target
