"""Things of a world that have a kernel object, which is made when something first asks for it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from osmia.errors import UsageError

if TYPE_CHECKING:
    from osmia.sim.kmem import Kmem
    from osmia.sim.kobject import KObject


@dataclass(eq=False, kw_only=True)
class Embodied(ABC):
    """``kmem`` gives the memory that the object lives in; asking for it may mean reading a kernel's BTF."""

    kmem: Callable[[], Kmem] | None = field(default=None, repr=False)
    _object: KObject | None = field(default=None, repr=False)

    @property
    def kobject(self) -> KObject:
        """The kernel object.  Raises UsageError for a thing of no world."""
        if self._object is None:
            if self.kmem is None:
                raise UsageError(f"{self} belongs to no world")
            self._object = self._make(self.kmem())
        return self._object

    @property
    def address(self) -> int:
        """The address of the kernel object."""
        return self.kobject.address

    @abstractmethod
    def _make(self, kmem: Kmem) -> KObject:
        """The object, filled in with what programs look for."""
