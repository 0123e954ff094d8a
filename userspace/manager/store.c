// SPDX-License-Identifier: GPL-2.0-only
#include "store.h"

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
};

const char *resource_name(enum resource_kind kind)
{
	return kind_names[kind];
}

void store_init(struct store *st, struct vr_log *log, store_emit_fn *emit, void *arg)
{
	memset(st, 0, sizeof(*st));
	st->log = log;
	st->emit = emit;
	st->emit_arg = arg;
}

static void drop_json(void *value)
{
	json_decref(value);
}

void store_free(struct store *st)
{
	enum resource_kind k;

	for (k = 0; k < RESOURCE_KINDS; k++) {
		map_clear(&st->published[k], drop_json);
		map_clear(&st->pending[k], drop_json);
	}
}

static void set_pending(struct store *st, enum resource_kind kind, const char *ns, const char *name,
			json_t *object)
{
	cleanup_free char *key = xasprintf("%s/%s", ns, name);

	json_decref(map_set(&st->pending[kind], key, object));
}

void store_put(struct store *st, enum resource_kind kind, const char *ns, const char *name,
	       const char *uid, json_t *annotations, json_t *spec)
{
	char made[UID_TEXT];
	json_t *object;

	if (!uid) {
		cleanup_free char *id = xasprintf("%s %s/%s", kind_names[kind], ns, name);

		uid_from_text(id, made);
		uid = made;
	}
	object = json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:o*}, s:o}", "apiVersion", API_VERSION,
			   "kind", kind_names[kind], "metadata", "name", name, "namespace", ns,
			   "uid", uid, "annotations", annotations, "spec", mem_check(spec));
	set_pending(st, kind, ns, name, mem_check(object));
}

void store_del(struct store *st, enum resource_kind kind, const char *ns, const char *name)
{
	set_pending(st, kind, ns, name, json_null());
}

/* The event's line, to be freed, or NULL when it is too long. */
static char *event_line(const char *type, json_t *object, size_t *len)
{
	json_t *event = mem_check(json_pack("{s:s, s:O}", "type", type, "object", object));
	char *text = mem_check(json_dumps(event, JSON_COMPACT));

	json_decref(event);
	*len = strlen(text);
	if (*len >= STORE_MAX_LINE) {
		free(text);
		return NULL;
	}
	/* The NUL makes room for the newline. */
	text[(*len)++] = '\n';
	return text;
}

static bool is_same(const json_t *published, const json_t *wanted)
{
	json_t *meta = json_object_get(published, "metadata"),
	       *want = json_object_get(wanted, "metadata");

	return json_equal(json_object_get(published, "spec"), json_object_get(wanted, "spec")) &&
	       json_equal(json_object_get(meta, "uid"), json_object_get(want, "uid")) &&
	       (json_object_get(meta, "annotations") == json_object_get(want, "annotations") ||
		json_equal(json_object_get(meta, "annotations"),
			   json_object_get(want, "annotations")));
}

/* Emits one event and numbers the object. False when it is too large for a line. */
static bool emit_change(struct store *st, const char *type, json_t *object)
{
	char version[24];
	size_t len;
	char *line;

	snprintf(version, sizeof(version), "%llu", (unsigned long long)st->version + 1);
	json_object_set_new(json_object_get(object, "metadata"), "resourceVersion",
			    json_string(version));
	line = event_line(type, object, &len);
	if (!line)
		return false;
	st->version++;
	if (st->emit)
		st->emit(st->emit_arg, line, len);
	free(line);
	return true;
}

static unsigned int commit_puts(struct store *st, enum resource_kind kind)
{
	struct map_node **nodes = map_sorted(&st->pending[kind]);
	size_t i, n = st->pending[kind].n;
	unsigned int refused = 0;

	for (i = 0; i < n; i++) {
		json_t *object = nodes[i]->value,
		       *old = map_get(&st->published[kind], nodes[i]->key);

		if (json_is_null(object) || (old && is_same(old, object)))
			continue;
		if (!emit_change(st, old ? "MODIFIED" : "ADDED", object)) {
			vr_logf(st->log, VR_LOG_ERR,
				"%s %s: larger than %u octets, stays as it was", kind_names[kind],
				nodes[i]->key, STORE_MAX_LINE);
			refused++;
			continue;
		}
		map_set(&st->published[kind], nodes[i]->key, json_incref(object));
		json_decref(old);
		if (st->change)
			st->change(st->change_arg, kind, nodes[i]->key, object);
	}
	free(nodes);
	return refused;
}

static void commit_deletes(struct store *st, enum resource_kind kind)
{
	struct map_node **nodes = map_sorted(&st->pending[kind]);
	size_t i, n = st->pending[kind].n;

	for (i = 0; i < n; i++) {
		json_t *old;

		if (!json_is_null((json_t *)nodes[i]->value))
			continue;
		old = map_del(&st->published[kind], nodes[i]->key);
		if (old)
			emit_change(st, "DELETED", old);
		if (old && st->change)
			st->change(st->change_arg, kind, nodes[i]->key, NULL);
		json_decref(old);
	}
	free(nodes);
}

unsigned int store_commit(struct store *st)
{
	unsigned int refused = 0;
	int k;

	/* A cluster address must be free before another service takes it. */
	commit_deletes(st, RES_LOAD_BALANCER);
	for (k = 0; k < RESOURCE_KINDS; k++)
		refused += commit_puts(st, k);
	for (k = RES_LOAD_BALANCER - 1; k >= 0; k--)
		commit_deletes(st, k);
	for (k = 0; k < RESOURCE_KINDS; k++)
		map_clear(&st->pending[k], drop_json);
	return refused;
}

void store_list(const struct store *st, store_emit_fn *emit, void *arg)
{
	json_t *bookmark;
	char version[24];
	size_t i, len;
	char *line;
	int k;

	for (k = 0; k < RESOURCE_KINDS; k++) {
		struct map_node **nodes = map_sorted(&st->published[k]);

		for (i = 0; i < st->published[k].n; i++) {
			line = mem_check(event_line("ADDED", nodes[i]->value, &len));
			emit(arg, line, len);
			free(line);
		}
		free(nodes);
	}
	snprintf(version, sizeof(version), "%llu", (unsigned long long)st->version);
	bookmark =
		mem_check(json_pack("{s:s, s:s, s:{s:s, s:{s:s}}}", "apiVersion", API_VERSION,
				    "kind", kind_names[0], "metadata", "resourceVersion", version,
				    "annotations", "k8s.io/initial-events-end", "true"));
	line = mem_check(event_line("BOOKMARK", bookmark, &len));
	emit(arg, line, len);
	free(line);
	json_decref(bookmark);
}

const json_t *store_get(const struct store *st, enum resource_kind kind, const char *key)
{
	return map_get(&st->published[kind], key);
}
