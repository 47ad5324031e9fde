// SPDX-License-Identifier: Apache-2.0
// Who opens files: a hash map counts by command, a constant that user space sets chooses the user.
//
//     osmia run examples/opens.bpf.c --map-dump
//     osmia run examples/opens.bpf.c --set only_uid=0 --do 'cat /etc/passwd; touch x'
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

const volatile __u32 only_uid = -1; // everybody

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, char[16]);
	__type(value, __u64);
} opens SEC(".maps");

SEC("ksyscall/openat")
int BPF_KSYSCALL(count_open, int dfd, const char *path)
{
	char comm[16] = {}, name[32] = {};
	__u64 one = 1, *n;

	if (only_uid != -1 && only_uid != (__u32)bpf_get_current_uid_gid())
		return 0;
	bpf_get_current_comm(comm, sizeof(comm));
	n = bpf_map_lookup_elem(&opens, comm);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&opens, comm, &one, BPF_ANY);
	bpf_probe_read_user_str(name, sizeof(name), path);
	bpf_printk("%s opens %s", comm, name);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
