// Half of a pointer is added to, in assembly
// options: type=xdp
	r2 = r10
	w2 += -8
	*(u64 *)(r2 + 0) = 0
	r0 = 0
	exit
