// SPDX-License-Identifier: GPL-2.0-only
/* The daemon's log; main() sets it up. */

#include "dlog.h"

struct vr_log vrd_log = {
	.program = "vrouterd", .level = VR_LOG_INFO, .fd = 2, .burst = 50, .interval = 10,
};
