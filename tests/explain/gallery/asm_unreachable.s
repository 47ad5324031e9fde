// An instruction that no path reaches, in assembly
// options: type=xdp
	r0 = 0
	exit
	r0 = 1
	exit
