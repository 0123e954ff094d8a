/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The store's resources as custom resources of the API server.
 *
 * For each resource there is what is wanted (the store says) and what is there (the API
 * server says); where they differ, one write makes them equal. A write carries the
 * resourceVersion that it was decided on, so what somebody else wrote since is seen first.
 * What the manager made has the label MANAGED_LABEL, and only that is changed or deleted. An
 * InstanceIP goes from one interface to another by being deleted in between, never by a change.
 * Objects that users make (VirtualNetworks, ServiceChains, LinkLocalServices) get what the
 * manager made of them into their status; LogicalRouters and HealthMonitors only whether they are right.
 *
 * Writes go out in the order of dependence: an address is the pod's before its interface names
 * it. The InstanceIP is the lock: when somebody else has it, the model is told and finds
 * another address.
 */
#ifndef MANAGER_PUBLISHER_H
#define MANAGER_PUBLISHER_H

#include <jansson.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

#include "kube_client.h"
#include "log.h"
#include "store.h"

#define MANAGED_LABEL "app.kubernetes.io/managed-by"
#define MANAGED_BY "contrail-kube-manager"
/* The uid of the Kubernetes object that a resource comes from. */
#define OWNER_UID "opencontrail.org/uid"

struct publisher;

/* Somebody else has the InstanceIP that an interface was to have. name: of the InstanceIP. */
typedef void publisher_taken_fn(void *arg, const char *name, const json_t *object);

struct publisher *publisher_new(sd_event *event, struct kube_client *client, struct vr_log *log,
				publisher_taken_fn *taken, void *arg);
void publisher_free(struct publisher *p);

/* Writes only while enabled (that is: while leading, and all is known that is there). */
void publisher_enable(struct publisher *p, bool enable);

/* What is wanted: a store_change_fn. */
void publisher_want(void *publisher, enum resource_kind kind, const char *key,
		    const struct record *r);

/* Of a kind that users make: why it is not as its user wants it; NULL: it is. */
void publisher_problem(struct publisher *p, enum resource_kind kind, const char *key,
		       const char *text);

/* The same of what the reader says of its spec, which therefore is not in force. */
void publisher_refusal(struct publisher *p, enum resource_kind kind, const char *key,
		       const char *text);

/* The model has looked at all that is there, and has said its problems. */
void publisher_judged(struct publisher *p);

/* What is there: of a reflector on the kind. */
void publisher_seen(struct publisher *p, enum resource_kind kind, const json_t *object);
void publisher_gone(struct publisher *p, enum resource_kind kind, const char *key);
/* Calls fn with the key of each that was seen and is not gone: not what only our own write tells of. */
void publisher_each_seen(const struct publisher *p, enum resource_kind kind,
			 void (*fn)(void *arg, const char *key), void *arg);

enum write_result { WRITE_OK, WRITE_CONFLICT, WRITE_ERROR, WRITE_RESULTS };

/* What is going on, for metrics and health. */
struct publisher_stats {
	size_t			queued, in_flight;	/* resources to be written, being written */
	size_t			waiting;		/* whose write failed, until the next try */
	unsigned long long	writes[RESOURCE_KINDS][WRITE_RESULTS];
	unsigned int		stuck;			/* seconds: see below */
};

/*
 * stuck: for how long the API server has taken no write while there were some: no answer,
 * or one of 401, 429 or 5xx. What it refuses of one object (any other 4xx) is no such thing. 0 when
 * not enabled.
 */
void publisher_stats(const struct publisher *p, struct publisher_stats *stats);

bool publisher_is_users(enum resource_kind kind);	/* may users make some? */
const char *publisher_plural(enum resource_kind kind);		/* "instanceips" */

/*
 * How a resource is on the API server and what is about to happen to it, as a JSON object that
 * is the caller's; NULL: the publisher does not know it. key: "ns/name", "/name".
 */
json_t *publisher_state(const struct publisher *p, enum resource_kind kind, const char *key);

/* Does the object say so of itself? */
bool published_by_manager(const json_t *object);

/* Path of a kind's objects in the API; to be freed. */
char *publisher_path(enum resource_kind kind);

#endif
