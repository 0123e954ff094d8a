/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events on users' own objects: what they got wrong, where kubectl describe shows it.
 */
#ifndef MANAGER_EVENTS_H
#define MANAGER_EVENTS_H

#include "kube_client.h"
#include "log.h"

struct events;

struct event {
	const char	*version, *kind, *ns, *name, *uid;	/* of the object; ns "" = none */
	const char	*reason;				/* "Refused": a word for programs */
	const char	*message;
};

/* instance: which manager says so. */
struct events *events_new(struct kube_client *client, struct vr_log *log, const char *instance);
void events_free(struct events *ev);

/*
 * Only one that leads tells, or each would; others keep what they would have told, up to a bound.
 * At most a few a second; what is more is in the log only.
 */
void events_enable(struct events *ev, bool enable);
void event_post(struct events *ev, const struct event *event);

#endif
