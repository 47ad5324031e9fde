/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Common kernel types for programs, as CO-RE wants them: what is missing here is in a vmlinux.h made from a whole
 * kernel (`osmia cc --vmlinux FILE.btf`, or your own file before this one on the include path).
 */
#ifndef __VMLINUX_H__
#include <osmia/kernel.h>
#ifndef TASK_COMM_LEN /* an enum there since 5.17; some programs still define their own */
enum { TASK_COMM_LEN = 16 };
#endif
#define __VMLINUX_H__
#endif
