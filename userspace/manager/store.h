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
#include <stdbool.h>
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

/* A resource as it is published. It stays until the next change of this resource. */
struct record;

/* All to be freed or dropped by the caller: the object, with an empty resourceVersion. */
char *record_text(const struct record *r);
json_t *record_read(const struct record *r);
/* Does it come of the object with this uid? */
bool record_is_of(const struct record *r, const char *uid);
/* Is "member":"value" in its spec? Neither may have anything that JSON would escape. */
bool record_says(const struct record *r, const char *member, const char *value);

/* What is published now; NULL when it is deleted. key: "ns/name". */
typedef void store_change_fn(void *arg, enum resource_kind kind, const char *key,
			     const struct record *r);

struct store {
	struct map	published[STORED_KINDS];	/* struct record, by "ns/name" */
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

/*
 * All that is published now, line by line: what changes meanwhile does not change the list. The
 * lines are many times what the list itself takes.
 */
struct store_list *store_list_new(const struct store *st);
/* Emits one as ADDED; or, and then it is false, the bookmark that ends the list. */
bool store_list_next(struct store_list *list, store_emit_fn *emit, void *arg);
void store_list_free(struct store_list *list);		/* NULL: nothing */

/* What is published; NULL when there is none. Key: "ns/name". */
const struct record *store_get(const struct store *st, enum resource_kind kind, const char *key);
/* The same as JSON, to be dropped. */
json_t *store_read(const struct store *st, enum resource_kind kind, const char *key);

#endif
