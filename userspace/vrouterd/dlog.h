/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_DLOG_H
#define VRD_DLOG_H

/* The daemon's log; every line of it goes here. */

#include "log.h"

extern struct vr_log vrd_log;

#define log_err(...)	vr_logf(&vrd_log, VR_LOG_ERR, __VA_ARGS__)
#define log_warn(...)	vr_logf(&vrd_log, VR_LOG_WARNING, __VA_ARGS__)
#define log_info(...)	vr_logf(&vrd_log, VR_LOG_INFO, __VA_ARGS__)
#define log_debug(...)	vr_logf(&vrd_log, VR_LOG_DEBUG, __VA_ARGS__)

#endif
