/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_KERNEL_H
#define VRD_KERNEL_H

/*
 * The kernel module: dump, requests, and what it tells of changes that others
 * made or that happened (a device went away).
 */

#include <systemd/sd-event.h>

#include "err.h"
#include "kobj.h"
#include "nl.h"
#include "reconcile.h"

struct kernel_ops {
	/* An object was set (o is the callee's) or is gone (o NULL). */
	void (*seen)(void *arg, const struct kkey *key, struct kobj *o);
	/* Does this agree with what is known? Then there is nothing to ask. */
	bool (*known)(void *arg, const struct kobj *o, bool deleted);
	/* Events were lost, or the module is gone: open and dump again. */
	void (*lost)(void *arg, const char *why);
};

struct kernel;

/* -ENOENT when the module is not loaded. */
int kernel_open(struct kernel **k, sd_event *loop, const struct kernel_ops *ops, void *arg,
		struct vr_err *e);
void kernel_close(struct kernel *k);
/* fn takes each object over. */
int kernel_dump(struct kernel *k, void (*fn)(struct kobj *o, void *arg), void *arg,
		struct vr_err *e);
/* As struct backend's apply. */
int kernel_apply(struct kernel *k, struct request *rq, size_t n, struct vr_err *e);
/* Is it the module still that was opened? */
int kernel_probe(struct kernel *k, struct vr_err *e);

struct kernel_counters {
	struct vr_stats		stats;
	struct vr_limits	limits;
	struct vr_list		drops;		/* of struct vr_drop; vr_list_free() */
};

/* As they are now: three requests, of which none grows with flows or objects. Negative errno. */
int kernel_counters(struct kernel *k, struct kernel_counters *c, struct vr_err *e);

/* A device of the node up or down. Negative errno. */
int link_set(const char *ifname, bool up);

#endif
