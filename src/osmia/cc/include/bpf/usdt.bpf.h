/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments of USDT probes (static trace points that programs and libraries carry in their .note.stapsdt section).
 *
 * User space reads from that section where each argument is at each place of the probe, and writes it into the map
 * below; the program finds its row by the attach cookie, or before Linux 5.15 by its address. The layout of rows and
 * the maps' names are libbpf's (1.7), whose loader fills them.
 */
#pragma once

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#ifndef BPF_USDT_MAX_SPEC_CNT
#define BPF_USDT_MAX_SPEC_CNT 256
#endif
#ifndef BPF_USDT_MAX_IP_CNT
#define BPF_USDT_MAX_IP_CNT (4 * BPF_USDT_MAX_SPEC_CNT)
#endif
#define BPF_USDT_MAX_ARG_CNT 12

enum __bpf_usdt_arg_type {
	BPF_USDT_ARG_CONST,	/* the number val_off */
	BPF_USDT_ARG_REG,	/* a register */
	BPF_USDT_ARG_REG_DEREF, /* memory at register + val_off */
	BPF_USDT_ARG_SIB,	/* memory at register + (index << scale) + val_off */
};

/* Registers are told by their offset in struct pt_regs. */
struct __bpf_usdt_arg_spec {
	__u64 val_off;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	__u32 arg_type : 8, idx_reg_off : 12, scale_bitshift : 4, __reserved : 8;
#else
	__u32 __reserved : 8, idx_reg_off : 12, scale_bitshift : 4, arg_type : 8;
#endif
	short reg_off;
	_Bool arg_signed;
	char arg_bitshift; /* what is left of 64 bits beside the argument */
};

struct __bpf_usdt_spec {
	struct __bpf_usdt_arg_spec args[BPF_USDT_MAX_ARG_CNT];
	__u64 usdt_cookie;
	short arg_cnt;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BPF_USDT_MAX_SPEC_CNT);
	__type(key, int);
	__type(value, struct __bpf_usdt_spec);
} __bpf_usdt_specs SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BPF_USDT_MAX_IP_CNT);
	__type(key, long);
	__type(value, __u32);
} __bpf_usdt_ip_to_spec_id SEC(".maps") __weak;

extern const _Bool LINUX_HAS_BPF_COOKIE __kconfig;

#define ___usdt_no_row (-3)	 /* -ESRCH: nobody wrote a row for this place */
#define ___usdt_no_argument (-2) /* -ENOENT: the probe has fewer arguments */

static __always_inline struct __bpf_usdt_spec *___usdt_row(struct pt_regs *ctx)
{
	int number = -1;

	if (LINUX_HAS_BPF_COOKIE) {
		number = bpf_get_attach_cookie(ctx);
	} else {
		long place = PT_REGS_IP(ctx);
		int *found = bpf_map_lookup_elem(&__bpf_usdt_ip_to_spec_id, &place);

		if (found)
			number = *found;
	}
	return number < 0 ? NULL : bpf_map_lookup_elem(&__bpf_usdt_specs, &number);
}

static __always_inline unsigned long ___usdt_register(struct pt_regs *ctx, short offset)
{
	unsigned long value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), (void *)ctx + offset);
	return value;
}

/* How many arguments the probe has, or a negative error. */
__weak __hidden int bpf_usdt_arg_cnt(struct pt_regs *ctx)
{
	struct __bpf_usdt_spec *row = ___usdt_row(ctx);

	return row ? row->arg_cnt : ___usdt_no_row;
}

/* Argument n, from 0, widened to 64 bits; 0 or a negative error. */
__weak __hidden int bpf_usdt_arg(struct pt_regs *ctx, __u64 n, long *res)
{
	struct __bpf_usdt_spec *row = ___usdt_row(ctx);
	struct __bpf_usdt_arg_spec *arg;
	unsigned long value, shift;
	int error = 0;

	*res = 0;
	if (!row)
		return ___usdt_no_row;
	if (n >= BPF_USDT_MAX_ARG_CNT)
		return ___usdt_no_argument;
	barrier_var(n); /* so that the check above is made with the register that indexes */
	if (n >= BPF_USDT_MAX_ARG_CNT || n >= (__u64)row->arg_cnt)
		return ___usdt_no_argument;
	arg = &row->args[n];
	value = arg->val_off;
	if (arg->arg_type != BPF_USDT_ARG_CONST) {
		unsigned long base = ___usdt_register(ctx, arg->reg_off);

		if (arg->arg_type == BPF_USDT_ARG_REG) {
			value = base;
		} else {
			if (arg->arg_type == BPF_USDT_ARG_SIB)
				base += ___usdt_register(ctx, arg->idx_reg_off) << arg->scale_bitshift;
			error = bpf_probe_read_user(&value, sizeof(value), (void *)(base + arg->val_off));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
			value >>= arg->arg_bitshift;
#endif
		}
	}
	if (error)
		return error;
	shift = arg->arg_bitshift & 63;
	value <<= shift;
	*res = arg->arg_signed ? (long)value >> shift : (long)(value >> shift);
	return 0;
}

/* The number that was given when the probe was attached. */
__weak __hidden long bpf_usdt_cookie(struct pt_regs *ctx)
{
	struct __bpf_usdt_spec *row = ___usdt_row(ctx);

	return row ? (long)row->usdt_cookie : 0;
}

/* BPF_USDT(name, int fd, void *buffer) { ... }: an argument that can't be read is 0. */
#define ___usdt_value(n) ({ long __arg; bpf_usdt_arg(ctx, n, &__arg); (void *)__arg; })
#define ___usdt_values0() ctx
#define ___usdt_values1() ___usdt_values0(), ___usdt_value(0)
#define ___usdt_values2() ___usdt_values1(), ___usdt_value(1)
#define ___usdt_values3() ___usdt_values2(), ___usdt_value(2)
#define ___usdt_values4() ___usdt_values3(), ___usdt_value(3)
#define ___usdt_values5() ___usdt_values4(), ___usdt_value(4)
#define ___usdt_values6() ___usdt_values5(), ___usdt_value(5)
#define ___usdt_values7() ___usdt_values6(), ___usdt_value(6)
#define ___usdt_values8() ___usdt_values7(), ___usdt_value(7)
#define ___usdt_values9() ___usdt_values8(), ___usdt_value(8)
#define ___usdt_values10() ___usdt_values9(), ___usdt_value(9)
#define ___usdt_values11() ___usdt_values10(), ___usdt_value(10)
#define ___usdt_values12() ___usdt_values11(), ___usdt_value(11)
#define BPF_USDT(name, args...)                                                                                        \
	___bpf_typed(name, struct pt_regs, ___bpf_apply(___usdt_values, ___bpf_narg(args))(), ##args)
