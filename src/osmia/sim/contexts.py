"""What a program finds in R1, by the kind of hook or program."""

from __future__ import annotations

import platform
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from osmia.errors import UsageError
from osmia.kernel.prog_types import prog_type
from osmia.sim import events
from osmia.vm.context import Context, MemoryContext

if TYPE_CHECKING:
    from osmia.obj.model import Program
    from osmia.sim.device import NetDevice
    from osmia.sim.hooks import Hook
    from osmia.sim.kobject import KObject
    from osmia.sim.world import World

USER_ARGUMENTS = ("di", "si", "dx", "r10", "r8", "r9")
"""Where user space puts a system call's arguments on x86-64; on arm64 they are in the first registers."""

M64 = 0xFFFFFFFFFFFFFFFF
_PROBES = frozenset(("kprobe", "kretprobe", "uprobe", "uretprobe", "usdt", "perf_event"))
_ARGUMENTS = frozenset(("raw_tp", "tp_btf", "fentry", "fexit", "fmod_ret", "lsm", "iter"))
_SIZES = {"tracepoint": 128, "raw_tracepoint": 96, "raw_tracepoint_writable": 96, "tracing": 96, "lsm": 96}


def takes_packets(program: Program) -> bool:
    """Whether programs of its type run on packets."""
    return prog_type(program.prog_type).packet


def of_event(
    world: World, event: Hook, args: Sequence[Any], retval: int | None, ctx: bytes | None, fields: dict[str, Any]
) -> Context:
    """The context of an event of tracing.  Raises UsageError when what is given does not fit the hook."""
    if ctx is not None:
        return Context(ctx)
    if fields and event.kind != "tracepoint":
        raise UsageError(f"{event} takes args, not fields ({', '.join(fields)})")
    values = [world.kmem.address_of(a) for a in args] if args else []
    if event.kind in _PROBES:
        return registers(values, retval, world.symbols.address(event.target) + 1)
    if event.kind in _ARGUMENTS:
        if not args and retval is None:
            return Context(bytes(_SIZES["tracing"] + 8))  # how many it has is not known: all of them, and a result
        tail = [retval & M64] if retval is not None else [0] if event.kind in ("fexit", "fmod_ret") else []
        return Context(struct.pack(f"={len(values) + len(tail)}Q", *values, *tail))
    if event.kind == "tracepoint":
        return Context(events.record(world.kmem, event.target, world.task.pid, list(args), dict(fields)))
    if event.kind == "syscall":
        return Context(b"")
    raise UsageError(f"{event} takes packets: world.receive(device, frame)")


def entry_args(world: World, hook: str | Hook, args: Sequence[Any]) -> Sequence[Any]:
    """What a system call's entry function gets: "ksyscall/openat" with the call's own arguments means one
    ``struct pt_regs`` of the user, in which they stand; text becomes a string of the user.  Others stay as they are.
    """
    if not isinstance(hook, str) or not hook.lstrip("?").startswith("ksyscall") or not args:
        return args
    if len(args) > len(USER_ARGUMENTS):
        raise UsageError(f"a system call has at most {len(USER_ARGUMENTS)} arguments, not {len(args)}")
    values = [world.string(a, user=True) if isinstance(a, str | bytes) else world.kmem.address_of(a) for a in args]
    return [user_registers(world, values)]


def user_registers(world: World, args: Sequence[int], number: int | None = None) -> KObject:
    """The user's ``struct pt_regs`` in a system call, as the world's BTF has it: x86-64's or arm64's."""
    regs = world.new("struct pt_regs")
    values = [a & M64 for a in args]
    if world.kmem.has_field(regs.type_id, "orig_x0"):
        regs.update({f"regs[{at}]": value for at, value in enumerate(values)})
        regs.update({"orig_x0": values[0] if values else 0, "syscallno": -1 if number is None else number})
        return regs
    regs.update(dict(zip(USER_ARGUMENTS, values, strict=False)))
    return regs if number is None else regs.update({"orig_ax": number})


def registers(args: Sequence[int] = (), retval: int | None = None, ip: int = 0) -> Context:
    """``struct pt_regs`` at a function's entry (its arguments) or return (its result); ``ip`` is behind the probe."""
    from osmia.vm.ptregs import LAYOUTS, PtRegsContext

    pointer: dict[str, Any] = {LAYOUTS[platform.machine()].ip: ip} if platform.machine() in LAYOUTS else {}
    return PtRegsContext(args, None if retval is None else retval & M64, **pointer)


def of_packet(world: World, kind: str, frame: bytes, device: NetDevice | None = None) -> Context:
    """The context of a packet program that sees a frame come in."""
    from osmia.vm.packet import SkbContext, XdpContext

    ifindex = device.ifindex if device else 1
    if kind == "xdp":
        return XdpContext(frame, ingress_ifindex=ifindex)
    return SkbContext(frame, prog_type=kind, ifindex=ifindex, ingress_ifindex=ifindex)


def of_batch(program: Program, packet: bytes, room: int) -> Context:
    """The context of many packets, one after the other, of which the longest has ``room`` bytes."""
    from osmia.vm.packet import SkbContext, XdpContext

    kind = program.prog_type
    return XdpContext(packet, room=room) if kind == "xdp" else SkbContext(packet, prog_type=kind, room=room)


def of_run(world: World, program: Program, ctx: Any, data: bytes | None) -> Context:
    """The context of a run from Python: ``data`` is the packet or memory, ``ctx`` the context's bytes or a Context.

    Raises UsageError when the type of program does not take what is given.
    """
    if isinstance(ctx, Context):
        return ctx
    if ctx is not None and not isinstance(ctx, bytes | bytearray | memoryview | dict):
        raise UsageError(f"ctx takes bytes, field values or a Context, not {type(ctx).__name__}")
    if takes_packets(program):
        return _packet(program.prog_type, ctx, bytes(64) if data is None else bytes(data))
    if isinstance(ctx, dict):
        return Context(_struct(world, program.prog_type, ctx))
    if program.prog_type == "kprobe" and ctx is None:
        return registers()
    if data is not None and ctx is None:
        return MemoryContext(bytes(data))
    return Context(_struct(world, program.prog_type, {}) if ctx is None else bytes(ctx))


def _struct(world: World, kind: str, values: dict[str, Any]) -> bytes:
    """A context with these fields, by the struct that programs of the type see; the others are zero."""
    from osmia.btf import Struct
    from osmia.maps.values import write_value

    name = prog_type(kind).context.removeprefix("struct ")
    found = world.btf.find(name, Struct) if name else None
    if found is None:
        if values:
            raise UsageError(f"a {kind} program's context has no fields to set: give bytes")
        return bytes(_SIZES.get(kind, 0))
    data = bytearray(max(world.btf.size_of(found), _SIZES.get(kind, 0)))
    write_value(world.btf, found, values, data)
    return bytes(data)


def _packet(kind: str, ctx: Any, data: bytes) -> Context:
    from osmia.vm.packet import SkbContext, XdpContext

    if isinstance(ctx, dict):
        try:
            return XdpContext(data, **ctx) if kind == "xdp" else SkbContext(data, prog_type=kind, **ctx)
        except (TypeError, AttributeError, OverflowError, struct.error) as e:
            words = str(e).replace("XdpContext.__init__()", "xdp_md").replace("SkbContext.__init__()", "__sk_buff")
            raise UsageError(f"ctx: {words.replace('an unexpected keyword argument', 'no field')}") from None
    if kind == "xdp":
        return XdpContext(data) if ctx is None else XdpContext(data, ctx=bytes(ctx))
    return SkbContext(data, prog_type=kind, ctx=None if ctx is None else bytes(ctx))
