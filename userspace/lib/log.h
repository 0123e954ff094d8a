/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_LOG_H
#define VR_LOG_H

/*
 * The log of a daemon: one line for an event, a sentence and key=value fields.
 *
 *	vr_log(&log, VR_LOG_WARNING, "the kernel refuses it",
 *	       VR_LOG_STR("label", "default/web-0"), VR_LOG_NUM("vif", 3));
 *
 * writes to standard error
 *
 *	vrouterd: warning: the kernel refuses it label=default/web-0 vif=3
 *
 * or, when standard error is the journal, the same with fields of its own
 * (VROUTER_LABEL, VROUTER_VIF). More than "burst" lines of one level in
 * "interval" seconds are left out, and counted by a line when they are over;
 * those of VR_LOG_ERR and worse are always written.
 */

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* syslog(3)'s numbers */
enum vr_log_level {
	VR_LOG_ERR	= 3,
	VR_LOG_WARNING	= 4,
	VR_LOG_NOTICE	= 5,
	VR_LOG_INFO	= 6,
	VR_LOG_DEBUG	= 7,
};

struct vr_log {
	const char	*program;	/* borrowed */
	int		level;		/* what is above it is left out */
	int		fd;		/* lines go here */
	bool		journal;	/* and that is the journal */
	unsigned int	burst;		/* 0 = no limit */
	unsigned int	interval;	/* seconds */
	struct {
		time_t		start;	/* CLOCK_MONOTONIC */
		unsigned int	written, left_out;
	} rate[VR_LOG_DEBUG + 1];
};

struct vr_log_field {
	const char	*key;		/* lower-case letters, digits, '-'; NULL ends the list */
	const char	*str;		/* NULL: num */
	int64_t		num;
};

#define VR_LOG_STR(k, v) ((struct vr_log_field){ .key = (k), .str = (v) ? (v) : "" })
#define VR_LOG_NUM(k, v) ((struct vr_log_field){ .key = (k), .num = (v) })

/* Standard error, 50 lines in 10 seconds. */
void vr_log_init(struct vr_log *log, const char *program, int level);
/* "err", "warning", "notice", "info", "debug"; -EINVAL. */
int vr_log_level(const char *name);

void vr_log_fields(struct vr_log *log, int level, const char *sentence,
		   const struct vr_log_field *fields);
/* A sentence with values in it, and no fields. */
void vr_logf(struct vr_log *log, int level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define VR_LOG_FIELDS	16	/* at most */

#define vr_log(log, level, sentence, ...)					\
	vr_log_fields(log, level, sentence,					\
		      (const struct vr_log_field[VR_LOG_FIELDS + 1]){ __VA_ARGS__ })

#endif
