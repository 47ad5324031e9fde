"""Osmia: the whole eBPF system outside the kernel."""

from osmia._version import __version__

__all__ = ["__version__"]
