"""Programs in the running kernel: load, test-run, close.  They are never attached to anything."""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from osmia.btf import Btf, Func, Struct, Type, Typedef, Var
from osmia.errors import KernelError, UsageError
from osmia.isa import Insn, encode
from osmia.isa import consts as c
from osmia.kernel.uapi import ATTACH_TYPE, PROG_TYPE
from osmia.live import syscall
from osmia.live.btfs import LiveBtfs
from osmia.live.maps import LiveMap
from osmia.raw import Buffer
from osmia.vm.machine import Result

if TYPE_CHECKING:
    from osmia.obj.model import Program

VMLINUX = Path("/sys/kernel/btf/vmlinux")
_TO_FD = {
    c.BPF_PSEUDO_MAP_FD: c.BPF_PSEUDO_MAP_FD,
    c.BPF_PSEUDO_MAP_IDX: c.BPF_PSEUDO_MAP_FD,
    c.BPF_PSEUDO_MAP_VALUE: c.BPF_PSEUDO_MAP_VALUE,
    c.BPF_PSEUDO_MAP_IDX_VALUE: c.BPF_PSEUDO_MAP_VALUE,
}
_BY_INDEX = (c.BPF_PSEUDO_MAP_IDX, c.BPF_PSEUDO_MAP_IDX_VALUE)
_PACKET_CTX = {"xdp": 24}
_SKB_CTX = 192
_XDP_LINEAR = 3520
_NO_DATA = ("raw_tracepoint", "tracing", "syscall", "struct_ops", "lsm")


@cache
def kernel_btf() -> Btf:
    """The running kernel's BTF.  Raises KernelError where it has none."""
    try:
        return Btf.parse(VMLINUX.read_bytes())
    except OSError as error:
        raise KernelError(f"reading {VMLINUX}", error.errno or 0) from None


def btf_id(name: str, kind: type[Type]) -> int:
    """The BTF id of a kernel function, variable or type.  Raises UsageError when there is none."""
    found = kernel_btf().find(name, kind)
    if found is None:
        raise UsageError(f"the running kernel's BTF does not know {name}")
    return found


def linked(program: Program, maps: Sequence[LiveMap]) -> list[Insn]:
    """The instructions with fds for map numbers and BTF ids for kernel symbols."""
    insns = list(program.insns)
    pc = 0
    while pc < len(insns):
        insn = insns[pc]
        by_index = program.fd_array is not None and insn.src_reg in _BY_INDEX
        if insn.is_wide and insn.src_reg in _TO_FD and not by_index:
            if not 0 <= insn.imm < len(maps):
                raise UsageError(f"insn {pc} names map {insn.imm}, and {len(maps)} are given")
            insns[pc] = insn._replace(src_reg=_TO_FD[insn.src_reg], imm=maps[insn.imm].fd)
        pc += 2 if insn.is_wide else 1
    for extern in program.externs:
        kind = Func if extern.kind == "func" else Var
        insns[extern.insn] = insns[extern.insn]._replace(imm=btf_id(extern.name, kind))
    return insns


class LiveProgram(syscall.Descriptor):
    """A program that the kernel verified and took.  ``log`` holds what the verifier said.

    Close it, or use ``with``: the maps that ``load`` created for it are closed as well.
    """

    def __init__(
        self,
        program: Program,
        maps: Sequence[LiveMap],
        own: Sequence[LiveMap],
        log_level: int,
        room: Buffer | None = None,
        btfs: LiveBtfs | None = None,
    ) -> None:
        self.program, self.maps, self._own = program, list(maps), list(own)
        self.fd, self._btf_fd = -1, -1
        shared = btfs.known(program.btf) if btfs is not None else -1
        try:
            if program.btf is not None and (program.func_info or program.line_info):
                self._btf_fd = os.dup(shared) if shared >= 0 else syscall.btf_load(program.btf.encode())
            self.fd, self.log = syscall.prog_load(self._attr(), log_level, room=room)
        except BaseException:
            self.close()
            raise

    def _attr(self) -> syscall.ProgAttr:
        program = self.program
        if program.prog_type not in PROG_TYPE:
            raise UsageError(f"no program type is called {program.prog_type!r}")
        funcs = b"".join(struct.pack("=II", f.insn, f.type_id) for f in program.func_info)
        lines = b"".join(struct.pack("=IIII", x.insn, x.file_off, x.line_off, x.line_col) for x in program.line_info)
        has_btf = self._btf_fd >= 0
        return syscall.ProgAttr(
            PROG_TYPE[program.prog_type],
            encode(linked(program, self.maps), sys.byteorder),
            program.license,
            program.name,
            program.flags,
            program.kern_version,
            self._attach_type(),
            self._attach_btf_id(),
            max(self._btf_fd, 0),
            funcs if has_btf else b"",
            lines if has_btf else b"",
            fd_array=self._fd_array(),
            fd_array_cnt=program.fd_array_cnt,
        )

    def _fd_array(self) -> bytes | None:
        """Descriptors for the numbers of maps; a number that is no map's stays what it is."""
        numbers = self.program.fd_array
        if numbers is None:
            return None
        fds = [self.maps[n].fd if 0 <= n < len(self.maps) else n for n in numbers]
        return struct.pack(f"={len(fds)}i", *fds)

    def _attach_type(self) -> int:
        """The number of the attach type; for struct_ops that of the member."""
        kind = self.program.expected_attach_type
        return int(kind) if kind.isdigit() else ATTACH_TYPE.get(kind, 0)

    def _attach_btf_id(self) -> int:
        program = self.program
        if program.prog_type == "struct_ops" and program.attach_target:
            return btf_id(program.attach_target.partition(".")[0], Struct)
        if program.prog_type not in ("tracing", "lsm") or not program.attach_target:
            return 0
        prefix = {"trace_raw_tp": "btf_trace_", "trace_iter": "bpf_iter_"}.get(program.expected_attach_type, "")
        name = ("bpf_lsm_" if program.prog_type == "lsm" else prefix) + program.attach_target
        return btf_id(name, Typedef if prefix == "btf_trace_" else Func)

    def test_run(
        self, data: bytes | None = None, ctx: bytes = b"", *, repeat: int = 1, cpu: int | None = None
    ) -> Result:
        """BPF_PROG_TEST_RUN: ``duration_ns`` is the mean of ``repeat`` runs.  Raises KernelError.

        Packet programs get 64 zero bytes when no data is given, and XDP programs a context that makes all of
        the packet linear: without one, Linux 6.18 leaves an empty linear part.  Programs that only exist to be attached
        (kprobes, tracepoints) can't be run like this: errno 524, as the kernel has it.
        """
        kind = self.program.prog_type
        if data is None:
            data = b"" if kind in _NO_DATA else bytes(64)
        if kind == "xdp" and not ctx:
            ctx = struct.pack("=6I", 0, min(len(data), _XDP_LINEAR), 0, 1, 0, 0)
        data_room = 0 if kind in _NO_DATA else 2 * len(data) + 4096
        ctx_room = 0 if kind in _NO_DATA else _PACKET_CTX.get(kind, _SKB_CTX)
        if kind in ("flow_dissector", "sk_lookup"):
            ctx_room = 0
        times = 0 if kind in _NO_DATA else repeat  # those run once, and refuse to be told so
        ran = syscall.prog_test_run(self.fd, data, ctx, times, data_room, ctx_room, cpu)
        return Result(ran.retval, ran.data or None, ran.ctx or None, 0, ran.duration_ns)

    def close(self) -> None:
        """Give the fds back: the kernel drops the program."""
        for fd in (self.fd, self._btf_fd):
            if fd >= 0:
                os.close(fd)
        self.fd = self._btf_fd = -1
        for map_ in self._own:
            map_.close()

    def __repr__(self) -> str:
        return f"<LiveProgram {self.program.name!r} {self.program.prog_type}, fd {self.fd}>"
