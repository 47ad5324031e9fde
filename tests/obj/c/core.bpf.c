/* Fields and types that other kernels have elsewhere, or not at all. */
#include "defs.h"

struct list_head___mine { void *next; } __core;
struct task_struct { int pid; int tgid; char comm[16]; struct task_struct *real_parent; u32 nothing_like_this; } __core;
struct sk_buff { u32 len; u8 pkt_type : 3; void *dev; } __core;
struct no_such_struct { int x; } __core;
enum pid_type___x { PIDTYPE_SID___x = 77, PIDTYPE_GONE = 78 };

static long (*probe_read)(void *dst, u32 size, const void *src) = (void *)113;

SEC("kprobe/f") int fields(void *ctx)
{
	struct task_struct *t = *(void **)ctx;
	struct sk_buff *skb = *(void **)(ctx + 8);
	u64 x = 0;

	probe_read(&x, 4, &t->tgid);
	probe_read(&x, 8, &t->real_parent);
	if (__builtin_preserve_field_info(t->nothing_like_this, 2))
		probe_read(&x, 4, &t->nothing_like_this);
	x += __builtin_preserve_field_info(t->comm, 1) + __builtin_preserve_field_info(skb->pkt_type, 4);
	x += __builtin_preserve_type_info(*(struct task_struct *)0, 1);
	x += __builtin_preserve_type_info(*(struct no_such_struct *)0, 0);
	x += __builtin_preserve_enum_value(*(typeof(enum pid_type___x) *)PIDTYPE_SID___x, 1);
	x += __builtin_preserve_enum_value(*(typeof(enum pid_type___x) *)PIDTYPE_GONE, 0);
	return (int)x;
}

SEC("tp_btf/sched_switch") int direct(u64 *ctx)
{
	struct task_struct *prev = (void *)ctx[1];
	struct task_struct *next = (void *)ctx[2];

	return prev->pid + next->tgid + prev->real_parent->pid;
}

SEC("?tp_btf/sched_switch") int missing(u64 *ctx)
{
	struct task_struct *prev = (void *)ctx[1];

	return prev->nothing_like_this;
}
