/* With maps_b.c: an extern map, weak definitions that lose, hidden ones, callbacks, strings. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, int);
} inner_a SEC(".maps");
extern struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, int);
	__type(value, long);
	__uint(max_entries, 8);
} shared SEC(".maps");

extern int LINUX_KERNEL_VERSION __kconfig;
extern const void bpf_prog_active __ksym __weak;

const volatile int tunable = 5;
const char format[] = "hello %d";
int hidden_var __attribute__((visibility("hidden"))) = 3;
__weak int weak_data = 1;

static __noinline int same_helper(int x) { return x * 3 + LINUX_KERNEL_VERSION; }
static __noinline long callback(__u32 i, void *ctx) { *(long *)ctx += i; return 0; }
__attribute__((visibility("hidden"))) __noinline int hidden_func(int a) { return a + hidden_var; }
__weak int weak_func(int x) { return x + 1; }

SEC("tc") int prog_a(struct __sk_buff *ctx)
{
	long *v, sum = 0;
	int k = 1;

	v = bpf_map_lookup_elem(&shared, &k);
	if (v)
		*v += same_helper(k);
	bpf_loop(4, callback, &sum, 0);
	bpf_trace_printk(format, sizeof(format), tunable);
	bpf_trace_printk("abc", 4);
	return sum + hidden_func(2) + weak_func(1) + weak_data + (&bpf_prog_active ? 1 : 0);
}
char LICENSE[] SEC("license") = "GPL";
