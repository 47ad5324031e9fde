/* SPDX-License-Identifier: Apache-2.0 */
/* Stable types under the name that programs know. Written by tools/gen_fronts.py: do not edit. */
#pragma once
#include <osmia/uapi.h>
#include <bpf/bpf_endian.h>
#include <linux/swab.h>
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define __LITTLE_ENDIAN_BITFIELD
#ifndef __LITTLE_ENDIAN
#define __LITTLE_ENDIAN 1234
#endif
#else
#define __BIG_ENDIAN_BITFIELD
#ifndef __BIG_ENDIAN
#define __BIG_ENDIAN 4321
#endif
#endif
#ifndef __constant_htons
#define __constant_htons(x) bpf_htons(x)
#endif
#ifndef __constant_htonl
#define __constant_htonl(x) bpf_htonl(x)
#endif
#ifndef __constant_ntohs
#define __constant_ntohs(x) bpf_ntohs(x)
#endif
#ifndef __constant_ntohl
#define __constant_ntohl(x) bpf_ntohl(x)
#endif
#ifndef __cpu_to_be16
#define __cpu_to_be16(x) bpf_htons(x)
#endif
#ifndef __cpu_to_be32
#define __cpu_to_be32(x) bpf_htonl(x)
#endif
#ifndef __cpu_to_be64
#define __cpu_to_be64(x) bpf_cpu_to_be64(x)
#endif
#ifndef __be16_to_cpu
#define __be16_to_cpu(x) bpf_ntohs(x)
#endif
#ifndef __be32_to_cpu
#define __be32_to_cpu(x) bpf_ntohl(x)
#endif
#ifndef __be64_to_cpu
#define __be64_to_cpu(x) bpf_be64_to_cpu(x)
#endif
#ifndef __cpu_to_le64
#define __cpu_to_le64(x) bpf_cpu_to_le64(x)
#endif
#ifndef __le64_to_cpu
#define __le64_to_cpu(x) bpf_le64_to_cpu(x)
#endif
#ifndef htons
#define htons(x) bpf_htons(x)
#endif
#ifndef htonl
#define htonl(x) bpf_htonl(x)
#endif
#ifndef ntohs
#define ntohs(x) bpf_ntohs(x)
#endif
#ifndef ntohl
#define ntohl(x) bpf_ntohl(x)
#endif
#ifndef be16_to_cpu
#define be16_to_cpu(x) bpf_ntohs(x)
#endif
#ifndef be32_to_cpu
#define be32_to_cpu(x) bpf_ntohl(x)
#endif
#ifndef cpu_to_be16
#define cpu_to_be16(x) bpf_htons(x)
#endif
#ifndef cpu_to_be32
#define cpu_to_be32(x) bpf_htonl(x)
#endif
