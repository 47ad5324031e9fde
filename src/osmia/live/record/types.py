"""A kernel's types made small enough to ship with its profile."""

from __future__ import annotations

import lzma
import re
from collections.abc import Collection

from osmia.btf import Btf, DeclTag, Func, FuncProto
from osmia.btf import types as t
from osmia.btf.subset import subset

USUAL = re.compile(
    r"__bpf_trace_|bpf_|btf_|security_|__x64_sys_|__arm64_sys_|vfs_|tcp_|udp_|ip_|ip6_|inet_|sock_|sk_|skb_|__skb_|dev_"
    r"|__dev_|net_|netif_|napi_|unix_|icmp|nf_|neigh_|fib_|do_|__do_|sys_|ksys_|task_|wake_|sched_|__schedule|finish_task"
    r"|try_to_wake|account_|exec|bprm_|begin_new_exec|cap_|cgroup_|filp_|file_|fput|fget|fd_install|path_|d_|dentry_"
    r"|inode_|generic_|iov_|blk_|__blk_|bio_|submit_bio|kmem_|kfree|kmalloc|__kmalloc|mm_|page_|folio_|alloc_|__alloc_"
    r"|free_|__free_|handle_mm|shrink_|try_to_free|mutex_|rwsem_|down_|up_|rw_|pipe_|tty_|uprobe_|kprobe_|perf_|hrtimer_"
    r"|send_sig|force_sig|group_send|complete_signal|proc_|ptrace_|prepare_|commit_creds|copy_|kernel_|load_|get_|put_"
    r"|audit_|mem_cgroup_|oom_|migrate_|lookup_|link_path|may_|mount_|umount|set_|notify_|ext4_|xfs_|btrfs_|nfs_|fuse_"
    r"|overlay|ovl_|cpu|hrtick|rcu_|release_task|wait_|ktime_|raw_|module_|init_module|ipv6_|ip4_|ip_route|secure_"
)
"""What functions are called that people trace."""
UNUSED = (Func, FuncProto, t.Var, t.Datasec, DeclTag)


def part(btf: Btf, called: Collection[str] = ()) -> Btf:
    """The types to ship: all but the functions that hardly anybody names, and ``called``, whatever their names."""
    tags = btf.ids(DeclTag)
    kept = {made.type_id for made in map(btf.type, tags) if isinstance(made, DeclTag)}
    roots = [i for i, made in btf if not isinstance(made, UNUSED)]
    for i in btf.ids(Func):
        name = btf.type(i).name
        if i in kept or name in called or USUAL.match(name):
            roots.append(i)
    return subset(btf, [*roots, *tags, *btf.ids(t.Datasec)])


def shipped(btf: Btf, called: Collection[str] = ()) -> bytes:
    """The compressed file."""
    return lzma.compress(part(btf, called).encode("little"), preset=9 | lzma.PRESET_EXTREME)
