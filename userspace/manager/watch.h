/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Follows a folder of manifests. A file counts as changed when its writer has closed it or it
 * was renamed, linked or removed, so a half-written one is never read and nothing waits for a
 * timer.
 */
#ifndef MANAGER_WATCH_H
#define MANAGER_WATCH_H

#include <systemd/sd-event.h>

#include "err.h"
#include "log.h"
#include "manifests.h"

typedef void watch_fn(void *arg);

struct watch {
	sd_event		*event;
	sd_event_source		*inotify, *soon, *retry;
	struct vr_log		*log;
	struct manifests	*manifests;
	watch_fn		*changed;
	void			*arg;
};

/* changed() is called from the loop after a change, once for those that come together. */
int watch_start(struct watch *w, sd_event *event, struct manifests *ms, struct vr_log *log,
		watch_fn *changed, void *arg, struct vr_err *err);
void watch_stop(struct watch *w);

#endif
