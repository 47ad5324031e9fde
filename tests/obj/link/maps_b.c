/* The other half of maps_a.c; maps in maps, programs in maps, a section of its own. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, int);
	__type(value, long);
	__uint(max_entries, 8);
} shared SEC(".maps");
struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, int);
} inner_b SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, int);
	__array(values, struct inner);
} outer SEC(".maps") = { .values = { 0, &inner_b } };
int prog_b(struct __sk_buff *ctx);
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 3);
	__uint(key_size, 4);
	__array(values, int (struct __sk_buff *));
} progs SEC(".maps") = { .values = { [2] = &prog_b } };

extern int LINUX_KERNEL_VERSION __kconfig;
extern int hidden_func(int a);
extern const int tunable;
static int counter = 9;
static const volatile char letters[5] = "abcd";
int weak_data = 2;
struct custom { long a, b; } custom SEC(".data.custom") = {1, 2};

static __noinline int same_helper(int x) { return x * 5 + LINUX_KERNEL_VERSION; }
static __noinline long callback(__u32 i, void *ctx) { *(long *)ctx -= i; return 0; }
int weak_func(int x) { return x + 2; }
static __noinline int count(int n)
{
	long sum = 0;

	bpf_loop(n, callback, &sum, 0);
	return sum + counter++ + custom.a;
}

SEC("tc") int prog_b(struct __sk_buff *ctx)
{
	bpf_tail_call(ctx, &progs, 1);
	if (ctx->len == 3)
		return weak_data;
	return same_helper(1) + hidden_func(1) + weak_func(3) + letters[ctx->len & 3] + tunable + count(2);
}
SEC("kprobe/do_nanosleep") int probe_b(void *ctx) { return custom.b + counter; }
char LICENSE[] SEC("license") = "GPL";
