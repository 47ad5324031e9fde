// The program runs out of its end, in assembly
// options: type=xdp
	r0 = 0
	r0 += 1
