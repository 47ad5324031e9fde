// A function writes below its 512 bytes of stack, in assembly
// options: type=xdp
	r1 = 0
	*(u64 *)(r10 - 520) = r1
	r0 = 0
	exit
