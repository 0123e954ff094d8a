// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which networks of users are joined with the cluster's: pods that are in one by their first
 * interface have routes there, too, and reach the cluster's pods and services by theirs. So DNS,
 * the kubernetes service and kubelet's probes work, and a policy can open the border; that it is
 * closed otherwise is policy, too (model_isolation.c). An address leads to one pod only: a network
 * is joined if its subnets are within --joined-networks and nobody else's. Networks are few, so
 * they are looked through.
 */
#include "model.h"
#include "xmem.h"

/* Of two that overlap the older stays joined; manifests have no age. */
static int by_age(const void *a, const void *b)
{
	const struct network_state *x = *(struct network_state *const *)a;
	const struct network_state *y = *(struct network_state *const *)b;
	const char *x_made = x->object ? x->object->network->created : NULL;
	const char *y_made = y->object ? y->object->network->created : NULL;
	int diff = strcmp(x_made ? x_made : "", y_made ? y_made : "");

	return diff ? diff : strcmp(x->key, y->key);
}

static char *overlap(const struct network *net, const struct network *other, const char *whose)
{
	const struct prefix *ours, *theirs;
	char a[PREFIX_TEXT], b[PREFIX_TEXT];

	if (!network_overlap(net, other, &ours, &theirs))
		return NULL;
	return xasprintf("its %s overlaps %s of %s", prefix_text(ours, a), prefix_text(theirs, b),
			 whose);
}

static char *outside_of_ranges(const struct model *m, const struct network *net)
{
	const struct network *ranges = &m->cfg->joined;
	char text[PREFIX_TEXT];
	size_t i, j;

	for (i = 0; i < net->n; i++) {
		for (j = 0; j < ranges->n; j++)
			if (prefix_covers(&ranges->subnets[j], &net->subnets[i]))
				break;
		if (j == ranges->n)
			return xasprintf("its %s is not within --joined-networks",
					 prefix_text(&net->subnets[i], text));
	}
	return NULL;
}

static char *has_node(const struct model *m, const struct network *net)
{
	char text[ADDR_TEXT];
	size_t i;

	map_for_each(&m->objects[KIND_NODE], node) {
		const struct object *obj = node->value;

		for (i = 0; i < obj->node->n; i++)
			if (network_subnet_of(net, &obj->node->addrs[i]))
				return xasprintf("%s of its subnets is node %s's",
						 addr_text(&obj->node->addrs[i], text), obj->name);
	}
	return NULL;
}

/* Why it is not (to be freed), or NULL: it is. older: those that were looked at, n of them. */
static char *judge(const struct model *m, const struct network_state *net,
		   struct network_state *const *older, size_t n)
{
	const struct network *own = &net->ipam.net;
	char *why = outside_of_ranges(m, own);
	size_t i;

	if (!why)
		why = overlap(own, &m->cfg->pods, "the cluster's pods");
	if (!why)
		why = overlap(own, &m->cfg->services, "the cluster's services");
	if (!why)
		why = has_node(m, own);
	for (i = 0; !why && i < n; i++) {
		cleanup_free char *whose = xasprintf("VirtualNetwork %s, which is joined already",
						     older[i]->key);

		if (!older[i]->apart)
			why = overlap(own, &older[i]->ipam.net, whose);
	}
	return why;
}

/* Takes why over. Are other pods joined now? */
static bool set(struct model *m, struct network_state *net, char *why)
{
	bool joined = !why, changed = net->joined != joined;

	if (changed || strcmp(why ? why : "", net->apart ? net->apart : "")) {
		free(net->apart);
		net->apart = why;
		net->joined = joined;
		network_publish(m, net);
	} else {
		free(why);
	}
	if (!changed)
		return false;
	map_for_each(&net->pods, node) {
		mark(&m->dirty_pods, node->key);
		mark(&m->dirty_interfaces, node->key);
	}
	return true;
}

void joins_reconcile(struct model *m)
{
	struct network_state **nets;
	bool changed = m->joins_moved;
	size_t n = 0, i;

	if (!m->joins_changed)
		return;
	m->joins_changed = m->joins_moved = false;
	nets = xcalloc(m->networks.n, sizeof(*nets));
	map_for_each(&m->networks, node) {
		struct network_state *net = node->value;

		if (net->known && net->object)
			nets[n++] = net;
	}
	qsort(nets, n, sizeof(*nets), by_age);
	for (i = 0; i < n; i++)
		changed |= set(m, nets[i], judge(m, nets[i], nets, i));
	free(nets);
	/* what is inside of the cluster is not outside any more */
	if (changed)
		isolation_refresh_all(m);
}

void joins_of_node(struct model *m, const struct object *node)
{
	map_for_each(&m->networks, each) {
		const struct network_state *net = each->value;
		size_t i;

		for (i = 0; net->known && net->object && i < node->node->n; i++)
			m->joins_changed |= network_subnet_of(&net->ipam.net,
							      &node->node->addrs[i]) != NULL;
	}
}

bool pod_is_joined(const struct model *m, const struct pod_state *pod)
{
	const struct network_state *net = map_get(&m->networks, pod_network(m, pod));

	return net && net->joined;
}

json_t *join_of(const struct model *m, const struct network_state *net)
{
	const struct network *inside[] = { &m->cfg->pods, &m->cfg->services };
	json_t *list;
	char text[PREFIX_TEXT];
	size_t i, j;

	if (!net->joined)
		return NULL;
	list = mem_check(json_array());
	for (i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
		for (j = 0; j < inside[i]->n; j++)
			json_array_append_new(list, json_string(
				prefix_text(&inside[i]->subnets[j], text)));
	return mem_check(json_pack("{s:s, s:o}", "network", CLUSTER_NETWORK, "subnets", list));
}
