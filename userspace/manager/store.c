// SPDX-License-Identifier: GPL-2.0-only
#include "store.h"

#include <inttypes.h>

#include "objects.h"
#include "pack.h"
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
 * A resource as packed text, without what follows from its kind and key. Several may hold it: it does
 * not change. What is packed, each with its NUL: uid as JSON ("": made from kind and key),
 * annotations ("": none), spec.
 */
struct record {
	uint64_t		version;
	unsigned int		refs;
	enum resource_kind	kind;
	uint32_t		len;		/* of the text; 0: only a key, of what is to be deleted */
	uint32_t		packed;		/* octets of it that follow the key and its NUL */
	struct map_node		node;		/* in the map of what is pending, then of what is published */
	char			key[];
};

struct parts {
	const char	*name, *uid, *annotations, *spec;
	char		*text;
};

void store_init(struct store *st, struct vr_log *log, store_emit_fn *emit, void *arg)
{
	memset(st, 0, sizeof(*st));
	st->log = log;
	st->emit = emit;
	st->emit_arg = arg;
}

static void drop_record(void *value)
{
	struct record *r = value;

	if (!--r->refs)
		free(r);
}

/* A map whose nodes are records. */
static void drop_records(struct map *m)
{
	map_for_each(m, node)
		drop_record(node->value);
	map_forget(m);
}

void store_free(struct store *st)
{
	enum resource_kind k;

	for (k = 0; k < STORED_KINDS; k++) {
		drop_records(&st->published[k]);
		drop_records(&st->pending[k]);
	}
}

/* --- records --------------------------------------------------------------- */

static const void *packed_of(const struct record *r)
{
	return r->key + strlen(r->key) + 1;
}

static void drop_parts(struct parts *p)
{
	free(p->text);
}

#define cleanup_parts __attribute__((cleanup(drop_parts)))

static struct parts parts_of(const struct record *r)
{
	struct parts p = { .text = xzalloc(r->len) };

	unpack(packed_of(r), r->packed, p.text, r->len);
	p.name = strchr(r->key, '/') + 1;
	p.uid = p.text;
	p.annotations = p.uid + strlen(p.uid) + 1;
	p.spec = p.annotations + strlen(p.annotations) + 1;
	return p;
}

/* NULL is "". */
static size_t room_for(const char *text)
{
	return (text ? strlen(text) : 0) + 1;
}

static char *put_text(char *at, const char *text)
{
	return stpcpy(at, text ? text : "") + 1;
}

/* Takes value over. To be freed; NULL of NULL. */
static char *dump(json_t *value)
{
	char *text;

	if (!value)
		return NULL;
	text = mem_check(json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY));
	json_decref(value);
	return text;
}

static struct record *record_alloc(enum resource_kind kind, const char *key, size_t packed)
{
	struct record *r = xzalloc(sizeof(*r) + room_for(key) + packed);

	r->refs = 1;
	r->kind = kind;
	r->packed = packed;
	strcpy(r->key, key);
	r->node.key = r->key;
	r->node.value = r;
	return r;
}

static struct record *deletion_new(enum resource_kind kind, const char *key)
{
	return record_alloc(kind, key, 0);
}

static bool is_deletion(const struct record *r)
{
	return !r->len;
}

/* Takes annotations and spec over. */
static struct record *record_new(enum resource_kind kind, const char *key, const char *uid,
				 json_t *annotations, json_t *spec)
{
	cleanup_free char *id = dump(uid ? mem_check(json_string(uid)) : NULL);
	cleanup_free char *notes = dump(annotations), *content = dump(mem_check(spec));
	size_t len = room_for(id) + room_for(notes) + room_for(content), packed;
	char *text = xzalloc(len), *small;
	struct record *r;

	put_text(put_text(put_text(text, id), notes), content);
	small = pack(text, len, &packed);
	free(text);
	r = record_alloc(kind, key, packed);
	r->len = len;
	memcpy(r->key + room_for(key), small, packed);
	free(small);
	return r;
}

/*
 * The whole object, to be freed. Names need no escapes: those of Kubernetes objects have been
 * checked, and are joined by no other signs than . : - and _.
 */
static char *text_of(const struct record *r, const char *version)
{
	cleanup_parts struct parts p = parts_of(r);
	char made[UID_TEXT + 2];

	if (!*p.uid) {
		cleanup_free char *id = xasprintf("%s %s", kind_names[r->kind], r->key);

		made[0] = '"';
		uid_from_text(id, made + 1);
		strcat(made, "\"");
		p.uid = made;
	}
	return xasprintf("{\"apiVersion\":\"" API_VERSION "\",\"kind\":\"%s\",\"metadata\":{\"name\":\"%s\","
			 "\"namespace\":\"%.*s\",\"uid\":%s,\"resourceVersion\":\"%s\"%s%s},\"spec\":%s}",
			 kind_names[r->kind], p.name, (int)(p.name - 1 - r->key), r->key, p.uid, version,
			 *p.annotations ? ",\"annotations\":" : "", p.annotations, p.spec);
}

char *record_text(const struct record *r)
{
	return text_of(r, "");
}

json_t *record_read(const struct record *r)
{
	cleanup_free char *text = record_text(r);

	return mem_check(json_loads(text, 0, NULL));
}

bool record_is_of(const struct record *r, const char *uid)
{
	cleanup_free char *text = xasprintf("\"%s\"", uid);
	cleanup_parts struct parts p = parts_of(r);

	return !strcmp(p.uid, text);
}

bool record_says(const struct record *r, const char *member, const char *value)
{
	cleanup_free char *text = xasprintf("\"%s\":\"%s\"", member, value);
	cleanup_parts struct parts p = parts_of(r);

	return strstr(p.spec, text);
}

static bool is_same(const struct record *a, const struct record *b)
{
	json_t *x, *y;
	bool same;

	if (a->len != b->len)
		return false;
	if (a->packed == b->packed && !memcmp(packed_of(a), packed_of(b), a->packed))
		return true;
	/* the same in another order? */
	x = record_read(a);
	y = record_read(b);
	same = json_equal(x, y);
	json_decref(x);
	json_decref(y);
	return same;
}

/* Beside these texts, a line has the kind's, the event's and what names the parts. */
static bool is_too_long(const struct record *r)
{
	return strlen(r->key) + r->len + 400 >= STORE_MAX_LINE;
}

/* --- what is to be --------------------------------------------------------- */

static void set_pending(struct store *st, struct record *r)
{
	struct map_node *old = map_link(&st->pending[r->kind], &r->node);

	if (old)
		drop_record(old->value);
}

void store_put(struct store *st, enum resource_kind kind, const char *ns, const char *name,
	       const char *uid, json_t *annotations, json_t *spec)
{
	cleanup_free char *key = xasprintf("%s/%s", ns, name);

	set_pending(st, record_new(kind, key, uid, annotations, spec));
}

void store_del(struct store *st, enum resource_kind kind, const char *ns, const char *name)
{
	cleanup_free char *key = xasprintf("%s/%s", ns, name);

	set_pending(st, deletion_new(kind, key));
}

static void emit(const char *type, const struct record *r, uint64_t version, store_emit_fn *fn,
		 void *arg)
{
	cleanup_free char *object = NULL, *line = NULL;
	char number[24];

	snprintf(number, sizeof(number), "%" PRIu64, version);
	object = text_of(r, number);
	line = xasprintf("{\"type\":\"%s\",\"object\":%s}\n", type, object);
	fn(arg, line, strlen(line));
}

/* Emits one event, with the number that the object has by it. */
static uint64_t emit_change(struct store *st, const char *type, const struct record *r)
{
	st->version++;
	if (st->emit)
		emit(type, r, st->version, st->emit, st->emit_arg);
	return st->version;
}

/* The record goes from what is pending to what is published, or nowhere: true when it is refused. */
static bool commit_put(struct store *st, struct record *r)
{
	struct map *published = &st->published[r->kind];
	const char *key = r->key;
	struct record *old = map_get(published, key);

	if (old && is_same(old, r)) {
		drop_record(r);
		return false;
	}
	if (is_too_long(r)) {
		vr_logf(st->log, VR_LOG_ERR, "%s %s: larger than %u octets, stays as it was",
			kind_names[r->kind], key, STORE_MAX_LINE);
		drop_record(r);
		return true;
	}
	r->version = emit_change(st, old ? "MODIFIED" : "ADDED", r);
	map_link(published, &r->node);
	if (st->change)
		st->change(st->change_arg, r->kind, key, r);
	if (old)
		drop_record(old);
	return false;
}

static unsigned int commit_puts(struct store *st, enum resource_kind kind)
{
	struct map_node **nodes = map_sorted(&st->pending[kind]);
	size_t i, n = st->pending[kind].n;
	unsigned int refused = 0;

	for (i = 0; i < n; i++) {
		if (is_deletion(nodes[i]->value))
			continue;
		map_unlink(&st->pending[kind], nodes[i]->key);
		refused += commit_put(st, nodes[i]->value);
	}
	free(nodes);
	return refused;
}

static void commit_deletes(struct store *st, enum resource_kind kind)
{
	struct map_node **nodes = map_sorted(&st->pending[kind]);
	size_t i, n = st->pending[kind].n;

	for (i = 0; i < n; i++) {
		struct map_node *node;
		struct record *old;

		if (!is_deletion(nodes[i]->value))
			continue;
		node = map_unlink(&st->published[kind], nodes[i]->key);
		if (!node)
			continue;
		old = node->value;
		emit_change(st, "DELETED", old);
		if (st->change)
			st->change(st->change_arg, kind, nodes[i]->key, NULL);
		drop_record(old);
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
		drop_records(&st->pending[k]);
	return refused;
}

/* --- what is there --------------------------------------------------------- */

struct store_list {
	uint64_t	version;
	size_t		n, at;
	struct record	*v[];
};

struct store_list *store_list_new(const struct store *st)
{
	struct store_list *list;
	size_t i, n = 0;
	int k;

	for (k = 0; k < STORED_KINDS; k++)
		n += st->published[k].n;
	list = xzalloc(sizeof(*list) + n * sizeof(*list->v));
	list->version = st->version;
	for (k = 0; k < STORED_KINDS; k++) {
		struct map_node **nodes = map_sorted(&st->published[k]);

		for (i = 0; i < st->published[k].n; i++) {
			list->v[list->n] = nodes[i]->value;
			list->v[list->n++]->refs++;
		}
		free(nodes);
	}
	return list;
}

bool store_list_next(struct store_list *list, store_emit_fn *fn, void *arg)
{
	cleanup_free char *bookmark = NULL;
	struct record *r;

	if (list->at < list->n) {
		r = list->v[list->at++];
		emit("ADDED", r, r->version, fn, arg);
		drop_record(r);
		return true;
	}
	bookmark = xasprintf("{\"type\":\"BOOKMARK\",\"object\":{\"apiVersion\":\"" API_VERSION "\","
			     "\"kind\":\"%s\",\"metadata\":{\"resourceVersion\":\"%" PRIu64 "\","
			     "\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}}}}\n",
			     kind_names[0], list->version);
	fn(arg, bookmark, strlen(bookmark));
	return false;
}

void store_list_free(struct store_list *list)
{
	while (list && list->at < list->n)
		drop_record(list->v[list->at++]);
	free(list);
}

const struct record *store_get(const struct store *st, enum resource_kind kind, const char *key)
{
	return map_get(&st->published[kind], key);
}

json_t *store_read(const struct store *st, enum resource_kind kind, const char *key)
{
	const struct record *r = store_get(st, kind, key);

	return r ? record_read(r) : NULL;
}
