// SPDX-License-Identifier: GPL-2.0-only
/* Reports of members' health to the manager. */

#include <errno.h>

#include "dlog.h"
#include "health.h"
#include "mem.h"

#define SETTLE	20000		/* microseconds: a server that dies takes many members with it */

static int on_tell(sd_event_source *s, uint64_t usec, void *arg)
{
	struct health *h = arg;
	json_t *line;
	char *text;

	(void)s;
	(void)usec;
	if (!h->in_step)
		return 0;
	line = json_pack("{s:s, s:{s:s, s:s, s:{s:s}, s:{s:o}}}", "type", "STATUS", "object",
			 "apiVersion", "opencontrail.org/v1", "kind", "MemberHealth",
			 "metadata", "name", h->node, "status", "failedMembers",
			 monitors_failed(h->monitors));
	text = mem_check(json_dumps(mem_check(line), JSON_COMPACT));
	json_decref(line);
	feed_tell(*h->feed, text);
	return 0;
}

static void on_change(void *arg)
{
	struct health *h = arg;
	int enabled = SD_EVENT_OFF;

	sd_event_source_get_enabled(h->tell, &enabled);
	if (enabled != SD_EVENT_OFF)
		return;
	sd_event_source_set_time_relative(h->tell, SETTLE);
	sd_event_source_set_enabled(h->tell, SD_EVENT_ONESHOT);
}

void health_in_step(struct health *h, bool in_step)
{
	h->in_step = in_step;
	if (in_step)
		on_change(h);
}

int health_open(struct health *h, sd_event *loop, const char *node, struct feed **feed)
{
	int err;

	h->node = node;
	h->feed = feed;
	h->monitors = monitors_new(loop, node, on_change, h);
	err = sd_event_add_time_relative(loop, &h->tell, CLOCK_MONOTONIC, 0, 1000, on_tell, h);
	if (err >= 0)
		err = sd_event_source_set_enabled(h->tell, SD_EVENT_OFF);
	return err;
}

void health_close(struct health *h)
{
	monitors_free(h->monitors);
	h->monitors = NULL;
	h->tell = sd_event_source_disable_unref(h->tell);
}
