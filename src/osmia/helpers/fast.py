"""Which helpers have a native body: their name → the module and the function that both engines call.

A native body is one function, the same for the interpreter and the JIT, compiled and not::

    u64 f(u64 run, u64 r1, u64 r2, u64 r3, u64 r4, u64 r5) noexcept nogil

``run`` is the address of the running thread's block (``vm.run``); whatever the function needs stands behind it:
``run.host`` (the words of ``vm.hostwords``), ``run.packet`` (``vm.packetstate``), a map's handle (``maps.base``).
It holds no GIL, makes no object and raises nothing.  It lives in a module ``helpers/fast_*.py`` whose ``.pxd`` twin
declares it ``cdef … noexcept nogil``; ``osmia.native.address_of(module, function)`` is its address, and
uncompiled it is an ordinary function of ints.

- What the verifier would have refused is a fault: in checked runs (``run.checked``) the function asks ``may`` for every
  pointer before it touches it, and answers ``refuse(…)`` where that says no; the engine sees ``run.fault`` and
  raises the typed error.  Trusted runs skip that.
- What it can't do itself it hands on: ``python_body(run, number, …)`` of ``fallback`` has the Python body of the same
  helper do the whole call (a host without words, a map family without native functions, an error with a story to
  tell).  So it must have touched nothing yet.  A helper of ``ALONE`` never does that and has no Python body.

To add a helper: write the function and its line in the ``.pxd``, add its row here, and take its Python body away unless
it is still handed calls.
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osmia.native import address_of
from osmia.raw import call6
from osmia.vm.env import FastBody

if TYPE_CHECKING:
    from osmia.vm.env import HelperBody

FAST: dict[str, tuple[str, str]] = {}
"""Name of the helper → module and function of the native body."""

ALONE: set[str] = set()
"""Helpers whose native body does the whole work: there is no Python body to hand a call to."""

SEARCHES: set[str] = set()
"""Helpers that look addresses up in the run's memory even where the run is trusted: a pointer into a stack frame
must then point into ``run.stack``."""


def rows(module: str, names: str, *, alone: bool = False, searches: bool = False) -> None:
    """Add helpers whose function in ``osmia.helpers.<module>`` has the helper's name without ``bpf_``."""
    for name in names.split():
        FAST[f"bpf_{name}"] = (f"osmia.helpers.{module}", name)
        if alone:
            ALONE.add(f"bpf_{name}")
        if searches:
            SEARCHES.add(f"bpf_{name}")


rows("fast_clock", "ktime_get_ns ktime_get_boot_ns ktime_get_coarse_ns ktime_get_tai_ns jiffies64 get_prandom_u32")
rows("fast_clock", "get_smp_processor_id get_numa_node_id", alone=True)
rows("fast_tasks", "get_current_pid_tgid get_current_uid_gid get_current_comm")
rows("fast_tasks", "get_current_task get_current_task_btf")
rows("fast_probe", "probe_read probe_read_kernel probe_read_user", alone=True, searches=True)
rows("fast_probe", "probe_read_str probe_read_kernel_str probe_read_user_str", alone=True, searches=True)
rows("fast_probe", "copy_from_user copy_from_user_task probe_write_user", alone=True, searches=True)
rows("fast_strings", "strtol strtoul strncmp", alone=True)
rows("fast_maps", "map_lookup_elem map_update_elem map_delete_elem map_lookup_percpu_elem")
rows("fast_maps", "map_push_elem map_pop_elem map_peek_elem")
rows("fast_ring", "ringbuf_output ringbuf_reserve ringbuf_submit ringbuf_discard ringbuf_query")
rows("fast_perf", "perf_event_output")
rows("fast_trace", "trace_printk trace_vprintk snprintf", searches=True)
rows("fast_control", "for_each_map_elem spin_lock spin_unlock")
rows("fast_control", "loop", alone=True)
rows("fast_packet", "skb_load_bytes skb_load_bytes_relative skb_store_bytes skb_pull_data", alone=True)
rows("fast_packet", "skb_change_tail skb_change_head skb_change_type", alone=True)
rows("fast_packet", "get_hash_recalc set_hash set_hash_invalid", alone=True)
rows("fast_csum", "csum_diff l3_csum_replace l4_csum_replace csum_update csum_level", alone=True)
rows("fast_redirect", "redirect redirect_map")
rows("fast_redirect", "redirect_peer redirect_neigh", alone=True)
rows("fast_vlan", "skb_vlan_push skb_vlan_pop", alone=True)
rows("fast_room", "skb_adjust_room skb_change_proto", alone=True)
rows("fast_xdp", "xdp_adjust_head xdp_adjust_tail xdp_adjust_meta", alone=True)
rows("fast_xdp", "xdp_get_buff_len xdp_load_bytes xdp_store_bytes", alone=True)


def address(name: str) -> int:
    """Where the compiled native body of a helper is; 0 uncompiled, or where it has none."""
    row = FAST.get(name)
    return address_of(*row) if row else 0


def fast_body(number: int, name: str, python: HelperBody | None) -> FastBody:
    """The native body of a helper of ``FAST``, with the Python body that it may hand calls to."""
    module, function = FAST[name]
    found = getattr(importlib.import_module(module), function, None)
    at = address(name)
    return FastBody(number, name, found or _called(at), at, python)


def _called(at: int) -> Any:
    """The compiled function as Python calls it."""
    return lambda run, *registers: call6(at, run, *registers)


def summary(name: str) -> str:
    """The first line of the native body's docstring, read from the source: compiled functions show none."""
    module, function = FAST[name]
    path = Path(__file__).with_name(module.rpartition(".")[2] + ".py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = next(f for f in tree.body if isinstance(f, ast.FunctionDef) and f.name == function)
    return (ast.get_docstring(found) or "").split("\n", 1)[0]
