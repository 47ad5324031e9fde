/* A search in a tree, and looks at both ends of a list, without taking anything out. */
#include <vmlinux.h>
#include <bpf_experimental.h>

#ifndef MISTAKE
#define MISTAKE 0 /* up to 5 */
#endif

struct route {
	struct bpf_rb_node node;
	__u32 prefix;
	__u32 next_hop;
};

struct job {
	struct bpf_list_node node;
	__u64 due;
};

struct table {
	struct bpf_spin_lock lock;
	__u32 found;
	struct bpf_rb_root routes __contains(route, node);
	struct bpf_list_head jobs __contains(job, node);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct table);
} tables SEC(".maps");

static bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return container_of(a, struct route, node)->prefix < container_of(b, struct route, node)->prefix;
}

SEC("tc")
int learn(struct __sk_buff *skb)
{
	struct route *route = bpf_obj_new(typeof(*route));
	struct table *table;
	struct job *job;
	__u32 zero = 0;

	if (!route)
		return 0;
	route->prefix = skb->hash;
	table = bpf_map_lookup_elem(&tables, &zero);
	if (!table) {
		bpf_obj_drop(route);
		return 0;
	}
	job = bpf_obj_new(typeof(*job));
	bpf_spin_lock(&table->lock);
	bpf_rbtree_add(&table->routes, &route->node, less);
	if (job)
		bpf_list_push_back(&table->jobs, &job->node);
	bpf_spin_unlock(&table->lock);
	return 0;
}

SEC("tc")
int route(struct __sk_buff *skb)
{
	struct bpf_rb_node *node;
	struct table *table;
	__u32 zero = 0, hop = 0, wanted = skb->hash;
	struct route *here;
	int depth;

	table = bpf_map_lookup_elem(&tables, &zero);
	if (!table)
		return 0;
	bpf_spin_lock(&table->lock);
	node = bpf_rbtree_root(&table->routes);
	for (depth = 0; depth < 4; depth++) {
		if (!node)
			break;
		here = container_of(node, struct route, node);
		if (here->prefix == wanted) {
			hop = here->next_hop;
			break;
		}
#if MISTAKE == 1 /* a node comes with its tree */
		node = bpf_rbtree_left(&table->routes, (void *)table);
#elif MISTAKE == 2 /* from the object, not from its node */
		node = bpf_rbtree_right(&table->routes, (void *)&here->prefix);
#else
		node = wanted < here->prefix ? bpf_rbtree_left(&table->routes, node) :
					       bpf_rbtree_right(&table->routes, node);
#endif
	}
	table->found += hop != 0;
	bpf_spin_unlock(&table->lock);
#if MISTAKE == 3 /* a tree is walked with its lock */
	node = bpf_rbtree_first(&table->routes);
#endif
	return hop & 1;
}

SEC("tc")
int lateness(struct __sk_buff *skb)
{
	struct bpf_list_node *first, *last;
	__u64 span = 0;
	struct table *table;
	__u32 zero = 0;

	table = bpf_map_lookup_elem(&tables, &zero);
	if (!table)
		return 0;
	bpf_spin_lock(&table->lock);
	first = bpf_list_front(&table->jobs);
	last = bpf_list_back(&table->jobs);
	if (first && last)
		span = container_of(last, struct job, node)->due - container_of(first, struct job, node)->due;
#if MISTAKE == 4 /* only looked at, not one's own */
	if (first)
		bpf_obj_drop(container_of(first, struct job, node));
#elif MISTAKE == 5 /* no helpers under a lock */
	span += bpf_ktime_get_ns();
#endif
	bpf_spin_unlock(&table->lock);
	return span > 1000;
}

char LICENSE[] SEC("license") = "GPL";
