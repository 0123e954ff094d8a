// SPDX-License-Identifier: GPL-2.0-only
/* Which members are probed, when, and what follows from the results. */

#include <errno.h>
#include <search.h>
#include <time.h>

#include "dlog.h"
#include "mem.h"
#include "monitor.h"
#include "probe.h"

#define SECOND		1000000ULL	/* microseconds */
#define ACCURACY	10000
#define BUSY		500000		/* so late an end of a probe is the fault of this process */

struct target {
	struct monitors	*all;
	struct monitor	*spec;
	struct vr_addr	addr;
	uint16_t	port;		/* 0 of PING */
	char		*member;	/* "namespace/pod"; may be NULL */
	unsigned int	refs;		/* members of pools */
	struct verdict	verdict;
	uint64_t	since, checked;	/* microseconds of CLOCK_REALTIME; 0 = never */
	bool		good;		/* the last result */
	char		text[128];
	uint64_t	began;		/* CLOCK_MONOTONIC */
	sd_event_source	*timer;		/* the next begin, or while it runs its end */
	struct probe	probe;
	struct target	*next;		/* in the line of those that wait for their turn */
	bool		waiting;
};

struct monitors {
	sd_event	*loop;
	const char	*node;
	struct probers	probers;
	void		*targets;	/* tsearch() tree */
	struct target	*head, **tail;	/* waiting */
	unsigned int	in_flight;
	void		(*changed)(void *arg);
	void		*arg;
};

static int compare(const void *a, const void *b)
{
	const struct target *x = a, *y = b;
	int diff = strcmp(x->spec->name, y->spec->name);

	if (!diff)
		diff = vr_addr_compare(&x->addr, &y->addr);
	return diff ? diff : (int)x->port - (int)y->port;
}

bool verdict_take(struct verdict *v, const struct monitor *spec, bool good)
{
	if (good != v->failed) {
		v->streak = 0;
		return false;
	}
	if (++v->streak < (v->failed ? spec->healthy : spec->unhealthy))
		return false;
	v->failed = !v->failed;
	v->streak = 0;
	return true;
}

/* --- one probe ------------------------------------------------------------------ */

static uint64_t now_real(const struct monitors *ms)
{
	uint64_t usec;

	sd_event_now(ms->loop, CLOCK_REALTIME, &usec);
	return usec;
}

static uint64_t now(const struct monitors *ms)
{
	uint64_t usec;

	sd_event_now(ms->loop, CLOCK_MONOTONIC, &usec);
	return usec;
}

static void set_timer(struct target *t, uint64_t usec)
{
	sd_event_source_set_time(t->timer, usec);
	sd_event_source_set_enabled(t->timer, SD_EVENT_ONESHOT);
}

/* "10.32.0.5 port 8080 (default/web-0)" */
static const char *target_text(const struct target *t, char *buf, size_t size)
{
	char addr[VR_ADDR_TEXT], port[16] = "";

	if (t->port)
		snprintf(port, sizeof(port), " port %u", t->port);
	snprintf(buf, size, "%s%s%s%s%s", vr_addr_text(&t->addr, addr), port,
		 t->member ? " (" : "", t->member ? t->member : "", t->member ? ")" : "");
	return buf;
}

/* Libraries' sentences may quote what a member sent. */
static void set_text(struct target *t, const char *text)
{
	char *c;

	snprintf(t->text, sizeof(t->text), "%s", text);
	for (c = t->text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

static void take_result(struct target *t, enum probe_result result, const char *text)
{
	uint64_t next = t->began + t->spec->interval * SECOND;
	struct monitors *ms = t->all;
	char who[512];

	t->good = result == PROBE_GOOD;
	t->checked = now_real(ms);
	set_text(t, text);
	/* A tenth to and fro: what once coincides does not stay so. */
	next += (uint64_t)random() % (t->spec->interval * SECOND / 5) -
		t->spec->interval * SECOND / 10;
	set_timer(t, next > now(ms) ? next : now(ms));
	target_text(t, who, sizeof(who));
	if (result == PROBE_VOID) {
		log_warn("health monitor %s: %s cannot be asked: %s; its state stays",
			 t->spec->name, who, t->text);
		return;
	}
	if (!verdict_take(&t->verdict, t->spec, t->good))
		return;
	t->since = t->checked;
	if (t->verdict.failed)
		log_warn("health monitor %s: %s failed: %s; it is taken out of its services",
			 t->spec->name, who, t->text);
	else
		log_info("health monitor %s: %s is healthy again: %s", t->spec->name, who, t->text);
	ms->changed(ms->arg);
}

static void start(struct target *t)
{
	struct monitors *ms = t->all;
	int err;

	t->began = now(ms);
	err = probe_start(&ms->probers, &t->probe);
	if (err < 0) {
		take_result(t, probe_verdict(-err), strerror(-err));
		return;
	}
	ms->in_flight++;
	set_timer(t, t->began + t->spec->timeout * SECOND);
}

static void start_waiting(struct monitors *ms)
{
	struct target *t;

	while (ms->head && ms->in_flight < MONITORS_IN_FLIGHT) {
		t = ms->head;
		ms->head = t->next;
		if (!ms->head)
			ms->tail = &ms->head;
		t->waiting = false;
		start(t);
	}
}

static void on_done(struct probe *p, enum probe_result result, const char *text)
{
	struct target *t = (struct target *)((char *)p - offsetof(struct target, probe));

	t->all->in_flight--;
	take_result(t, result, text);
	start_waiting(t->all);
}

/* When this process slept, the answer may have been there and gone. */
static void on_timeout(struct target *t, bool late)
{
	char text[64] = "this node was too busy to hear the answer";

	probe_cancel(&t->probe);
	if (!late)
		snprintf(text, sizeof(text), "no answer within %u s", t->spec->timeout);
	on_done(&t->probe, late ? PROBE_VOID : PROBE_BAD, text);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *arg)
{
	struct target *t = arg;
	struct monitors *ms = t->all;

	(void)s;
	if (t->probe.running) {
		on_timeout(t, now(ms) > usec + BUSY);
		return 0;
	}
	t->waiting = true;
	t->next = NULL;
	*ms->tail = t;
	ms->tail = &t->next;
	start_waiting(ms);
	return 0;
}

/* --- which ones ------------------------------------------------------------------- */

/* Whatever it does, it does it no more. */
static void halt(struct target *t)
{
	struct monitors *ms = t->all;
	struct target **at = &ms->head;

	if (t->probe.running) {
		probe_cancel(&t->probe);
		ms->in_flight--;
	}
	while (t->waiting && *at != t)
		at = &(*at)->next;
	if (t->waiting) {
		*at = t->next;
		if (!t->next)
			ms->tail = at;
	}
	t->waiting = false;
}

static void target_free(void *p)
{
	struct target *t = p;

	halt(t);
	sd_event_source_disable_unref(t->timer);
	monitor_free(t->spec);
	free(t->member);
	free(t);
}

static uint16_t probed_port(const struct monitor *spec, const struct pool_member *m)
{
	if (spec->type == MONITOR_PING)
		return 0;
	return spec->port ? spec->port : m->port;
}

static struct target *find(const struct monitors *ms, const struct monitor *spec,
			   const struct pool_member *m)
{
	struct target probe = { .spec = (struct monitor *)spec, .addr = m->addr,
				.port = probed_port(spec, m) }, **slot;

	slot = (struct target **)tfind(&probe, &ms->targets, compare);
	return slot ? *slot : NULL;
}

/* Begins at some moment of the next interval. */
static void spread(struct target *t)
{
	set_timer(t, now(t->all) + (uint64_t)random() % (t->spec->interval * SECOND));
}

static struct target *target_new(struct monitors *ms, const struct monitor *spec,
				 const struct pool_member *m)
{
	struct target *t = mem_zero(1, sizeof(*t));
	int err;

	t->all = ms;
	t->spec = monitor_dup(spec);
	t->addr = m->addr;
	t->port = probed_port(spec, m);
	t->member = mem_strdup(m->target);
	t->verdict.failed = m->failed;
	t->since = now_real(ms);
	t->probe = (struct probe){ .spec = t->spec, .addr = t->addr, .port = t->port,
				   .done = on_done, .fd = -1 };
	err = sd_event_add_time(ms->loop, &t->timer, CLOCK_MONOTONIC, 0, ACCURACY, on_timer, t);
	/* Answers that are there go before the end of the wait for them. */
	if (err >= 0)
		err = sd_event_source_set_priority(t->timer, SD_EVENT_PRIORITY_NORMAL + 10);
	if (err < 0) {
		log_err("health monitor %s: %s", spec->name, strerror(-err));
		target_free(t);
		return NULL;
	}
	mem_check(tsearch(t, &ms->targets, compare));
	spread(t);
	return t;
}

/* What the member has been found to be stays; it is found anew by the new measure. */
static void respec(struct target *t, const struct monitor *spec)
{
	struct monitor *old = t->spec;

	if (monitor_equal(old, spec))
		return;
	halt(t);
	t->spec = monitor_dup(spec);
	t->probe.spec = t->spec;
	t->verdict.streak = 0;
	monitor_free(old);
	spread(t);
}

static void hold(struct monitors *ms, const struct monitor *spec, const struct pool_member *m)
{
	struct target *t = find(ms, spec, m);

	if (t)
		respec(t, spec);
	else
		t = target_new(ms, spec, m);
	if (t)
		t->refs++;
}

static void release(struct monitors *ms, const struct monitor *spec, const struct pool_member *m)
{
	struct target *t = find(ms, spec, m);
	bool failed;

	if (!t || --t->refs)
		return;
	failed = t->verdict.failed;
	tdelete(t, &ms->targets, compare);
	target_free(t);
	if (failed)
		ms->changed(ms->arg);
	start_waiting(ms);
}

static void each_local(struct monitors *ms, const struct res *r,
		       void (*fn)(struct monitors *ms, const struct monitor *spec,
				  const struct pool_member *m))
{
	const struct pool *p = &r->pool;
	unsigned int i;

	for (i = 0; p->monitor && i < p->n_members; i++)
		if (p->members[i].node && !strcmp(p->members[i].node, ms->node))
			fn(ms, p->monitor, &p->members[i]);
}

void monitors_pool(struct monitors *ms, const struct res *old, const struct res *r)
{
	/* In this order what stays is not ended and begun again. */
	if (r)
		each_local(ms, r, hold);
	if (old)
		each_local(ms, old, release);
}

/* --- telling -------------------------------------------------------------------------- */

static json_t *time_json(uint64_t usec)
{
	time_t sec = usec / SECOND;
	char text[32];
	struct tm tm;

	if (!usec)
		return NULL;
	gmtime_r(&sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_string(text);
}

static void add_failed(const void *node, VISIT which, void *list)
{
	const struct target *t = *(struct target *const *)node;
	char addr[VR_ADDR_TEXT];

	if ((which != postorder && which != leaf) || !t->verdict.failed)
		return;
	if (json_array_size(list) == MONITORS_TOLD)
		log_warn("more than %d members failed; not all are told to the manager",
			 MONITORS_TOLD);
	if (json_array_size(list) < MONITORS_TOLD)
		json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:s, s:o}",
			"healthMonitor", t->spec->name, "address", vr_addr_text(&t->addr, addr),
			"port", (int)t->port, "reason", t->text, "since", time_json(t->since)));
}

json_t *monitors_failed(const struct monitors *ms)
{
	json_t *list = mem_check(json_array());

	twalk_r(ms->targets, add_failed, list);
	return list;
}

static void add_target(const void *node, VISIT which, void *list)
{
	static const char *const types[] = { "PING", "TCP", "HTTP" };
	const struct target *t = *(struct target *const *)node;
	const struct monitor *spec = t->spec;
	char addr[VR_ADDR_TEXT];
	json_t *o;

	if (which != postorder && which != leaf)
		return;
	o = json_pack("{s:s, s:s, s:s, s:i, s:s*, s:s, s:o, s:i, s:i, s:i, s:i, s:i}",
		      "healthMonitor", spec->name, "type", types[spec->type],
		      "address", vr_addr_text(&t->addr, addr), "port", (int)t->port,
		      "target", t->member, "state", t->verdict.failed ? "failed" : "active",
		      "since", time_json(t->since), "streak", (int)t->verdict.streak,
		      "healthyThreshold", (int)spec->healthy,
		      "unhealthyThreshold", (int)spec->unhealthy,
		      "intervalSeconds", (int)spec->interval,
		      "timeoutSeconds", (int)spec->timeout);
	if (t->checked) {
		json_object_set_new(o, "lastProbe", time_json(t->checked));
		json_object_set_new(o, "lastGood", json_boolean(t->good));
		json_object_set_new(o, "lastResult", json_string(t->text));
	}
	json_array_append_new(list, mem_check(o));
}

json_t *monitors_list(const struct monitors *ms)
{
	json_t *list = mem_check(json_array());

	twalk_r(ms->targets, add_target, list);
	return list;
}

struct monitors *monitors_new(sd_event *loop, const char *node, void (*changed)(void *arg),
			      void *arg)
{
	struct monitors *ms = mem_zero(1, sizeof(*ms));

	ms->loop = loop;
	ms->node = node;
	ms->probers.loop = loop;
	ms->tail = &ms->head;
	ms->changed = changed;
	ms->arg = arg;
	return ms;
}

void monitors_free(struct monitors *ms)
{
	if (!ms)
		return;
	tdestroy(ms->targets, target_free);
	probers_free(&ms->probers);
	free(ms);
}
