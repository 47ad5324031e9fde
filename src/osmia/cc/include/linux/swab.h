/* SPDX-License-Identifier: Apache-2.0 */
/* Stable types under the name that programs know. Written by tools/gen_fronts.py: do not edit. */
#pragma once
#include <osmia/uapi.h>
#include <bpf/bpf_endian.h>
#ifndef __swab16
#define __swab16(x) ___bpf_swab16(x)
#endif
#ifndef __swab32
#define __swab32(x) ___bpf_swab32(x)
#endif
#ifndef __swab64
#define __swab64(x) ___bpf_swab64(x)
#endif
