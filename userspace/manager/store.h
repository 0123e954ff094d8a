/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The OpenContrail resources as published (see userspace/lib/resources.md), each with the
 * version of its last change.
 *
 * Changes are collected and take effect together by store_commit(): what is
 * put and equals what was published makes no event, and an object that is
 * deleted and put again in one go is at most modified.
 */
#ifndef MANAGER_STORE_H
#define MANAGER_STORE_H

#include <jansson.h>
#include <stdint.h>

#include "log.h"
#include "map.h"

/* In the order of the table, which is the order in which one may name another. */
enum resource_kind {
	RES_PROJECT, RES_VIRTUAL_NETWORK, RES_SECURITY_GROUP, RES_ROUTER, RES_CHAIN, RES_INTERFACE,
	RES_INSTANCE_IP, RES_POOL, RES_LINK_LOCAL, RES_LOAD_BALANCER,
	STORED_KINDS,
	/* only answered to: what comes of them is in others */
	RES_LOGICAL_ROUTER = STORED_KINDS, RES_MONITOR,
	RESOURCE_KINDS
};

#define STORE_MAX_LINE (4u << 20)

/* One event line with its newline. */
typedef void store_emit_fn(void *arg, const char *line, size_t len);

/*
 * What is published now, as JSON whose resourceVersion is empty; NULL when it is deleted. The
 * text stays until the next change of this resource. key: "ns/name".
 */
typedef void store_change_fn(void *arg, enum resource_kind kind, const char *key,
			     const char *text);

struct store {
	struct map	published[STORED_KINDS];	/* "ns/name" -> the object, as text */
	struct map	pending[STORED_KINDS];	/* the same, or that it is to be deleted */
	uint64_t	version;
	struct vr_log	*log;
	store_emit_fn	*emit;
	void		*emit_arg;
	store_change_fn	*change;	/* may be NULL; called in the order of the events */
	void		*change_arg;
};

const char *resource_name(enum resource_kind kind);	/* "VirtualNetwork" */

void store_init(struct store *st, struct vr_log *log, store_emit_fn *emit, void *arg);
void store_free(struct store *st);

/* Takes spec and annotations (may be NULL) over. An uid of NULL is made from kind and name. */
void store_put(struct store *st, enum resource_kind kind, const char *ns, const char *name,
	       const char *uid, json_t *annotations, json_t *spec);
void store_del(struct store *st, enum resource_kind kind, const char *ns, const char *name);

/*
 * Publishes what is pending and emits its events. Returns how many objects
 * were refused because their line would exceed STORE_MAX_LINE; each has been logged and
 * stays as last published.
 */
unsigned int store_commit(struct store *st);

/* All as ADDED and the bookmark that ends the list. */
void store_list(const struct store *st, store_emit_fn *emit, void *arg);

/* A published object as a store_change_fn gets it; NULL when there is none. Key: "ns/name". */
const char *store_get(const struct store *st, enum resource_kind kind, const char *key);
/* The same as JSON, to be dropped. */
json_t *store_read(const struct store *st, enum resource_kind kind, const char *key);

#endif
