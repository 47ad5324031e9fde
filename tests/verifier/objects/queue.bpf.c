/* A queue of packets' lengths: pushed at the back, taken from the front once there are enough. */
#include <vmlinux.h>
#include <bpf_experimental.h>

#ifndef MISTAKE
#define MISTAKE 0 /* up to 7 */
#endif

struct packet {
	__u64 when;
	__u32 length;
	struct bpf_list_node node;
};

struct queue {
	__u32 waiting;
	struct bpf_spin_lock lock;
	struct bpf_list_head packets __contains(packet, node);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct queue);
} queues SEC(".maps");

SEC("tc")
int enqueue(struct __sk_buff *skb)
{
	__u32 key = skb->queue_mapping & 7, length = 0;
	struct queue *queue = bpf_map_lookup_elem(&queues, &key);
	struct packet *packet, *oldest = NULL;
	struct bpf_list_node *node;

	if (!queue)
		return 0;
	packet = bpf_obj_new(typeof(*packet));
#if MISTAKE != 1 /* no look at whether there was memory */
	if (!packet)
		return 0;
#endif
	packet->when = bpf_ktime_get_ns();
	packet->length = skb->len;
#if MISTAKE == 2 /* an early return forgets the object */
	if (skb->len > 9000)
		return 0;
#endif
#if MISTAKE != 3 /* no lock */
	bpf_spin_lock(&queue->lock);
#endif
	bpf_list_push_back(&queue->packets, &packet->node);
#if MISTAKE == 4 /* the list owns the object already */
	bpf_list_push_front(&queue->packets, &packet->node);
#endif
	if (++queue->waiting > 16) {
		node = bpf_list_pop_front(&queue->packets);
#if MISTAKE == 5 /* an empty list gives nothing */
		oldest = container_of(node, struct packet, node);
#else
		if (node) {
			oldest = container_of(node, struct packet, node);
			queue->waiting--;
		}
#endif
	}
#if MISTAKE != 3
	bpf_spin_unlock(&queue->lock);
#endif
#if MISTAKE == 6 /* borrowed objects are gone with the lock */
	length = packet->length;
#endif
	if (oldest) {
		length += oldest->length;
#if MISTAKE != 7 /* taken out, never dropped */
		bpf_obj_drop(oldest);
#endif
	}
	return length > 1500;
}

char LICENSE[] SEC("license") = "GPL";
