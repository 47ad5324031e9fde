/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel types under the name that programs know. Written by tools/gen_fronts.py: do not edit. */
#pragma once
#include <vmlinux.h>
#include <linux/bpf.h>
#ifndef SKF_AD_OFF
#define SKF_AD_OFF (-0x1000)
#endif
#ifndef SKF_NET_OFF
#define SKF_NET_OFF (-0x100000)
#endif
#ifndef SKF_LL_OFF
#define SKF_LL_OFF (-0x200000)
#endif
