"""Maps of the running kernel: create from a MapSpec, read and write bytes, close."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from osmia.errors import KernelError, MapError, UsageError
from osmia.kernel.uapi import MAP_TYPE
from osmia.live import syscall
from osmia.live.btfs import LiveBtfs
from osmia.maps.create import adjust
from osmia.raw import Buffer

if TYPE_CHECKING:
    from osmia.obj.model import MapSpec

PER_CPU = ("percpu_array", "percpu_hash", "lru_percpu_hash", "percpu_cgroup_storage")
OF_MAPS = ("array_of_maps", "hash_of_maps")


def possible_cpus() -> int:
    """How many CPUs per-CPU maps have room for (/sys/devices/system/cpu/possible)."""
    with open("/sys/devices/system/cpu/possible", encoding="ascii") as file:  # noqa: PTH123
        return int(file.read().strip().replace(",", "-").split("-")[-1]) + 1


class LiveMap(syscall.Descriptor):
    """A map in the kernel.  Keys and values are bytes; all CPUs' values of a per-CPU map stand in a row.

    ``btfs``: the BTF that it shares with other maps and with programs.
    Refusals are MapError with the kernel's errno; creating one raises KernelError.  Close it, or use ``with``.
    """

    def __init__(self, spec: MapSpec, btfs: LiveBtfs | None = None) -> None:
        if spec.type not in MAP_TYPE:
            raise UsageError(f"no map type is called {spec.type!r}")
        spec = adjust(spec, possible_cpus())
        self.spec, self.name, self.fd, self._btf_fd = spec, spec.name, -1, -1
        self._inner = LiveMap(spec.inner, btfs) if spec.inner is not None and spec.type in OF_MAPS else None
        try:
            self.fd = self._create(spec, btfs)
            self._fill(spec)
        except BaseException:
            self.close()
            raise
        stride = (spec.value_size + 7) & ~7
        self.value_size = stride * possible_cpus() if spec.type in PER_CPU else spec.value_size

    def _attr(self, spec: MapSpec) -> syscall.MapAttr:
        inner = self._inner.fd if self._inner else 0
        numa = spec.numa_node or 0
        sizes = (spec.key_size, spec.value_size, spec.max_entries, spec.flags)
        attr = syscall.MapAttr(MAP_TYPE[spec.type], *sizes, inner, numa, spec.name, map_extra=spec.map_extra)
        if self._btf_fd < 0:
            return attr
        key, value = spec.btf_key_type_id, spec.btf_value_type_id
        return attr._replace(btf_fd=self._btf_fd, btf_key_type_id=key, btf_value_type_id=value)

    def _create(self, spec: MapSpec, btfs: LiveBtfs | None) -> int:
        """As libbpf does it: BTF goes along, and maps of an object file do without it where the kernel minds."""
        if spec.btf is None or not spec.btf_value_type_id:
            return syscall.map_create(self._attr(spec))
        own = LiveBtfs()
        self._btf_fd = (btfs or own).fd(spec.btf)
        try:
            return syscall.map_create(self._attr(spec))
        except KernelError:
            if not spec.section:
                raise
        finally:
            own.close()
            self._btf_fd = -1
        return syscall.map_create(self._attr(spec))

    def _fill(self, spec: MapSpec) -> None:
        if spec.data is not None:
            self._element("filling", syscall.MAP_UPDATE, bytes(4), Buffer.of(spec.data), 0)
        if spec.frozen:
            syscall.map_freeze(self.fd)

    def _element(self, what: str, command: int, key: bytes | None, value: Buffer | None, flags: int) -> None:
        if key is not None and len(key) != self.spec.key_size:
            raise MapError(errno.EINVAL, f"map {self.name}: a key has {self.spec.key_size} bytes, not {len(key)}")
        result = syscall.element(command, self.fd, None if key is None else Buffer.of(key), value, flags)
        if result < 0:
            raise MapError(-result, f"{what} map {self.name}")

    def __getitem__(self, key: bytes) -> bytes:
        value = Buffer(self.value_size)
        self._element("looking up in", syscall.MAP_LOOKUP, key, value, 0)
        return bytes(value)

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self.update(key, value)

    def update(self, key: bytes, value: bytes, flags: int = 0) -> None:
        """Put an element in; ``flags`` as of bpf(2).  Raises MapError."""
        if len(value) != self.value_size:
            raise MapError(errno.EINVAL, f"map {self.name}: a value has {self.value_size} bytes, not {len(value)}")
        self._element("updating", syscall.MAP_UPDATE, key, Buffer.of(value), flags)

    def __delitem__(self, key: bytes) -> None:
        self._element("deleting from", syscall.MAP_DELETE, key, None, 0)

    def take(self, key: bytes | None = None) -> bytes:
        """Look an element up and delete it; without key, pop from a queue or stack.  Raises MapError."""
        value = Buffer(self.value_size)
        self._element("taking from", syscall.MAP_TAKE, key, value, 0)
        return bytes(value)

    def next_key(self, key: bytes | None) -> bytes | None:
        """The key after ``key`` (the first, for None), or None at the end.  Raises MapError."""
        after = Buffer(self.spec.key_size)
        try:
            self._element("walking", syscall.MAP_NEXT_KEY, key, after, 0)
        except MapError as error:
            if error.errno == errno.ENOENT:
                return None
            raise
        return bytes(after)

    def __iter__(self) -> Iterator[bytes]:
        key = self.next_key(None)
        while key is not None:
            yield key
            key = self.next_key(key)

    def close(self) -> None:
        """Give the fd back; the kernel drops the map when nothing else uses it."""
        if self._inner is not None:
            self._inner.close()
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __repr__(self) -> str:
        return f"<LiveMap {self.name!r} {self.spec.type}, fd {self.fd}>"
