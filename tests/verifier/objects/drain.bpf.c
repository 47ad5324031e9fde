/* Everything in a global list is dropped, one object after the other, with loops of three kinds. */
#include <vmlinux.h>
#include <bpf_experimental.h>

#ifndef MISTAKE
#define MISTAKE 0 /* up to 4 */
#endif

struct note {
	__u64 text[4];
	struct bpf_list_node node;
};

private(N) struct bpf_spin_lock lock;
private(N) struct bpf_list_head notes __contains(note, node);
private(M) struct bpf_spin_lock other_lock;
private(M) struct bpf_list_head other_notes __contains(note, node);
__u64 dropped;

static struct note *take(void)
{
	struct bpf_list_node *node;

	bpf_spin_lock(&lock);
#if MISTAKE == 1 /* the other list has another lock */
	node = bpf_list_pop_front(&other_notes);
#else
	node = bpf_list_pop_front(&notes);
#endif
	bpf_spin_unlock(&lock);
	return node ? container_of(node, struct note, node) : NULL;
}

static int one(__u32 index, void *ctx)
{
	struct note *note = take();

	if (!note)
		return 1;
#if MISTAKE == 2 /* each turn leaves one behind */
	if (note->text[0] == 7)
		return 0;
#endif
	dropped++;
	bpf_obj_drop(note);
	return 0;
}

SEC("tc")
int drain(struct __sk_buff *skb)
{
	bpf_loop(1000, one, NULL, 0);
	return 0;
}

SEC("tc")
int drain_open(struct __sk_buff *skb)
{
	struct note *note;
	int i;

	bpf_for(i, 0, 100) {
		note = take();
		if (!note)
			break;
#if MISTAKE == 3 /* moved under a lock that is not its list's */
		bpf_spin_lock(&lock);
		bpf_list_push_back(&other_notes, &note->node);
		bpf_spin_unlock(&lock);
#else
		bpf_spin_lock(&other_lock);
		bpf_list_push_back(&other_notes, &note->node);
		bpf_spin_unlock(&other_lock);
#endif
	}
	return 0;
}

SEC("tc")
int fill(struct __sk_buff *skb)
{
	struct note *note;
	int i;

	for (i = 0; i < 3; i++) {
		note = bpf_obj_new(typeof(*note));
		if (!note)
			break;
		note->text[i] = skb->hash;
#if MISTAKE == 4 /* the memory between the fields is the kernel's as well */
		__builtin_memset(note, 0, sizeof(*note));
#endif
		bpf_spin_lock(&lock);
		bpf_list_push_front(&notes, &note->node);
		bpf_spin_unlock(&lock);
	}
	return i;
}

char LICENSE[] SEC("license") = "GPL";
