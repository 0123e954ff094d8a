// SPDX-License-Identifier: GPL-2.0-only
/*
 * Isolation of namespaces, apps and joined networks: a domain is a set of pods that reach each
 * other, what kube-system offers and the outside, and are reached by nobody else in the cluster.
 *
 * It is policy, not an address plan: all pods of the cluster network stay in one VRF, so DNS,
 * the kubernetes service, kubelet's probes and services across the border need nothing
 * special, and isolation goes on and off under live pods. A network that has been joined with the
 * cluster's is reached from there, and so its border is policy, too: its pods are in a domain for
 * each namespace, and reach the network's addresses. A domain has two policies of the
 * manager's own, one for each direction. They select the domain's pods that no NetworkPolicy
 * selects for this direction; where one does, its rules say it all, and open the border exactly as
 * far as they say. Whom they select is told by labels that only the model gives.
 */
#include "field.h"
#include "model.h"
#include "xmem.h"

/* No user's label gets past the model with this. */
#define OWN_LABELS "isolation.opencontrail.org/"
#define DOMAIN_LABEL OWN_LABELS "domain"

static const char *const closed_label[] = {
	[INGRESS] = OWN_LABELS "ingress", [EGRESS] = OWN_LABELS "egress",
};

struct domain {
	char	*name;			/* "ns", "ns/app" or "ns:network's key" */
	char	*ns;
	char	*network;		/* key of a joined one; NULL: pods of the cluster's */
	size_t	pods;
	char	*policies[2];		/* keys, by enum direction */
};

/* --- of a namespace -------------------------------------------------------- */

bool isolation_of_namespace(const struct object *obj)
{
	const char *value = namespace_annotation(obj, ISOLATION_ANNOTATION);

	return value && strcmp(value, "false");
}

bool isolation_keeps_inside(const struct object *obj)
{
	const char *value = namespace_annotation(obj, SNAT_ANNOTATION);

	return value && strcmp(value, "true");
}

/* --- a domain's own policies ----------------------------------------------- */

static struct policy_peer *add_peer(struct policy_rule *rule)
{
	struct policy_peer *peer = array_push(&rule->peers, &rule->n_peers, sizeof(*rule->peers));

	peer->index = rule->n_peers - 1;
	return peer;
}

static void add_except(struct policy_peer *peer, const struct network *net)
{
	size_t i;

	for (i = 0; i < net->n; i++)
		if (net->subnets[i].addr.family == peer->block.addr.family)
			*(struct prefix *)array_push(&peer->except, &peer->n_except,
						     sizeof(*peer->except)) = net->subnets[i];
}

/* Everything but the cluster's pods: nodes, and who is outside. */
static void add_outside(const struct model *m, struct policy_rule *rule)
{
	struct map_node **nets = map_sorted(&m->networks);
	struct policy_peer *peer;
	enum family f;
	size_t i;

	for (f = V4; f < FAMILIES; f++) {
		peer = add_peer(rule);
		peer->block.addr.family = f;
		add_except(peer, &m->cfg->pods);
		for (i = 0; i < m->networks.n; i++) {
			const struct network_state *net = nets[i]->value;

			if (net->joined)
				add_except(peer, &net->ipam.net);
		}
	}
	free(nets);
}

static void add_network(const struct model *m, struct policy_rule *rule, const char *key)
{
	const struct network_state *net = map_get(&m->networks, key);
	size_t i;

	for (i = 0; net && net->known && i < net->ipam.net.n; i++)
		add_peer(rule)->block = net->ipam.net.subnets[i];
}

/* All addresses of a network, whichever of a pod's interfaces has them, and of those that it is
 * chained with: who chains two networks wants them to reach each other.
 */
static void add_networks(const struct model *m, struct policy_rule *rule, const char *key)
{
	struct map_node **chains = map_sorted(&m->chain_pairs);
	size_t i;

	add_network(m, rule, key);
	for (i = 0; i < m->chain_pairs.n; i++) {
		const struct chain_state *chain = chains[i]->value;

		if (!strcmp(chain->left->key, key))
			add_network(m, rule, chain->right->key);
		else if (!strcmp(chain->right->key, key))
			add_network(m, rule, chain->left->key);
	}
	free(chains);
}

static struct policy_spec *make_spec(const struct model *m, const struct domain *d,
				     enum direction dir)
{
	const struct namespace_state *ns = map_get(&m->namespaces, d->ns);
	struct policy_spec *spec = xzalloc(sizeof(*spec));
	struct policy_rule *rule;
	struct policy_peer *peer;

	spec->pods = selector_new(closed_label[dir], d->name);
	spec->enforce[dir] = true;
	spec->domain = xstrdup(d->name);
	rule = array_push(&spec->rules, &spec->n_rules, sizeof(*rule));
	rule->direction = dir;
	if (d->network)
		add_networks(m, rule, d->network);
	else
		add_peer(rule)->pods = selector_new(DOMAIN_LABEL, d->name);
	if (dir == EGRESS) {
		peer = add_peer(rule);
		peer->ns = selector_new(NAME_LABEL, "kube-system");
	}
	if (dir == INGRESS || !ns || !isolation_keeps_inside(ns->object))
		add_outside(m, rule);
	return spec;
}

static void put_policy(struct model *m, struct domain *d, enum direction dir)
{
	static const char *const names[] = { [INGRESS] = "ingress", [EGRESS] = "egress" };
	struct object *obj = xzalloc(sizeof(*obj)), *old;
	const char *part = d->name + strlen(d->ns);
	cleanup_free char *name = NULL, *key = NULL;
	char *slash;

	obj->kind = KIND_POLICY;
	name = xasprintf("isolation-%s%s%s", names[dir], *part ? "." : "", *part ? part + 1 : "");
	slash = strchr(name, '/');
	if (slash)
		*slash = '.';
	/* no user's name has a colon */
	key = xasprintf("%s/:%s", d->ns, name);
	object_identify(obj, d->ns, key, name);
	obj->where = xstrdup("isolation");
	obj->policy = make_spec(m, d, dir);
	uid_from_text(obj->key, obj->uid);
	old = map_keep(&m->objects[KIND_POLICY], obj->key, obj);
	if (old)
		object_free(old);
	if (!d->policies[dir])
		d->policies[dir] = xstrdup(obj->key);
	mark(&m->dirty_policies, obj->key);
}

static void domain_free(struct model *m, struct domain *d)
{
	int dir;

	for (dir = INGRESS; dir <= EGRESS; dir++) {
		struct object *obj = map_del(&m->objects[KIND_POLICY], d->policies[dir]);

		mark(&m->dirty_policies, d->policies[dir]);
		object_free(obj);
		free(d->policies[dir]);
	}
	free(d->name);
	free(d->ns);
	free(d->network);
	free(d);
}

/* network NULL: the cluster's */
static void domain_join(struct model *m, const char *name, const char *ns, const char *network)
{
	struct domain *d = map_get(&m->domains, name);

	if (!d) {
		d = xzalloc(sizeof(*d));
		d->name = xstrdup(name);
		d->ns = xstrdup(ns);
		d->network = xstrdup(network);
		map_set(&m->domains, name, d);
		put_policy(m, d, INGRESS);
		put_policy(m, d, EGRESS);
	}
	d->pods++;
}

static void domain_leave(struct model *m, const char *name)
{
	struct domain *d = map_get(&m->domains, name);

	if (--d->pods)
		return;
	map_del(&m->domains, name);
	domain_free(m, d);
}

void isolation_refresh(struct model *m, const char *ns)
{
	map_for_each(&m->domains, node) {
		struct domain *d = node->value;

		if (!strcmp(d->ns, ns))
			put_policy(m, d, EGRESS);
	}
}

void isolation_refresh_all(struct model *m)
{
	map_for_each(&m->domains, node) {
		put_policy(m, node->value, INGRESS);
		put_policy(m, node->value, EGRESS);
	}
}

/* --- a pod's --------------------------------------------------------------- */

struct app_arg {
	const struct model	*m;
	const struct pod_state	*pod;
	const char		*app, *service;
};

/* A service gives its label to the pods it selects; of several the first by name. */
static void app_of_bucket(const char *bucket, void *p)
{
	struct app_arg *arg = p;
	const struct map *services = index_get(&arg->m->app_services, bucket);

	if (!services)
		return;
	map_for_each(services, node) {
		const struct object *svc = node->value;

		if (!selector_matches(svc->service->selector, arg->pod->object->labels) ||
		    (arg->service && strcmp(arg->service, svc->key) < 0))
			continue;
		arg->app = labels_get(svc->labels, APP_LABEL);
		arg->service = svc->key;
	}
}

static const char *app_of(const struct model *m, enum object_kind kind, const char *ns,
			  const char *name, size_t len)
{
	cleanup_free char *key = xasprintf("%s/%.*s", ns, (int)len, name);
	const struct object *obj = map_get(&m->objects[kind], key);

	return obj ? labels_get(obj->labels, APP_LABEL) : NULL;
}

/* A Deployment calls its ReplicaSets by its name and what is in the pods' label: how long its
 * name is; 0: the pod is not a Deployment's.
 */
static size_t deployment_of(const struct pod_state *pod)
{
	const struct pod_spec *spec = pod->object->pod;
	const char *hash = labels_get(pod->object->labels, "pod-template-hash");
	size_t len = spec->owner ? strlen(spec->owner) : 0, tail = hash ? strlen(hash) : 0;

	if (!tail || spec->owner_kind != KIND_REPLICA_SET || len < tail + 2 ||
	    spec->owner[len - tail - 1] != '-' || strcmp(spec->owner + len - tail, hash))
		return 0;
	return len - tail - 1;
}

static const char *app_of_controller(const struct model *m, const struct pod_state *pod)
{
	const struct pod_spec *spec = pod->object->pod;
	size_t len = deployment_of(pod);
	const char *app = NULL;

	if (spec->owner)
		app = app_of(m, spec->owner_kind, pod->ns, spec->owner, strlen(spec->owner));
	return app || !len ? app : app_of(m, KIND_DEPLOYMENT, pod->ns, spec->owner, len);
}

static bool is_of(const struct pod_state *pod, const struct object *controller)
{
	const struct pod_spec *spec = pod->object ? pod->object->pod : NULL;
	size_t len;

	if (!spec || !spec->owner)
		return false;
	if (spec->owner_kind == controller->kind && !strcmp(spec->owner, controller->name))
		return true;
	len = controller->kind == KIND_DEPLOYMENT ? deployment_of(pod) : 0;
	return len && len == strlen(controller->name) &&
	       !strncmp(spec->owner, controller->name, len);
}

void isolation_mark_controller(struct model *m, const struct object *obj)
{
	const struct map *pods = index_get(&m->pods_of_ns, obj->ns);

	if (!pods)
		return;
	map_for_each(pods, node)
		if (is_of(node->value, obj))
			mark(&m->dirty_pods, node->key);
}

/* To be freed; NULL: it is in none. */
static char *domain_of(const struct model *m, const struct pod_state *pod)
{
	const struct namespace_state *ns = map_get(&m->namespaces, pod->ns);
	struct app_arg arg = { .m = m, .pod = pod };

	if (pod->object->pod->host_network)
		return NULL;
	if (pod_is_joined(m, pod))
		return xasprintf("%s:%s", pod->ns, pod_network(m, pod));
	/* a network of its own is further away than any domain */
	if (strcmp(pod_network(m, pod), CLUSTER_NETWORK))
		return NULL;
	arg.app = labels_get(pod->object->labels, APP_LABEL);
	if (!arg.app)
		arg.app = app_of_controller(m, pod);
	if (!arg.app)
		buckets_of_pod(pod->ns, pod->object->labels, app_of_bucket, &arg);
	if (arg.app && *arg.app)
		return xasprintf("%s/%s", pod->ns, arg.app);
	return ns && isolation_of_namespace(ns->object) ? xstrdup(pod->ns) : NULL;
}

/* Does some NetworkPolicy say what this direction of the pod's traffic may be? */
static bool has_policy(const struct model *m, const struct pod_state *pod, enum direction dir)
{
	const struct map *policies = index_get(&m->policies_of_ns, pod->ns);

	if (!policies)
		return false;
	map_for_each(policies, node) {
		const struct policy_spec *spec = ((const struct object *)node->value)->policy;

		if (spec->enforce[dir] && selector_matches(spec->pods, pod->object->labels))
			return true;
	}
	return false;
}

static bool is_own(const char *label)
{
	return !strncmp(label, OWN_LABELS, strlen(OWN_LABELS));
}

static bool has_own_label(const struct labels *labels)
{
	labels_for_each(labels, key)
		if (is_own(key))
			return true;
	return false;
}

static json_t *without_own_labels(const struct labels *labels)
{
	json_t *all = labels_json(labels);

	labels_for_each(labels, key)
		if (is_own(key))
			json_object_del(all, key);
	return all;
}

struct labels *isolation_labels(struct model *m, struct pod_state *pod)
{
	char *domain = domain_of(m, pod), *was = pod->domain;
	bool joined = domain && pod_is_joined(m, pod);
	struct labels *made;
	json_t *labels;
	int dir;

	/* in before out: it may be the same one, and the last pod of it */
	if (domain)
		domain_join(m, domain, pod->ns, joined ? pod_network(m, pod) : NULL);
	if (was)
		domain_leave(m, was);
	free(was);
	pod->domain = domain;
	if (!domain && !has_own_label(pod->object->labels))
		return labels_ref(pod->object->labels);
	labels = without_own_labels(pod->object->labels);
	if (domain)
		json_object_set_new(labels, DOMAIN_LABEL, json_string(domain));
	for (dir = INGRESS; domain && dir <= EGRESS; dir++)
		if (!has_policy(m, pod, dir))
			json_object_set_new(labels, closed_label[dir], json_string(domain));
	made = labels_new(labels);
	json_decref(labels);
	return made;
}

void isolation_forget(struct model *m, struct pod_state *pod)
{
	if (pod->domain)
		domain_leave(m, pod->domain);
	free(pod->domain);
	pod->domain = NULL;
}

/* --- what changes it ------------------------------------------------------- */

struct mark_arg {
	struct model		*m;
	const struct selector	*selector;
	bool			isolated;	/* only pods that are in a domain */
};

static void mark_bucket(const char *bucket, void *p)
{
	struct mark_arg *arg = p;
	const struct map *pods = index_get(&arg->m->pod_index, bucket);

	if (!pods)
		return;
	map_for_each(pods, node) {
		const struct pod_state *pod = node->value;

		if ((pod->domain || !arg->isolated) &&
		    (!arg->selector || selector_matches(arg->selector, pod->labels)))
			mark(&arg->m->dirty_pods, node->key);
	}
}

void isolation_mark_policy(struct model *m, const struct object *obj)
{
	struct mark_arg arg = { .m = m, .selector = obj->policy->pods, .isolated = true };

	buckets_of_selector(obj->ns, obj->policy->pods, mark_bucket, &arg);
}

struct service_arg {
	struct model		*m;
	const struct object	*service;
	bool			add;
};

static void index_bucket(const char *bucket, void *p)
{
	struct service_arg *arg = p;
	struct mark_arg pods = { .m = arg->m, .selector = arg->service->service->selector };

	if (arg->add)
		index_add(&arg->m->app_services, bucket, arg->service->key, (void *)arg->service);
	else
		index_del(&arg->m->app_services, bucket, arg->service->key);
	mark_bucket(bucket, &pods);
}

void isolation_of_service(struct model *m, const struct object *obj, bool add)
{
	struct service_arg arg = { m, obj, add };

	if (obj->service->selector && labels_get(obj->labels, APP_LABEL))
		buckets_of_selector(obj->ns, obj->service->selector, index_bucket, &arg);
}

void isolation_mark_namespace(struct model *m, const char *ns)
{
	cleanup_free char *bucket = xasprintf("%s|", ns);
	struct mark_arg arg = { .m = m };

	mark_bucket(bucket, &arg);
}

void isolation_free(struct model *m)
{
	map_for_each(&m->domains, node) {
		struct domain *d = node->value;

		free(d->policies[INGRESS]);
		free(d->policies[EGRESS]);
		free(d->name);
		free(d->ns);
		free(d->network);
		free(d);
	}
	map_clear(&m->domains, NULL);
}
