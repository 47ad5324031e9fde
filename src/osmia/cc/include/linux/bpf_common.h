/* SPDX-License-Identifier: Apache-2.0 */
/* Macros under the name that programs know. Written by tools/gen_fronts.py: do not edit. */
#pragma once
#ifndef BPF_LD
#define BPF_LD 0
#endif
#ifndef BPF_LDX
#define BPF_LDX 1
#endif
#ifndef BPF_ST
#define BPF_ST 2
#endif
#ifndef BPF_STX
#define BPF_STX 3
#endif
#ifndef BPF_ALU
#define BPF_ALU 4
#endif
#ifndef BPF_JMP
#define BPF_JMP 5
#endif
#ifndef BPF_JMP32
#define BPF_JMP32 6
#endif
#ifndef BPF_ALU64
#define BPF_ALU64 7
#endif
#ifndef BPF_W
#define BPF_W 0
#endif
#ifndef BPF_H
#define BPF_H 8
#endif
#ifndef BPF_B
#define BPF_B 16
#endif
#ifndef BPF_DW
#define BPF_DW 24
#endif
#ifndef BPF_IMM
#define BPF_IMM 0
#endif
#ifndef BPF_ABS
#define BPF_ABS 32
#endif
#ifndef BPF_IND
#define BPF_IND 64
#endif
#ifndef BPF_MEM
#define BPF_MEM 96
#endif
#ifndef BPF_MEMSX
#define BPF_MEMSX 128
#endif
#ifndef BPF_ATOMIC
#define BPF_ATOMIC 192
#endif
#ifndef BPF_K
#define BPF_K 0
#endif
#ifndef BPF_X
#define BPF_X 8
#endif
#ifndef BPF_ADD
#define BPF_ADD 0
#endif
#ifndef BPF_SUB
#define BPF_SUB 16
#endif
#ifndef BPF_MUL
#define BPF_MUL 32
#endif
#ifndef BPF_DIV
#define BPF_DIV 48
#endif
#ifndef BPF_OR
#define BPF_OR 64
#endif
#ifndef BPF_AND
#define BPF_AND 80
#endif
#ifndef BPF_LSH
#define BPF_LSH 96
#endif
#ifndef BPF_RSH
#define BPF_RSH 112
#endif
#ifndef BPF_NEG
#define BPF_NEG 128
#endif
#ifndef BPF_MOD
#define BPF_MOD 144
#endif
#ifndef BPF_XOR
#define BPF_XOR 160
#endif
#ifndef BPF_MOV
#define BPF_MOV 176
#endif
#ifndef BPF_ARSH
#define BPF_ARSH 192
#endif
#ifndef BPF_END
#define BPF_END 208
#endif
#ifndef BPF_TO_LE
#define BPF_TO_LE 0
#endif
#ifndef BPF_TO_BE
#define BPF_TO_BE 8
#endif
#ifndef BPF_JA
#define BPF_JA 0
#endif
#ifndef BPF_JEQ
#define BPF_JEQ 16
#endif
#ifndef BPF_JGT
#define BPF_JGT 32
#endif
#ifndef BPF_JGE
#define BPF_JGE 48
#endif
#ifndef BPF_JSET
#define BPF_JSET 64
#endif
#ifndef BPF_JNE
#define BPF_JNE 80
#endif
#ifndef BPF_JSGT
#define BPF_JSGT 96
#endif
#ifndef BPF_JSGE
#define BPF_JSGE 112
#endif
#ifndef BPF_CALL
#define BPF_CALL 128
#endif
#ifndef BPF_EXIT
#define BPF_EXIT 144
#endif
#ifndef BPF_JLT
#define BPF_JLT 160
#endif
#ifndef BPF_JLE
#define BPF_JLE 176
#endif
#ifndef BPF_JSLT
#define BPF_JSLT 192
#endif
#ifndef BPF_JSLE
#define BPF_JSLE 208
#endif
#ifndef BPF_JCOND
#define BPF_JCOND 224
#endif
#ifndef BPF_MAY_GOTO
#define BPF_MAY_GOTO 0
#endif
#ifndef BPF_FETCH
#define BPF_FETCH 1
#endif
#ifndef BPF_XCHG
#define BPF_XCHG 225
#endif
#ifndef BPF_CMPXCHG
#define BPF_CMPXCHG 241
#endif
#ifndef BPF_LOAD_ACQ
#define BPF_LOAD_ACQ 0x100
#endif
#ifndef BPF_STORE_REL
#define BPF_STORE_REL 0x110
#endif
#ifndef BPF_ADDR_SPACE_CAST
#define BPF_ADDR_SPACE_CAST 1
#endif
