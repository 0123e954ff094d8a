// SPDX-License-Identifier: GPL-2.0-only
#include "events.h"

#include <time.h>

#include "map.h"
#include "utf8.h"
#include "xmem.h"

#define RATE		10	/* events in a second, on average */
#define BURST		100
#define MESSAGE_MAX	1000	/* the API server takes 1024 octets */
#define TIMEOUT		10000	/* milliseconds */
#define KEPT_MAX	1000	/* that wait for somebody to lead; those behind are in the log */

struct events {
	struct kube_client	*client;
	struct vr_log		*log;
	char			*instance;
	bool			enabled;
	unsigned int		tokens;
	time_t			filled;
	struct kept {
		char	*path;
		json_t	*body;
	}			*kept;
	size_t			n_kept;
};

struct events *events_new(struct kube_client *client, struct vr_log *log, const char *instance)
{
	struct events *ev = xzalloc(sizeof(*ev));

	ev->client = client;
	ev->log = log;
	ev->instance = xstrdup(instance);
	ev->tokens = BURST;
	return ev;
}

static bool may_post(struct events *ev)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec > ev->filled) {
		time_t more = (now.tv_sec - ev->filled) * RATE;

		ev->tokens = more > BURST - (time_t)ev->tokens ? BURST : ev->tokens + more;
		ev->filled = now.tv_sec;
	}
	if (!ev->tokens)
		return false;
	ev->tokens--;
	return true;
}

static void on_done(void *arg, const struct kube_response *rsp, const struct vr_err *err)
{
	struct events *ev = arg;

	(void)rsp;
	if (err)
		vr_logf(ev->log, VR_LOG_DEBUG, "event: %s", err->text);
}

/* The same of the same object is one Event: its name says which it is. */
static json_t *event_json(const struct events *ev, const struct event *e, const char *ns)
{
	cleanup_free char *seed = xasprintf("%s %s %s %s", e->kind, e->uid, e->reason, e->message);
	cleanup_free char *name = xasprintf("%.200s.%016llx", e->name,
					    (unsigned long long)stable_hash(seed));
	cleanup_free char *message = vr_utf8_clean(xasprintf("%.*s", MESSAGE_MAX, e->message));
	time_t now = time(NULL);
	char when[32];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return mem_check(json_pack(
		"{s:s, s:s, s:{s:s, s:s}, s:{s:s, s:s, s:s, s:s*, s:s}, s:s, s:s, s:s, "
		"s:{s:s}, s:s, s:s, s:i, s:s, s:s}",
		"apiVersion", "v1", "kind", "Event", "metadata", "name", name, "namespace", ns,
		"involvedObject", "apiVersion", e->version, "kind", e->kind, "name", e->name,
		"namespace", *e->ns ? e->ns : NULL, "uid", e->uid, "reason", e->reason, "message",
		message, "type", "Warning", "source", "component", "contrail-kube-manager",
		"firstTimestamp", when, "lastTimestamp", when, "count", 1, "reportingComponent",
		"opencontrail.org/contrail-kube-manager", "reportingInstance", ev->instance));
}

static void post(struct events *ev, const char *path, json_t *body)
{
	struct vr_err err = {};

	if (!may_post(ev))
		return;
	if (kube_request(NULL, ev->client, &(struct kube_request){
		.method = "POST", .path = path, .content_type = "application/json", .body = body,
		.timeout_ms = TIMEOUT, .done = on_done, .arg = ev }, &err))
		on_done(ev, NULL, &err);
}

/* Nobody leads yet, or somebody else does: it may be this one's to tell later. Whoever tells it
 * again tells it in vain, because the Event is there.
 */
static void keep(struct events *ev, const char *path, json_t *body)
{
	struct kept *k;

	if (ev->n_kept == KEPT_MAX)
		return;
	k = array_push(&ev->kept, &ev->n_kept, sizeof(*k));
	k->path = xstrdup(path);
	k->body = json_incref(body);
}

static void drop_kept(struct events *ev, bool tell)
{
	size_t i;

	for (i = 0; i < ev->n_kept; i++) {
		if (tell)
			post(ev, ev->kept[i].path, ev->kept[i].body);
		free(ev->kept[i].path);
		json_decref(ev->kept[i].body);
	}
	free(ev->kept);
	ev->kept = NULL;
	ev->n_kept = 0;
}

void events_enable(struct events *ev, bool enable)
{
	if (enable && !ev->enabled)
		drop_kept(ev, true);
	ev->enabled = enable;
}

void events_free(struct events *ev)
{
	if (!ev)
		return;
	drop_kept(ev, false);
	free(ev->instance);
	free(ev);
}

void event_post(struct events *ev, const struct event *e)
{
	const char *ns = *e->ns ? e->ns : "default";
	cleanup_free char *path = xasprintf("/api/v1/namespaces/%s/events", ns);
	json_t *body = event_json(ev, e, ns);

	if (ev->enabled)
		post(ev, path, body);
	else
		keep(ev, path, body);
	json_decref(body);
}
