// SPDX-License-Identifier: GPL-2.0-only
#include "model.h"

#include "utf8.h"
#include "xmem.h"

void model_init(struct model *m, const struct config *cfg, struct store *store, model_warn_fn *warn,
		void *arg)
{
	memset(m, 0, sizeof(*m));
	m->cfg = cfg;
	m->store = store;
	m->warn = warn;
	m->warn_arg = arg;
	ipam_init(&m->service_ipam, "service network", &cfg->services,
		  &(struct ipam_options){.band = true});
	networks_init(m);
	/* The cluster network's project. */
	mark(&m->dirty_namespaces, CLUSTER_NETWORK_NS);
}

static void free_object(void *value)
{
	object_free(value);
}

static void free_namespace(void *value)
{
	struct namespace_state *ns = value;

	labels_put(ns->labels);
	free(ns->network);
	free(ns->groups);
	free(ns->problem);
	free(ns->name);
	free(ns);
}

void model_free(struct model *m)
{
	struct map *sets[] = {
		&m->macs, &m->group_names, &m->unscheduled, &m->starved_pods, &m->starved_services,
		&m->dirty_namespaces, &m->dirty_nodes, &m->dirty_pods, &m->dirty_members, &m->dirty_interfaces,
		&m->dirty_policies, &m->dirty_rules, &m->dirty_services, &m->dirty_networks,
		&m->dirty_chains, &m->vnis, &m->chain_pairs, &m->node_policies,
		&m->user_groups,
	};
	size_t i;

	map_clear(&m->policies, policy_state_free);
	map_clear(&m->groups, group_free);
	map_clear(&m->pods, pod_state_free);
	map_clear(&m->services, service_state_free);
	map_clear(&m->chains, chain_state_free);
	map_clear(&m->networks, network_state_free);
	map_clear(&m->router_problems, free);
	map_clear(&m->namespaces, free_namespace);
	for (i = 0; i < OBJECT_KINDS; i++)
		map_clear(&m->objects[i], free_object);
	isolation_free(m);
	pins_free(m);
	index_clear(&m->policies_of_ns);
	index_clear(&m->externals);
	index_clear(&m->app_services);
	index_clear(&m->endpoints);
	index_clear(&m->slices);
	index_clear(&m->pod_index);
	index_clear(&m->group_index);
	index_clear(&m->service_index);
	index_clear(&m->chains_of_ns);
	index_clear(&m->pods_of_ns);
	index_clear(&m->pods_of_attachment);
	index_clear(&m->monitor_users);
	health_free(m);
	for (i = 0; i < sizeof(sets) / sizeof(*sets); i++)
		map_clear(sets[i], NULL);
	ipam_free(&m->service_ipam);
}

void model_problem(struct model *m, char **told, const struct object *obj, char *text)
{
	vr_utf8_clean(text);
	if (text && !*told)
		m->problems++;
	if (!text && *told)
		m->problems--;
	if (text && (!*told || strcmp(*told, text))) {
		cleanup_free char *line = xasprintf("%s%s%s %s: %s", obj->where ? obj->where : "",
						    obj->where ? ": " : "", kind_name(obj->kind),
						    obj->key, text);

		m->warn(m->warn_arg, obj, line);
	}
	if (!text && *told && obj)
		m->warn(m->warn_arg, obj, NULL);
	free(*told);
	*told = text;
}

/* --- namespaces --------------------------------------------------------- */

static struct namespace_state *namespace_state(struct model *m, const char *name)
{
	struct namespace_state *ns = map_get(&m->namespaces, name);

	if (ns)
		return ns;
	ns = xzalloc(sizeof(*ns));
	ns->name = xstrdup(name);
	ns->labels = labels_one(NAME_LABEL, name);
	map_set(&m->namespaces, name, ns);
	mark(&m->dirty_namespaces, name);
	return ns;
}

const struct labels *namespace_labels(const struct model *m, const char *name)
{
	const struct namespace_state *ns = map_get(&m->namespaces, name);

	return ns ? ns->labels : NULL;
}

static void mark_pods_of(struct model *m, const char *ns)
{
	cleanup_free char *bucket = xasprintf("%s|", ns);
	const struct map *pods = index_get(&m->pod_index, bucket);

	if (!pods)
		return;
	map_for_each(pods, node)
		mark(&m->dirty_members, node->key);
}

static void namespace_reconcile(struct model *m, const char *name)
{
	struct namespace_state *ns = namespace_state(m, name);
	struct labels *labels;

	namespace_networks(m, ns);
	if (!ns->object && !ns->refs && strcmp(name, CLUSTER_NETWORK_NS)) {
		store_del(m->store, RES_PROJECT, "", name);
		free_namespace(map_del(&m->namespaces, name));
		return;
	}
	if (ns->isolated != isolation_of_namespace(ns->object)) {
		ns->isolated = !ns->isolated;
		isolation_mark_namespace(m, name);
	}
	if (ns->keeps_inside != isolation_keeps_inside(ns->object)) {
		ns->keeps_inside = !ns->keeps_inside;
		isolation_refresh(m, name);
	}
	labels = ns->object ? labels_ref(ns->object->labels) : labels_one(NAME_LABEL, name);
	if (!labels_equal(labels, ns->labels))
		mark_pods_of(m, name);
	labels_put(ns->labels);
	ns->labels = labels;
	store_put(m->store, RES_PROJECT, "", name, ns->object ? ns->object->uid : NULL, NULL,
		  json_object());
}

static void namespaces_reconcile(struct model *m)
{
	struct map_node **nodes = map_sorted(&m->dirty_namespaces);
	size_t i, n = m->dirty_namespaces.n;

	for (i = 0; i < n; i++)
		namespace_reconcile(m, nodes[i]->key);
	free(nodes);
	map_clear(&m->dirty_namespaces, NULL);
}

/* --- buckets -------------------------------------------------------------- */

void buckets_of_pod(const char *ns, const struct labels *labels, bucket_fn *visit, void *arg)
{
	const char *scopes[] = { ns, "*" };
	size_t i;

	for (i = 0; i < 2; i++) {
		cleanup_free char *all = xasprintf("%s|", scopes[i]);

		visit(all, arg);
		labels_for_each(labels, key) {
			cleanup_free char *one = xasprintf("%s|%s=%s", scopes[i], key,
							   labels_value(key));

			visit(one, arg);
		}
	}
}

void buckets_of_selector(const char *ns, const struct selector *sel, bucket_fn *visit, void *arg)
{
	const struct requirement *r = sel ? selector_pivot(sel) : NULL;
	size_t i;

	if (!r) {
		cleanup_free char *all = xasprintf("%s|", ns ? ns : "*");

		visit(all, arg);
		return;
	}
	for (i = 0; i < r->n; i++) {
		cleanup_free char *one = xasprintf("%s|%s=%s", ns ? ns : "*", r->key, r->values[i]);

		visit(one, arg);
	}
}

/* --- objects in ------------------------------------------------------------- */

const char *model_only_node(const struct model *m)
{
	if (m->objects[KIND_NODE].n != 1)
		return NULL;
	map_for_each(&m->objects[KIND_NODE], node)
		return node->key;
	return NULL;
}

/* Endpoints and EndpointSlices stand under their service's key. */
static void index_endpoints(struct model *m, const struct object *obj, bool add)
{
	cleanup_free char *service = xasprintf("%s/%s", obj->ns, obj->endpoints->service);
	struct map *index = obj->kind == KIND_SLICE ? &m->slices : &m->endpoints;

	if (add)
		index_add(index, service, obj->key, (void *)obj);
	else
		index_del(index, service, obj->key);
	mark(&m->dirty_services, service);
}

static struct pod_state *pod_state(struct model *m, const struct object *obj)
{
	struct pod_state *pod = map_get(&m->pods, obj->key);

	if (!pod) {
		pod = xzalloc(sizeof(*pod));
		pod->key = xstrdup(obj->key);
		pod->ns = xstrdup(obj->ns);
		map_keep(&m->pods, pod->key, pod);
		index_add(&m->pods_of_ns, pod->ns, pod->key, pod);
	}
	return pod;
}

static struct service_state *service_state(struct model *m, const struct object *obj)
{
	struct service_state *svc = map_get(&m->services, obj->key);

	if (!svc) {
		svc = xzalloc(sizeof(*svc));
		svc->key = xstrdup(obj->key);
		map_keep(&m->services, svc->key, svc);
	}
	return svc;
}

static struct chain_state *chain_state(struct model *m, const struct object *obj)
{
	struct chain_state *chain = map_get(&m->chains, obj->key);

	if (!chain) {
		chain = xzalloc(sizeof(*chain));
		chain->key = xstrdup(obj->key);
		chain->ns = xstrdup(obj->ns);
		map_keep(&m->chains, chain->key, chain);
		index_add(&m->chains_of_ns, chain->ns, chain->key, chain);
	}
	return chain;
}

/* Lets the state of what obj was know: obj itself if add, else that it is gone. */
static void link_object(struct model *m, struct object *obj, bool add)
{
	switch (obj->kind) {
	case KIND_NAMESPACE:
		namespace_state(m, obj->name)->object = add ? obj : NULL;
		mark(&m->dirty_namespaces, obj->name);
		break;
	case KIND_NODE:
		mark(&m->dirty_nodes, obj->key);
		joins_of_node(m, obj);
		policies_mark_nodes(m);
		map_for_each(&m->unscheduled, node)
			mark(&m->dirty_pods, node->key);
		break;
	case KIND_POD:
		pod_state(m, obj)->object = add ? obj : NULL;
		mark(&m->dirty_pods, obj->key);
		attachments_of_pod(m, obj, add);
		break;
	case KIND_SERVICE:
		service_state(m, obj)->object = add ? obj : NULL;
		mark(&m->dirty_services, obj->key);
		isolation_of_service(m, obj, add);
		break;
	case KIND_MONITOR:
		services_mark_monitored(m, obj->key);
		break;
	case KIND_ENDPOINTS:
	case KIND_SLICE:
		index_endpoints(m, obj, add);
		break;
	case KIND_NETWORK:
		mark(&m->dirty_networks, obj->key);
		break;
	case KIND_ATTACHMENT:
		attachment_changed(m, obj);
		break;
	case KIND_LINK_LOCAL:
		link_local_publish(m, obj, add);
		break;
	case KIND_ROUTER:
		routers_mark(m, obj);
		break;
	case KIND_CHAIN:
		chain_state(m, obj)->object = add ? obj : NULL;
		mark(&m->dirty_chains, obj->key);
		break;
	case KIND_DEPLOYMENT:
	case KIND_REPLICA_SET:
	case KIND_STATEFUL_SET:
	case KIND_DAEMON_SET:
	case KIND_JOB:
		isolation_mark_controller(m, obj);
		break;
	case KIND_CLUSTER_POLICY:
		mark(&m->dirty_policies, obj->key);
		break;
	default:
		mark(&m->dirty_policies, obj->key);
		if (add)
			index_add(&m->policies_of_ns, obj->ns, obj->key, obj);
		else
			index_del(&m->policies_of_ns, obj->ns, obj->key);
		isolation_mark_policy(m, obj);
	}
	if (*obj->ns) {
		struct namespace_state *ns = namespace_state(m, obj->ns);

		ns->refs += add ? 1 : -1;
		if (!ns->refs)
			mark(&m->dirty_namespaces, obj->ns);
	}
}

void model_put(struct model *m, struct object *obj)
{
	struct object *old = map_keep(&m->objects[obj->kind], obj->key, obj);

	/* their status changes with each pod, and says nothing here */
	if (old && kind_is_controller(obj->kind) && labels_equal(old->labels, obj->labels)) {
		object_free(old);
		return;
	}
	if (old) {
		link_object(m, old, false);
		object_free(old);
	}
	link_object(m, obj, true);
}

void model_del(struct model *m, enum object_kind kind, const char *key)
{
	struct object *old = map_del(&m->objects[kind], key);

	if (!old)
		return;
	link_object(m, old, false);
	object_free(old);
}

unsigned int model_run(struct model *m)
{
	namespaces_reconcile(m);
	do {
		networks_reconcile(m);
		joins_reconcile(m);
		pods_reconcile(m);
	} while (m->dirty_networks.n);
	networks_tell(m);
	nodes_reconcile(m);
	routers_reconcile(m);
	chains_reconcile(m);
	policies_reconcile(m);
	groups_reconcile(m);
	policies_publish(m);
	pods_publish(m);
	services_reconcile(m);
	return store_commit(m->store);
}
