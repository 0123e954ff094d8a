// SPDX-License-Identifier: GPL-2.0-only
/* What a Namespace's annotations say of the networks of its pods. */
#include "model.h"
#include "xmem.h"

#define NETWORK_ANNOTATION "opencontrail.org/network"
#define FABRIC_ANNOTATION "opencontrail.org/ip_fabric_forwarding"

const char *namespace_annotation(const struct object *obj, const char *key)
{
	const json_t *meta = obj ? json_object_get(obj->source, "metadata") : NULL;

	return json_string_value(json_object_get(json_object_get(meta, "annotations"), key));
}

/*
 * "name", "namespace/name" or {"project": ..., "name": ...}, as of pods. What is none of these
 * is the name of a network that is not there: the namespace's pods say so, and are in no other.
 */
static char *reference(const struct namespace_state *ns)
{
	const char *text = namespace_annotation(ns->object, NETWORK_ANNOTATION), *project, *name;
	json_t *o;
	char *ref;

	if (!text)
		return NULL;
	if (*text != '{')
		return strchr(text, '/') ? xstrdup(text) : xasprintf("%s/%s", ns->name, text);
	o = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	project = json_string_value(json_object_get(o, "project"));
	name = json_string_value(json_object_get(o, "name"));
	ref = xasprintf("%s/%s", project ? project : ns->name, name ? name : text);
	json_decref(o);
	return ref;
}

static bool is_reachable(const struct model *m, const char *network)
{
	map_for_each(&m->objects[KIND_ROUTER], node) {
		const struct object *obj = node->value;

		if (!strcmp(obj->router->network, network) && obj->router->reachable)
			return true;
	}
	return false;
}

/*
 * Outside, addresses are routed by prefix, and a prefix is a network's. A namespace in a network
 * with others cannot have it alone.
 */
static char *fabric_problem(const struct model *m, const struct namespace_state *ns)
{
	const char *value = namespace_annotation(ns->object, FABRIC_ANNOTATION);

	if (!value || strcmp(value, "true") || (ns->network && is_reachable(m, ns->network)))
		return NULL;
	if (ns->network)
		return xasprintf("annotation " FABRIC_ANNOTATION ": has no effect by itself; give "
				 "VirtualNetwork %s a LogicalRouter with reachable: true",
				 ns->network);
	return xstrdup("annotation " FABRIC_ANNOTATION ": has no effect on a namespace in the "
		       "cluster's network; give it a VirtualNetwork of its own (annotation "
		       NETWORK_ANNOTATION "), and that a LogicalRouter with reachable: true");
}

/* Who writes neither of the two means something: the stricter of them is in force. */
static char *unclear(const struct namespace_state *ns)
{
	static const struct { const char *key, *instead; } switches[] = {
		{ ISOLATION_ANNOTATION, "taken for \"true\"" },
		{ SNAT_ANNOTATION, "taken for \"false\"" },
		{ FABRIC_ANNOTATION, "ignored" },
	};
	const char *value;
	size_t i;

	for (i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		value = namespace_annotation(ns->object, switches[i].key);
		if (value && strcmp(value, "true") && strcmp(value, "false"))
			return xasprintf("metadata.annotations[%s]: must be \"true\" or \"false\", "
					 "not \"%.60s\"; %s", switches[i].key, value,
					 switches[i].instead);
	}
	return NULL;
}

static void mark_pods(struct model *m, const char *ns)
{
	const struct map *pods = index_get(&m->pods_of_ns, ns);

	if (!pods)
		return;
	map_for_each(pods, node)
		mark(&m->dirty_pods, node->key);
}

void namespace_networks(struct model *m, struct namespace_state *ns)
{
	bool came = ns->object && !ns->seen;
	char *network, *problem;

	/* it may be heard of before its last pods that it is gone, and they stay where they are */
	if (!ns->object && m->cfg->api) {
		model_problem(m, &ns->problem, NULL, NULL);
		return;
	}
	network = reference(ns);
	ns->seen = ns->object;
	if (user_groups_of_namespace_changed(ns) || came || !network != !ns->network ||
	    (network && strcmp(network, ns->network)))
		mark_pods(m, ns->name);
	free(ns->network);
	ns->network = network;
	problem = unclear(ns);
	model_problem(m, &ns->problem, ns->object, problem ? problem : fabric_problem(m, ns));
}

bool namespace_is_awaited(const struct model *m, const char *name)
{
	const struct namespace_state *ns = map_get(&m->namespaces, name);

	return m->cfg->api && (!ns || !ns->seen);
}

void namespaces_mark_fabric(struct model *m)
{
	map_for_each(&m->namespaces, node) {
		const struct namespace_state *ns = node->value;

		if (namespace_annotation(ns->object, FABRIC_ANNOTATION))
			mark(&m->dirty_namespaces, ns->name);
	}
}

const char *pod_network(const struct model *m, const struct pod_state *pod)
{
	const struct namespace_state *ns = map_get(&m->namespaces, pod->ns);

	if (pod->object->pod->network)
		return pod->object->pod->network;
	return ns && ns->network ? ns->network : CLUSTER_NETWORK;
}
