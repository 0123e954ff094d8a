// SPDX-License-Identifier: GPL-2.0-only
/* Pods: addresses, MACs, the label index, interfaces. */
#include "mem.h"
#include "model.h"

#define INTERFACE_NAME "eth0"

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
static void reindex(struct model *m, struct pod_state *pod, json_t *labels)
{
	struct bucket_arg arg = { .m = m, .pod = pod };

	if (pod->labels)
		buckets_of_pod(pod->ns, pod->labels, index_bucket, &arg);
	json_decref(pod->labels);
	pod->labels = json_incref(labels);
	arg.add = true;
	if (labels)
		buckets_of_pod(pod->ns, labels, index_bucket, &arg);
}

/* --- addresses -------------------------------------------------------------- */

const char *instance_ip_name(const struct addr *a, char *buf)
{
	char *colon;

	addr_text(a, buf);
	while ((colon = strchr(buf, ':')))
		*colon = '-';
	return buf;
}

static void release_addr(struct model *m, struct pod_state *pod, enum family f)
{
	char name[ADDR_TEXT];

	if (pod->owns_addr[f]) {
		ipam_release(&m->pod_ipam, &pod->addr[f]);
		store_del(m->store, RES_INSTANCE_IP, "", instance_ip_name(&pod->addr[f], name));
		m->released = true;
	}
	pod->owns_addr[f] = pod->has_addr[f] = false;
}

/*
 * 02 (locally administered) and five octets of a hash. Of two that hash to the same, the one
 * that comes first by name keeps it.
 */
static void assign_mac(struct model *m, struct pod_state *pod)
{
	unsigned int again;

	for (again = 0; !*pod->mac; again++) {
		cleanup_free char *seed = xasprintf("mac %s %u", pod->object->uid, again);
		uint64_t h = stable_hash(seed);
		char text[sizeof(pod->mac)];

		snprintf(text, sizeof(text), "02:%02x:%02x:%02x:%02x:%02x", (int)(h & 0xff),
			 (int)(h >> 8 & 0xff), (int)(h >> 16 & 0xff), (int)(h >> 24 & 0xff),
			 (int)(h >> 32 & 0xff));
		if (map_get(&m->macs, text))
			continue;
		mark(&m->macs, text);
		strcpy(pod->mac, text);
	}
}

/* The problem, or NULL. */
static char *take_addrs(struct model *m, struct pod_state *pod)
{
	const struct pod_spec *spec = pod->object->pod;
	cleanup_free char *owner = xasprintf("pod %s", pod->key);
	char *problem = NULL;
	enum family f;

	for (f = V4; f < FAMILIES && !problem; f++) {
		if (!m->cfg->pods.has[f] || pod->owns_addr[f])
			continue;
		if (spec->has_addr[f]) {
			pod->addr[f] = spec->addr[f];
			problem = ipam_claim(&m->pod_ipam, &pod->addr[f], owner);
		} else {
			problem = ipam_allocate(&m->pod_ipam, f, owner, &pod->addr[f]);
		}
		pod->has_addr[f] = pod->owns_addr[f] = !problem;
	}
	return problem;
}

/* --- what a pod is to have ---------------------------------------------------- */

static const char *node_of(const struct model *m, const struct pod_state *pod)
{
	return pod->object->pod->node ? pod->object->pod->node : model_only_node(m);
}

static bool wants_interface(const struct pod_state *pod)
{
	return pod->object && !pod->object->pod->finished && !pod->object->pod->host_network;
}

static void drop_interface(struct model *m, struct pod_state *pod)
{
	enum family f;

	for (f = V4; f < FAMILIES; f++)
		release_addr(m, pod, f);
	pod_leave_groups(m, pod);
	if (*pod->mac)
		map_del(&m->macs, pod->mac);
	*pod->mac = '\0';
	pod->has_interface = false;
	store_del(m->store, RES_INTERFACE, pod->ns, strchr(pod->key, '/') + 1);
}

/* Gives back what the pod no longer has, before others ask for addresses. */
static void shed(struct model *m, struct pod_state *pod)
{
	const struct pod_spec *spec = pod->object ? pod->object->pod : NULL;
	enum family f;

	if (pod->labels)
		services_mark(m, pod->ns, pod->labels);
	if (!wants_interface(pod) || !node_of(m, pod)) {
		drop_interface(m, pod);
		return;
	}
	for (f = V4; f < FAMILIES; f++)
		if (pod->owns_addr[f] && spec->has_addr[f] &&
		    !addr_equal(&pod->addr[f], &spec->addr[f]))
			release_addr(m, pod, f);
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
	model_problem(m, &pod->problem, NULL, NULL);
	map_del(&m->unscheduled, pod->key);
	map_del(&m->starved_pods, pod->key);
	pod_state_free(map_del(&m->pods, pod->key));
}

/* All or nothing: a pod with half of its addresses would fail in ways hard to see. */
static char *set_up_interface(struct model *m, struct pod_state *pod)
{
	char *problem;

	if (!pod->node)
		return xasprintf(
			"spec.nodeName: is not given, and there are %zu nodes to choose from; "
			"the pod gets no interface",
			m->objects[KIND_NODE].n);
	problem = take_addrs(m, pod);
	if (problem) {
		drop_interface(m, pod);
		mark(&m->starved_pods, pod->key);
		return problem;
	}
	map_del(&m->starved_pods, pod->key);
	assign_mac(m, pod);
	pod->has_interface = true;
	return NULL;
}

static void pod_reconcile(struct model *m, struct pod_state *pod)
{
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
		problem = set_up_interface(m, pod);
	else if (pod->object->pod->host_network)
		use_host_addrs(pod);
	model_problem(m, &pod->problem, pod->object, problem);
	pod->serves = !pod->object->pod->finished && (pod->has_addr[V4] || pod->has_addr[V6]);
	reindex(m, pod, pod->serves ? pod->object->labels : NULL);
	if (pod->labels)
		services_mark(m, pod->ns, pod->labels);
	mark(&m->dirty_members, pod->key);
}

/* Given addresses before those that are found, so that they are still free. */
static bool has_given_addr(const struct pod_state *pod)
{
	return pod->object && (pod->object->pod->has_addr[V4] || pod->object->pod->has_addr[V6]);
}

void pods_reconcile(struct model *m)
{
	struct map_node **nodes;
	int given;
	size_t i;

	map_for_each(&m->dirty_pods, node)
		shed(m, map_get(&m->pods, node->key));
	if (m->released)
		map_for_each(&m->starved_pods, node)
			mark(&m->dirty_pods, node->key);
	nodes = map_sorted(&m->dirty_pods);
	for (given = 1; given >= 0; given--) {
		for (i = 0; i < m->dirty_pods.n; i++) {
			struct pod_state *pod = map_get(&m->pods, nodes[i]->key);

			if (pod && has_given_addr(pod) == given)
				pod_reconcile(m, pod);
		}
	}
	free(nodes);
	/* Not before: what a starved pod gave back would set it again. */
	m->released = false;
	map_clear(&m->dirty_pods, NULL);
}

/* --- resources --------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* References of all SecurityGroups that the pod is in, sorted. */
static json_t *security_groups(const struct pod_state *pod)
{
	json_t *list = mem_check(json_array());
	char **names = NULL;
	size_t i, n = 0;

	map_for_each(&pod->groups, node) {
		const struct membership *ms = node->value;

		for (i = 0; i < ms->n && group_is_published(ms->group); i++)
			*(char **)array_push(&names, &n, sizeof(*names)) =
				variant_reference(map_get(&ms->group->variants, ms->variants[i]));
	}
	if (n)
		qsort(names, n, sizeof(*names), by_text);
	for (i = 0; i < n; i++) {
		json_array_append_new(list, json_string(names[i]));
		free(names[i]);
	}
	free(names);
	return list;
}

static void publish(struct model *m, const struct pod_state *pod)
{
	json_t *addrs = mem_check(json_array()), *notes = NULL;
	enum family order[FAMILIES], f;
	char text[ADDR_TEXT], name[ADDR_TEXT];
	int i;

	order[0] = m->cfg->pods.primary;
	order[1] = order[0] == V4 ? V6 : V4;
	for (i = 0; i < FAMILIES; i++) {
		f = order[i];
		if (!pod->has_addr[f])
			continue;
		addr_text(&pod->addr[f], text);
		json_array_append_new(addrs, json_string(text));
		store_put(m->store, RES_INSTANCE_IP, "", instance_ip_name(&pod->addr[f], name),
			  NULL, NULL,
			  json_pack("{s:s, s:s, s:s, s:s}", "address", text, "family",
				    family_name(f), "network", CLUSTER_NETWORK, "interface",
				    pod->key));
	}
	if (pod->object->pod->config_hash)
		notes = json_pack("{s:s}", CONFIG_HASH, pod->object->pod->config_hash);
	store_put(m->store, RES_INTERFACE, pod->ns, pod->object->name, pod->object->uid, notes,
		  json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:i}", "network", CLUSTER_NETWORK,
			    "node", pod->node, "pod", pod->object->name, "interface",
			    INTERFACE_NAME, "macAddress", pod->mac, "addresses", addrs,
			    "securityGroups", security_groups(pod), "mtu", (int)m->cfg->mtu));
}

void pods_publish(struct model *m)
{
	map_for_each(&m->dirty_interfaces, node) {
		const struct pod_state *pod = map_get(&m->pods, node->key);

		if (pod && pod->has_interface)
			publish(m, pod);
	}
	map_clear(&m->dirty_interfaces, NULL);
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
	json_decref(pod->labels);
	free(pod->problem);
	free(pod->key);
	free(pod->ns);
	free(pod);
}
