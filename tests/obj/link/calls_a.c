/* With calls_b.c: functions, variables and types of the other file. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct later;
struct common { int a; struct common *next; struct later *x; struct other { long l; } o; };
enum both { E1, E2 };
struct opaque;
struct holder { struct opaque *a; };
struct only_a { struct common c; enum both e; const char *s; };
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, int);
	__type(value, struct only_a);
	__uint(max_entries, 10);
} map_a SEC(".maps");

int counter;
static int same_name;
extern int from_b;
extern int func_b(struct common *c);
struct holder holder;

__weak int weak_one(int x) { return x + 1; }
__noinline int func_a(struct common *c) { return c ? c->a + same_name : 0; }

SEC("xdp") int prog_a(struct xdp_md *ctx)
{
	struct common c = {};

	same_name++;
	counter++;
	return func_b(&c) + func_a(&c) + from_b + weak_one(counter);
}
char LICENSE[] SEC("license") = "GPL";
