// SPDX-License-Identifier: GPL-2.0-only
#include "kube_lease.h"

#include <inttypes.h>
#include <time.h>

#include "cleanup.h"
#include "xmem.h"

#define RELEASE_TIMEOUT	1000	/* milliseconds */

struct kube_lease {
	struct kube_client		*client;
	sd_event_source			*timer;		/* the next attempt */
	sd_event_source			*deadline;	/* of leading */
	struct kube_call		*call;
	char				*path, *list, *name, *ns, *identity;
	struct kube_lease_times		times;
	const struct kube_lease_ops	*ops;
	void				*arg;
	bool				candidate, leading;
	json_t				*seen;		/* the lease as last read; NULL: there is none */
	uint64_t			seen_at;	/* when it last changed, monotonic microseconds */
	uint64_t			sent_at;	/* the write that is under way */
	void				(*released)(void *arg);
	void				*released_arg;
};

static uint64_t now_us(const struct kube_lease *l)
{
	uint64_t now = 0;

	sd_event_now(kube_client_loop(l->client), CLOCK_MONOTONIC, &now);
	return now;
}

bool kube_lease_is_held(const struct kube_lease *l)
{
	return l->leading;
}

const char *kube_lease_holder(const struct kube_lease *l)
{
	const char *holder = json_string_value(json_object_get(json_object_get(l->seen, "spec"),
							       "holderIdentity"));

	return holder ? holder : "";
}

static void again(struct kube_lease *l)
{
	uint64_t wait = l->times.renew_ms * 1000ULL;

	/* candidates that failed together do not try together */
	sd_event_source_set_time_relative(l->timer, wait + now_us(l) % (wait / 5 + 1));
	sd_event_source_set_enabled(l->timer, SD_EVENT_ONESHOT);
}

static void stop(struct kube_lease *l, const char *why)
{
	sd_event_source_set_enabled(l->deadline, SD_EVENT_OFF);
	if (!l->leading)
		return;
	l->leading = false;
	l->ops->stopped(l->arg, why);
}

static int on_deadline(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)s;
	(void)usec;
	stop(arg, "the lease could not be renewed in time");
	return 0;
}

/* --- writing --------------------------------------------------------------- */

static char *micro_time(void)
{
	struct timespec ts;
	char text[40];
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	return xasprintf("%s.%06ldZ", text, ts.tv_nsec / 1000);
}

static json_t *lease_json(const struct kube_lease *l, const char *holder)
{
	const json_t *was = json_object_get(l->seen, "spec");
	bool kept = !strcmp(kube_lease_holder(l), holder);
	VR_AUTO_FREE char *now = micro_time();
	json_int_t moves = json_integer_value(json_object_get(was, "leaseTransitions"));
	const char *since = json_string_value(json_object_get(was, "acquireTime"));
	json_t *meta = mem_check(json_pack(
		"{s:s, s:s, s:s*}", "name", l->name, "namespace", l->ns, "resourceVersion",
		json_string_value(
			json_object_get(json_object_get(l->seen, "metadata"), "resourceVersion"))));

	return mem_check(json_pack("{s:s, s:s, s:o, s:{s:s, s:i, s:s, s:s, s:I}}", "apiVersion",
				   "coordination.k8s.io/v1", "kind", "Lease", "metadata", meta,
				   "spec", "holderIdentity", holder, "leaseDurationSeconds",
				   (int)(l->times.duration_ms + 999) / 1000, "acquireTime",
				   kept && since ? since : now, "renewTime", now,
				   "leaseTransitions", l->seen && !kept ? moves + 1 : moves));
}

static void see(struct kube_lease *l, json_t *lease)
{
	const json_t *old =
		json_object_get(json_object_get(l->seen, "metadata"), "resourceVersion");
	const json_t *new = json_object_get(json_object_get(lease, "metadata"), "resourceVersion");

	if (!l->seen || !lease || !json_equal(old, new))
		l->seen_at = now_us(l);
	json_incref(lease);
	json_decref(l->seen);
	l->seen = lease;
}

static void lead(struct kube_lease *l)
{
	/* counted from when it was asked for: the server may have granted it then */
	sd_event_source_set_time(l->deadline, l->sent_at + l->times.give_up_ms * 1000ULL);
	sd_event_source_set_enabled(l->deadline, SD_EVENT_ONESHOT);
	if (l->leading)
		return;
	l->leading = true;
	l->ops->leading(l->arg);
}

static void on_written(void *arg, const struct kube_response *rsp, const struct vr_err *err)
{
	struct kube_lease *l = arg;

	l->call = NULL;
	if (l->released) {
		l->released(l->released_arg);
		return;
	}
	again(l);
	if (err)
		return;		/* a conflict is seen by the next read */
	see(l, rsp->body);
	lead(l);
}

static void write_lease(struct kube_lease *l, const char *holder, unsigned int timeout_ms)
{
	json_t *body = lease_json(l, holder);
	struct kube_request rq = {
		.method = l->seen ? "PUT" : "POST", .path = l->seen ? l->path : l->list,
		.content_type = "application/json", .body = body, .timeout_ms = timeout_ms,
		.done = on_written, .arg = l,
	};

	l->sent_at = now_us(l);
	if (kube_request(&l->call, l->client, &rq, NULL)) {
		if (l->released)
			l->released(l->released_arg);
		else
			again(l);
	}
	json_decref(body);
}

/* --- reading --------------------------------------------------------------- */

static bool is_free(const struct kube_lease *l)
{
	const json_t *spec = json_object_get(l->seen, "spec");
	json_int_t seconds = json_integer_value(json_object_get(spec, "leaseDurationSeconds"));

	if (!l->seen || !*kube_lease_holder(l) || !strcmp(kube_lease_holder(l), l->identity))
		return true;
	return now_us(l) - l->seen_at > (uint64_t)seconds * 1000000;
}

static void on_read(void *arg, const struct kube_response *rsp, const struct vr_err *err)
{
	struct kube_lease *l = arg;

	l->call = NULL;
	if (err && rsp->status != 404) {
		again(l);
		return;
	}
	see(l, err ? NULL : rsp->body);
	if (is_free(l) && l->candidate) {
		write_lease(l, l->identity, l->times.give_up_ms);
		return;
	}
	if (!is_free(l))
		stop(l, "another one has the lease");
	again(l);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *arg)
{
	struct kube_lease *l = arg;
	struct kube_request rq = {
		.method = "GET",
		.path = l->path,
		.timeout_ms = l->times.give_up_ms,
		.done = on_read,
		.arg = l,
	};

	(void)s;
	(void)usec;
	if (kube_request(&l->call, l->client, &rq, NULL))
		again(l);
	return 0;
}

/* --- its life -------------------------------------------------------------- */

struct kube_lease *kube_lease_new(struct kube_client *client, const char *ns, const char *name,
				  const char *identity, const struct kube_lease_times *times,
				  const struct kube_lease_ops *ops, void *arg)
{
	static const struct kube_lease_times usual = { 15000, 2000, 10000 };
	struct kube_lease *l = xzalloc(sizeof(*l));
	sd_event *loop = kube_client_loop(client);

	l->client = client;
	l->ns = xstrdup(ns);
	l->name = xstrdup(name);
	l->identity = xstrdup(identity);
	l->list = xasprintf("/apis/coordination.k8s.io/v1/namespaces/%s/leases", ns);
	l->path = xasprintf("%s/%s", l->list, name);
	l->times = times ? *times : usual;
	l->ops = ops;
	l->arg = arg;
	if (sd_event_add_time_relative(loop, &l->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, l) <
		    0 ||
	    sd_event_add_time(loop, &l->deadline, CLOCK_MONOTONIC, 0, 1000, on_deadline, l) < 0) {
		kube_lease_free(l);
		return NULL;
	}
	sd_event_source_set_enabled(l->deadline, SD_EVENT_OFF);
	/* after a long turn of the loop, before anything that only a leader may do */
	sd_event_source_set_priority(l->deadline, SD_EVENT_PRIORITY_IMPORTANT);
	return l;
}

void kube_lease_stand(struct kube_lease *l)
{
	l->candidate = true;
	if (l->call)
		return;
	sd_event_source_set_time_relative(l->timer, 0);
	sd_event_source_set_enabled(l->timer, SD_EVENT_ONESHOT);
}

void kube_lease_release(struct kube_lease *l, void (*done)(void *arg), void *arg)
{
	bool held = l->leading;

	kube_call_cancel(l->call);
	l->call = NULL;
	sd_event_source_set_enabled(l->timer, SD_EVENT_OFF);
	sd_event_source_set_enabled(l->deadline, SD_EVENT_OFF);
	l->leading = false;
	l->released = done;
	l->released_arg = arg;
	if (held)
		write_lease(l, "", RELEASE_TIMEOUT);
	else
		done(arg);
}

void kube_lease_free(struct kube_lease *l)
{
	if (!l)
		return;
	kube_call_cancel(l->call);
	sd_event_source_disable_unref(l->timer);
	sd_event_source_disable_unref(l->deadline);
	json_decref(l->seen);
	free(l->path);
	free(l->list);
	free(l->name);
	free(l->ns);
	free(l->identity);
	free(l);
}
