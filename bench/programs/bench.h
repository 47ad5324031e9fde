// SPDX-License-Identifier: Apache-2.0
// What the bench's programs share.  A program is written once and compiled twice: as an XDP program, which kernels
// take, and with -DPLAIN as a function of (memory, size), which is what user-space machines give to programs.
#pragma once
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

char LICENSE[] SEC("license") = "GPL";

#ifdef PLAIN
#define PROGRAM(name) SEC("xdp") long name(void *memory, unsigned long size)
#define DATA memory
#define END (memory + size)
#else
#define PROGRAM(name) SEC("xdp") int name(struct xdp_md *ctx)
#define DATA ((void *)(long)ctx->data)
#define END ((void *)(long)ctx->data_end)
#endif

#define NO_UNROLL _Pragma("clang loop unroll(disable) vectorize(disable)")
#define KEEP_APART(value) asm volatile("" : "+r"(value))
