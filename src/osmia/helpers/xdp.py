"""XDP frames (net/core/filter.c).  The limits are the context's; fragments there are none."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from osmia.errors import Fault
from osmia.helpers.registry import helper
from osmia.raw import read, write
from osmia.vm.packet import XdpContext

if TYPE_CHECKING:
    from osmia.vm.env import Env

EINVAL, EFAULT = errno.EINVAL, errno.EFAULT
OFFSET_MAX = 0xFFFF


def frame(ctx: Any) -> XdpContext:
    """The context as an XDP frame; Fault when it is something else."""
    if not isinstance(ctx, XdpContext):
        raise Fault(f"the context is no XDP frame but {ctx!r}")
    return ctx


@helper("bpf_xdp_adjust_head")
def xdp_adjust_head(env: Env, ctx: Any, delta: int) -> int:
    """Move the start of the packet."""
    return frame(ctx).adjust_head(delta)


@helper("bpf_xdp_adjust_tail")
def xdp_adjust_tail(env: Env, ctx: Any, delta: int) -> int:
    """Move the end of the packet."""
    return frame(ctx).adjust_tail(delta)


@helper("bpf_xdp_adjust_meta")
def xdp_adjust_meta(env: Env, ctx: Any, delta: int) -> int:
    """Move the start of the metadata."""
    return frame(ctx).adjust_meta(delta)


@helper("bpf_xdp_get_buff_len")
def xdp_get_buff_len(env: Env, ctx: Any) -> int:
    """Bytes of the packet."""
    return frame(ctx).end - frame(ctx).start


def refuses(ctx: XdpContext, offset: int, size: int) -> int:
    """The errno of an access outside of the packet, negative; or 0."""
    if offset > OFFSET_MAX or size > OFFSET_MAX:
        return -EFAULT
    return -EINVAL if offset + size > ctx.end - ctx.start else 0


@helper("bpf_xdp_load_bytes")
def xdp_load_bytes(env: Env, ctx: Any, offset: int, buf: int, size: int) -> int:
    """Copy out of the packet."""
    bad = refuses(frame(ctx), offset, size)
    if not bad:
        write(buf, read(ctx.start + offset, size))
    return bad


@helper("bpf_xdp_store_bytes")
def xdp_store_bytes(env: Env, ctx: Any, offset: int, buf: int, size: int) -> int:
    """Copy into the packet."""
    bad = refuses(frame(ctx), offset, size)
    if not bad:
        write(ctx.start + offset, read(buf, size))
    return bad
