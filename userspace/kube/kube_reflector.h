/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All objects of one kind, as they are and as they change: a list in pages, then a watch from
 * there on. What breaks is begun again where it stopped; when the server no longer knows that
 * far back, the list is read anew: all of it is told again, and what is no longer in it. The
 * owner keeps the objects; the reflector remembers none, and asks which there are.
 */
#ifndef KUBE_REFLECTOR_H
#define KUBE_REFLECTOR_H

#include "kube_client.h"

#define KUBE_MAX_EVENT	(8u << 20)	/* octets of one event of a watch */
#define KUBE_PAGE	100		/* objects in one answer to a list: a pod takes 90 KB meanwhile */

typedef void kube_key_fn(void *arg, const char *key);

struct kube_reflector_ops {
	/*
	 * New, changed, or listed again. key: "ns/name", or "name" of what has no namespace. object
	 * is borrowed.
	 */
	void (*put)(void *arg, const char *key, json_t *object);
	/* May not be there. */
	void (*del)(void *arg, const char *key);
	/* Calls fn(fn_arg, key) for all that was put and not deleted since. */
	void (*each)(void *arg, kube_key_fn *fn, void *fn_arg);
	/* The first list is complete. */
	void (*synced)(void *arg);
	/* What is known may be old, because of this; NULL: no longer. Told once each. */
	void (*trouble)(void *arg, const char *text);
	/*
	 * The server need not have the kind: a 404 at the start means that there are none. Else, and
	 * later on, a 404 is trouble as any other: a server that has just started may not yet serve
	 * custom resources that it has.
	 */
	bool optional;
	/*
	 * The path of the kind's list in another version, which a server serves that does not know
	 * this one (404); NULL: none. Asked in turn, so that a server's upgrade or downgrade is
	 * followed, too.
	 */
	const char *other_version;
};

/* For tests: how long is waited. */
struct kube_pace {
	unsigned int	min_ms, max_ms;		/* between attempts: doubles, with jitter */
	unsigned int	absent_ms;		/* until a kind that is not there is asked for again */
};

struct kube_reflector;

/*
 * path: of the kind's list, as "/api/v1/pods", or with a query ("?labelSelector=...") that both
 * list and watch are to have. pace NULL: as is good for a server.
 */
struct kube_reflector *kube_reflector_new(struct kube_client *client, const char *path,
					  const struct kube_pace *pace,
					  const struct kube_reflector_ops *ops, void *arg);
void kube_reflector_free(struct kube_reflector *r);

/* What it did since it was made. */
struct kube_reflector_stats {
	unsigned long long	lists;		/* that were begun; one when all is well */
	unsigned long long	watches;	/* that were begun: one each few minutes */
	unsigned long long	events;		/* objects that were told of */
	unsigned long long	failures;	/* lists and watches that ended in trouble */
};

const struct kube_reflector_stats *kube_reflector_stats(const struct kube_reflector *r);

#endif
