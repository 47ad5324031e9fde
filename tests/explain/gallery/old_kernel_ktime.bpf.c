// A clock that Linux 6.1 has and 5.10 does not
// options: kernel=5.10 live=no
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("tc")
int stamp(struct __sk_buff *skb)
{
	skb->tstamp = bpf_ktime_get_tai_ns();
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
