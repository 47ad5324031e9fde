/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel types under the name that programs know. Written by tools/gen_fronts.py: do not edit. */
#pragma once
#include <vmlinux.h>
