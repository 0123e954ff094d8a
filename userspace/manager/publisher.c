// SPDX-License-Identifier: GPL-2.0-only
#include "model.h"
#include "publisher_priv.h"
#include "xmem.h"

#define IN_FLIGHT_MAX	32		/* requests; HTTP/2 carries them on one connection */
#define REQUEST_TIMEOUT	15000		/* milliseconds */
#define RETRY_MIN	500000		/* microseconds */
#define RETRY_MAX	60000000

/* What is named before what names it, and an address before its interface. */
static const enum resource_kind order[RESOURCE_KINDS] = {
	RES_PROJECT, RES_VIRTUAL_NETWORK, RES_SECURITY_GROUP, RES_ROUTER, RES_CHAIN,
	RES_INSTANCE_IP, RES_INTERFACE, RES_POOL, RES_LINK_LOCAL, RES_LOAD_BALANCER,
	RES_LOGICAL_ROUTER, RES_MONITOR,
};

/* Load balancers' deletions, all puts in order, all other deletions in the opposite one. */
#define PHASES (2 * RESOURCE_KINDS + 1)
#define LATER PHASES		/* the queue of what waits for its time */

struct publisher {
	sd_event		*event;
	sd_event_source		*pump, *retry;
	struct kube_client	*client;
	struct vr_log		*log;
	publisher_taken_fn	*taken;
	void			*arg;
	bool			enabled, unjudged;
	struct map		entries[RESOURCE_KINDS];
	struct published	*queue[PHASES + 1], **tail[PHASES + 1];
	unsigned int		in_flight[PHASES], n_in_flight;
	size_t			n_queued[PHASES + 1];
	unsigned long long	writes[RESOURCE_KINDS][WRITE_RESULTS];
	uint64_t		unable_since;	/* monotonic microseconds; 0: writes are taken */
};

/* --- queues ---------------------------------------------------------------- */

static unsigned int phase_of(const struct published *e)
{
	unsigned int at = 0;

	while (order[at] != e->kind)
		at++;
	if (e->want || published_has_answer(e))
		return 1 + at;
	return e->kind == RES_LOAD_BALANCER ? 0 : PHASES - 1 - at;
}

static void dequeue(struct published *e)
{
	if (!e->queued)
		return;
	e->queued = false;
	e->p->n_queued[e->phase]--;
	*e->prev = e->next;
	if (e->next)
		e->next->prev = e->prev;
	else
		e->p->tail[e->phase] = e->prev;
}

static void enqueue(struct published *e, unsigned int phase)
{
	struct publisher *p = e->p;
	int armed = SD_EVENT_OFF;

	e->queued = true;
	p->n_queued[phase]++;
	e->phase = phase;
	e->next = NULL;
	e->prev = p->tail[phase];
	*e->prev = e;
	p->tail[phase] = &e->next;
	if (phase != LATER) {
		sd_event_source_set_enabled(p->pump, SD_EVENT_ONESHOT);
		return;
	}
	sd_event_source_get_enabled(p->retry, &armed);
	if (armed != SD_EVENT_OFF)
		return;
	sd_event_source_set_time_relative(p->retry, RETRY_MIN);
	sd_event_source_set_enabled(p->retry, SD_EVENT_ONESHOT);
}

static void entry_free(struct published *e)
{
	if (e->user) {
		free(e->user->problem);
		free(e->user->refusal);
		free(e->user->apart);
	}
	free(e->user);
	free(e->attempt);
	free(e);
}

static struct attempt *attempt_of(struct published *e)
{
	if (!e->attempt)
		e->attempt = xzalloc(sizeof(*e->attempt));
	return e->attempt;
}

static void forget_attempt(struct published *e)
{
	free(e->attempt);
	e->attempt = NULL;
}

static void drop_if_nothing(struct published *e)
{
	if (e->want || (e->user && e->user->problem) || e->exists || e->seen)
		return;
	map_unlink(&e->p->entries[e->kind], e->key);
	entry_free(e);
}

/* Somebody else's object has the name. It is left alone, and looked at again when it changes. */
static void leave_alone(struct published *e)
{
	const char *name = *e->key == '/' ? e->key + 1 : e->key;

	if (!e->told)
		vr_logf(e->p->log, VR_LOG_WARNING, "%s %s: is there, and is not the manager's to "
			"change%s; left alone", publisher_kinds[e->kind].plural, name,
			e->kind == RES_INSTANCE_IP ? " (another interface has the address)" : "");
	e->told = true;
}

static void mark_interface(struct published *ip);

/* Something about it changed. It may be gone afterwards. */
static void look_at(struct published *e)
{
	if (e->busy)
		return;
	dequeue(e);
	if (published_is_right(e)) {
		forget_attempt(e);
		e->told = false;
		if (e->kind == RES_INSTANCE_IP && e->want)
			mark_interface(e);
		drop_if_nothing(e);
	} else if (published_is_foreign(e)) {
		leave_alone(e);
	} else {
		e->told = false;
		enqueue(e, e->attempt && e->attempt->not_before ? LATER : phase_of(e));
	}
}

static struct published *entry_get(struct publisher *p, enum resource_kind kind, const char *key)
{
	struct published *e = map_get(&p->entries[kind], key);

	if (e)
		return e;
	e = xzalloc(sizeof(*e) + strlen(key) + 1);
	e->p = p;
	e->kind = kind;
	if (publisher_kinds[kind].users)
		e->user = xzalloc(sizeof(*e->user));
	strcpy(e->key, key);
	e->node.key = e->key;
	e->node.value = e;
	map_link(&p->entries[kind], &e->node);
	return e;
}

static uint64_t now_us(const struct publisher *p)
{
	uint64_t now = 0;

	sd_event_now(p->event, CLOCK_MONOTONIC, &now);
	return now;
}

/* Who calls looks at it afterwards, which puts it where it waits. */
static void retry_later(struct published *e)
{
	struct attempt *a = attempt_of(e);
	uint64_t wait = RETRY_MIN << (a->failures < 7 ? a->failures : 7);

	a->failures++;
	a->not_before = now_us(e->p) + (wait > RETRY_MAX ? RETRY_MAX : wait);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *arg)
{
	struct publisher *p = arg;
	uint64_t now = now_us(p);
	struct published *e;
	size_t n = 0;

	(void)source;
	(void)usec;
	for (e = p->queue[LATER]; e; e = e->next)
		n++;
	/* each once: who is not due goes to the end again */
	for (; n && (e = p->queue[LATER]); n--) {
		if (e->attempt->not_before <= now)
			e->attempt->not_before = 0;
		look_at(e);
	}
	return 0;
}

/* --- requests -------------------------------------------------------------- */

static void on_done(void *arg, const struct kube_response *rsp, const struct vr_err *err);

static void ask(struct published *e, const char *method, bool itself, const char *sub,
		const char *type, json_t *body)
{
	cleanup_free char *base = published_path(e, itself);
	cleanup_free char *path = xasprintf("%s%s", base, sub);
	struct attempt *a = attempt_of(e);
	struct vr_err err = {};
	int ret;

	e->busy = true;
	a->reading = !strcmp(method, "GET");
	e->p->in_flight[e->phase]++;
	e->p->n_in_flight++;
	ret = kube_request(&a->call, e->p->client, &(struct kube_request){
		.method = method, .path = path, .content_type = type, .body = body,
		.timeout_ms = REQUEST_TIMEOUT, .done = on_done, .arg = e }, &err);
	json_decref(body);
	if (ret < 0)
		on_done(e, NULL, &err);
}

/* A kind that users make, and this one is not there: it is theirs to make, or has gone. */
static bool is_not_ours(const struct published *e)
{
	return publisher_kinds[e->kind].users && !e->exists && e->want &&
	       strcmp(e->key, CLUSTER_NETWORK) && !e->user->made;
}

static void write_out(struct published *e)
{
	const char *json = "application/json";

	attempt_of(e)->writing = e->want ? e->want_hash : 0;
	if (publisher_kinds[e->kind].users && e->exists && (e->want || !e->managed)) {
		ask(e, "PUT", true, "/status", json, published_answer(e));
	} else if (!e->want) {
		ask(e, "DELETE", true, "", json, published_delete_options(e));
	} else if (!e->exists && publisher_kinds[e->kind].users) {
		e->attempt->writing = 0;	/* the status follows */
		ask(e, "POST", false, "", json, published_network(e));
	} else if (!e->exists) {
		ask(e, "POST", false, "", json, published_resource(e));
	} else {
		ask(e, "PUT", true, "", json, published_resource(e));
	}
}

/* --- what came of it ------------------------------------------------------- */

static void read_again(struct published *e)
{
	e->attempt->writing = 0;
	ask(e, "GET", true, "", NULL, NULL);
}

static void succeed(struct published *e, const json_t *body)
{
	uint64_t wrote = e->attempt->writing;

	e->attempt->failures = 0;
	if (!json_object_get(body, "spec")) {
		e->exists = false;	/* a Status: it was deleted */
		return;
	}
	published_take(e, body);
	if (json_object_get(json_object_get(body, "metadata"), "deletionTimestamp"))
		retry_later(e);
	else if (wrote)
		/* what the server leaves out of it we cannot change by writing it again */
		e->hash = wrote;
	else if (!wrote && e->kind == RES_INSTANCE_IP && e->want && !published_is_right(e))
		e->p->taken(e->p->arg, strchr(e->key, '/') + 1, body);
}

static void fail(struct published *e, long status, const struct vr_err *err)
{
	struct publisher *p = e->p;
	int level = VR_LOG_WARNING;

	if (status == 404 && e->exists) {
		e->exists = false;
		return;
	}
	/* a namespace that goes takes all that is in it, before the manager has heard of it */
	if (status == 404 || strstr(err->text, "being terminated"))
		level = VR_LOG_DEBUG;
	if (!e->attempt->failures)
		vr_logf(p->log, level, "%s %s: %s; trying again", publisher_kinds[e->kind].plural,
			*e->key == '/' ? e->key + 1 : e->key, err->text);
	retry_later(e);
}

static void count_write(struct published *e, long status, bool good)
{
	enum write_result result = good ? WRITE_OK : status == 409 ? WRITE_CONFLICT : WRITE_ERROR;
	struct publisher *p = e->p;

	if (e->attempt->reading)
		return;
	p->writes[e->kind][result]++;
	if (status > 0 && status < 500 && status != 401 && status != 429)
		p->unable_since = 0;
	else if (!p->unable_since)
		p->unable_since = now_us(p);
}

static void on_done(void *arg, const struct kube_response *rsp, const struct vr_err *err)
{
	struct published *e = arg;
	struct publisher *p = e->p;
	long status = rsp ? rsp->status : 0;

	e->attempt->call = NULL;
	e->busy = false;
	p->in_flight[e->phase]--;
	p->n_in_flight--;
	count_write(e, status, !err && rsp);
	if (!err && rsp)
		succeed(e, rsp->body);
	else if (status == 409)
		read_again(e);	/* somebody was first: who, and with what? */
	else
		fail(e, status, err);
	sd_event_source_set_enabled(p->pump, SD_EVENT_ONESHOT);
	if (!e->busy)
		look_at(e);
}

/* --- the pump -------------------------------------------------------------- */

static bool is_right_address(const struct publisher *p, const char *network, const json_t *addr)
{
	cleanup_free char *name = instance_ip_of(network, json_string_value(addr));
	cleanup_free char *key = xasprintf("/%s", name);
	const struct published *ip = map_get(&p->entries[RES_INSTANCE_IP], key);

	return ip && ip->want && published_is_right(ip);
}

/* An interface waits until its addresses are its own. */
static bool has_addresses(const struct published *vmi)
{
	json_t *want = published_wanted(vmi), *spec = json_object_get(want, "spec"), *addr;
	const char *network = json_string_value(json_object_get(spec, "network"));
	bool has = true;
	size_t i;

	json_array_foreach(json_object_get(spec, "addresses"), i, addr) {
		has &= is_right_address(vmi->p, network, addr);
	}
	json_decref(want);
	return has;
}

/* InstanceIPs are written before interfaces; one that waits is looked at when they are right. */
static void mark_interface(struct published *ip)
{
	json_t *want = published_wanted(ip);
	const char *vmi = json_string_value(json_object_get(json_object_get(want, "spec"),
							    "interface"));
	struct published *e = vmi ? map_get(&ip->p->entries[RES_INTERFACE], vmi) : NULL;

	if (e && !e->busy && !published_is_right(e))
		look_at(e);
	json_decref(want);
}

static int on_pump(sd_event_source *source, void *arg)
{
	struct publisher *p = arg;
	unsigned int phase;
	struct published *e;

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
		    const struct record *r)
{
	struct publisher *p = publisher;
	struct published *e = entry_get(p, kind, key);

	published_want(e, r);
	if (e->attempt)
		e->attempt->not_before = 0;
	look_at(e);
}

void publisher_problem(struct publisher *p, enum resource_kind kind, const char *key,
		       const char *text)
{
	struct published *e = entry_get(p, kind, key);

	free(e->user->problem);
	e->user->problem = xstrdup(text);
	look_at(e);
}

void publisher_refusal(struct publisher *p, enum resource_kind kind, const char *key,
		       const char *text)
{
	struct published *e = entry_get(p, kind, key);

	if (!e->user->refusal && !text)
		return;
	free(e->user->refusal);
	e->user->refusal = xstrdup(text);
	look_at(e);
}

/* They are few, and change seldom. */
void publisher_judged(struct publisher *p)
{
	enum resource_kind kind;

	if (!p->unjudged)
		return;
	p->unjudged = false;
	for (kind = 0; kind < RESOURCE_KINDS; kind++) {
		if (!publisher_kinds[kind].judged)
			continue;
		map_for_each(&p->entries[kind], node) {
			struct published *e = node->value;

			if (e->exists && e->user->judged != e->user->generation) {
				e->user->judged = e->user->generation;
				look_at(e);
			}
		}
	}
}

void publisher_seen(struct publisher *p, enum resource_kind kind, const json_t *object)
{
	const json_t *meta = json_object_get(object, "metadata");
	const char *ns = json_string_value(json_object_get(meta, "namespace"));
	cleanup_free char *key = xasprintf("%s/%s", ns ? ns : "",
					   json_string_value(json_object_get(meta, "name")));
	struct published *e = entry_get(p, kind, key);

	e->seen = true;
	if (e->exists && published_version(object) <= e->version)
		return;
	published_take(e, object);
	p->unjudged |= publisher_kinds[kind].judged;
	look_at(e);
}

void publisher_gone(struct publisher *p, enum resource_kind kind, const char *key)
{
	struct published *e = map_get(&p->entries[kind], key);

	if (!e)
		return;
	e->exists = e->managed = e->seen = false;
	if (e->user) {
		free(e->user->problem);
		e->user->problem = NULL;
		free(e->user->refusal);
		e->user->refusal = NULL;
	}
	look_at(e);
}

void publisher_each_seen(const struct publisher *p, enum resource_kind kind,
			 void (*fn)(void *arg, const char *key), void *arg)
{
	map_for_each(&p->entries[kind], node) {
		const struct published *e = node->value;

		if (e->seen)
			fn(arg, e->key);
	}
}

void publisher_enable(struct publisher *p, bool enable)
{
	p->enabled = enable;
	p->unable_since = 0;
	if (enable)
		sd_event_source_set_enabled(p->pump, SD_EVENT_ONESHOT);
}

/* --- what is told of it ---------------------------------------------------- */

void publisher_stats(const struct publisher *p, struct publisher_stats *stats)
{
	unsigned int phase;

	memset(stats, 0, sizeof(*stats));
	for (phase = 0; phase < PHASES; phase++)
		stats->queued += p->n_queued[phase];
	stats->waiting = p->n_queued[LATER];
	stats->in_flight = p->n_in_flight;
	memcpy(stats->writes, p->writes, sizeof(stats->writes));
	if (p->unable_since)
		stats->stuck = (now_us(p) - p->unable_since) / 1000000;
}

static const char *plan_of(const struct published *e)
{
	if (e->busy)
		return "being written";
	if (e->queued)
		return e->phase == LATER ? "written again after a failure" : "waits to be written";
	if (published_is_right(e))
		return "as wanted";
	return published_is_foreign(e) ? "somebody else's, left alone" : "waits for another one";
}

json_t *publisher_state(const struct publisher *p, enum resource_kind kind, const char *key)
{
	const struct published *e = map_get(&p->entries[kind], key);

	if (!e)
		return NULL;
	return mem_check(json_pack("{s:b, s:b, s:I, s:s, s:i, s:s*}", "exists", e->exists,
				   "managed", e->managed, "resourceVersion",
				   (json_int_t)e->version, "state", plan_of(e), "failures",
				   e->attempt ? (int)e->attempt->failures : 0, "problem",
				   e->user ? e->user->problem : NULL));
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
	for (i = 0; i <= PHASES; i++)
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
			struct published *e = node->value;

			if (e->attempt)
				kube_call_cancel(e->attempt->call);
			entry_free(e);
		}
		map_forget(&p->entries[k]);
	}
	free(p);
}
