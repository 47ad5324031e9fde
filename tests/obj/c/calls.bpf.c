/* Subprograms: static, global, weak, hidden; across sections; shared by programs; callbacks. */
#include "defs.h"

struct { __uint(type, MAP_HASH); __type(key, u32); __type(value, u64); __uint(max_entries, 10); } seen SEC(".maps");
u64 total;

static __noinline u64 leaf(u64 x) { return x * 3 + ktime(); }
__noinline u64 shared(u64 x) { return leaf(x) + leaf(x + 1); }
static __noinline u64 middle(u64 x) { return shared(x) ^ total; }
__weak __noinline u64 weak_one(u64 x) { return x ? middle(x - 1) : 0; }
__hidden __noinline u64 hidden_one(u64 x) { return weak_one(x) + leaf(total); }
__noinline u64 unused(u64 x) { return leaf(x) + 5; }

static long visit(void *map, u32 *key, u64 *value, u64 *sum)
{
	*sum += *value + middle(*key);
	return 0;
}

__noinline int callback_user(void)
{
	u64 sum = 0;

	for_each(&seen, visit, &sum, 0);
	return (int)sum;
}

SEC("kprobe/do_unlinkat") int entry_one(void *ctx) { return (int)hidden_one(total) + (int)leaf(1); }
SEC("kretprobe/do_unlinkat") int entry_two(void *ctx) { return callback_user() + (int)shared(2); }
SEC("tp/syscalls/sys_enter_openat") int entry_three(void *ctx)
{
	u64 sum = 1;

	for_each(&seen, visit, &sum, 0);
	for_each(&seen, visit, &sum, 0);
	return (int)sum;
}
SEC("tp/syscalls/sys_enter_openat") int entry_four(void *ctx) { return 4; }
