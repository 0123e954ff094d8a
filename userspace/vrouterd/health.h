/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_HEALTH_H
#define VRD_HEALTH_H

/* What the manager is told of this node's members: a MemberHealth, see resources.md. */

#include "feed.h"
#include "monitor.h"

struct health {
	struct monitors	*monitors;
	struct feed	**feed;		/* borrowed; the feed may come later */
	const char	*node;
	sd_event_source	*tell;
	bool		in_step;	/* the list was heard to its end */
};

/* Negative errno. */
int health_open(struct health *h, sd_event *loop, const char *node, struct feed **feed);
void health_close(struct health *h);
/* The feed is in step, or is not: after each list the manager is told the whole state. */
void health_in_step(struct health *h, bool in_step);

#endif
