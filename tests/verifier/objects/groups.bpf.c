/* Groups that are objects themselves, with a lock and a list of members, kept in a list of groups. */
#include <vmlinux.h>
#include <bpf_experimental.h>

#ifndef MISTAKE
#define MISTAKE 0 /* up to 8 */
#endif

struct member {
	struct bpf_list_node node;
	__u32 id;
#if MISTAKE == 1 /* members that hold groups: nothing may come to own itself */
	struct bpf_spin_lock lock;
	struct bpf_list_head groups __contains(group, node);
#endif
};

struct group {
	struct bpf_list_node node;
	struct bpf_spin_lock lock;
	__u32 members;
#if MISTAKE == 2 /* no such struct */
	struct bpf_list_head list __contains(people, node);
#elif MISTAKE == 3 /* not a node */
	struct bpf_list_head list __contains(member, id);
#else
	struct bpf_list_head list __contains(member, node);
#endif
};

struct all {
	struct bpf_spin_lock lock;
	struct bpf_list_head groups __contains(group, node);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct all);
} everything SEC(".maps");

static int join(struct group *group, struct member *member)
{
	bpf_spin_lock(&group->lock);
#if MISTAKE == 4 /* a lock that is another struct's does not count */
	bpf_list_push_front((struct bpf_list_head *)&group->lock, &member->node);
#else
	bpf_list_push_front(&group->list, &member->node);
#endif
	group->members++;
	bpf_spin_unlock(&group->lock);
	return 0;
}

SEC("tc")
int found(struct __sk_buff *skb)
{
	struct member *member;
	struct group *group;
	struct all *all;
	__u32 zero = 0;

	all = bpf_map_lookup_elem(&everything, &zero);
	if (!all)
		return 0;
	group = bpf_obj_new(typeof(*group));
	if (!group)
		return 0;
	member = bpf_obj_new(typeof(*member));
	if (!member) {
		bpf_obj_drop(group);
		return 0;
	}
	member->id = skb->hash;
	join(group, member);
#if MISTAKE == 5 /* the group has it */
	member->id = 0;
#endif
	bpf_spin_lock(&all->lock);
	bpf_list_push_back(&all->groups, &group->node);
#if MISTAKE == 6 /* one lock at a time */
	bpf_spin_lock(&group->lock);
	bpf_spin_unlock(&group->lock);
#elif MISTAKE == 7 /* the group is the list's, and its own list out of reach */
	bpf_list_pop_front(&group->list);
#endif
	bpf_spin_unlock(&all->lock);
	return 0;
}

SEC("tc")
int dissolve(struct __sk_buff *skb)
{
	struct bpf_list_node *node;
	struct group *group;
	struct all *all;
	__u32 zero = 0;

	all = bpf_map_lookup_elem(&everything, &zero);
	if (!all)
		return 0;
	bpf_spin_lock(&all->lock);
	node = bpf_list_pop_front(&all->groups);
	bpf_spin_unlock(&all->lock);
	if (!node)
		return 0;
	group = container_of(node, struct group, node);
#if MISTAKE == 8 /* a node is not the object */
	bpf_obj_drop(&group->lock);
#else
	bpf_obj_drop(group);
#endif
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
