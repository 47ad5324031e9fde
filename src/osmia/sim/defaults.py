"""What a world takes when nobody says otherwise."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osmia.btf import Btf


@cache
def default_btf() -> Btf:
    """The types of kernel objects: Osmia's compact BTF of Linux 6.18.  Shared: do not add to it."""
    from osmia.btf import Btf
    from osmia.kernel.layout import types_btf

    return Btf.parse(types_btf())
