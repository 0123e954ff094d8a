// SPDX-License-Identifier: GPL-2.0-only
/* Pods: where they are, the label index. */
#include "model.h"
#include "xmem.h"

struct bucket_arg {
	struct model		*m;
	struct pod_state	*pod;
	bool			add;
};

static void index_bucket(const char *bucket, void *p)
{
	struct bucket_arg *arg = p;

	if (arg->add)
		index_add(&arg->m->pod_index, bucket, arg->pod->key, arg->pod);
	else
		index_del(&arg->m->pod_index, bucket, arg->pod->key);
}

/* Takes the pod out of the index, and puts it back under these labels (NULL: not). */
static void reindex(struct model *m, struct pod_state *pod, struct labels *labels)
{
	struct bucket_arg arg = { .m = m, .pod = pod };

	if (pod->labels)
		buckets_of_pod(pod->ns, pod->labels, index_bucket, &arg);
	labels_put(pod->labels);
	pod->labels = labels ? labels_ref(labels) : NULL;
	arg.add = true;
	if (labels)
		buckets_of_pod(pod->ns, labels, index_bucket, &arg);
}

/* --- what a pod is to have ---------------------------------------------------- */

static const char *node_of(const struct model *m, const struct pod_state *pod)
{
	if (pod->object->pod->node || m->cfg->api)
		return pod->object->pod->node;
	return model_only_node(m);
}

static bool wants_interface(const struct pod_state *pod)
{
	return pod->object && !pod->object->pod->finished && !pod->object->pod->host_network;
}

/* Gives back what the pod no longer has, before others ask for addresses. */
static void shed(struct model *m, struct pod_state *pod)
{
	if (pod->labels)
		services_mark(m, pod->ns, pod->labels);
	if (!wants_interface(pod) || !node_of(m, pod))
		interfaces_drop(m, pod);
	else
		interfaces_shed(m, pod);
}

/* A pod in the node's own network: known to services by the address that its status has. */
static void use_host_addrs(struct pod_state *pod)
{
	const struct pod_spec *spec = pod->object->pod;
	enum family f;

	for (f = V4; f < FAMILIES; f++) {
		pod->has_addr[f] = spec->has_addr[f];
		pod->addr[f] = spec->addr[f];
	}
}

static void pod_forget(struct model *m, struct pod_state *pod)
{
	reindex(m, pod, NULL);
	isolation_forget(m, pod);
	chains_mark(m, pod);
	model_problem(m, &pod->problem, NULL, NULL);
	map_del(&m->unscheduled, pod->key);
	map_del(&m->starved_pods, pod->key);
	index_del(&m->pods_of_ns, pod->ns, pod->key);
	pod_state_free(map_del(&m->pods, pod->key));
}

/*
 * A pod does not begin without a group that it is to be in. One that has an interface keeps it
 * when the group is deleted, as it would without a NetworkPolicy that is.
 */
static char *set_up_in_groups(struct model *m, struct pod_state *pod)
{
	cleanup_free char *missing = user_groups_missing(m, pod);
	char *problem;

	if (missing && !pod->has_interface && !interfaces_pinned(m, pod))
		return xasprintf("annotation " GROUPS_ANNOTATION " of the pod or its namespace: there is no SecurityGroup %s; the "
				 "pod gets no interface until there is", missing);
	problem = interfaces_set_up(m, pod);
	if (!problem && missing)
		problem = xasprintf("annotation " GROUPS_ANNOTATION " of the pod or its namespace: there is no SecurityGroup %s "
				    "any more; the pod is not in it", missing);
	return problem;
}

static char *set_up_interfaces(struct model *m, struct pod_state *pod)
{
	char *problem;

	if (!pod->node && m->cfg->api)
		return NULL;	/* the scheduler's turn */
	if (!pod->node)
		return xasprintf(
			"spec.nodeName: is not given, and there are %zu nodes to choose from; "
			"the pod gets no interface",
			m->objects[KIND_NODE].n);
	if (!pod->n_ifs && namespace_is_awaited(m, pod->ns))
		return NULL;
	problem = set_up_in_groups(m, pod);
	if (problem && !pod->has_interface)
		mark(&m->starved_pods, pod->key);
	else
		map_del(&m->starved_pods, pod->key);
	return problem;
}

/* One in its node's own network is, as far as services care, and one in a joined network. */
static bool is_in_cluster_network(const struct model *m, const struct pod_state *pod)
{
	return pod->object->pod->host_network || !strcmp(pod_network(m, pod), CLUSTER_NETWORK) ||
	       pod_is_joined(m, pod);
}

static void pod_reconcile(struct model *m, struct pod_state *pod)
{
	struct labels *labels = NULL;
	char *problem = NULL;

	if (!pod->object) {
		pod_forget(m, pod);
		return;
	}
	if (pod->object->pod->node)
		map_del(&m->unscheduled, pod->key);
	else
		mark(&m->unscheduled, pod->key);
	pod->node = node_of(m, pod);
	if (wants_interface(pod))
		problem = set_up_interfaces(m, pod);
	else if (pod->object->pod->host_network)
		use_host_addrs(pod);
	model_problem(m, &pod->problem, pod->object, problem);
	/* services are the cluster network's */
	pod->serves = !pod->object->pod->finished && is_in_cluster_network(m, pod) &&
		      (pod->has_addr[V4] || pod->has_addr[V6]);
	if (pod->serves || pod->has_interface)
		labels = isolation_labels(m, pod);
	else
		isolation_forget(m, pod);
	reindex(m, pod, labels);
	labels_put(labels);
	if (pod->labels)
		services_mark(m, pod->ns, pod->labels);
	chains_mark(m, pod);
	mark(&m->dirty_members, pod->key);
}

enum turn { GIVEN, PINNED, FOUND, TURNS };

/*
 * Given addresses and those written down before those that are found: so they are still free,
 * and it is known whose the blocks are.
 */
static enum turn turn_of(const struct model *m, const struct pod_state *pod)
{
	if (!pod->object)
		return GIVEN;
	if (pod->object->pod->has_addr[V4] || pod->object->pod->has_addr[V6])
		return GIVEN;
	return interfaces_pinned(m, pod) ? PINNED : FOUND;
}

void pods_reconcile(struct model *m)
{
	struct map_node **nodes;
	enum turn turn;
	size_t i, n;

	map_for_each(&m->dirty_pods, node)
		shed(m, map_get(&m->pods, node->key));
	if (m->released)
		map_for_each(&m->starved_pods, node)
			mark(&m->dirty_pods, node->key);
	nodes = map_sorted(&m->dirty_pods);
	n = m->dirty_pods.n;
	for (turn = GIVEN; turn < TURNS; turn++) {
		for (i = 0; i < n; i++) {
			struct pod_state *pod = map_get(&m->pods, nodes[i]->key);

			if (pod && turn_of(m, pod) == turn)
				pod_reconcile(m, pod);
		}
	}
	free(nodes);
	/* Not before: what a starved pod gave back would set it again. */
	m->released = false;
	map_clear(&m->dirty_pods, NULL);
}

void pod_state_free(void *value)
{
	struct pod_state *pod = value;
	size_t i;

	map_for_each(&pod->groups, node) {
		struct membership *ms = node->value;

		for (i = 0; i < ms->n; i++)
			free(ms->variants[i]);
		free(ms->variants);
		free(ms);
	}
	map_clear(&pod->groups, NULL);
	while (pod->n_ifs) {
		free(pod->ifs[--pod->n_ifs].name);
		free(pod->ifs[pod->n_ifs].resource);
	}
	free(pod->ifs);
	labels_put(pod->labels);
	free(pod->problem);
	free(pod->notice);
	free(pod->domain);
	free(pod->key);
	free(pod->ns);
	free(pod);
}
