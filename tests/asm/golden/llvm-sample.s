# Every kind of reference and directive, once.
	.text
	.globl f
	.type f,@function
f:
	r1 = 1; r2 = 2
	call g
	call st
	call w
	call u
	call other
	if r1 == 0 goto .L1
	if r1 > 3 goto st
.L1:
	r1 = g ll
	r1 = st ll
	r1 = u ll
	r1 = d+4 ll
	r1 = sd+4 ll
	r1 = .L1 ll
	r1 = .Ld ll
	exit
.Lend:
	.size f, .Lend-f
	.globl g
g:	r0 = 0
	exit
st:	exit
	.weak w
w:	exit
	.section foo,"ax",@progbits
other: exit
os: call os
   call f
   call other
1: goto 1b
   goto 1f
1: exit
	.data
	.globl d
d: .long 1,2,3
sd: .quad f, st+8, u
 .long f, .L1, sd, d, u
.Ld: .byte 1
	.bss
b: .zero 8
	.comm cc,8,8
.text
.p2align 4
	exit
.p2align 5
.byte 1,2,3,4,5,6,7,8

exit
.section .rodata.str1.1,"aMS",@progbits,1
.asciz "a\n\x41\101"
.p2align 3
.data
.byte 1,2,3,4,5,6,7,8
.p2align 2
.uleb128 300
.sleb128 -5
.zero 3
.fill 2,2,0x102
.space 2,7
.org 100
.globl uu
.quad 1+2, -1
.ascii "a","b"
 .short 0x1234
.long -1
.weak ww
.hidden hh
hh:
.local ll1
.set q, hh+4
.quad q
.size hh, 4
.type hh,@object
