"""One helper call, here and on the running kernel: R0, the buffers and the packet afterwards."""

from __future__ import annotations

import os
from dataclasses import dataclass

from helpers import realprog
from helpers.bench import Bench

from osmia.isa import macros as m
from osmia.isa.consts import BPF_DW
from osmia.kernel.helpers import helper_by_name
from osmia.kernel.uapi import MAP_FLAGS
from osmia.obj.model import Program
from osmia.vm.context import Context
from osmia.vm.packet import SkbContext, XdpContext


@dataclass
class Buf:
    """An argument that points to these bytes."""

    data: bytes
    constant: bool = False


CTX = object()
"""An argument that is the context."""


def signed(value):
    return value - (1 << 64) if value >> 63 else value


def on_kernel(name, args, prog_type="socket_filter", packet=b"\0" * 64):
    """``(R0, [buffers], packet)``, or None when the verifier refuses the call."""
    out = realprog.RealArray(b"\xee" * 8)
    maps = [realprog.RealArray(a.data, MAP_FLAGS["rdonly_prog"] if a.constant else 0, a.constant)
            if isinstance(a, Buf) else None for a in args]  # fmt: skip
    code = [m.BPF_MOV64_REG(6, 1)]
    for reg, (arg, made) in enumerate(zip(args, maps, strict=True), 1):
        if made is not None:
            code += m.BPF_LD_MAP_VALUE(reg, made.fd, 0)
        elif arg is CTX:
            code.append(m.BPF_MOV64_REG(reg, 6))
        else:
            code += m.BPF_LD_IMM64(reg, arg & 0xFFFFFFFFFFFFFFFF)
    code += [m.BPF_EMIT_CALL(helper_by_name(name).id), *m.BPF_LD_MAP_VALUE(1, out.fd, 0)]
    code += [m.BPF_STX_MEM(BPF_DW, 1, 0, 0), m.BPF_MOV64_IMM(0, 0), m.BPF_EXIT_INSN()]
    fd = realprog.load(code, prog_type, log=True)
    try:
        if fd < 0:
            return None
        bad, _, data = realprog.run(fd, packet, data_size=16384)
        assert bad == 0, os.strerror(bad)
        buffers = [made.value for made in maps if made is not None]
        return signed(int.from_bytes(out.value, "little")), buffers, data
    finally:
        for made in [out, *maps]:
            if made is not None:
                made.close()
        if fd >= 0:
            os.close(fd)


def here(name, args, prog_type="socket_filter", packet=b"\0" * 64):
    """The same from our body."""
    if prog_type == "xdp":
        ctx = XdpContext(packet)
    elif prog_type == "sched_cls":
        ctx = SkbContext(packet, prog_type=prog_type)
    else:
        ctx = Context(packet)
    bench = Bench(ctx=ctx)
    bench.env.program = Program("t", prog_type, [])
    rooms = [bench.room(a.data) if isinstance(a, Buf) else None for a in args]
    values = [r.address if r else ctx.address if a is CTX else a for a, r in zip(args, rooms, strict=True)]
    r0 = bench.call(name, *values)
    return r0, [bytes(r) for r in rooms if r], ctx.result().data or packet


def compare(name, args, prog_type="socket_filter", packet=b"\0" * 64):
    """Assert that both do the same; True when the kernel ran it at all."""
    real = on_kernel(name, args, prog_type, packet)
    if real is None:
        return False
    mine = here(name, args, prog_type, packet)
    assert mine == real, (name, args, prog_type, packet.hex())
    return True
