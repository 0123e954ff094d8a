// SPDX-License-Identifier: GPL-2.0-only
/* The parts of vrouterd and what each tells the others. */

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "daemon.h"
#include "dlog.h"
#include "mem.h"

#define TICK	5000000
#define SNAT_PORTS	61000	/* the first of those that SNAT takes */

void daemon_want_work(struct daemon *d, uint64_t usec)
{
	int enabled = SD_EVENT_OFF;
	uint64_t now, then;

	sd_event_now(d->loop, CLOCK_MONOTONIC, &now);
	sd_event_source_get_enabled(d->work, &enabled);
	sd_event_source_get_time(d->work, &then);
	if (enabled != SD_EVENT_OFF && then <= now + usec)
		return;
	sd_event_source_set_time(d->work, now + usec);
	sd_event_source_set_enabled(d->work, SD_EVENT_ONESHOT);
}

/* --- the feed ----------------------------------------------------------------------- */

static void on_feed_up(void *arg)
{
	struct daemon *d = arg;

	health_in_step(&d->health, false);
	model_mark(d->model);
}

static void on_feed_down(void *arg)
{
	struct daemon *d = arg;

	health_in_step(&d->health, false);
	sd_notify(0, "STATUS=Waiting for the manager; the data path goes on");
}

static void on_synced(struct daemon *d)
{
	unsigned int gone = model_sweep(d->model);

	log_info("feed: in step, %u resources went while it was away", gone);
	feed_healthy(d->feed);
	daemon_settle(d);
	reconciler_synced(d->rc);
	health_in_step(&d->health, true);
	d->state.synced = d->export.stale = d->joined.stale = true;
	daemon_want_work(d, DAEMON_SETTLE);
	sd_notify(0, "STATUS=In step with the manager");
}

static bool on_feed_event(void *arg, enum event_type type, const json_t *object, char *why,
			  size_t size)
{
	struct daemon *d = arg;
	struct jerr e;
	struct res *r;

	if (type == EVENT_SYNCED) {
		on_synced(d);
		return true;
	}
	r = res_identify(object, &e);
	if (!r) {
		snprintf(why, size, "%s", e.text);
		return false;
	}
	if (r->kind == RES_OTHER) {
		res_free(r);
	} else if (type == EVENT_DELETED) {
		model_del(d->model, r->kind, r->key);
		res_free(r);
	} else if (!res_parse_spec(r, object, &e)) {
		log_warn("feed: %s %s: %s; its last good state stays", res_kind_name(r->kind),
			 r->key, e.text);
		model_keep(d->model, r->kind, r->key);
		res_free(r);
	} else {
		if (r->kind == RES_VMI && r->vmi.node && strcmp(r->vmi.node, d->opt->node))
			res_is_elsewhere(r);
		model_set(d->model, r);
	}
	return true;
}

struct each_key {
	void (*fn)(void *arg, const char *key);
	void *arg;
};

static void on_each_res(const struct res *r, void *arg)
{
	const struct each_key *each = arg;

	each->fn(each->arg, res_feed_key(r));
}

static void on_feed_each(void *arg, const char *kind, void (*fn)(void *arg, const char *key),
			 void *fn_arg)
{
	struct each_key each = { fn, fn_arg };
	struct daemon *d = arg;
	enum res_kind k;

	for (k = 0; k < RES_KINDS; k++)
		if (!strcmp(kind, res_kind_name(k)))
			model_each(d->model, k, on_each_res, &each);
}

static const struct feed_ops feed_ops = {
	.up = on_feed_up, .event = on_feed_event, .down = on_feed_down, .each = on_feed_each,
};

/* --- the kernel ---------------------------------------------------------------------- */

static void drop_kernel(struct daemon *d, const char *why)
{
	if (d->kernel && why)
		log_warn("kernel: %s; reading its state anew", why);
	kernel_close(d->kernel);
	d->kernel = NULL;
	d->dumped = false;
	d->state.programmed = false;
	daemon_want_work(d, backoff_next(&d->retry));
}

static void on_lost(void *arg, const char *why)
{
	struct daemon *d = arg;

	/* The caller is the kernel's own: it is closed when its turn is over. */
	if (d->dumped)
		log_warn("kernel: %s; reading its state anew", why);
	d->dumped = false;
	daemon_want_work(d, backoff_next(&d->retry));
}

/* A pod's namespace was deleted: its device went, and the attachment with it. */
static void forget_vanished(struct daemon *d, const struct kobj *vif)
{
	struct attachment *at = attachment_find(&d->attachments, vif->vif.ifname);

	if (!at || if_nametoindex(at->host) == at->ifindex)
		return;
	log_info("%s: its device %s went away", at->vmi, at->host);
	daemon_forget(d, at);
}

static void on_seen(void *arg, const struct kkey *key, struct kobj *o)
{
	struct daemon *d = arg;
	const struct kobj *had = reconciler_has(d->rc, key);

	if (had)
		kobj_hold(had);
	reconciler_seen(d->rc, key, o);
	if (!o && had && key->kind == K_VIF)
		forget_vanished(d, had);
	kobj_put(had);
	daemon_want_work(d, DAEMON_SETTLE);
}

static bool on_known(void *arg, const struct kobj *o, bool deleted)
{
	struct daemon *d = arg;

	return reconciler_knows(d->rc, o, deleted);
}

static const struct kernel_ops kernel_ops = {
	.seen = on_seen, .known = on_known, .lost = on_lost,
};

static void on_dumped(struct kobj *o, void *arg)
{
	struct daemon *d = arg;

	reconciler_dump_add(d->rc, o);
}

struct adoption {
	struct daemon	*d;
	const struct kobj *vifs[1024];
	unsigned int	n;
};

static void collect_orphan(const struct kobj *vif, void *arg)
{
	struct adoption *a = arg;

	if (kobj_ours(vif) && host_ifname_valid(vif->vif.ifname) &&
	    a->n < VR_ARRAY_SIZE(a->vifs) &&
	    !attachment_find(&a->d->attachments, vif->vif.ifname))
		a->vifs[a->n++] = vif;
}

/* The state directory may be lost; no pod is to be cut off for that. */
static void adopt(struct daemon *d)
{
	struct adoption a = { .d = d };

	d->adopted = true;
	reconciler_each_vif(d->rc, collect_orphan, &a);
	while (a.n) {
		const struct vr_vif *vif = &a.vifs[--a.n]->vif;
		struct attachment at = { .ifindex = vif->ifindex, .vmi = vif->label };

		log_info("%s: device %s taken over from the kernel", vif->label, vif->ifname);
		memcpy(at.host, vif->ifname, sizeof(at.host));
		attachment_add(&d->attachments, &at);
		daemon_refresh(d, vif->label);
	}
}

/* The link goes with the module, and comes with it. */
static void ensure_host(struct daemon *d)
{
	const char *name = d->opt->host_device;
	char key[320];

	if (!*name || (d->host.dev.ifindex && if_nametoindex(name) == d->host.dev.ifindex))
		return;
	hostdev_open(&d->host, name);
	/* the routes that led to the one before went with it */
	d->host.stale = d->export.stale = d->joined.stale = true;
	snprintf(key, sizeof(key), "Node/%s", d->opt->node);
	daemon_replan(d, RES_ROUTER, key);
}

/* The kernel's state is known when this returns true. */
static bool ready(struct daemon *d)
{
	struct vr_err e = {};
	int err;

	if (d->kernel && d->dumped)
		return true;
	/* Also after lost events: what was queued is as old as the rest. */
	kernel_close(d->kernel);
	d->kernel = NULL;
	err = kernel_open(&d->kernel, d->loop, &kernel_ops, d, &e);
	if (!err) {
		reconciler_dump_begin(d->rc);
		err = kernel_dump(d->kernel, on_dumped, d, &e);
		reconciler_dump_end(d->rc);
	}
	if (err) {
		if (!d->told)
			log_warn("kernel: %s; trying again until it is there", e.text);
		d->told = true;
		drop_kernel(d, NULL);
		return false;
	}
	d->dumped = true;
	d->told = false;
	ensure_host(d);
	if (!d->adopted)
		adopt(d);
	return true;
}

static int apply(void *arg, struct request *rq, size_t n)
{
	struct daemon *d = arg;
	struct vr_err e = {};
	int err;

	log_debug("kernel: %zu requests", n);
	err = kernel_apply(d->kernel, rq, n, &e);
	if (err)
		log_warn("kernel: %s", e.text);
	return err;
}

static void released(void *arg, const struct kobj *vif)
{
	struct daemon *d = arg;
	struct attachment *at = attachment_find(&d->attachments, vif->vif.ifname);

	if (!host_ifname_valid(vif->vif.ifname))
		return;
	/* What comes from it now would be the node's own to route. */
	link_set(vif->vif.ifname, false);
	if (at)
		at->raise = true;
}

/* Devices that were silenced, or that an earlier vrouterd may have, speak again
 * when their policy is in place.
 */
static void raise_links(struct daemon *d)
{
	struct attachment *at, *next;
	const struct unit *u;
	char why[256];

	for (at = d->attachments.list; at; at = next) {
		next = at->next;
		if (!at->raise)
			continue;
		if (if_nametoindex(at->host) != at->ifindex) {
			log_info("%s: its device %s went away", at->vmi, at->host);
			daemon_forget(d, at);
			continue;
		}
		u = daemon_unit(d, RES_VMI, at->vmi);
		if (!u || !u->n_objs || !reconciler_settled(d->rc, u, why, sizeof(why)))
			continue;
		at->raise = false;
		link_set(at->host, true);
	}
}

/* The node's own way into the network, once the vif of its device is there. */
static void update_host(struct daemon *d)
{
	char key[320];
	const struct res *router, *network;

	snprintf(key, sizeof(key), "Node/%s", d->opt->node);
	router = model_get(d->model, RES_ROUTER, key);
	network = router ? model_get(d->model, RES_NETWORK, router->router.network) : NULL;
	if (router && network && d->dumped)
		hostdev_update(&d->host, &router->router, &network->network, &d->env);
}

static void update_exports(struct daemon *d)
{
	if (d->export.stale)
		export_update(&d->export, d->model, &d->attachments, &d->host);
	if (d->joined.stale)
		export_update(&d->joined, d->model, &d->attachments, &d->host);
}

static void tell_health(struct daemon *d, bool programmed)
{
	d->state.programmed = programmed;
	if (programmed)
		d->state.updated = time(NULL);
}

void daemon_work(struct daemon *d)
{
	enum outcome out;

	sd_event_source_set_enabled(d->work, SD_EVENT_OFF);
	metrics_begin(&d->metrics);
	if (!ready(d))
		return;
	daemon_plan_members(d);
	out = reconcile(d->rc);
	if (out == RC_RESYNC) {
		d->dumped = false;
		if (!ready(d))
			return;
		out = reconcile(d->rc);
	}
	if (out == RC_LOST)
		drop_kernel(d, "it does not answer");
	else if (out != RC_DONE)
		daemon_want_work(d, backoff_next(&d->retry));
	else
		backoff_reset(&d->retry);
	metrics_end(&d->metrics, out == RC_DONE);
	tell_health(d, out == RC_DONE);
	raise_links(d);
	if (d->host.stale)
		update_host(d);
	if (d->state.synced)
		update_exports(d);
	if (d->host.stale || (d->state.synced && (d->export.stale || d->joined.stale)))
		daemon_want_work(d, TICK);
}

static int on_work(sd_event_source *s, uint64_t usec, void *arg)
{
	struct daemon *d = arg;

	(void)s;
	(void)usec;
	daemon_work(d);
	ctl_poll(d->ctl);
	return 0;
}

/* A module that was unloaded and loaded again says nothing by itself. */
static int on_tick(sd_event_source *s, uint64_t usec, void *arg)
{
	struct daemon *d = arg;
	struct vr_err e = {};

	(void)usec;
	if (d->kernel && d->dumped && kernel_probe(d->kernel, &e))
		drop_kernel(d, e.code == ENOENT ? "the module was unloaded" : e.text);
	if (d->state.programmed)
		tell_health(d, true);
	/* the uplink may have another MTU by now */
	update_host(d);
	sd_event_source_set_time_relative(s, TICK);
	return 0;
}

/* --- start and stop ------------------------------------------------------------------- */

static int start_timers(struct daemon *d)
{
	int err;

	err = sd_event_add_time_relative(d->loop, &d->work, CLOCK_MONOTONIC, 0, 1000, on_work, d);
	if (err >= 0)
		err = sd_event_add_time_relative(d->loop, &d->tick, CLOCK_MONOTONIC, TICK, 0,
						 on_tick, d);
	if (err >= 0)
		err = sd_event_source_set_enabled(d->tick, SD_EVENT_ON);
	if (err < 0)
		log_err("event loop: %s", strerror(-err));
	return err;
}

/* The module's ports for SNAT lie above those that the kernel gives to the node's own connections,
 * unless somebody has set it otherwise: then two may come to the same port towards one peer.
 */
static void check_ports(void)
{
	FILE *in = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	unsigned int low, high;

	if (!in)
		return;
	if (fscanf(in, "%u %u", &low, &high) == 2 && high >= SNAT_PORTS)
		log_warn("net.ipv4.ip_local_port_range is %u to %u, and pods get outside from ports "
			 "%u to 65535: set its end below, or connections of the node and of pods may "
			 "collide", low, high, SNAT_PORTS);
	fclose(in);
}

int daemon_start(struct daemon *d, sd_event *loop, const struct options *opt)
{
	struct backend backend = { .apply = apply, .released = released, .arg = d };
	int err;

	memset(d, 0, sizeof(*d));
	d->opt = opt;
	d->loop = loop;
	d->retry = (struct backoff){ .min = 500000, .max = 30000000 };
	d->ids = ids_new();
	metrics_init(&d->metrics);
	d->env = (struct plan_env){
		.node = opt->node, .tunnels = opt->tunnels, .encap = opt->encap,
		.family = opt->underlay, .external = opt->external,
		.attached = daemon_is_attached, .known = daemon_is_known,
		.needed = daemon_is_needed, .in_block = daemon_in_block,
		.whole_pool = daemon_whole_pool, .arg = d,
	};
	if (opt->external)
		check_ports();
	d->export.table = opt->export_table;
	d->joined = (struct export){ .table = RT_TABLE_MAIN, .joined = true };
	d->rc = reconciler_new(d->ids, &backend, &d->env);
	d->model = model_new(&daemon_model_ops, d);
	err = attachments_open(&d->attachments, opt->state_dir);
	if (err) {
		log_err("--state-dir %s: %s", opt->state_dir, strerror(-err));
		return err;
	}
	err = start_timers(d);
	if (err >= 0)
		err = health_open(&d->health, loop, opt->node, &d->feed);
	if (err < 0)
		return err;
	err = healthport_new(&d->healthport, loop, d->model, opt->node, &d->state);
	if (err < 0) {
		log_err("HTTP server: %s", strerror(-err));
		return err;
	}
	if (opt->healthz.sin6_family)
		healthport_node(d->healthport, &opt->healthz, metrics_text, d);
	/* The kernel's ids first: the feed's names are to find theirs. */
	daemon_work(d);

	if (opt->kubernetes)
		err = feed_kube_new(&d->feed, loop, opt->feed, opt->node, &feed_ops, d);
	else
		err = feed_socket_new(&d->feed, loop, opt->feed, &feed_ops, d);
	if (err < 0 && opt->kubernetes)
		return err;
	if (err < 0) {
		log_err("--feed %s: %s", opt->feed, strerror(-err));
		return err;
	}
	err = ctl_new(&d->ctl, loop, opt->cni_socket, &pod_ops, d);
	if (err < 0)
		log_err("--cni-socket %s: %s", opt->cni_socket, strerror(-err));
	return err;
}

void daemon_stop(struct daemon *d)
{
	ctl_free(d->ctl);
	healthport_free(d->healthport);
	feed_free(d->feed);
	health_close(&d->health);
	kernel_close(d->kernel);
	sd_event_source_disable_unref(d->work);
	sd_event_source_disable_unref(d->tick);
	if (d->rc)
		reconciler_free(d->rc);
	daemon_plan_free(d);
	if (d->model)
		model_free(d->model);
	attachments_close(&d->attachments);
	hostdev_close(&d->host);
	free(d->env.zone);
	if (d->ids)
		ids_free(d->ids);
}
