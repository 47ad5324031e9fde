// Cases of tests/cc/test_macros.py: programs on a pt_regs of x86-64 with di, si, dx, cx, r8, r9 = 1 to 6,
// r10 = 40, ax = -7, bp = 70, ip = 80.

// arguments: 123456
int BPF_KPROBE(f, int a, char b, void *c, u64 d, long e, u8 g) {
	return a * 100000 + b * 10000 + (long)c * 1000 + d * 100 + e * 10 + g;
}

// plain: 195
int f(struct pt_regs *ctx) {
	return PT_REGS_PARM1(ctx) + PT_REGS_FP(ctx) + PT_REGS_IP(ctx) + PT_REGS_PARM4_SYSCALL(ctx) + PT_REGS_PARM4(ctx);
}

// return_value: 1
int BPF_KRETPROBE(f, int ret) {
	return ret == -7;
}

// no_return_value: 3
int BPF_KRETPROBE(f) {
	return 3;
}

// relocatable: 4294967291
int f(struct pt_regs *ctx) {
	return PT_REGS_PARM2_CORE(ctx) + PT_REGS_RC_CORE(ctx);
}
