// SPDX-License-Identifier: GPL-2.0-only
#include "informers.h"

#include "field.h"
#include "publisher.h"
#include "xmem.h"

#define COLLECT	20000	/* microseconds from the first change to its translation */

/* Controllers of pods are many, and few have it: the server leaves out the others. */
#define WITH_APP "?labelSelector=opencontrail.org%2Fname"

/* What the model reads. Of kinds that the manager answers to, the resource; else -1. */
static const struct watched {
	enum object_kind	object;
	int			resource;
	const char		*path;		/* NULL: the resource's */
} watched[] = {
	{ KIND_NAMESPACE, -1, "/api/v1/namespaces" },
	{ KIND_NODE, -1, "/api/v1/nodes" },
	{ KIND_POD, -1, "/api/v1/pods" },
	{ KIND_SERVICE, -1, "/api/v1/services" },
	{ KIND_SLICE, -1, "/apis/discovery.k8s.io/v1/endpointslices" },
	{ KIND_POLICY, -1, "/apis/networking.k8s.io/v1/networkpolicies" },
	{ KIND_ROUTER, RES_LOGICAL_ROUTER, NULL },
	{ KIND_MONITOR, RES_MONITOR, NULL },
	{ KIND_NETWORK, RES_VIRTUAL_NETWORK, NULL },
	{ KIND_CHAIN, RES_CHAIN, NULL },
	{ KIND_LINK_LOCAL, RES_LINK_LOCAL, NULL },
	{ KIND_DEPLOYMENT, -1, "/apis/apps/v1/deployments" WITH_APP },
	{ KIND_REPLICA_SET, -1, "/apis/apps/v1/replicasets" WITH_APP },
	{ KIND_STATEFUL_SET, -1, "/apis/apps/v1/statefulsets" WITH_APP },
	{ KIND_DAEMON_SET, -1, "/apis/apps/v1/daemonsets" WITH_APP },
	{ KIND_JOB, -1, "/apis/batch/v1/jobs" WITH_APP },
};

#define N_WATCHED (sizeof(watched) / sizeof(watched[0]))

/*
 * What a server need not have. It is asked for these when it serves the manager's own kinds:
 * one that has just started may not serve any custom resource yet, and to take a policy for
 * gone would open what it closes.
 */
static const struct watched optional[] = {
	{ KIND_ATTACHMENT, -1, "/apis/k8s.cni.cncf.io/v1/network-attachment-definitions" },
	{ KIND_CLUSTER_POLICY, -1, "/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies" },
};

#define N_OPTIONAL (sizeof(optional) / sizeof(optional[0]))

struct informer {
	struct informers	*in;
	enum object_kind	object;		/* OBJECT_KINDS: what only the manager writes */
	int			resource;
	char			*path;
	struct kube_reflector	*reflector;	/* NULL: optional, and not asked for yet */
	bool			synced;
};

struct informers {
	sd_event_source			*timer;
	sd_event			*event;
	struct kube_client		*client;
	const struct config		*cfg;
	struct model			*model;
	struct vr_log			*log;
	const struct informer_ops	*ops;
	void				*arg;
	bool				waiting;
	unsigned long long		complaints;
	unsigned int			troubled;	/* informers that cannot follow */
	struct informer			v[N_WATCHED + RESOURCE_KINDS + N_OPTIONAL];
	size_t				n;
};

static bool is_synced(const struct informers *in)
{
	size_t i;

	for (i = 0; i < in->n; i++)
		if (!in->v[i].synced)
			return false;
	return true;
}

void informers_changed(struct informers *in)
{
	uint64_t now;

	if (in->waiting || !is_synced(in))
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

static uint64_t version_hash(const json_t *object)
{
	const json_t *meta = json_object_get(object, "metadata");

	return stable_hash(json_string_value(json_object_get(meta, "resourceVersion")));
}

/* Listed again, and as it was. */
static bool is_known(const struct informer *inf, const char *key, const json_t *object)
{
	const struct object *obj = map_get(&inf->in->model->objects[inf->object], key);

	return obj && obj->content == version_hash(object);
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

	/* a list leaves it out of its items */
	json_object_set_new(object, "kind", json_string(kind_name(inf->object)));
	json_object_set_new(object, "apiVersion", json_string(kind_version(inf->object)));
	obj = object_read(&doc, &id);
	for (i = 0; i < report.n; i++) {
		if (report.v[i].severity == NOTE)
			continue;
		vr_logf(in->log, report.v[i].severity == ERROR ? VR_LOG_ERR : VR_LOG_WARNING,
			"%s%s", report.v[i].text,
			obj ? "" : "; its last good state stays in force");
		in->complaints++;
		in->ops->complaint(in->arg, object, !obj, report.v[i].text);
	}
	report_free(&report);
	if (!obj)
		return;
	obj->content = version_hash(object);
	object_forget_source(obj);
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
	return inf->object == KIND_NETWORK && !strcmp(key, CLUSTER_NETWORK);
}

static void on_put(void *arg, const char *key, json_t *object)
{
	struct informer *inf = arg;
	struct informers *in = inf->in;

	if (inf->resource >= 0) {
		cleanup_free char *res = resource_key(key);

		in->ops->resource(in->arg, inf->resource, res, object);
	} else if (is_known(inf, key, object)) {
		return;
	}
	/* nor those that it made of attachment definitions: the model has them from these */
	if (inf->object != OBJECT_KINDS && !is_own(inf, key) &&
	    !(inf->object == KIND_NETWORK && published_by_manager(object)))
		give_to_model(inf, object);
}

static void on_del(void *arg, const char *key)
{
	struct informer *inf = arg;
	struct informers *in = inf->in;

	if (inf->resource >= 0) {
		cleanup_free char *res = resource_key(key);

		in->ops->resource(in->arg, inf->resource, res, NULL);
	}
	if (inf->object == OBJECT_KINDS || is_own(inf, key))
		return;
	model_del(in->model, inf->object, key);
	informers_changed(in);
}

/* A resource's key as a reflector has it. */
struct each {
	kube_key_fn	*fn;
	void		*arg;
};

static void on_each_resource(void *arg, const char *key)
{
	const struct each *each = arg;

	each->fn(each->arg, *key == '/' ? key + 1 : key);
}

static void on_each(void *arg, kube_key_fn *fn, void *fn_arg)
{
	const struct informer *inf = arg;
	struct informers *in = inf->in;

	if (inf->resource >= 0) {
		in->ops->each(in->arg, inf->resource, on_each_resource, &(struct each){ fn, fn_arg });
		return;
	}
	map_for_each(&in->model->objects[inf->object], node)
		fn(fn_arg, node->key);
}

static const struct kube_reflector_ops optional_ops;

/* Once everything else is there. */
static void ask_for_optional(struct informers *in)
{
	size_t i, first = in->n - N_OPTIONAL;

	for (i = 0; i < first; i++)
		if (!in->v[i].synced)
			return;
	for (i = first; i < in->n; i++)
		if (!in->v[i].reflector)
			in->v[i].reflector = mem_check(kube_reflector_new(
				in->client, in->v[i].path, NULL, &optional_ops, &in->v[i]));
}

static void on_synced(void *arg)
{
	struct informer *inf = arg;

	inf->synced = true;
	ask_for_optional(inf->in);
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
		vr_logf(in->log, VR_LOG_DEBUG, "%s: %s", inf->path, text);
	else if (!--in->troubled)
		vr_logf(in->log, VR_LOG_NOTICE, "the API server is followed again");
}

/* --- all of them ----------------------------------------------------------- */

static const struct kube_reflector_ops reflector_ops = {
	.put = on_put, .del = on_del, .each = on_each, .synced = on_synced, .trouble = on_trouble,
};

/* API servers before 1.21 have it in this version only. */
static const struct kube_reflector_ops slice_ops = {
	.put = on_put, .del = on_del, .each = on_each, .synced = on_synced, .trouble = on_trouble,
	.other_version = "/apis/discovery.k8s.io/v1beta1/endpointslices",
};

static const struct kube_reflector_ops optional_ops = {
	.put = on_put, .del = on_del, .each = on_each, .synced = on_synced, .trouble = on_trouble, .optional = true,
};

static bool is_watched(int resource)
{
	size_t i;

	for (i = 0; i < N_WATCHED; i++)
		if (watched[i].resource == resource)
			return true;
	return false;
}

/* Takes path over. */
static void add(struct informers *in, enum object_kind object, int resource, char *path)
{
	struct informer *inf = &in->v[in->n++];

	inf->in = in;
	inf->object = object;
	inf->resource = resource;
	inf->path = path;
}

struct informers *informers_new(sd_event *event, struct kube_client *client,
				const struct config *cfg, struct model *model, struct vr_log *log,
				const struct informer_ops *ops, void *arg)
{
	struct informers *in = xzalloc(sizeof(*in));
	size_t i;

	in->event = event;
	in->client = client;
	in->cfg = cfg;
	in->model = model;
	in->log = log;
	in->ops = ops;
	in->arg = arg;
	if (sd_event_add_time(event, &in->timer, CLOCK_MONOTONIC, 0, 0, on_timer, in) < 0)
		abort();
	sd_event_source_set_enabled(in->timer, SD_EVENT_OFF);
	for (i = 0; i < N_WATCHED; i++)
		add(in, watched[i].object, watched[i].resource,
		    watched[i].path ? xstrdup(watched[i].path) : publisher_path(watched[i].resource));
	for (i = 0; i < RESOURCE_KINDS; i++)
		if (!is_watched(i))
			add(in, OBJECT_KINDS, i, publisher_path(i));
	for (i = 0; i < in->n; i++)
		in->v[i].reflector = mem_check(kube_reflector_new(
			client, in->v[i].path, NULL,
			in->v[i].object == KIND_SLICE ? &slice_ops : &reflector_ops, &in->v[i]));
	for (i = 0; i < N_OPTIONAL; i++)
		add(in, optional[i].object, optional[i].resource, xstrdup(optional[i].path));
	return in;
}

bool informers_state(const struct informers *in, size_t i, struct informer_state *state)
{
	static const struct kube_reflector_stats none;
	const char *name;

	if (i >= in->n)
		return false;
	name = strrchr(in->v[i].path, '/') + 1;
	snprintf(state->resource, sizeof(state->resource), "%.*s", (int)strcspn(name, "?"), name);
	state->synced = in->v[i].synced;
	state->stats = in->v[i].reflector ? kube_reflector_stats(in->v[i].reflector) : &none;
	return true;
}

unsigned long long informers_complaints(const struct informers *in)
{
	return in->complaints;
}

void informers_free(struct informers *in)
{
	size_t i;

	if (!in)
		return;
	for (i = 0; i < in->n; i++) {
		kube_reflector_free(in->v[i].reflector);
		free(in->v[i].path);
	}
	sd_event_source_disable_unref(in->timer);
	free(in);
}
