// A register is read that nothing was written to, in assembly
// options: type=xdp
	r0 = r3
	exit
