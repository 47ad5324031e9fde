"""Where does data live?  The maps that programs share with one another and with Python.

``create(spec)`` makes one map as libbpf and the kernel would; ``create_all(specs)`` makes those of a collection with
their initial contents.  Every map is a ``Map``: ``m[key]``, ``m[key] = value``, ``del``, iteration, ``items()``.
"""

from osmia.maps.base import Map
from osmia.maps.check import check_create
from osmia.maps.create import TYPES, create, create_all

__all__ = ["TYPES", "Map", "check_create", "create", "create_all"]
