/* SPDX-License-Identifier: Apache-2.0 */
/* Network byte order (big) to the machine's and back; constants are converted at compile time. */
#pragma once

#define ___bpf_swab16(x) ((unsigned short)__builtin_bswap16((unsigned short)(x)))
#define ___bpf_swab32(x) ((unsigned int)__builtin_bswap32((unsigned int)(x)))
#define ___bpf_swab64(x) ((unsigned long long)__builtin_bswap64((unsigned long long)(x)))

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define bpf_htons(x) ___bpf_swab16(x)
#define bpf_htonl(x) ___bpf_swab32(x)
#define bpf_cpu_to_be64(x) ___bpf_swab64(x)
#define bpf_cpu_to_le64(x) ((unsigned long long)(x))
#else
#define bpf_htons(x) ((unsigned short)(x))
#define bpf_htonl(x) ((unsigned int)(x))
#define bpf_cpu_to_be64(x) ((unsigned long long)(x))
#define bpf_cpu_to_le64(x) ___bpf_swab64(x)
#endif

/* The way back is the same exchange of bytes. */
#define bpf_ntohs(x) bpf_htons(x)
#define bpf_ntohl(x) bpf_htonl(x)
#define bpf_be64_to_cpu(x) bpf_cpu_to_be64(x)
#define bpf_le64_to_cpu(x) bpf_cpu_to_le64(x)
