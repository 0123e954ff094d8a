// SPDX-License-Identifier: GPL-2.0-only
#include "publisher.h"

#include <inttypes.h>
#include <time.h>

#include "mem.h"
#include "model.h"

#define IN_FLIGHT_MAX	32		/* requests; HTTP/2 carries them on one connection */
#define REQUEST_TIMEOUT	15000		/* milliseconds */
#define RETRY_MIN	500000		/* microseconds */
#define RETRY_MAX	60000000

#define GROUP "/apis/opencontrail.org/v1/"

static const struct kind {
	const char	*plural;
	bool		namespaced;
	bool		users;		/* may be made by users, and then gets a status */
} kinds[RESOURCE_KINDS] = {
	[RES_PROJECT] = { "projects" },
	[RES_VIRTUAL_NETWORK] = { "virtualnetworks", true, true },
	[RES_SECURITY_GROUP] = { "securitygroups", true },
	[RES_ROUTER] = { "virtualrouters" },
	[RES_CHAIN] = { "servicechains", true, true },
	[RES_INSTANCE_IP] = { "instanceips" },
	[RES_INTERFACE] = { "virtualmachineinterfaces", true },
	[RES_POOL] = { "loadbalancerpools", true },
	[RES_LINK_LOCAL] = { "linklocalservices", false, true },
	[RES_LOAD_BALANCER] = { "loadbalancers", true },
};

/* What is named before what names it, and an address before its interface. */
static const enum resource_kind order[RESOURCE_KINDS] = {
	RES_PROJECT, RES_VIRTUAL_NETWORK, RES_SECURITY_GROUP, RES_ROUTER, RES_CHAIN,
	RES_INSTANCE_IP, RES_INTERFACE, RES_POOL, RES_LINK_LOCAL, RES_LOAD_BALANCER,
};

/* Load balancers' deletions, all puts in order, all other deletions in the opposite one. */
#define PHASES (2 * RESOURCE_KINDS + 1)

struct entry {
	struct publisher	*p;
	enum resource_kind	kind;
	char			*key;		/* "ns/name", "/name" */
	json_t			*want;		/* the store's object, or NULL */
	char			*problem;	/* of a user's object; NULL: none */
	/* what is there */
	bool			exists, managed;
	uint64_t		version;	/* resourceVersion, as a number */
	uint64_t		hash;		/* of its content; or of what we wrote */
	json_int_t		generation, observed;	/* of a user's spec, and of our answer */
	char			said[8];	/* whether it is Ready, as its status has it */
	char			since[32];
	/* what is going on */
	bool			queued, busy;
	unsigned int		phase;
	struct entry		*next, **prev;	/* in the phase's queue */
	struct kube_call	*call;
	uint64_t		writing;	/* hash of what is being written; 0: not all of it */
	unsigned int		failures;
	uint64_t		not_before;	/* monotonic microseconds; 0 = now */
};

struct publisher {
	sd_event		*event;
	sd_event_source		*pump, *retry;
	struct kube_client	*client;
	struct vr_log		*log;
	publisher_taken_fn	*taken;
	void			*arg;
	bool			enabled;
	struct map		entries[RESOURCE_KINDS];
	struct entry		*queue[PHASES], **tail[PHASES];
	unsigned int		in_flight[PHASES], n_in_flight;
	struct map		later;		/* entries that wait for their time, by kind and key */
	struct publisher_stats	stats;
};

const char *publisher_path(enum resource_kind kind)
{
	static char paths[RESOURCE_KINDS][64];

	snprintf(paths[kind], sizeof(paths[kind]), GROUP "%s", kinds[kind].plural);
	return paths[kind];
}

/* --- content --------------------------------------------------------------- */

static uint64_t hash_of(const json_t *content, const json_t *uid)
{
	cleanup_free char *text = mem_check(json_dumps(content, JSON_COMPACT | JSON_SORT_KEYS |
							JSON_ENCODE_ANY));
	cleanup_free char *all = xasprintf("%s %s", text,
					   json_is_string(uid) ? json_string_value(uid) : "");

	return stable_hash(all);
}

/* What the manager says of an object is its spec, or the status of a kind that users make. */
static uint64_t wanted_hash(const struct entry *e)
{
	const json_t *meta = json_object_get(e->want, "metadata");

	return hash_of(json_object_get(e->want, "spec"),
		       kinds[e->kind].users ? NULL : json_object_get(meta, "uid"));
}

/* A user's object says whether it is as its user wants it. */
static const char *readiness(const struct entry *e)
{
	return e->problem ? "False" : "True";
}

static bool is_answered(const struct entry *e)
{
	if (!kinds[e->kind].users || (!e->want && !e->problem))
		return true;
	return e->observed == e->generation && !strcmp(e->said, readiness(e));
}

static bool is_right(const struct entry *e)
{
	if (!e->want && (!e->exists || !e->managed))
		return !e->exists || is_answered(e);
	return e->want && e->exists && e->hash == wanted_hash(e) && is_answered(e);
}

/* metadata.resourceVersion is opaque by contract, and a number in fact; order is only looked at
 * to leave out news that are older than our own write.
 */
static uint64_t version_of(const json_t *object)
{
	const char *text = json_string_value(json_object_get(json_object_get(object, "metadata"),
							     "resourceVersion"));

	return text ? strtoull(text, NULL, 10) : 0;
}

static uint64_t status_hash(const json_t *object)
{
	json_t *status = json_copy(json_object_get(object, "status"));
	uint64_t hash;

	json_object_del(status, "conditions");
	json_object_del(status, "observedGeneration");
	hash = status ? hash_of(status, NULL) : 0;
	json_decref(status);
	return hash;
}

static void take_condition(struct entry *e, const json_t *object)
{
	const json_t *status = json_object_get(object, "status"), *c;
	const char *text;
	size_t i;

	e->generation = json_integer_value(json_object_get(json_object_get(object, "metadata"),
							   "generation"));
	e->observed = 0;
	e->said[0] = e->since[0] = '\0';
	json_array_foreach(json_object_get(status, "conditions"), i, c) {
		text = json_string_value(json_object_get(c, "type"));
		if (!text || strcmp(text, "Ready"))
			continue;
		e->observed = json_integer_value(json_object_get(c, "observedGeneration"));
		text = json_string_value(json_object_get(c, "status"));
		snprintf(e->said, sizeof(e->said), "%s", text ? text : "");
		text = json_string_value(json_object_get(c, "lastTransitionTime"));
		snprintf(e->since, sizeof(e->since), "%s", text ? text : "");
	}
}

static void take(struct entry *e, const json_t *object)
{
	const json_t *meta = json_object_get(object, "metadata");
	const char *by = json_string_value(json_object_get(json_object_get(meta, "labels"),
							   MANAGED_LABEL));

	e->exists = true;
	e->managed = by && !strcmp(by, MANAGED_BY);
	e->version = version_of(object);
	if (kinds[e->kind].users) {
		e->hash = status_hash(object);
		take_condition(e, object);
	} else {
		e->hash = hash_of(json_object_get(object, "spec"),
				  json_object_get(json_object_get(meta, "annotations"), OWNER_UID));
	}
}

/* --- queues ---------------------------------------------------------------- */

static unsigned int phase_of(const struct entry *e)
{
	unsigned int at = 0;

	while (order[at] != e->kind)
		at++;
	if (e->want || (e->problem && !e->managed))
		return 1 + at;
	return e->kind == RES_LOAD_BALANCER ? 0 : PHASES - 1 - at;
}

static void dequeue(struct entry *e)
{
	if (!e->queued)
		return;
	e->queued = false;
	*e->prev = e->next;
	if (e->next)
		e->next->prev = e->prev;
	else
		e->p->tail[e->phase] = e->prev;
}

static void enqueue(struct entry *e)
{
	struct publisher *p = e->p;

	e->queued = true;
	e->phase = phase_of(e);
	e->next = NULL;
	e->prev = p->tail[e->phase];
	*e->prev = e;
	p->tail[e->phase] = &e->next;
	sd_event_source_set_enabled(p->pump, SD_EVENT_ONESHOT);
}

static char *id_of(const struct entry *e)
{
	return xasprintf("%s %s", kinds[e->kind].plural, e->key);
}

static void drop_if_nothing(struct entry *e)
{
	cleanup_free char *id = NULL;

	if (e->want || e->problem || e->exists || e->busy)
		return;
	id = id_of(e);
	dequeue(e);
	map_del(&e->p->later, id);
	map_del(&e->p->entries[e->kind], e->key);
	free(e->key);
	free(e);
}

/* Something about it changed. The entry may be gone afterwards. */
static void mark_interface(struct entry *ip);

static void look_at(struct entry *e)
{
	cleanup_free char *id = id_of(e);

	dequeue(e);
	if (e->busy)
		return;
	if (is_right(e)) {
		e->failures = 0;
		map_del(&e->p->later, id);
		if (e->kind == RES_INSTANCE_IP && e->want)
			mark_interface(e);
		drop_if_nothing(e);
	} else if (!e->not_before) {
		enqueue(e);
	}
}

static struct entry *entry_get(struct publisher *p, enum resource_kind kind, const char *key)
{
	struct entry *e = map_get(&p->entries[kind], key);

	if (e)
		return e;
	e = xzalloc(sizeof(*e));
	e->p = p;
	e->kind = kind;
	e->key = xstrdup(key);
	map_set(&p->entries[kind], key, e);
	return e;
}

static uint64_t now_us(struct publisher *p)
{
	uint64_t now = 0;

	sd_event_now(p->event, CLOCK_MONOTONIC, &now);
	return now;
}

static void retry_later(struct entry *e)
{
	struct publisher *p = e->p;
	uint64_t wait = RETRY_MIN << (e->failures < 7 ? e->failures : 7);
	cleanup_free char *id = id_of(e);

	e->failures++;
	wait = wait > RETRY_MAX ? RETRY_MAX : wait;
	e->not_before = now_us(p) + wait;
	map_set(&p->later, id, e);
	sd_event_source_set_time(p->retry, now_us(p) + RETRY_MIN);
	sd_event_source_set_enabled(p->retry, SD_EVENT_ONESHOT);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *arg)
{
	struct publisher *p = arg;
	uint64_t now = now_us(p);

	(void)usec;
	map_for_each(&p->later, node) {
		struct entry *e = node->value;

		if (e->not_before > now)
			continue;
		e->not_before = 0;
		map_del(&p->later, node->key);
		look_at(e);
	}
	if (p->later.n) {
		sd_event_source_set_time(source, now + RETRY_MIN);
		sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	}
	return 0;
}

/* --- requests -------------------------------------------------------------- */

static char *path_to(const struct entry *e, bool itself)
{
	const char *slash = strchr(e->key, '/'), *name = slash + 1;
	const struct kind *k = &kinds[e->kind];
	const char *dash = itself ? "/" : "";

	name = itself ? name : "";
	if (k->namespaced)
		return xasprintf(GROUP "namespaces/%.*s/%s%s%s", (int)(slash - e->key), e->key,
				 k->plural, dash, name);
	return xasprintf(GROUP "%s%s%s", k->plural, dash, name);
}

static json_t *metadata_of(const struct entry *e)
{
	const json_t *from = json_object_get(e->want, "metadata");
	const char *slash = strchr(e->key, '/');
	json_t *notes, *meta;
	char version[24];

	notes = json_copy(json_object_get(from, "annotations"));
	if (!notes)
		notes = json_object();
	json_object_set(notes, OWNER_UID, json_object_get(from, "uid"));
	meta = mem_check(json_pack("{s:s, s:{s:s}, s:o}", "name", slash + 1, "labels",
				   MANAGED_LABEL, MANAGED_BY, "annotations", mem_check(notes)));
	if (kinds[e->kind].namespaced)
		json_object_set_new(meta, "namespace", json_stringn(e->key, slash - e->key));
	if (e->exists) {
		snprintf(version, sizeof(version), "%" PRIu64, e->version);
		json_object_set_new(meta, "resourceVersion", json_string(version));
	}
	return meta;
}

/* The store's object as the API server is to have it. */
static json_t *resource_of(const struct entry *e)
{
	return mem_check(json_pack("{s:O, s:O, s:o, s:O}", "apiVersion",
				   json_object_get(e->want, "apiVersion"), "kind",
				   json_object_get(e->want, "kind"), "metadata", metadata_of(e),
				   "spec", json_object_get(e->want, "spec")));
}

static json_t *condition_of(const struct entry *e)
{
	time_t now = time(NULL);
	char when[32];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_pack("{s:s, s:s, s:I, s:s, s:s, s:s}", "type", "Ready", "status", readiness(e),
			 "observedGeneration", e->generation, "lastTransitionTime",
			 !strcmp(e->said, readiness(e)) && *e->since ? e->since : when, "reason",
			 e->problem ? "NotProgrammed" : "Programmed", "message",
			 e->problem ? e->problem : "");
}

/* The answer to a user's object: what was made of it, if anything, and whether it is right. */
static json_t *answer_to(const struct entry *e)
{
	const char *slash = strchr(e->key, '/');
	json_t *status, *meta;
	char version[24];

	status = e->want ? json_copy(json_object_get(e->want, "spec")) : json_object();
	json_object_set_new(mem_check(status), "conditions", json_pack("[o]", condition_of(e)));
	snprintf(version, sizeof(version), "%" PRIu64, e->version);
	meta = mem_check(json_pack("{s:s, s:s}", "name", slash + 1, "resourceVersion", version));
	if (kinds[e->kind].namespaced)
		json_object_set_new(meta, "namespace", json_stringn(e->key, slash - e->key));
	return mem_check(json_pack("{s:s, s:s, s:o, s:o}", "apiVersion", "opencontrail.org/v1",
				   "kind", resource_name(e->kind), "metadata", meta, "status",
				   status));
}

/* Of the kinds that users make the manager makes one: the cluster's network. */
static json_t *network_of_cluster(const struct entry *e)
{
	const json_t *content = json_object_get(e->want, "spec"), *subnet;
	json_t *object = resource_of(e), *subnets = mem_check(json_array());
	size_t i;

	json_array_foreach(json_object_get(content, "subnets"), i, subnet) {
		json_array_append_new(subnets, json_pack("{s:O}", "cidr",
							 json_object_get(subnet, "cidr")));
	}
	json_object_set_new(object, "spec", json_pack("{s:O, s:o}", "vni",
						      json_object_get(content, "vni"), "subnets",
						      subnets));
	return object;
}

static json_t *precondition(const struct entry *e)
{
	char version[24];

	snprintf(version, sizeof(version), "%" PRIu64, e->version);
	return mem_check(json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", "v1", "kind",
				   "DeleteOptions", "preconditions", "resourceVersion", version));
}

static void on_done(void *arg, const struct kube_response *rsp, const struct vr_err *err);

static void ask(struct entry *e, const char *method, bool itself, const char *sub, const char *type,
		json_t *body)
{
	cleanup_free char *base = path_to(e, itself);
	cleanup_free char *path = xasprintf("%s%s", base, sub);
	struct vr_err err = {};
	int ret;

	e->busy = true;
	e->p->in_flight[e->phase]++;
	e->p->n_in_flight++;
	ret = kube_request(&e->call, e->p->client, &(struct kube_request){
		.method = method, .path = path, .content_type = type, .body = body,
		.timeout_ms = REQUEST_TIMEOUT, .done = on_done, .arg = e }, &err);
	json_decref(body);
	if (ret < 0)
		on_done(e, NULL, &err);
}

/* A kind that users make, and this one is not there: it is theirs to make, or has gone. */
static bool is_not_ours(const struct entry *e)
{
	return kinds[e->kind].users && !e->exists && e->want &&
	       strcmp(e->key, CLUSTER_NETWORK);
}

static void write_out(struct entry *e)
{
	const char *json = "application/json";

	e->writing = e->want ? wanted_hash(e) : 0;
	if (kinds[e->kind].users && e->exists && (e->want || !e->managed)) {
		ask(e, "PUT", true, "/status", json, answer_to(e));
	} else if (!e->want) {
		ask(e, "DELETE", true, "", json, precondition(e));
	} else if (!e->exists && kinds[e->kind].users) {
		e->writing = 0;	/* the status follows */
		ask(e, "POST", false, "", json, network_of_cluster(e));
	} else if (!e->exists) {
		ask(e, "POST", false, "", json, resource_of(e));
	} else {
		ask(e, "PUT", true, "", json, resource_of(e));
	}
}

/* --- what came of it ------------------------------------------------------- */

static void read_again(struct entry *e)
{
	e->writing = 0;
	ask(e, "GET", true, "", NULL, NULL);
}

/* Somebody has the name that we wanted to give: who? */
static void conflict(struct entry *e)
{
	e->p->stats.conflicts++;
	read_again(e);
}

static void succeed(struct entry *e, const json_t *body)
{
	uint64_t wrote = e->writing;

	e->failures = 0;
	if (!json_object_get(body, "spec")) {
		e->exists = false;	/* a Status: it was deleted */
		return;
	}
	take(e, body);
	if (json_object_get(json_object_get(body, "metadata"), "deletionTimestamp"))
		retry_later(e);
	else if (wrote)
		/* what the server leaves out of it we cannot change by writing it again */
		e->hash = wrote;
	else if (!wrote && e->kind == RES_INSTANCE_IP && e->want && !is_right(e))
		e->p->taken(e->p->arg, strchr(e->key, '/') + 1, body);
}

static void fail(struct entry *e, long status, const struct vr_err *err)
{
	struct publisher *p = e->p;
	int level = VR_LOG_WARNING;

	if (status == 404 && e->exists) {
		e->exists = false;
		return;
	}
	p->stats.failures++;
	/* a namespace that goes takes all that is in it, before the manager has heard of it */
	if (status == 404 || strstr(err->text, "being terminated"))
		level = VR_LOG_DEBUG;
	if (!e->failures)
		vr_logf(p->log, level, "%s %s: %s; trying again", kinds[e->kind].plural,
			*e->key == '/' ? e->key + 1 : e->key, err->text);
	retry_later(e);
}

static void on_done(void *arg, const struct kube_response *rsp, const struct vr_err *err)
{
	struct entry *e = arg;
	struct publisher *p = e->p;
	long status = rsp ? rsp->status : 0;

	e->call = NULL;
	e->busy = false;
	p->in_flight[e->phase]--;
	p->n_in_flight--;
	p->stats.writes++;
	if (!err && rsp)
		succeed(e, rsp->body);
	else if (status == 409)
		conflict(e);
	else
		fail(e, status, err);
	sd_event_source_set_enabled(p->pump, SD_EVENT_ONESHOT);
	if (!e->busy)
		look_at(e);
}

/* --- the pump -------------------------------------------------------------- */

/* An interface waits until its addresses are its own. */
static bool has_addresses(const struct entry *vmi)
{
	const json_t *spec = json_object_get(vmi->want, "spec"), *addr;
	const char *network = json_string_value(json_object_get(spec, "network"));
	size_t i;

	json_array_foreach(json_object_get(spec, "addresses"), i, addr) {
		cleanup_free char *name = instance_ip_of(network, json_string_value(addr));
		cleanup_free char *key = xasprintf("/%s", name);
		const struct entry *ip = map_get(&vmi->p->entries[RES_INSTANCE_IP], key);

		if (!ip || !ip->want || !is_right(ip))
			return false;
	}
	return true;
}

/* InstanceIPs are written before interfaces; one that waits is looked at when they are right. */
static void mark_interface(struct entry *ip)
{
	const char *vmi = json_string_value(json_object_get(json_object_get(ip->want, "spec"),
							    "interface"));
	struct entry *e = vmi ? map_get(&ip->p->entries[RES_INTERFACE], vmi) : NULL;

	if (e && !e->busy)
		look_at(e);
}

static int on_pump(sd_event_source *source, void *arg)
{
	struct publisher *p = arg;
	unsigned int phase;
	struct entry *e;

	(void)source;
	if (!p->enabled)
		return 0;
	for (phase = 0; phase < PHASES; phase++) {
		while ((e = p->queue[phase]) && p->n_in_flight < IN_FLIGHT_MAX) {
			dequeue(e);
			if (is_not_ours(e) ||
			    (e->want && e->kind == RES_INTERFACE && !has_addresses(e)))
				continue;
			write_out(e);
		}
		/* what comes later may depend on it */
		if (p->queue[phase] || p->in_flight[phase])
			return 0;
	}
	return 0;
}

/* --- what others say ------------------------------------------------------- */

void publisher_want(void *publisher, enum resource_kind kind, const char *key,
		    const json_t *object)
{
	struct publisher *p = publisher;
	struct entry *e = entry_get(p, kind, key);

	json_decref(e->want);
	e->want = json_incref((json_t *)object);
	e->not_before = 0;
	look_at(e);
}

void publisher_problem(struct publisher *p, enum resource_kind kind, const char *key,
		       const char *text)
{
	struct entry *e = entry_get(p, kind, key);

	free(e->problem);
	e->problem = xstrdup(text);
	look_at(e);
}

void publisher_seen(struct publisher *p, enum resource_kind kind, const json_t *object)
{
	const json_t *meta = json_object_get(object, "metadata");
	const char *ns = json_string_value(json_object_get(meta, "namespace"));
	cleanup_free char *key = xasprintf("%s/%s", ns ? ns : "",
					   json_string_value(json_object_get(meta, "name")));
	struct entry *e = entry_get(p, kind, key);

	if (e->exists && version_of(object) <= e->version)
		return;
	take(e, object);
	look_at(e);
}

void publisher_gone(struct publisher *p, enum resource_kind kind, const char *key)
{
	struct entry *e = map_get(&p->entries[kind], key);

	if (!e)
		return;
	e->exists = e->managed = false;
	free(e->problem);
	e->problem = NULL;
	look_at(e);
}

void publisher_enable(struct publisher *p, bool enable)
{
	p->enabled = enable;
	if (enable)
		sd_event_source_set_enabled(p->pump, SD_EVENT_ONESHOT);
}

struct publisher_stats publisher_stats(const struct publisher *p)
{
	struct publisher_stats s = p->stats;
	enum resource_kind k;

	for (k = 0; k < RESOURCE_KINDS; k++)
		map_for_each(&p->entries[k], node)
			s.waiting += !is_right(node->value);
	return s;
}

struct publisher *publisher_new(sd_event *event, struct kube_client *client, struct vr_log *log,
				publisher_taken_fn *taken, void *arg)
{
	struct publisher *p = xzalloc(sizeof(*p));
	unsigned int i;

	p->event = event;
	p->client = client;
	p->log = log;
	p->taken = taken;
	p->arg = arg;
	for (i = 0; i < PHASES; i++)
		p->tail[i] = &p->queue[i];
	if (sd_event_add_defer(event, &p->pump, on_pump, p) < 0 ||
	    sd_event_add_time(event, &p->retry, CLOCK_MONOTONIC, 0, 0, on_retry, p) < 0)
		abort();
	sd_event_source_set_enabled(p->pump, SD_EVENT_OFF);
	sd_event_source_set_enabled(p->retry, SD_EVENT_OFF);
	return p;
}

void publisher_free(struct publisher *p)
{
	enum resource_kind k;

	if (!p)
		return;
	sd_event_source_disable_unref(p->pump);
	sd_event_source_disable_unref(p->retry);
	for (k = 0; k < RESOURCE_KINDS; k++) {
		map_for_each(&p->entries[k], node) {
			struct entry *e = node->value;

			kube_call_cancel(e->call);
			json_decref(e->want);
			free(e->problem);
			free(e->key);
			free(e);
		}
		map_clear(&p->entries[k], NULL);
	}
	map_clear(&p->later, NULL);
	free(p);
}
