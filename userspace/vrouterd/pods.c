// SPDX-License-Identifier: GPL-2.0-only
/*
 * What contrail-cni asks for. ADD is two requests: "prepare" tells what the
 * interface is to be, "attach" says that its device is there and is answered
 * when interface, addresses and security groups are in the kernel.
 */

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "daemon.h"
#include "dlog.h"
#include "hostport.h"
#include "mem.h"

#define IPV6_GATEWAY	"fe80::1"	/* on every link; the module answers for it */

static bool no(char *why, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static bool no(char *why, size_t size, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, size, fmt, args);
	va_end(args);
	return false;
}

/* The pod that the runtime means, not an earlier one of the same name. A static
 * pod has another uid for its kubelet than in the API: its configuration's hash.
 */
static bool same_pod(const struct res *r, const char *uid)
{
	return !uid || !r->uid || !strcmp(r->uid, uid) ||
	       (r->vmi.config_hash && !strcmp(r->vmi.config_hash, uid));
}

/* NULL when no subnet has it. */
static const char *gateway_of(const struct network *n, const struct vr_addr *a,
			      char buf[VR_ADDR_TEXT])
{
	unsigned int i;

	for (i = 0; i < n->n_subnets; i++)
		if (vr_prefix_contains(&n->subnets[i].prefix, a))
			return a->family == AF_INET6 ? IPV6_GATEWAY :
				vr_addr_text(&n->subnets[i].gateway, buf);
	return NULL;
}

/* Everything that one interface refers to, as far as the manager told it. */
static bool complete_one(const struct daemon *d, const struct res *r, char *why, size_t size)
{
	const struct res *network = model_get(d->model, RES_NETWORK, r->vmi.network);
	char text[VR_ADDR_TEXT];
	unsigned int i;

	if (!network)
		return no(why, size, "its network %s is not known yet", r->vmi.network);
	for (i = 0; i < r->vmi.n_addrs; i++)
		if (!gateway_of(&network->network, &r->vmi.addrs[i], text))
			return no(why, size, "no subnet of %s holds its address %s", network->key,
				  vr_addr_text(&r->vmi.addrs[i], text));
	for (i = 0; i < r->vmi.n_sgs; i++)
		if (!model_get(d->model, RES_SG, r->vmi.sgs[i]))
			return no(why, size, "its security group %s is not known yet",
				  r->vmi.sgs[i]);
	return true;
}

/* And the pod's other interfaces, if it is the first one. */
static bool complete(const struct daemon *d, const struct res *r, char *why, size_t size)
{
	unsigned int i;

	for (i = 0; i < r->vmi.n_additional; i++) {
		const struct res *more = model_get(d->model, RES_VMI, r->vmi.additional[i]);

		if (!more)
			return no(why, size, "its interface %s is not known yet",
				  r->vmi.additional[i]);
		if (!complete_one(d, more, why, size))
			return false;
	}
	return complete_one(d, r, why, size);
}

static const struct res *find_pod(const struct daemon *d, const struct pod_request *rq,
				  char *why, size_t size)
{
	const struct res *r = model_get(d->model, RES_VMI, rq->vmi);

	if (!r)
		no(why, size, "the manager has no interface of this pod yet");
	else if (!r->vmi.node || strcmp(r->vmi.node, d->opt->node))
		no(why, size, "the pod is placed on node %s, this is %s",
		   r->vmi.node ? r->vmi.node : "(none)", d->opt->node);
	else if (r->vmi.pod && rq->pod && strcmp(r->vmi.pod, rq->pod))
		no(why, size, "the interface is that of pod %s", r->vmi.pod);
	else if (!same_pod(r, rq->uid))
		no(why, size, "the manager knows an earlier pod of this name (uid %s, not %s)",
		   r->uid, rq->uid);
	else if (complete(d, r, why, size))
		return r;
	return NULL;
}

static json_t *failure(const struct pod_request *rq, int code, const char *why)
{
	char msg[640];

	snprintf(msg, sizeof(msg), "pod %s: %s", rq->vmi ? rq->vmi : rq->host, why);
	log_warn("CNI: %s", msg);
	return pod_error(code, msg, NULL);
}

static json_t *describe(const struct daemon *d, const struct res *r)
{
	const struct network *n = &model_get(d->model, RES_NETWORK, r->vmi.network)->network;
	char text[VR_ADDR_TEXT], gw[VR_ADDR_TEXT], mac[VR_MAC_TEXT];
	unsigned int i, mtu = r->vmi.mtu;
	json_t *addrs = json_array();

	/* what the tunnels leave of the underlay's */
	if (d->host.mtu && d->host.mtu < mtu)
		mtu = d->host.mtu;
	for (i = 0; i < r->vmi.n_addrs; i++)
		json_array_append_new(addrs,
				      json_pack("{ss ss}", "address",
						vr_addr_text(&r->vmi.addrs[i], text), "gateway",
						gateway_of(n, &r->vmi.addrs[i], gw)));
	return json_pack("{ss ss si so}", "interface", r->key, "macAddress",
			 vr_mac_text(r->vmi.mac, mac), "mtu", (int)mtu, "addresses", addrs);
}

static void add_subnets(const struct daemon *d, const char *network, json_t *routes)
{
	const struct res *r = model_get(d->model, RES_NETWORK, network);
	char text[VR_PREFIX_TEXT];
	unsigned int i;

	for (i = 0; r && i < r->network.n_subnets; i++)
		json_array_append_new(routes, json_string(vr_prefix_text(
			&r->network.subnets[i].prefix, text)));
}

/* What is behind an interface that has not the pod's default route: its network, and those that
 * are chained with it now.
 */
static json_t *describe_additional(const struct daemon *d, const struct res *r)
{
	json_t *routes = json_array(), *o = describe(d, r);
	unsigned int i;

	add_subnets(d, r->vmi.network, routes);
	for (i = 0; i < r->vmi.n_through; i++)
		add_subnets(d, r->vmi.through[i].network, routes);
	json_object_set_new(o, "ifname", json_string(r->vmi.ifname ? r->vmi.ifname : ""));
	json_object_set_new(o, "routes", routes);
	return o;
}

static json_t *describe_all(const struct daemon *d, const struct res *r)
{
	json_t *o = describe(d, r), *list = json_array();
	unsigned int i;

	for (i = 0; i < r->vmi.n_additional; i++)
		json_array_append_new(list, describe_additional(d, model_get(d->model, RES_VMI,
								r->vmi.additional[i])));
	json_object_set_new(o, "additional", list);
	return o;
}

/* All interfaces of a pod are made with its first: asked once more for the same container, it is
 * for one that the manager does not know, and the first must not lose its own to that.
 */
static bool is_made(const struct daemon *d, const struct pod_request *rq, char *why, size_t size)
{
	const struct attachment *at = attachment_of_vmi(&d->attachments, rq->vmi);

	if (!at || !at->container || strcmp(at->container, rq->container) ||
	    !strcmp(at->ifname, rq->ifname))
		return false;
	snprintf(why, size, "its interfaces were made with %s; further ones are named in the pod's "
		 "annotation k8s.v1.cni.cncf.io/networks, and not by a second ADD (%s)", at->ifname,
		 rq->ifname);
	return true;
}

static json_t *prepare(struct daemon *d, const struct pod_request *rq, bool last)
{
	const struct res *r;
	char why[512];

	if (is_made(d, rq, why, sizeof(why)))
		return failure(rq, POD_ERR_CONFIG, why);
	r = find_pod(d, rq, why, sizeof(why));
	if (r)
		return describe_all(d, r);
	return last ? failure(rq, POD_ERR_TRY_AGAIN, why) : NULL;
}

static bool settled(const struct daemon *d, enum res_kind kind, const char *key, char *why,
		    size_t size)
{
	const struct unit *u = daemon_unit(d, kind, key);

	if (!d->dumped)
		return no(why, size, "the kernel module does not answer");
	if (!u || !u->n_objs)
		return no(why, size, "%s %s is not planned", res_kind_name(kind), key);
	return reconciler_settled(d->rc, u, why, size);
}

/* The interface and what decides over its packets are in the kernel. */
static bool programmed(const struct daemon *d, const struct res *r, char *why, size_t size)
{
	unsigned int i;

	for (i = 0; i < r->vmi.n_sgs; i++)
		if (!settled(d, RES_SG, r->vmi.sgs[i], why, size))
			return false;
	return settled(d, RES_NETWORK, r->vmi.network, why, size) &&
	       settled(d, RES_VMI, r->key, why, size);
}

/* A pod has one device: with a new sandbox, the one before has no say any more. */
static void supersede(struct daemon *d, const struct pod_request *rq)
{
	struct attachment *at;

	while ((at = attachment_find(&d->attachments, rq->host)) ||
	       (at = attachment_of_vmi(&d->attachments, rq->vmi))) {
		log_info("%s: device %s is replaced by %s", at->vmi, at->host, rq->host);
		daemon_forget(d, at);
	}
}

static json_t *begin_attach(struct daemon *d, struct pod_request *rq)
{
	struct attachment at = {
		.ifindex = if_nametoindex(rq->host), .vmi = (char *)rq->vmi,
		.container = (char *)rq->container, .ifname = (char *)rq->ifname,
		.net = (char *)rq->net, .ports = rq->ports, .n_ports = rq->n_ports,
	};
	char why[512];
	int err;

	if (!at.ifindex) {
		snprintf(why, sizeof(why), "its device %s is not in the node's namespace",
			 rq->host);
		return failure(rq, POD_ERR_IO, why);
	}
	if (!host_ports_free(d->model, &d->attachments, rq->vmi, rq->ports, rq->n_ports, why,
			     sizeof(why)))
		return failure(rq, POD_ERR_CONFIG, why);
	supersede(d, rq);
	strcpy(at.host, rq->host);
	err = attachment_add(&d->attachments, &at);
	if (err) {
		snprintf(why, sizeof(why), "cannot write to %s: %s", d->opt->state_dir,
			 strerror(-err));
		return failure(rq, POD_ERR_IO, why);
	}
	rq->begun = true;
	daemon_refresh(d, rq->vmi);
	daemon_work(d);
	return NULL;
}

static void abandoned(void *arg, struct pod_request *rq)
{
	struct daemon *d = arg;
	struct attachment *at = attachment_find(&d->attachments, rq->host);

	if (rq->op == POD_ATTACH && rq->begun && at)
		daemon_forget(d, at);
}

static json_t *attach(struct daemon *d, struct pod_request *rq, bool last)
{
	const struct res *r;
	json_t *refused;
	char why[512];

	r = find_pod(d, rq, why, sizeof(why));
	if (r && !rq->begun) {
		refused = begin_attach(d, rq);
		if (refused)
			return refused;
	}
	if (r && programmed(d, r, why, sizeof(why))) {
		log_info("%s: attached by %s", rq->vmi, rq->host);
		return json_object();
	}
	if (!last)
		return NULL;
	abandoned(d, rq);
	return failure(rq, POD_ERR_TRY_AGAIN, why);
}

/* With a pod's first interface go its others, whose names follow from it
 * (userspace/lib/resources.md).
 */
static bool goes_with(const struct attachment *at, const struct attachment *first,
		      const struct pod_request *rq)
{
	size_t len = strlen(first->vmi);

	return at != first && at->container && !strcmp(at->container, rq->container) &&
	       !strncmp(at->vmi, first->vmi, len) && at->vmi[len] == '.' &&
	       !strcmp(at->vmi + len + 1, at->ifname);
}

static json_t *detach(struct daemon *d, const struct pod_request *rq)
{
	struct attachment *first = attachment_find(&d->attachments, rq->host), *at, *next;
	json_t *names = json_array();

	for (at = first ? d->attachments.list : NULL; at; at = next) {
		next = at->next;
		if (!goes_with(at, first, rq))
			continue;
		json_array_append_new(names, json_string(at->host));
		log_info("%s: detached from %s", at->vmi, at->host);
		daemon_forget(d, at);
	}
	if (first) {
		log_info("%s: detached from %s", first->vmi, first->host);
		daemon_forget(d, first);
		daemon_work(d);
	}
	return json_pack("{so}", "hostIfnames", names);
}

static json_t *check(struct daemon *d, const struct pod_request *rq)
{
	const struct attachment *at = attachment_find(&d->attachments, rq->host);
	const struct res *r;
	char why[512];

	if (!at || strcmp(at->vmi, rq->vmi))
		return failure(rq, POD_ERR_CHECK, "vrouterd has no such attachment");
	r = find_pod(d, rq, why, sizeof(why));
	if (!r || !programmed(d, r, why, sizeof(why)))
		return failure(rq, POD_ERR_CHECK, why);
	return json_object();
}

/* Could a pod be attached now? Without the manager, what runs goes on and nothing new comes. */
static json_t *status(const struct daemon *d)
{
	if (!d->state.synced)
		return pod_error(POD_ERR_UNAVAILABLE, "the manager has not been heard yet",
				 "see vrouterd's log, and whether contrail-kube-manager runs");
	if (!d->dumped)
		return pod_error(POD_ERR_UNAVAILABLE, "the kernel module does not answer",
				 "see vrouterd's log, and whether module vrouter is loaded");
	if (!d->state.programmed)
		return pod_error(POD_ERR_UNAVAILABLE, "the kernel has not all that is planned",
				 "see vrouterd's log");
	if (!d->health.in_step)
		return pod_error(POD_ERR_LIMITED, "the manager is lost",
				 "pods that run go on, new ones wait; see vrouterd's log, and "
				 "whether contrail-kube-manager runs");
	return json_object();
}

/* One of another network is not this runtime's to judge. */
static bool is_of_net(const struct pod_request *rq, const struct attachment *at)
{
	return !rq->net || !at->net || !strcmp(rq->net, at->net);
}

static bool is_kept(const struct pod_request *rq, const char *host)
{
	const json_t *name;
	size_t i;

	json_array_foreach(rq->keep, i, name)
		if (!strcmp(json_string_value(name), host))
			return true;
	return false;
}

/* The runtime knows a pod's first interface only. One taken over from the kernel has no
 * container: its name alone must do.
 */
static bool kept_by_first(const struct daemon *d, const struct pod_request *rq,
			  const struct attachment *at)
{
	const struct attachment *first;
	size_t len;

	for (first = d->attachments.list; first; first = first->next) {
		len = strlen(first->vmi);
		if (first != at && !strncmp(at->vmi, first->vmi, len) && at->vmi[len] == '.' &&
		    (!at->container || !first->container ||
		     !strcmp(at->container, first->container)) && is_kept(rq, first->host))
			return true;
	}
	return false;
}

static json_t *collect_garbage(struct daemon *d, const struct pod_request *rq)
{
	json_t *names = json_array(), *name;
	struct attachment *at;
	size_t i;

	for (at = d->attachments.list; at; at = at->next)
		if (is_of_net(rq, at) && !is_kept(rq, at->host) && !kept_by_first(d, rq, at))
			json_array_append_new(names, json_string(at->host));
	json_array_foreach(names, i, name) {
		at = attachment_find(&d->attachments, json_string_value(name));
		log_info("%s: detached from %s, which the runtime does not know", at->vmi,
			 at->host);
		daemon_forget(d, at);
	}
	if (json_array_size(names))
		daemon_work(d);
	return json_pack("{so}", "hostIfnames", names);
}

static json_t *serve(void *arg, struct pod_request *rq, bool last)
{
	struct daemon *d = arg;

	switch (rq->op) {
	case POD_PREPARE:
		return prepare(d, rq, last);
	case POD_ATTACH:
		return attach(d, rq, last);
	case POD_DETACH:
		return detach(d, rq);
	case POD_CHECK:
		return check(d, rq);
	case POD_STATUS:
		return status(d);
	case POD_GC:
		return collect_garbage(d, rq);
	case POD_HEALTH:
		return json_pack("{s:o}", "members", monitors_list(d->health.monitors));
	}
	return pod_error(POD_ERR_DECODE, "op: not known", NULL);
}

const struct ctl_ops pod_ops = { .serve = serve, .abandoned = abandoned };
