// SPDX-License-Identifier: GPL-2.0-only
#include "cluster.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/random.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "events.h"
#include "http.h"
#include "informers.h"
#include "kube_lease.h"
#include "publisher.h"
#include "xmem.h"

#define LEASE_NAME "contrail-kube-manager"

struct cluster {
	struct manager		*mgr;
	sd_event		*event;
	struct kube_config	conf;
	struct kube_client	*client;
	struct informers	*informers;
	struct publisher	*publisher;
	struct events		*events;
	struct kube_lease	*lease;
	char			identity[128];
	bool			translated;	/* all was known, and was, once */
};

/* Only who leads writes; and only who knows all there is wants to lead. */
static void decide(struct cluster *c)
{
	bool may = kube_lease_is_held(c->lease);

	events_enable(c->events, may);
	publisher_enable(c->publisher, may);
}

/* --- from the API server --------------------------------------------------- */

static void on_changed(void *arg)
{
	struct cluster *c = arg;

	manager_run(c->mgr);
	publisher_judged(c->publisher);
	if (c->translated)
		return;
	c->translated = true;
	vr_logf(&c->mgr->log, VR_LOG_NOTICE,
		"everything is known: %zu namespaces, %zu nodes, %zu pods, "
		"%zu services, %zu policies",
		c->mgr->model.objects[KIND_NAMESPACE].n, c->mgr->model.objects[KIND_NODE].n,
		c->mgr->model.objects[KIND_POD].n, c->mgr->model.objects[KIND_SERVICE].n,
		c->mgr->model.objects[KIND_POLICY].n);
	sd_notify(0, "READY=1");
	/* not before: to translate all of a large cluster takes longer than a lease lasts */
	kube_lease_stand(c->lease);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* The kind of a name that users give objects of, or RESOURCE_KINDS. */
static enum resource_kind resource_of(const char *name)
{
	enum resource_kind kind = 0;

	while (kind < RESOURCE_KINDS &&
	       (strcmp(resource_name(kind), name) || !publisher_is_users(kind)))
		kind++;
	return kind;
}

static void on_complaint(void *arg, const json_t *object, bool refused, const char *text)
{
	enum resource_kind kind = resource_of(text_of(object, "kind"));
	const json_t *meta = json_object_get(object, "metadata");
	struct cluster *c = arg;
	cleanup_free char *key = xasprintf("%s/%s", text_of(meta, "namespace"),
					   text_of(meta, "name"));

	if (refused && kind != RESOURCE_KINDS)
		publisher_refusal(c->publisher, kind, key, text);
	event_post(c->events, &(struct event){.version = text_of(object, "apiVersion"),
					      .kind = text_of(object, "kind"),
					      .ns = text_of(meta, "namespace"),
					      .name = text_of(meta, "name"),
					      .uid = text_of(meta, "uid"),
					      .reason = refused ? "Refused" : "Ignored",
					      .message = text});
}

/* Of kinds that users make: in the object's own conditions. */
static void tell_owner(struct cluster *c, const struct object *obj, const char *text)
{
	enum resource_kind kind = obj ? resource_of(kind_name(obj->kind)) : RESOURCE_KINDS;
	cleanup_free char *key = NULL;

	if (kind == RESOURCE_KINDS)
		return;
	key = xasprintf("%s/%s", obj->ns, obj->name);
	publisher_problem(c->publisher, kind, key, text);
}

/* An object that is right in itself and cannot be had as it is. */
static void on_problem(void *arg, const struct object *obj, const char *text)
{
	struct cluster *c = arg;

	tell_owner(c, obj, text);
	if (!text)
		return;
	vr_logf(&c->mgr->log, VR_LOG_ERR, "%s", text);
	if (obj)
		event_post(c->events, &(struct event){.version = kind_version(obj->kind),
						      .kind = kind_name(obj->kind),
						      .ns = obj->ns,
						      .name = obj->name,
						      .uid = obj->uid,
						      .reason = "NotProgrammed",
						      .message = text});
}

/* What a node says of its members: in its VirtualRouter's status. */
static void hear_node(struct cluster *c, const char *name, const json_t *object)
{
	json_t *failed = json_object_get(json_object_get(object, "status"), "failedMembers"),
	       *health;
	char *node = xstrdup(name);
	struct vr_err err = {};

	health = mem_check(json_pack("{s:s, s:s, s:{s:s}, s:{s:o}}", "apiVersion",
				     "opencontrail.org/v1", "kind", "MemberHealth", "metadata",
				     "name", name, "status", "failedMembers",
				     failed ? json_incref(failed) : json_array()));
	if (model_health(&c->mgr->model, &node, health, &err))
		vr_logf(&c->mgr->log, VR_LOG_WARNING, "VirtualRouter %s: status: %s", name,
			err.text);
	json_decref(health);
	free(node);
}

static void on_resource(void *arg, enum resource_kind kind, const char *key, const json_t *object)
{
	struct cluster *c = arg;

	/* if it still is, the reader says so again */
	if (object && publisher_is_users(kind))
		publisher_refusal(c->publisher, kind, key, NULL);
	if (object)
		publisher_seen(c->publisher, kind, object);
	else
		publisher_gone(c->publisher, kind, key);
	if (kind == RES_INSTANCE_IP)
		model_pin(&c->mgr->model, key + 1, object);
	else if (kind == RES_ROUTER)
		hear_node(c, key + 1, object);
	else if (kind == RES_SECURITY_GROUP)
		model_user_group(&c->mgr->model, key, object && !published_by_manager(object));
	else
		return;
	informers_changed(c->informers);
}

static void each_resource(void *arg, enum resource_kind kind, kube_key_fn *fn, void *fn_arg)
{
	const struct cluster *c = arg;

	publisher_each_seen(c->publisher, kind, fn, fn_arg);
}

/* Another manager was first: what it wrote holds. */
static void on_taken(void *arg, const char *name, const json_t *object)
{
	struct cluster *c = arg;

	model_pin(&c->mgr->model, name, object);
	informers_changed(c->informers);
}

/* --- who leads ------------------------------------------------------------- */

static void on_leading(void *arg)
{
	struct cluster *c = arg;

	vr_logf(&c->mgr->log, VR_LOG_NOTICE, "leading as %s", c->identity);
	decide(c);
}

static void on_stopped(void *arg, const char *why)
{
	struct cluster *c = arg;

	vr_logf(&c->mgr->log, VR_LOG_WARNING, "leading no more: %s", why);
	decide(c);
}

static void on_released(void *arg)
{
	struct cluster *c = arg;

	sd_event_exit(c->event, 0);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *arg)
{
	struct cluster *c = arg;

	(void)source;
	(void)info;
	sd_notify(0, "STOPPING=1");
	publisher_enable(c->publisher, false);
	kube_lease_release(c->lease, on_released, c);
	return 0;
}

/* --- put together ---------------------------------------------------------- */

/* Of all managers, also of two with one host name and process number, as pods may have. */
static void name_itself(struct cluster *c)
{
	const char *given = c->mgr->cfg->identity;
	char host[64] = "manager";
	uint64_t random = 0;

	gethostname(host, sizeof(host) - 1);
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = getpid();
	if (given)
		snprintf(c->identity, sizeof(c->identity), "%s", given);
	else
		snprintf(c->identity, sizeof(c->identity), "%s_%016" PRIx64, host, random);
}

static int start(struct cluster *c, struct vr_err *err)
{
	static const struct informer_ops informer_ops = {
		.changed = on_changed, .complaint = on_complaint, .resource = on_resource,
		.each = each_resource,
	};
	static const struct kube_lease_ops lease_ops = {.leading = on_leading,
							.stopped = on_stopped};
	struct manager *mgr = c->mgr;
	const struct config *cfg = mgr->cfg;
	int ret = manager_signals(c->event, on_signal, c);

	if (ret < 0)
		return vr_err_errno(err, -ret, "signals");
	ret = kube_config_load(&c->conf, cfg->kubeconfig, cfg->server, err);
	if (!ret)
		ret = kube_client_new(&c->client, c->event, &c->conf,
				      "contrail-kube-manager/" VR_VERSION, err);
	if (ret)
		return ret;
	name_itself(c);
	c->events = events_new(c->client, &mgr->log, c->identity);
	c->publisher = publisher_new(c->event, c->client, &mgr->log, on_taken, c);
	mgr->store.change = publisher_want;
	mgr->store.change_arg = c->publisher;
	mgr->model.warn = on_problem;
	mgr->model.warn_arg = c;
	c->lease = mem_check(kube_lease_new(c->client, cfg->lease_ns, LEASE_NAME, c->identity, NULL,
					    &lease_ops, c));
	c->informers =
		informers_new(c->event, c->client, cfg, &mgr->model, &mgr->log, &informer_ops, c);
	ret = manager_http_new(&mgr->http, c->event, &mgr->log,
			       &(struct http_parts){ .mgr = mgr, .informers = c->informers,
				       .publisher = c->publisher, .client = c->client,
				       .lease = c->lease, .translated = &c->translated }, err);
	if (ret || !cfg->socket)
		return ret;
	ret = stream_open(&mgr->stream, c->event, &mgr->store, &mgr->log, cfg->socket, err);
	return ret ? vr_err_wrap(err, "--listen") : manager_hear(mgr, c->event, err);
}

static void stop(struct cluster *c)
{
	manager_http_free(c->mgr->http);
	stream_close(&c->mgr->stream);
	sd_event_source_unref(c->mgr->health);
	c->mgr->store.change = NULL;
	informers_free(c->informers);
	kube_lease_free(c->lease);
	publisher_free(c->publisher);
	kube_client_free(c->client);
	events_free(c->events);
	kube_config_clear(&c->conf);
	sd_event_unref(c->event);
}

int cluster_serve(struct manager *mgr)
{
	struct cluster c = { .mgr = mgr };
	struct vr_err err = {};
	int ret;

	ret = sd_event_new(&c.event);
	if (ret < 0)
		vr_err_errno(&err, -ret, "event loop");
	else
		ret = start(&c, &err);
	if (!ret) {
		vr_logf(&mgr->log, VR_LOG_NOTICE, "watching %s as %s", c.conf.server, c.identity);
		ret = sd_event_loop(c.event);
		if (ret < 0)
			vr_err_errno(&err, -ret, "event loop");
	}
	if (ret < 0)
		vr_logf(&mgr->log, VR_LOG_ERR, "%s", err.text);
	stop(&c);
	return ret < 0;
}
