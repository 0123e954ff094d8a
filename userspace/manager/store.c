// SPDX-License-Identifier: GPL-2.0-only
#include "store.h"

#include <inttypes.h>
#include <stdbool.h>

#include "objects.h"
#include "xmem.h"

#define API_VERSION "opencontrail.org/v1"

static const char *const kind_names[RESOURCE_KINDS] = {
	[RES_PROJECT] = "Project",
	[RES_VIRTUAL_NETWORK] = "VirtualNetwork",
	[RES_SECURITY_GROUP] = "SecurityGroup",
	[RES_ROUTER] = "VirtualRouter",
	[RES_CHAIN] = "ServiceChain",
	[RES_INTERFACE] = "VirtualMachineInterface",
	[RES_INSTANCE_IP] = "InstanceIP",
	[RES_POOL] = "LoadBalancerPool",
	[RES_LINK_LOCAL] = "LinkLocalService",
	[RES_LOAD_BALANCER] = "LoadBalancer",
	[RES_LOGICAL_ROUTER] = "LogicalRouter",
	[RES_MONITOR] = "HealthMonitor",
};

const char *resource_name(enum resource_kind kind)
{
	return kind_names[kind];
}

/*
 * A resource as compact JSON, a fraction of what the tree of it takes. It has an empty
 * resourceVersion, which each event fills in.
 */
struct record {
	uint64_t	version;
	size_t		len;
	size_t		at;		/* where the resourceVersion goes */
	char		text[];
};

/* What is pending for a resource that is to go; and for one that has been published. */
static struct record deleted, taken;

void store_init(struct store *st, struct vr_log *log, store_emit_fn *emit, void *arg)
{
	memset(st, 0, sizeof(*st));
	st->log = log;
	st->emit = emit;
	st->emit_arg = arg;
}

static void drop_record(void *value)
{
	if (value != &deleted && value != &taken)
		free(value);
}

void store_free(struct store *st)
{
	enum resource_kind k;

	for (k = 0; k < STORED_KINDS; k++) {
		map_clear(&st->published[k], drop_record);
		map_clear(&st->pending[k], drop_record);
	}
}

static void set_pending(struct store *st, enum resource_kind kind, const char *ns, const char *name,
			struct record *r)
{
	cleanup_free char *key = xasprintf("%s/%s", ns, name);

	drop_record(map_set(&st->pending[kind], key, r));
}

/* Takes object over. Before its annotations nothing can look like the resourceVersion. */
static struct record *record_new(json_t *object)
{
	static const char empty[] = "\"resourceVersion\":\"\"";
	cleanup_free char *text = mem_check(json_dumps(mem_check(object), JSON_COMPACT));
	size_t len = strlen(text);
	struct record *r = xzalloc(sizeof(*r) + len + 1);

	json_decref(object);
	memcpy(r->text, text, len + 1);
	r->len = len;
	r->at = strstr(r->text, empty) - r->text + strlen(empty) - 1;
	return r;
}

void store_put(struct store *st, enum resource_kind kind, const char *ns, const char *name,
	       const char *uid, json_t *annotations, json_t *spec)
{
	char made[UID_TEXT];

	if (!uid) {
		cleanup_free char *id = xasprintf("%s %s/%s", kind_names[kind], ns, name);

		uid_from_text(id, made);
		uid = made;
	}
	set_pending(st, kind, ns, name, record_new(json_pack(
		"{s:s, s:s, s:{s:s, s:s, s:s, s:s, s:o*}, s:o}", "apiVersion", API_VERSION,
		"kind", kind_names[kind], "metadata", "name", name, "namespace", ns, "uid", uid,
		"resourceVersion", "", "annotations", annotations, "spec", mem_check(spec))));
}

void store_del(struct store *st, enum resource_kind kind, const char *ns, const char *name)
{
	set_pending(st, kind, ns, name, &deleted);
}

static void emit(const char *type, const struct record *r, store_emit_fn *fn, void *arg)
{
	cleanup_free char *line = xasprintf("{\"type\":\"%s\",\"object\":%.*s%" PRIu64 "%s}\n", type,
					    (int)r->at, r->text, r->version, r->text + r->at);

	fn(arg, line, strlen(line));
}

/* Emits one event and numbers the object. */
static void emit_change(struct store *st, const char *type, struct record *r)
{
	r->version = ++st->version;
	if (st->emit)
		emit(type, r, st->emit, st->emit_arg);
}

static bool is_same(const struct record *a, const struct record *b)
{
	json_t *x, *y;
	bool same;

	if (a->len != b->len)
		return false;
	if (!memcmp(a->text, b->text, a->len))
		return true;
	/* the same in another order? */
	x = mem_check(json_loadb(a->text, a->len, 0, NULL));
	y = mem_check(json_loadb(b->text, b->len, 0, NULL));
	same = json_equal(x, y);
	json_decref(x);
	json_decref(y);
	return same;
}

/* Beside the object, a line has its type and the resourceVersion. */
static bool is_too_long(const struct record *r)
{
	return r->len + 100 >= STORE_MAX_LINE;
}

static unsigned int commit_puts(struct store *st, enum resource_kind kind)
{
	struct map_node **nodes = map_sorted(&st->pending[kind]);
	size_t i, n = st->pending[kind].n;
	unsigned int refused = 0;

	for (i = 0; i < n; i++) {
		struct record *r = nodes[i]->value;
		struct record *old = map_get(&st->published[kind], nodes[i]->key);

		if (r == &deleted || (old && is_same(old, r)))
			continue;
		if (is_too_long(r)) {
			vr_logf(st->log, VR_LOG_ERR,
				"%s %s: larger than %u octets, stays as it was", kind_names[kind],
				nodes[i]->key, STORE_MAX_LINE);
			refused++;
			continue;
		}
		emit_change(st, old ? "MODIFIED" : "ADDED", r);
		map_set(&st->published[kind], nodes[i]->key, r);
		nodes[i]->value = &taken;
		if (st->change)
			st->change(st->change_arg, kind, nodes[i]->key, r->text);
		free(old);
	}
	free(nodes);
	return refused;
}

static void commit_deletes(struct store *st, enum resource_kind kind)
{
	struct map_node **nodes = map_sorted(&st->pending[kind]);
	size_t i, n = st->pending[kind].n;

	for (i = 0; i < n; i++) {
		struct record *old;

		if (nodes[i]->value != &deleted)
			continue;
		old = map_del(&st->published[kind], nodes[i]->key);
		if (old)
			emit_change(st, "DELETED", old);
		if (old && st->change)
			st->change(st->change_arg, kind, nodes[i]->key, NULL);
		free(old);
	}
	free(nodes);
}

unsigned int store_commit(struct store *st)
{
	unsigned int refused = 0;
	int k;

	/* A cluster address must be free before another service takes it. */
	commit_deletes(st, RES_LOAD_BALANCER);
	for (k = 0; k < STORED_KINDS; k++)
		refused += commit_puts(st, k);
	for (k = RES_LOAD_BALANCER - 1; k >= 0; k--)
		commit_deletes(st, k);
	for (k = 0; k < STORED_KINDS; k++)
		map_clear(&st->pending[k], drop_record);
	return refused;
}

void store_list(const struct store *st, store_emit_fn *fn, void *arg)
{
	cleanup_free char *bookmark = xasprintf(
		"{\"type\":\"BOOKMARK\",\"object\":{\"apiVersion\":\"%s\",\"kind\":\"%s\","
		"\"metadata\":{\"resourceVersion\":\"%" PRIu64 "\",\"annotations\":"
		"{\"k8s.io/initial-events-end\":\"true\"}}}}\n", API_VERSION, kind_names[0],
		st->version);
	size_t i;
	int k;

	for (k = 0; k < STORED_KINDS; k++) {
		struct map_node **nodes = map_sorted(&st->published[k]);

		for (i = 0; i < st->published[k].n; i++)
			emit("ADDED", nodes[i]->value, fn, arg);
		free(nodes);
	}
	fn(arg, bookmark, strlen(bookmark));
}

const char *store_get(const struct store *st, enum resource_kind kind, const char *key)
{
	const struct record *r = map_get(&st->published[kind], key);

	return r ? r->text : NULL;
}

json_t *store_read(const struct store *st, enum resource_kind kind, const char *key)
{
	const char *text = store_get(st, kind, key);

	return text ? mem_check(json_loads(text, 0, NULL)) : NULL;
}
