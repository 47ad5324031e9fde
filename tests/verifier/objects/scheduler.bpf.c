/* Tasks in a red-black tree by the time they have had: the one with the least runs next. */
#include <vmlinux.h>
#include <bpf_experimental.h>

#ifndef MISTAKE
#define MISTAKE 0 /* up to 7 */
#endif

struct entity {
	struct bpf_rb_node node;
	__u64 vruntime;
	__u32 pid;
};

private(A) struct bpf_spin_lock lock;
private(A) struct bpf_rb_root runnable __contains(entity, node);
__u64 clock;

static bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	struct entity *left = container_of(a, struct entity, node);
	struct entity *right = container_of(b, struct entity, node);

#if MISTAKE == 1 /* the lock is held already */
	bpf_spin_lock(&lock);
	bpf_spin_unlock(&lock);
#elif MISTAKE == 2 /* the tree must not change meanwhile */
	bpf_rbtree_remove(&runnable, a);
#endif
	return left->vruntime < right->vruntime;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG_wakeup(__u64 *ctx)
{
	struct entity *entity = bpf_obj_new(typeof(*entity));

	if (!entity)
		return 0;
	entity->pid = bpf_get_current_pid_tgid();
	entity->vruntime = clock + (entity->pid & 0xff);
	bpf_spin_lock(&lock);
	bpf_rbtree_add(&runnable, &entity->node, less);
#if MISTAKE == 3 /* it is the tree's now */
	bpf_spin_unlock(&lock);
	bpf_obj_drop(entity);
#else
	clock = entity->vruntime;
	bpf_spin_unlock(&lock);
#endif
	return 0;
}

SEC("tc")
int pick_next(struct __sk_buff *skb)
{
	struct bpf_rb_node *first;
	struct entity *entity;
	__u32 pid = 0;

	bpf_spin_lock(&lock);
	first = bpf_rbtree_first(&runnable);
	if (!first) {
#if MISTAKE != 4 /* a way out with the lock */
		bpf_spin_unlock(&lock);
#endif
		return 0;
	}
#if MISTAKE == 5 /* the node is not where the struct begins, once it is counted from there */
	entity = container_of(first, struct entity, node);
	first = bpf_rbtree_remove(&runnable, (struct bpf_rb_node *)&entity->vruntime);
#elif MISTAKE == 6 /* looked at, not taken out */
#else
	first = bpf_rbtree_remove(&runnable, first);
#endif
	bpf_spin_unlock(&lock);
	if (!first)
		return 0;
	entity = container_of(first, struct entity, node);
	pid = entity->pid;
#if MISTAKE == 7 /* dropped twice */
	bpf_obj_drop(entity);
#endif
	bpf_obj_drop(entity);
	return pid & 1;
}

char LICENSE[] SEC("license") = "GPL";
