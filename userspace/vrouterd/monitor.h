/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_MONITOR_H
#define VRD_MONITOR_H

/*
 * Health monitors: this node's members of the pools that ask for it, probed again and
 * again. Pools that ask the same of the same member share its probes.
 *
 * A member starts in the state that the feed has for it, so that a restart changes nothing by
 * itself, and changes it when enough results in a row say the opposite. Begins are spread over
 * the interval, and no more than MONITORS_IN_FLIGHT probes run at once; others wait their turn.
 */

#include <jansson.h>
#include <systemd/sd-event.h>

#include "model.h"

#define MONITORS_IN_FLIGHT	256
#define MONITORS_TOLD		4096	/* failed members of a report, so that it fits a line */

struct verdict {
	bool		failed;
	unsigned int	streak;		/* results in a row that contradict it */
};

/* True when the result changes the verdict. */
bool verdict_take(struct verdict *v, const struct monitor *spec, bool good);

struct monitors;

/* node is borrowed; changed() is called when monitors_failed() has become another list. */
struct monitors *monitors_new(sd_event *loop, const char *node, void (*changed)(void *arg),
			      void *arg);
/* NULL is allowed. */
void monitors_free(struct monitors *ms);

/* A pool took the place of old; either may be NULL. */
void monitors_pool(struct monitors *ms, const struct res *old, const struct res *r);

/* For status.failedMembers of a MemberHealth. */
json_t *monitors_failed(const struct monitors *ms);
/* Every member, for the operator: see ctl.h. */
json_t *monitors_list(const struct monitors *ms);

#endif
