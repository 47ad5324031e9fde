// SPDX-License-Identifier: Apache-2.0
// The product of two matrices of 32-bit numbers in the packet, into a third; answers its trace.
#include "bench.h"

#define N 14

struct area {
	__u32 a[N][N], b[N][N], product[N][N];
};

PROGRAM(matrix)
{
	struct area *area = DATA;
	__u32 trace = 0;

	if ((void *)(area + 1) > END)
		return -1;
	NO_UNROLL
	for (__u32 i = 0; i < N; i++) {
		NO_UNROLL
		for (__u32 j = 0; j < N; j++) {
			__u32 sum = 0;

			NO_UNROLL
			for (__u32 k = 0; k < N; k++)
				sum += area->a[i][k] * area->b[k][j];
			area->product[i][j] = sum;
		}
		trace += area->product[i][i];
	}
	return trace;
}
