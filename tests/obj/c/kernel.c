/* A kernel to fit programs to: what externs.bpf.c, core.bpf.c and structops.bpf.c ask for, laid out otherwise. */
#include "defs.h"

struct task_struct { u64 state; void *stack; int pid; int tgid; struct task_struct *real_parent; char comm[32]; };
struct sk_buff { void *next; u8 a : 2; u8 pkt_type : 5; u16 rest; u32 pad; u32 len; void *dev; };
enum pid_type { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID };

struct sock;
struct tcp_congestion_ops {
	u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, u32 ack, u32 acked);
	u32 (*undo_cwnd)(struct sock *sk);
	void (*extra)(void);
	char name[16];
	void (*init)(struct sock *sk);
	u32 flags;
};
struct bpf_struct_ops_tcp_congestion_ops { u32 refcnt; u32 state; struct tcp_congestion_ops data __attribute__((aligned(64))); };

struct task_struct *bpf_task_from_pid(s32 pid) { return 0; }
void bpf_task_release(struct task_struct *p) {}
int bpf_prog_active = 1;
struct sk_buff skb;
enum pid_type type;
struct bpf_struct_ops_tcp_congestion_ops ops;
