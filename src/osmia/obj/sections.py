"""Which section name means which program type?  libbpf's table, and what may follow the name.

Rules: a row ``name`` matches just that; ``name+`` also matches ``name/extras``, where the extras say what to
attach to.  A leading ``?`` switches loading off by default.  First match wins.
Facts: libbpf of Linux 7.2 (tools/lib/bpf/libbpf.c, section_defs), 116 rows; libbpf 1.7 lacks the fsession, .multi
tracing and sleepable tracepoint rows.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import Final

from osmia.errors import LinkError
from osmia.kernel.uapi import PROG_FLAGS

# name, program type, expected attach type (- for none: 0), flags: s sleepable, b attaches by BTF id,
# f takes multi-buffer packets, u USDT, a attached with BPF_PROG_ATTACH, o attach type optional.
_ROWS: Final = """
socket                        socket_filter            -                               -
sk_reuseport/migrate          sk_reuseport             sk_reuseport_select_or_migrate  a
sk_reuseport                  sk_reuseport             sk_reuseport_select             a
kprobe+                       kprobe                   -                               -
uprobe+                       kprobe                   -                               -
uprobe.s+                     kprobe                   -                               s
kretprobe+                    kprobe                   -                               -
uretprobe+                    kprobe                   -                               -
uretprobe.s+                  kprobe                   -                               s
kprobe.multi+                 kprobe                   trace_kprobe_multi              -
kretprobe.multi+              kprobe                   trace_kprobe_multi              -
kprobe.session+               kprobe                   trace_kprobe_session            -
uprobe.multi+                 kprobe                   trace_uprobe_multi              -
uretprobe.multi+              kprobe                   trace_uprobe_multi              -
uprobe.session+               kprobe                   trace_uprobe_session            -
uprobe.multi.s+               kprobe                   trace_uprobe_multi              s
uretprobe.multi.s+            kprobe                   trace_uprobe_multi              s
uprobe.session.s+             kprobe                   trace_uprobe_session            s
ksyscall+                     kprobe                   -                               -
kretsyscall+                  kprobe                   -                               -
usdt+                         kprobe                   -                               u
usdt.s+                       kprobe                   -                               us
tc/ingress                    sched_cls                tcx_ingress                     -
tc/egress                     sched_cls                tcx_egress                      -
tcx/ingress                   sched_cls                tcx_ingress                     -
tcx/egress                    sched_cls                tcx_egress                      -
tc                            sched_cls                -                               -
classifier                    sched_cls                -                               -
action                        sched_act                -                               -
netkit/primary                sched_cls                netkit_primary                  -
netkit/peer                   sched_cls                netkit_peer                     -
tracepoint+                   tracepoint               -                               -
tp+                           tracepoint               -                               -
tracepoint.s+                 tracepoint               -                               s
tp.s+                         tracepoint               -                               s
raw_tracepoint+               raw_tracepoint           -                               -
raw_tp+                       raw_tracepoint           -                               -
raw_tracepoint.s+             raw_tracepoint           -                               s
raw_tp.s+                     raw_tracepoint           -                               s
raw_tracepoint.w+             raw_tracepoint_writable  -                               -
raw_tp.w+                     raw_tracepoint_writable  -                               -
tp_btf+                       tracing                  trace_raw_tp                    b
tp_btf.s+                     tracing                  trace_raw_tp                    bs
fentry+                       tracing                  trace_fentry                    b
fmod_ret+                     tracing                  modify_return                   b
fexit+                        tracing                  trace_fexit                     b
fentry.s+                     tracing                  trace_fentry                    bs
fmod_ret.s+                   tracing                  modify_return                   bs
fexit.s+                      tracing                  trace_fexit                     bs
fsession+                     tracing                  trace_fsession                  b
fsession.s+                   tracing                  trace_fsession                  bs
fsession.multi+               tracing                  trace_fsession_multi            -
fsession.multi.s+             tracing                  trace_fsession_multi            s
fentry.multi+                 tracing                  trace_fentry_multi              -
fexit.multi+                  tracing                  trace_fexit_multi               -
fentry.multi.s+               tracing                  trace_fentry_multi              s
fexit.multi.s+                tracing                  trace_fexit_multi               s
freplace+                     ext                      -                               b
lsm+                          lsm                      lsm_mac                         b
lsm.s+                        lsm                      lsm_mac                         bs
lsm_cgroup+                   lsm                      lsm_cgroup                      b
iter+                         tracing                  trace_iter                      b
iter.s+                       tracing                  trace_iter                      bs
syscall                       syscall                  -                               s
xdp.frags/devmap              xdp                      xdp_devmap                      f
xdp/devmap                    xdp                      xdp_devmap                      a
xdp.frags/cpumap              xdp                      xdp_cpumap                      f
xdp/cpumap                    xdp                      xdp_cpumap                      a
xdp.frags                     xdp                      xdp                             f
xdp                           xdp                      xdp                             ao
perf_event                    perf_event               -                               -
lwt_in                        lwt_in                   -                               -
lwt_out                       lwt_out                  -                               -
lwt_xmit                      lwt_xmit                 -                               -
lwt_seg6local                 lwt_seg6local            -                               -
sockops                       sock_ops                 cgroup_sock_ops                 ao
sk_skb/stream_parser          sk_skb                   sk_skb_stream_parser            ao
sk_skb/stream_verdict         sk_skb                   sk_skb_stream_verdict           ao
sk_skb/verdict                sk_skb                   sk_skb_verdict                  ao
sk_skb                        sk_skb                   -                               -
sk_msg                        sk_msg                   sk_msg_verdict                  ao
lirc_mode2                    lirc_mode2               lirc_mode2                      ao
flow_dissector                flow_dissector           flow_dissector                  ao
cgroup_skb/ingress            cgroup_skb               cgroup_inet_ingress             ao
cgroup_skb/egress             cgroup_skb               cgroup_inet_egress              ao
cgroup/skb                    cgroup_skb               -                               -
cgroup/sock_create            cgroup_sock              cgroup_inet_sock_create         a
cgroup/sock_release           cgroup_sock              cgroup_inet_sock_release        a
cgroup/sock                   cgroup_sock              cgroup_inet_sock_create         ao
cgroup/post_bind4             cgroup_sock              cgroup_inet4_post_bind          a
cgroup/post_bind6             cgroup_sock              cgroup_inet6_post_bind          a
cgroup/bind4                  cgroup_sock_addr         cgroup_inet4_bind               a
cgroup/bind6                  cgroup_sock_addr         cgroup_inet6_bind               a
cgroup/connect4               cgroup_sock_addr         cgroup_inet4_connect            a
cgroup/connect6               cgroup_sock_addr         cgroup_inet6_connect            a
cgroup/connect_unix           cgroup_sock_addr         cgroup_unix_connect             a
cgroup/sendmsg4               cgroup_sock_addr         cgroup_udp4_sendmsg             a
cgroup/sendmsg6               cgroup_sock_addr         cgroup_udp6_sendmsg             a
cgroup/sendmsg_unix           cgroup_sock_addr         cgroup_unix_sendmsg             a
cgroup/recvmsg4               cgroup_sock_addr         cgroup_udp4_recvmsg             a
cgroup/recvmsg6               cgroup_sock_addr         cgroup_udp6_recvmsg             a
cgroup/recvmsg_unix           cgroup_sock_addr         cgroup_unix_recvmsg             a
cgroup/getpeername4           cgroup_sock_addr         cgroup_inet4_getpeername        a
cgroup/getpeername6           cgroup_sock_addr         cgroup_inet6_getpeername        a
cgroup/getpeername_unix       cgroup_sock_addr         cgroup_unix_getpeername         a
cgroup/getsockname4           cgroup_sock_addr         cgroup_inet4_getsockname        a
cgroup/getsockname6           cgroup_sock_addr         cgroup_inet6_getsockname        a
cgroup/getsockname_unix       cgroup_sock_addr         cgroup_unix_getsockname         a
cgroup/sysctl                 cgroup_sysctl            cgroup_sysctl                   a
cgroup/getsockopt             cgroup_sockopt           cgroup_getsockopt               a
cgroup/setsockopt             cgroup_sockopt           cgroup_setsockopt               a
cgroup/dev                    cgroup_device            cgroup_device                   ao
struct_ops+                   struct_ops               -                               -
struct_ops.s+                 struct_ops               -                               s
sk_lookup                     sk_lookup                sk_lookup                       a
netfilter                     netfilter                netfilter                       -
"""


@dataclass(frozen=True, slots=True)
class SecDef:
    """One row: ``name`` without the ``+``, types without prefix (``attach_type`` empty for none)."""

    name: str
    takes_extras: bool
    prog_type: str
    attach_type: str
    marks: str

    @property
    def sleepable(self) -> bool:
        """Loads with BPF_F_SLEEPABLE."""
        return "s" in self.marks

    @property
    def frags(self) -> bool:
        """Loads with BPF_F_XDP_HAS_FRAGS."""
        return "f" in self.marks

    @property
    def attaches_by_btf(self) -> bool:
        """The target is a BTF id of the kernel (or of another program), known at load time."""
        return "b" in self.marks

    @property
    def is_usdt(self) -> bool:
        """A user-space static probe: libbpf says trace_uprobe_multi where the kernel has that link."""
        return "u" in self.marks

    @property
    def attach_type_optional(self) -> bool:
        """Old kernels may refuse the attach type; libbpf then leaves it away."""
        return "o" in self.marks

    @property
    def flags(self) -> int:
        """BPF_F_ flags of BPF_PROG_LOAD."""
        chosen = {"sleepable": self.sleepable, "xdp_has_frags": self.frags}
        return sum(PROG_FLAGS[name] for name, wanted in chosen.items() if wanted)

    def matches(self, section: str) -> bool:
        """Does this row mean that section name (without a leading ``?``)?"""
        return section == self.name or (self.takes_extras and section.startswith(self.name + "/"))

    def __str__(self) -> str:
        return self.name + ("+" if self.takes_extras else "")


def _row(line: str) -> SecDef:
    name, prog_type, attach_type, marks = line.split()
    return SecDef(name.rstrip("+"), name.endswith("+"), prog_type, attach_type.strip("-"), marks.strip("-"))


TABLE: Final[tuple[SecDef, ...]] = tuple(_row(line) for line in _ROWS.strip().splitlines())


@dataclass(frozen=True, slots=True)
class Target:
    """What the extras say.  ``text`` is all of them; the other fields are filled where the program type has them.

    ``name`` is the function, tracepoint, hook or iterator; ``category`` a tracepoint's group; ``module`` the
    kernel module of ``fentry/module:func``; ``binary`` the file of user-space probes; ``provider`` a USDT's;
    ``offset`` bytes behind the function's start.
    """

    text: str = ""
    name: str = ""
    category: str = ""
    module: str = ""
    binary: str = ""
    provider: str = ""
    offset: int = 0


@dataclass(frozen=True, slots=True)
class SectionName:
    """A section name, understood."""

    text: str
    definition: SecDef
    autoload: bool = True
    target: Target = field(default_factory=Target)


def find(section: str) -> SecDef | None:
    """The first row that matches; a leading ``?`` is ignored."""
    name = section.removeprefix("?")
    return next((row for row in TABLE if row.matches(name)), None)


def parse(section: str) -> SectionName:
    """Understand a section name.  Raises LinkError (near misses listed) when libbpf has no such name.

    A target that is written wrongly raises LinkError too: libbpf finds that out when it attaches.
    """
    name = section.removeprefix("?")
    row = find(name)
    if row is None:
        raise unknown(section)
    extras = name[len(row.name) + 1 :]
    return SectionName(section, row, name == section, parse_target(row, extras) if extras else Target())


def unknown(section: str) -> LinkError:
    """The error for a name that means nothing, with near misses."""
    reason = f"section name {section!r} means no program type{_near(section.removeprefix('?'))}"
    return LinkError(reason, section=section)


def _near(name: str) -> str:
    base = name.split("/")[0]
    rows = {row.name: str(row) for row in TABLE}
    close = {n for word in (name, base) for n in difflib.get_close_matches(word, rows, n=4, cutoff=0.6)}
    close |= {n for n in rows if base in n.split("/")}
    found = sorted(close, key=lambda n: -max(difflib.SequenceMatcher(None, n, w).ratio() for w in (name, base)))
    return f"; did you mean {', '.join(rows[n] for n in found[:6])}?" if found else "; docs/obj.md lists the names"


_OFFSET = r"(?:\+(?P<offset>0[xX][0-9a-fA-F]{1,16}|[0-9]{1,20}))?"
_FORMS: Final = {
    "kprobe": ("function[+offset]", re.compile(r"(?P<name>[A-Za-z0-9_.]+)" + _OFFSET)),
    "uprobe": ("path:function[+offset]", re.compile(r"(?P<binary>[^:]+):(?P<name>[A-Za-z0-9_.@]+)" + _OFFSET)),
    "usdt": ("path:provider:name", re.compile(r"(?P<binary>[^:]+):(?P<provider>[^:]+):(?P<name>[^:]+)")),
    "tp": ("category/name", re.compile(r"(?P<category>[^/]+)/(?P<name>[^/]+)")),
    "uprobe.multi": ("path:function-pattern", re.compile(r"(?P<binary>[^:]+):(?P<name>[^:]+)")),
    "fentry": ("[module:]function", re.compile(r"(?:(?P<module>[^:]+):)?(?P<name>[^:]+)")),
    "any": ("name", re.compile(r"(?P<name>.+)")),
}
_FORM_OF: Final = {
    "kprobe": "kprobe", "kretprobe": "kprobe", "uprobe": "uprobe", "uretprobe": "uprobe", "usdt": "usdt",
    "tracepoint": "tp", "tp": "tp", "uprobe.multi": "uprobe.multi", "uretprobe.multi": "uprobe.multi",
    "uprobe.session": "uprobe.multi", "fentry": "fentry", "fexit": "fentry", "fmod_ret": "fentry",
    "fsession": "fentry", "tp_btf": "fentry",
}  # fmt: skip


def parse_target(row: SecDef, extras: str) -> Target:
    """The parts of what follows ``name/``.  Raises LinkError, which shows the form expected."""
    form, pattern = _FORMS[_FORM_OF.get(row.name.removesuffix(".s"), "any")]
    match = pattern.fullmatch(extras)
    if match is None:
        section = f"{row.name}/{extras}"
        raise LinkError(f"{extras!r} is no target of {row.name}; expected {row.name}/{form}", section=section)
    found = {key: value for key, value in match.groupdict().items() if value is not None}
    offset = found.pop("offset", "0")
    return Target(extras, offset=int(offset, 16 if offset[:2] in ("0x", "0X") else 10), **found)
