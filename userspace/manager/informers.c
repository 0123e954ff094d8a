// SPDX-License-Identifier: GPL-2.0-only
#include "informers.h"

#include "field.h"
#include "kube_reflector.h"
#include "mem.h"
#include "publisher.h"

#define COLLECT	20000	/* microseconds from the first change to its translation */

static const struct watched {
	const char		*path;
	const char		*version, *kind;	/* that a list leaves out of its items */
	enum object_kind	object;
	int			resource;	/* that it is, too; -1: none */
} watched[] = {
	{ "/api/v1/namespaces",
	  "v1", "Namespace", KIND_NAMESPACE, -1 },
	{ "/api/v1/nodes",
	  "v1", "Node", KIND_NODE, -1 },
	{ "/api/v1/pods",
	  "v1", "Pod", KIND_POD, -1 },
	{ "/api/v1/services",
	  "v1", "Service", KIND_SERVICE, -1 },
	{ "/apis/discovery.k8s.io/v1/endpointslices",
	  "discovery.k8s.io/v1", "EndpointSlice", KIND_SLICE, -1 },
	{ "/apis/networking.k8s.io/v1/networkpolicies",
	  "networking.k8s.io/v1", "NetworkPolicy", KIND_POLICY, -1 },
	{ "/apis/opencontrail.org/v1/virtualnetworks",
	  "opencontrail.org/v1", "VirtualNetwork", KIND_NETWORK, RES_VIRTUAL_NETWORK },
	{ "/apis/opencontrail.org/v1/logicalrouters",
	  "opencontrail.org/v1", "LogicalRouter", KIND_ROUTER, -1 },
	{ "/apis/opencontrail.org/v1/servicechains",
	  "opencontrail.org/v1", "ServiceChain", KIND_CHAIN, RES_CHAIN },
	{ "/apis/opencontrail.org/v1/healthmonitors",
	  "opencontrail.org/v1", "HealthMonitor", KIND_MONITOR, -1 },
	{ "/apis/opencontrail.org/v1/linklocalservices",
	  "opencontrail.org/v1", "LinkLocalService", KIND_LINK_LOCAL, RES_LINK_LOCAL },
	/* what only the manager writes: it reads what is there */
	{ "/apis/opencontrail.org/v1/projects",
	  "opencontrail.org/v1", "Project", OBJECT_KINDS, RES_PROJECT },
	{ "/apis/opencontrail.org/v1/securitygroups",
	  "opencontrail.org/v1", "SecurityGroup", OBJECT_KINDS, RES_SECURITY_GROUP },
	{ "/apis/opencontrail.org/v1/virtualrouters",
	  "opencontrail.org/v1", "VirtualRouter", OBJECT_KINDS, RES_ROUTER },
	{ "/apis/opencontrail.org/v1/virtualmachineinterfaces",
	  "opencontrail.org/v1", "VirtualMachineInterface", OBJECT_KINDS, RES_INTERFACE },
	{ "/apis/opencontrail.org/v1/instanceips",
	  "opencontrail.org/v1", "InstanceIP", OBJECT_KINDS, RES_INSTANCE_IP },
	{ "/apis/opencontrail.org/v1/loadbalancerpools",
	  "opencontrail.org/v1", "LoadBalancerPool", OBJECT_KINDS, RES_POOL },
	{ "/apis/opencontrail.org/v1/loadbalancers",
	  "opencontrail.org/v1", "LoadBalancer", OBJECT_KINDS, RES_LOAD_BALANCER },
};

#define N_WATCHED (sizeof(watched) / sizeof(watched[0]))

struct informer {
	struct informers	*in;
	const struct watched	*what;
	struct kube_reflector	*reflector;
	bool			synced;
};

struct informers {
	sd_event_source			*timer;
	sd_event			*event;
	const struct config		*cfg;
	struct model			*model;
	struct vr_log			*log;
	const struct informer_ops	*ops;
	void				*arg;
	bool				waiting;
	unsigned int			troubled;	/* informers that cannot follow */
	struct informer			v[N_WATCHED];
};

bool informers_synced(const struct informers *in)
{
	size_t i;

	for (i = 0; i < N_WATCHED; i++)
		if (!in->v[i].synced)
			return false;
	return true;
}

void informers_changed(struct informers *in)
{
	uint64_t now;

	if (in->waiting || !informers_synced(in))
		return;
	in->waiting = true;
	sd_event_now(in->event, CLOCK_MONOTONIC, &now);
	sd_event_source_set_time(in->timer, now + COLLECT);
	sd_event_source_set_enabled(in->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct informers *in = arg;

	(void)source;
	(void)usec;
	in->waiting = false;
	in->ops->changed(in->arg);
	return 0;
}

/* --- objects --------------------------------------------------------------- */

/* A list's items have neither; and the beta of EndpointSlices differs in where the node is. */
static void complete(const struct watched *what, json_t *object)
{
	json_t *ep;
	size_t i;

	json_object_set_new(object, "kind", json_string(what->kind));
	json_object_set_new(object, "apiVersion", json_string(what->version));
	if (what->object != KIND_SLICE)
		return;
	json_array_foreach(json_object_get(object, "endpoints"), i, ep) {
		json_t *host =
			json_object_get(json_object_get(ep, "topology"), "kubernetes.io/hostname");

		if (host && !json_object_get(ep, "nodeName"))
			json_object_set(ep, "nodeName", host);
	}
}

/* What the model does not read, and what is large. */
static void slim(json_t *object)
{
	json_object_del(json_object_get(object, "metadata"), "managedFields");
}

static void give_to_model(struct informer *inf, json_t *object)
{
	struct informers *in = inf->in;
	struct report report = {};
	struct place place = { .config = in->cfg, .report = &report };
	struct field doc = { .value = object, .place = &place };
	cleanup_free char *id = NULL;
	struct object *obj;
	size_t i;

	complete(inf->what, object);
	slim(object);
	obj = object_read(&doc, &id);
	for (i = 0; i < report.n; i++) {
		if (report.v[i].severity == NOTE)
			continue;
		vr_logf(in->log, report.v[i].severity == ERROR ? VR_LOG_ERR : VR_LOG_WARNING,
			"%s%s", report.v[i].text,
			obj ? "" : "; its last good state stays in force");
		in->ops->complaint(in->arg, object, !obj, report.v[i].text);
	}
	report_free(&report);
	if (!obj)
		return;
	model_put(in->model, obj);
	informers_changed(in);
}

/* "ns/name" of a reflector's "ns/name", "/name" of its "name" */
static char *resource_key(const char *key)
{
	return strchr(key, '/') ? xstrdup(key) : xasprintf("/%s", key);
}

/* The cluster's network is the manager's own: the model has it from the options. */
static bool is_own(const struct informer *inf, const char *key)
{
	return inf->what->object == KIND_NETWORK && !strcmp(key, CLUSTER_NETWORK);
}

static void on_put(void *arg, const char *key, json_t *object)
{
	struct informer *inf = arg;
	struct informers *in = inf->in;

	if (inf->what->resource >= 0) {
		cleanup_free char *res = resource_key(key);

		in->ops->resource(in->arg, inf->what->resource, res, object);
	}
	if (inf->what->object != OBJECT_KINDS && !is_own(inf, key))
		give_to_model(inf, object);
}

static void on_del(void *arg, const char *key)
{
	struct informer *inf = arg;
	struct informers *in = inf->in;

	if (inf->what->resource >= 0) {
		cleanup_free char *res = resource_key(key);

		in->ops->resource(in->arg, inf->what->resource, res, NULL);
	}
	if (inf->what->object == OBJECT_KINDS || is_own(inf, key))
		return;
	model_del(in->model, inf->what->object, key);
	informers_changed(in);
}

static void on_synced(void *arg)
{
	struct informer *inf = arg;

	inf->synced = true;
	informers_changed(inf->in);
}

static void on_trouble(void *arg, const char *text)
{
	const struct informer *inf = arg;
	struct informers *in = inf->in;

	/* what cuts one off cuts off most: one line says why */
	if (text && !in->troubled++)
		vr_logf(in->log, VR_LOG_WARNING, "the API server is not followed: %s; trying again",
			text);
	else if (text)
		vr_logf(in->log, VR_LOG_DEBUG, "%s: %s", inf->what->path, text);
	else if (!--in->troubled)
		vr_logf(in->log, VR_LOG_NOTICE, "the API server is followed again");
}

/* --- all of them ----------------------------------------------------------- */

static const struct kube_reflector_ops reflector_ops = {
	.put = on_put, .del = on_del, .synced = on_synced, .trouble = on_trouble,
};

struct informers *informers_new(sd_event *event, struct kube_client *client,
				const struct config *cfg, struct model *model, struct vr_log *log,
				const struct informer_ops *ops, void *arg)
{
	struct informers *in = xzalloc(sizeof(*in));
	size_t i;

	in->event = event;
	in->cfg = cfg;
	in->model = model;
	in->log = log;
	in->ops = ops;
	in->arg = arg;
	if (sd_event_add_time(event, &in->timer, CLOCK_MONOTONIC, 0, 0, on_timer, in) < 0)
		abort();
	sd_event_source_set_enabled(in->timer, SD_EVENT_OFF);
	for (i = 0; i < N_WATCHED; i++) {
		struct informer *inf = &in->v[i];

		inf->in = in;
		inf->what = &watched[i];
		inf->reflector = mem_check(kube_reflector_new(client, watched[i].path, NULL,
							      &reflector_ops, inf));
	}
	return in;
}

void informers_free(struct informers *in)
{
	size_t i;

	if (!in)
		return;
	for (i = 0; i < N_WATCHED; i++)
		kube_reflector_free(in->v[i].reflector);
	sd_event_source_disable_unref(in->timer);
	free(in);
}
