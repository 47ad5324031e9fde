"""The C functions of compiled modules, by address: what native code calls without Python."""

from __future__ import annotations

import ctypes
import importlib
from functools import cache

_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype, _pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
_name = ctypes.pythonapi.PyCapsule_GetName
_name.restype, _name.argtypes = ctypes.c_char_p, [ctypes.py_object]


@cache
def address_of(module: str, function: str) -> int:
    """The address of a function that the module's ``.pxd`` declares ``cdef``; 0 where the module is not compiled.

    Cython lists such functions as capsules in ``__pyx_capi__``, for other modules to cimport.
    """
    capsule = getattr(importlib.import_module(module), "__pyx_capi__", {}).get(function)
    return 0 if capsule is None else int(_pointer(capsule, _name(capsule)) or 0)
