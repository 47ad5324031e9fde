// A jump to itself, in assembly
// options: type=xdp
	r0 = 0
	if r0 == 0 goto -1
	exit
