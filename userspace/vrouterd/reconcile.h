/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_RECONCILE_H
#define VRD_RECONCILE_H

/*
 * Brings the kernel to what is planned.
 *
 * Two tables: what the kernel has (the mirror, from a dump and then from the
 * results of requests) and what the units want. What may differ is in a third,
 * pending; reconcile() turns that, and only that, into requests. So a change of
 * one resource costs what it changes, whatever the size of the rest.
 *
 * A request that the kernel refuses stays pending: it is told once, and made
 * again with the next change or when the caller's back-off is over.
 * Two units may want the same key (two services one address): the first keeps
 * it, the second is told and gets it when the first lets go.
 */

#include <stddef.h>

#include "plan.h"

struct request {
	const struct kobj *obj;		/* borrowed; of del: what the kernel has */
	bool		del;
	bool		replace;	/* the mirror has it: else it must be new */
	bool		early;		/* a route that may come before all that is new */
	int		err;		/* result: 0 or negative errno */
	char		*text;		/* and the kernel's sentence, to be freed; NULL: no error */
};

struct backend {
	/* Makes the requests in their order and fills in the result of each.
	 * Negative errno when the kernel cannot be asked at all.
	 */
	int (*apply)(void *arg, struct request *rq, size_t n);
	/* A device is about to be let go and will be the node's own: pods behind
	 * it must not be heard there.
	 */
	void (*released)(void *arg, const struct kobj *vif);
	void *arg;
};

struct reconciler;

/* env is borrowed. */
struct reconciler *reconciler_new(struct ids *ids, const struct backend *backend,
				  const struct plan_env *env);
void reconciler_free(struct reconciler *rc);

/* The units are the caller's; *u becomes what plan() now makes of the resource.
 * r NULL = nothing any more.
 */
void reconciler_update(struct reconciler *rc, struct unit *u, const struct res *r,
		       const struct device *dev);

/* Is the key this unit's, and not another's that wants it too? */
bool reconciler_owns(const struct reconciler *rc, const struct unit *u, const struct kkey *key);

/* A dump of the kernel: begin, each object (taken over), end. Everything is
 * compared anew.
 */
void reconciler_dump_begin(struct reconciler *rc);
void reconciler_dump_add(struct reconciler *rc, struct kobj *o);
void reconciler_dump_end(struct reconciler *rc);

/* Nothing is deleted before the feed was heard to the end once. */
void reconciler_synced(struct reconciler *rc);

enum outcome {
	RC_DONE,	/* the kernel has what is planned */
	RC_REFUSED,	/* not all: try again later */
	RC_RESYNC,	/* the kernel has other things than the mirror says: dump */
	RC_LOST,	/* the kernel cannot be asked */
};

enum outcome reconcile(struct reconciler *rc);
bool reconciler_pending(const struct reconciler *rc);

/* Is all of the unit in the kernel? If not, why, as far as it is known. */
bool reconciler_settled(const struct reconciler *rc, const struct unit *u, char *why, size_t size);

/* What the kernel has now under a key: o (taken over), or nothing. */
void reconciler_seen(struct reconciler *rc, const struct kkey *key, struct kobj *o);
/* An object of an event: does the mirror agree? */
bool reconciler_knows(const struct reconciler *rc, const struct kobj *o, bool deleted);
const struct kobj *reconciler_has(const struct reconciler *rc, const struct kkey *key);
void reconciler_each_vif(const struct reconciler *rc,
			 void (*fn)(const struct kobj *vif, void *arg), void *arg);

#endif
