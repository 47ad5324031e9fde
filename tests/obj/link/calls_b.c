/* The other half of calls_a.c. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct later { int q; enum more { E3, E4 } z; };
struct common { int a; struct common *next; struct later *x; struct other { long l; } o; };
enum both { E1, E2 };
struct opaque { int i; };
struct holder { struct opaque *a; };
struct only_b { struct common c; enum both e; const char *s; volatile int *pp; };
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, int);
	__type(value, struct only_b);
	__uint(max_entries, 10);
} map_b SEC(".maps");

int from_b = 7;
static int same_name = 4;
extern int counter;
struct holder holder_b;
struct later later;

__weak int weak_one(int x) { return x + 2; }
__noinline int func_b(struct common *c)
{
	struct only_b *v;
	int k = 0;

	if (!c)
		return 0;
	v = bpf_map_lookup_elem(&map_b, &k);
	if (v)
		v->c.a++;
	return c->a + same_name++ + c->o.l + later.q;
}

SEC("xdp") int prog_b(struct xdp_md *ctx)
{
	counter++;
	return weak_one(5) + from_b;
}
char LICENSE[] SEC("license") = "GPL";
