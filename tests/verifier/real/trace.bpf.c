// Tracing: ring buffer, perf events, stacks, histograms, tasks, strings.
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#define NULL ((void *)0)
struct event { __u64 ts; __u32 pid, uid; int ret; char comm[16]; char path[256]; };
struct key { __u32 pid; int stack; };
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 65536); } rb SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); __uint(key_size, 4); __uint(value_size, 4); } pb SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_STACK_TRACE); __uint(key_size, 4); __uint(value_size, 127 * 8); __uint(max_entries, 64); } stacks SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, __u64); __type(value, struct event); __uint(max_entries, 64); } open SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __type(key, __u32); __type(value, struct event); __uint(max_entries, 1); } heap SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, struct key); __type(value, __u64); __uint(max_entries, 128); } counts SEC(".maps");
struct hist { __u32 slots[27]; };
struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, __u32); __type(value, struct hist); __uint(max_entries, 128); } hists SEC(".maps");
static struct hist zero;
const volatile __u32 target_tgid = 0;
const volatile bool by_stack = true, ms = false;
const volatile char wanted[16] = "bash";
__u32 lost = 0;

static __always_inline __u64 log2l(__u64 v)
{
	__u32 hi = v >> 32, r, s, x = hi ? hi : v;
	r = (x > 0xffff) << 4; x >>= r;
	s = (x > 0xff) << 3; x >>= s; r |= s;
	s = (x > 0xf) << 2; x >>= s; r |= s;
	s = (x > 0x3) << 1; x >>= s; r |= s;
	r |= x >> 1;
	return hi ? r + 32 : r;
}
static __always_inline bool comm_is(const char *comm)
{
	for (int i = 0; i < 16; i++) {
		if (comm[i] != wanted[i]) return false;
		if (!comm[i]) break;
	}
	return true;
}
static __noinline int length(const char *s)
{
	int n = 0;
	while (n < 255 && s[n & 255])
		n++;
	return n;
}
SEC("tracepoint/syscalls/sys_enter_openat")
int enter(__u64 *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 zero_key = 0;
	struct event *e = bpf_map_lookup_elem(&heap, &zero_key);
	if (!e || (target_tgid && target_tgid != id >> 32)) return 0;
	e->ts = bpf_ktime_get_ns(); e->pid = id; e->uid = bpf_get_current_uid_gid();
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	if (!comm_is(e->comm)) return 0;
	long n = bpf_probe_read_user_str(e->path, sizeof(e->path), (void *)ctx[3]);
	if (n <= 0 || n > sizeof(e->path)) return 0;
	bpf_map_update_elem(&open, &id, e, BPF_ANY);
	return 0;
}
SEC("tracepoint/syscalls/sys_exit_openat")
int leave(__u64 *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct event *e = bpf_map_lookup_elem(&open, &id), *out;
	if (!e) return 0;
	out = bpf_ringbuf_reserve(&rb, sizeof(*out), 0);
	if (!out) { __sync_fetch_and_add(&lost, 1); goto done; }
	__builtin_memcpy(out, e, sizeof(*e));
	out->ret = ctx[2];
	int n = length(out->path);
	if (n < 3) bpf_ringbuf_discard(out, 0); else bpf_ringbuf_submit(out, 0);
done:
	bpf_map_delete_elem(&open, &id);
	return 0;
}
SEC("kprobe/vfs_read")
int reads(struct pt_regs *ctx)
{
	struct key k = { .pid = bpf_get_current_pid_tgid() >> 32, .stack = -1 };
	__u64 one = 1, *n;
	if (by_stack) { k.stack = bpf_get_stackid(ctx, &stacks, 0); if (k.stack < 0) return 0; }
	n = bpf_map_lookup_elem(&counts, &k);
	if (n) __sync_fetch_and_add(n, 1); else bpf_map_update_elem(&counts, &k, &one, BPF_NOEXIST);
	struct { int ret; __u64 a, b; } msg = { (int)PT_REGS_RC(ctx), PT_REGS_PARM1(ctx), PT_REGS_PARM3(ctx) };
	bpf_perf_event_output(ctx, &pb, BPF_F_CURRENT_CPU, &msg, sizeof(msg));
	return 0;
}
SEC("kretprobe/vfs_read")
int latency(struct pt_regs *ctx)
{
	__u32 pid = bpf_get_current_pid_tgid(), slot;
	__u64 d = bpf_ktime_get_ns() - PT_REGS_PARM2(ctx);
	struct hist *h = bpf_map_lookup_elem(&hists, &pid);
	if (!h) { bpf_map_update_elem(&hists, &pid, &zero, BPF_NOEXIST); h = bpf_map_lookup_elem(&hists, &pid); if (!h) return 0; }
	if ((long long)d < 0) return 0;
	d /= ms ? 1000000U : 1000U;
	slot = log2l(d);
	if (slot >= 27) slot = 26;
	__sync_fetch_and_add(&h->slots[slot], 1);
	return 0;
}
SEC("perf_event")
int sample(struct bpf_perf_event_data *ctx)
{
	__u64 stack[32];
	long n = bpf_get_stack(ctx, stack, sizeof(stack), BPF_F_USER_STACK);
	if (n > 8) bpf_perf_event_output(ctx, &pb, 0, stack, n & 0xff);
	return 0;
}
SEC("raw_tracepoint/sched_switch")
int sw(struct bpf_raw_tracepoint_args *ctx)
{
	char comm[16]; __u32 pid = 0;
	struct event *e = bpf_ringbuf_reserve(&rb, 64, 0);
	if (!e) return 0;
	bpf_probe_read_kernel(&pid, 4, (void *)ctx->args[1] + 1200);
	bpf_probe_read_kernel_str(comm, sizeof(comm), (void *)ctx->args[2]);
	e->pid = pid; e->ts = comm[3];
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}
char _license[] SEC("license") = "GPL";
