/* Section names: attach types, flags, targets, and programs that are not loaded by default. */
#include "defs.h"

SEC("xdp.frags") int xdp_frags(void *c) { return 2; }
SEC("xdp/devmap") int xdp_devmap(void *c) { return 2; }
SEC("tc") int classify(void *c) { return 0; }
SEC("cgroup/connect4") int connect4(void *c) { return 1; }
SEC("cgroup/sock") int sock(void *c) { return 1; }
SEC("cgroup_skb/egress") int egress(void *c) { return 1; }
SEC("sk_skb/stream_verdict") int verdict(void *c) { return 1; }
SEC("sockops") int ops(void *c) { return 1; }
SEC("lsm.s/file_open") int file_open(void *c) { return 0; }
SEC("fentry/do_unlinkat") int fentry_one(void *c) { return 0; }
SEC("fexit.s/do_unlinkat") int fexit_one(void *c) { return 0; }
SEC("fmod_ret.s/bpf_modify_return_test") int fmod_one(void *c) { return 0; }
SEC("iter.s/task") int tasks(void *c) { return 0; }
SEC("raw_tp.w/x") int writable(void *c) { return 0; }
SEC("uprobe.s//bin/sh:main") int uprobe(void *c) { return 0; }
SEC("usdt/libc:libc:setjmp") int usdt(void *c) { return 0; }
SEC("kprobe.multi/tcp_*") int multi(void *c) { return 0; }
SEC("syscall") int call(void *c) { return 0; }
SEC("sk_lookup") int lookup(void *c) { return 1; }
SEC("perf_event") int perf(void *c) { return 0; }
SEC("?xdp") int later(void *c) { return 1; }
SEC("?nonsense") int never(void *c) { return 1; }
u32 _version SEC("version") = 0x60102;
