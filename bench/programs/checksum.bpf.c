// SPDX-License-Identifier: Apache-2.0
// The Internet checksum (RFC 1071) of a frame of 1500 bytes, two bytes at a time.
#include "bench.h"

#define SIZE 1500

PROGRAM(checksum)
{
	__u16 *at = DATA;
	__u64 sum = 0;

	if ((void *)at + SIZE > END)
		return -1;
	NO_UNROLL
	for (__u32 i = 0; i < SIZE / 2; i++)
		sum += at[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)~sum;
}
