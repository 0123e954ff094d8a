// SPDX-License-Identifier: GPL-2.0-only
/* The API server as the feed: one reflector for each kind that a node programs. */

#include <errno.h>

#include "dlog.h"
#include "feed.h"
#include "kube_reflector.h"
#include "mem.h"

#define GROUP		"/apis/opencontrail.org/v1/"
#define OWNER_UID	"opencontrail.org/uid"
#define TELL_TIMEOUT	10000		/* milliseconds */
#define TELL_AGAIN	2000000		/* microseconds */

/* In status: of a kind whose spec is a user's, the manager's answer counts (see resources.md). */
static const struct kind {
	const char	*plural, *name;
	bool		in_status;
} kinds[] = {
	{ "virtualnetworks", "VirtualNetwork", true },
	{ "securitygroups", "SecurityGroup", false },
	{ "virtualrouters", "VirtualRouter", false },
	{ "servicechains", "ServiceChain", true },
	{ "virtualmachineinterfaces", "VirtualMachineInterface", false },
	{ "loadbalancerpools", "LoadBalancerPool", false },
	{ "linklocalservices", "LinkLocalService", true },
	{ "loadbalancers", "LoadBalancer", false },
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct part {
	struct feed_kube	*f;
	const struct kind	*kind;
	struct kube_reflector	*reflector;
	bool			synced, away;
};

struct feed_kube {
	struct feed		base;
	sd_event_source		*again;
	struct kube_config	conf;
	struct kube_client	*client;
	struct kube_call	*call;		/* that tells */
	json_t			*telling;	/* the latest, until the server has it */
	char			*status_path;
	bool			up, down;
	struct part		parts[N_KINDS];
};

/* --- from the server ---------------------------------------------------------------------- */

static bool all(const struct feed_kube *f, bool away)
{
	size_t i;

	for (i = 0; i < N_KINDS; i++)
		if (!f->parts[i].synced || (away && f->parts[i].away))
			return false;
	return true;
}

static void hand_over(struct part *p, enum event_type type, const json_t *object, const char *key)
{
	struct feed *feed = &p->f->base;
	char why[1152] = "";

	if (!feed->ops->event(feed->arg, type, object, why, sizeof(why)))
		log_warn("feed: %s %s: %s; left out", p->kind->name, key, why);
}

/* An object as the manager's stream has it. */
static json_t *as_in_stream(const struct part *p, const json_t *object)
{
	const json_t *meta = json_object_get(object, "metadata");
	const json_t *notes = json_object_get(meta, "annotations");
	json_t *spec = json_object_get(object, p->kind->in_status ? "status" : "spec");
	json_t *out;

	spec = p->kind->in_status ? json_copy(spec) : json_incref(spec);
	if (p->kind->in_status) {
		json_object_del(spec, "conditions");
		json_object_del(spec, "observedGeneration");
	}
	if (!spec || !json_object_size(spec)) {
		json_decref(spec);
		return NULL;	/* the manager has not answered yet */
	}
	out = json_pack("{s:s, s:s, s:{s:O, s:O*, s:O*, s:O*}, s:o}", "apiVersion",
			"opencontrail.org/v1", "kind", p->kind->name, "metadata", "name",
			json_object_get(meta, "name"), "namespace",
			json_object_get(meta, "namespace"), "uid",
			json_object_get(notes, OWNER_UID), "annotations", notes, "spec", spec);
	return mem_check(out);
}

static void on_del(void *arg, const char *key)
{
	const char *slash = strchr(key, '/');
	struct part *p = arg;
	json_t *object;

	object = json_pack("{s:s, s:s, s:{s:s, s:o*}}", "apiVersion", "opencontrail.org/v1", "kind",
			   p->kind->name, "metadata", "name", slash ? slash + 1 : key, "namespace",
			   slash ? json_stringn(key, slash - key) : NULL);
	hand_over(p, EVENT_DELETED, mem_check(object), key);
	json_decref(object);
}

static void on_put(void *arg, const char *key, json_t *object)
{
	struct part *p = arg;
	json_t *as = as_in_stream(p, object);

	if (as)
		hand_over(p, EVENT_SET, as, key);
	else
		on_del(p, key);
	json_decref(as);
}

static void on_each(void *arg, kube_key_fn *fn, void *fn_arg)
{
	const struct part *p = arg;
	const struct feed *feed = &p->f->base;

	feed->ops->each(feed->arg, p->kind->name, fn, fn_arg);
}

static void in_step(struct feed_kube *f)
{
	char why[1152];

	f->up = true;
	f->down = false;
	f->base.ops->event(f->base.arg, EVENT_SYNCED, NULL, why, sizeof(why));
}

static void on_synced(void *arg)
{
	struct part *p = arg;

	p->synced = true;
	if (all(p->f, false))
		in_step(p->f);
}

static void on_trouble(void *arg, const char *text)
{
	struct part *p = arg;
	struct feed_kube *f = p->f;

	p->away = text;
	if (text && !f->down) {
		log_warn("feed: %s; what is programmed stays, trying again", text);
		f->down = true;
		if (f->up)
			f->base.ops->down(f->base.arg);
	} else if (!text && f->up && f->down && all(f, true)) {
		log_info("feed: the API server is followed again");
		in_step(f);
	}
}

static const struct kube_reflector_ops reflector_ops = {
	.put = on_put, .del = on_del, .each = on_each, .synced = on_synced, .trouble = on_trouble,
};

/* --- to the server ------------------------------------------------------------------------- */

static void send_status(struct feed_kube *f);

static void on_told(void *arg, const struct kube_response *rsp, const struct vr_err *err)
{
	struct feed_kube *f = arg;

	(void)rsp;
	f->call = NULL;
	if (!err) {
		json_decref(f->telling);
		f->telling = NULL;
		return;
	}
	log_debug("feed: %s; trying again", err->text);
	sd_event_source_set_time_relative(f->again, TELL_AGAIN);
	sd_event_source_set_enabled(f->again, SD_EVENT_ONESHOT);
}

static int on_again(sd_event_source *s, uint64_t usec, void *arg)
{
	struct feed_kube *f = arg;

	(void)s;
	(void)usec;
	if (f->telling && !f->call)
		send_status(f);
	return 0;
}

static void send_status(struct feed_kube *f)
{
	struct vr_err err = {};

	if (kube_request(&f->call, f->client, &(struct kube_request){
		.method = "PATCH", .path = f->status_path,
		.content_type = "application/merge-patch+json", .body = f->telling,
		.timeout_ms = TELL_TIMEOUT, .done = on_told, .arg = f }, &err))
		on_told(f, NULL, &err);
}

/* A STATUS line's status becomes that of this node's VirtualRouter. */
static void tell(struct feed *feed, char *line)
{
	struct feed_kube *f = (struct feed_kube *)feed;
	json_t *event = json_loads(line, 0, NULL);
	json_t *status = json_object_get(json_object_get(event, "object"), "status");

	kube_call_cancel(f->call);
	f->call = NULL;
	json_decref(f->telling);
	f->telling = mem_check(json_pack("{s:O}", "status", status));
	json_decref(event);
	free(line);
	send_status(f);
}

static void healthy(struct feed *feed)
{
	(void)feed;	/* the reflectors know by themselves */
}

static void end(struct feed *feed)
{
	struct feed_kube *f = (struct feed_kube *)feed;
	size_t i;

	for (i = 0; i < N_KINDS; i++)
		kube_reflector_free(f->parts[i].reflector);
	kube_call_cancel(f->call);
	kube_client_free(f->client);
	kube_config_clear(&f->conf);
	sd_event_source_disable_unref(f->again);
	json_decref(f->telling);
	free(f->status_path);
	free(f);
}

static int start(struct feed_kube *f, sd_event *loop, const char *kubeconfig, struct vr_err *err)
{
	int ret = kube_config_load(&f->conf, kubeconfig, NULL, err);
	size_t i;

	if (!ret)
		ret = kube_client_new(&f->client, loop, &f->conf, "vrouterd/" VR_VERSION, err);
	if (ret)
		return ret;
	ret = sd_event_add_time_relative(loop, &f->again, CLOCK_MONOTONIC, 0, 1000, on_again, f);
	if (ret < 0)
		return vr_err_errno(err, -ret, "event loop");
	sd_event_source_set_enabled(f->again, SD_EVENT_OFF);
	for (i = 0; i < N_KINDS; i++) {
		char path[96];

		snprintf(path, sizeof(path), GROUP "%s", kinds[i].plural);
		f->parts[i] = (struct part){ .f = f, .kind = &kinds[i] };
		f->parts[i].reflector = mem_check(kube_reflector_new(f->client, path, NULL,
								     &reflector_ops, &f->parts[i]));
	}
	return 0;
}

int feed_kube_new(struct feed **feed, sd_event *loop, const char *kubeconfig, const char *node,
		  const struct feed_ops *ops, void *arg)
{
	static const struct feed_type type = { .healthy = healthy, .tell = tell, .end = end };
	struct feed_kube *f = mem_zero(1, sizeof(*f));
	struct vr_err err = {};
	int ret;

	f->base = (struct feed){ &type, ops, arg };
	if (asprintf(&f->status_path, GROUP "virtualrouters/%s/status", node) < 0)
		mem_check(NULL);
	ret = start(f, loop, kubeconfig, &err);
	if (ret < 0) {
		log_err("%s", err.text);
		end(&f->base);
		return ret;
	}
	*feed = &f->base;
	ops->up(arg);
	return 0;
}
