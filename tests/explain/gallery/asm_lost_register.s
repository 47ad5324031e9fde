// A register is used after a call, in assembly
// options: type=xdp
	r1 = 5
	call 7
	r0 += r1
	exit
