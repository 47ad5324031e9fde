/* Sessions with two owners, a tree and a map's pointer: each holds a reference. */
#include <vmlinux.h>
#include <bpf_experimental.h>

#ifndef MISTAKE
#define MISTAKE 0 /* up to 7 */
#endif

struct session {
	struct bpf_refcount refs;
	__u32 id;
	__u64 bytes;
	struct bpf_rb_node by_id;
	struct bpf_list_node recent;
};

struct slot {
	struct session __kptr *session;
	__u64 hits;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct slot);
} slots SEC(".maps");

struct index {
	struct bpf_spin_lock lock;
	struct bpf_rb_root sessions __contains(session, by_id);
	struct bpf_list_head recent __contains(session, recent);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct index);
} indexes SEC(".maps");

static bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return container_of(a, struct session, by_id)->id < container_of(b, struct session, by_id)->id;
}

SEC("tc")
int open(struct __sk_buff *skb)
{
	__u32 key = skb->hash, zero = 0;
	struct index *index = bpf_map_lookup_elem(&indexes, &zero);
	struct slot *slot = bpf_map_lookup_elem(&slots, &key);
	struct session *session, *second, *third, *old;

	if (!slot || !index)
		return 0;
	session = bpf_obj_new(typeof(*session));
	if (!session)
		return 0;
	session->id = key;
#if MISTAKE == 1 /* no second reference for the map */
	second = session;
#else
	second = bpf_refcount_acquire(session);
#endif
	third = bpf_refcount_acquire(session);
	bpf_spin_lock(&index->lock);
	bpf_rbtree_add(&index->sessions, &session->by_id, less);
#if MISTAKE == 2 /* the list wants the other node */
	bpf_list_push_back(&index->recent, (void *)&third->by_id);
#elif MISTAKE == 3 /* the wrong kind of member altogether */
	bpf_list_push_back(&index->recent, (void *)&third->bytes);
#else
	bpf_list_push_back(&index->recent, &third->recent);
#endif
	bpf_spin_unlock(&index->lock);
#if MISTAKE == 4 /* a field that counts is the kernel's */
	second->refs.__opaque[0] = 7;
#endif
#if MISTAKE == 5 /* a plain store into the pointer */
	slot->session = second;
	old = NULL;
#else
	old = bpf_kptr_xchg(&slot->session, second);
#endif
	if (old)
#if MISTAKE == 6 /* what came out has an owner less, not none */
		old->bytes = 0;
#else
		bpf_obj_drop(old);
#endif
	return 0;
}

SEC("tc")
int account(struct __sk_buff *skb)
{
	__u32 key = skb->hash;
	struct slot *slot = bpf_map_lookup_elem(&slots, &key);
	struct session *session, *mine;

	if (!slot)
		return 0;
	bpf_rcu_read_lock();
	session = slot->session;
	if (!session) {
		bpf_rcu_read_unlock();
		return 0;
	}
	mine = bpf_refcount_acquire(session);
#if MISTAKE == 7 /* read after the section */
	bpf_rcu_read_unlock();
	__sync_fetch_and_add(&session->bytes, skb->len);
#else
	bpf_rcu_read_unlock();
#endif
	if (!mine)
		return 0;
	mine->bytes += skb->len;
	bpf_obj_drop(mine);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
