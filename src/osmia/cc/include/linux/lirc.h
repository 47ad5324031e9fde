/* SPDX-License-Identifier: Apache-2.0 */
/* Stable types under the name that programs know. Written by tools/gen_fronts.py: do not edit. */
#pragma once
#include <osmia/uapi.h>
#include <linux/types.h>
#ifndef LIRC_MODE2_SPACE
#define LIRC_MODE2_SPACE 0x00000000
#endif
#ifndef LIRC_MODE2_PULSE
#define LIRC_MODE2_PULSE 0x01000000
#endif
#ifndef LIRC_MODE2_FREQUENCY
#define LIRC_MODE2_FREQUENCY 0x02000000
#endif
#ifndef LIRC_MODE2_TIMEOUT
#define LIRC_MODE2_TIMEOUT 0x03000000
#endif
#ifndef LIRC_VALUE_MASK
#define LIRC_VALUE_MASK 0x00FFFFFF
#endif
#ifndef LIRC_MODE2_MASK
#define LIRC_MODE2_MASK 0xFF000000
#endif
#ifndef LIRC_MODE2
#define LIRC_MODE2(x) ((x) & LIRC_MODE2_MASK)
#endif
#ifndef LIRC_VALUE
#define LIRC_VALUE(x) ((x) & LIRC_VALUE_MASK)
#endif
