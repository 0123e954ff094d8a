// SPDX-License-Identifier: GPL-2.0-only
/*
 * Service chains: what goes between two networks goes through a pod that is in both. The
 * interfaces in each network are routed in the other one, too, by way of the instances
 * ("through" in their resource).
 */
#include "model.h"
#include "xmem.h"

void chains_mark(struct model *m, const struct pod_state *pod)
{
	const struct map *chains = index_get(&m->chains_of_ns, pod->ns);

	if (!chains)
		return;
	map_for_each(chains, node)
		mark(&m->dirty_chains, node->key);
}

static const struct pod_interface *interface_in(const struct pod_state *pod,
						const struct network_state *net)
{
	size_t i;

	for (i = 0; i < pod->n_ifs; i++)
		if (pod->ifs[i].net == net)
			return &pod->ifs[i];
	return NULL;
}

json_t *chains_through(const struct network_state *net, const struct pod_state *pod)
{
	struct map_node **nodes = map_sorted(&net->chains);
	json_t *list = NULL;
	size_t i;

	for (i = 0; i < net->chains.n; i++) {
		const struct chain_state *chain = nodes[i]->value;
		bool is_left = chain->left == net;

		if (!chain->pair || map_get(&chain->instances, pod->key))
			continue;
		list = list ? list : mem_check(json_array());
		json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "network",
						      is_left ? chain->right->key : chain->left->key,
						      "chain", chain->key, "side",
						      is_left ? "right" : "left"));
	}
	free(nodes);
	return list;
}

/* --- which pods ----------------------------------------------------------------- */

struct pick_arg {
	struct chain_state	*chain;
	const struct model	*m;
	struct map		*out;
};

static void pick(const char *bucket, void *p)
{
	struct pick_arg *arg = p;
	const struct map *pods = index_get(&arg->m->pod_index, bucket);

	if (!pods)
		return;
	map_for_each(pods, node) {
		struct pod_state *pod = node->value;

		if (pod->has_interface && interface_in(pod, arg->chain->left) &&
		    interface_in(pod, arg->chain->right) &&
		    selector_matches(arg->chain->object->chain->pods, pod->labels))
			map_set(arg->out, node->key, pod);
	}
}

/* One that is or was an instance is routed otherwise than before. */
static void set_instances(struct model *m, struct chain_state *chain, struct map *now)
{
	struct map was = chain->instances;

	map_for_each(&was, node)
		if (!map_get(now, node->key))
			mark(&m->dirty_interfaces, node->key);
	map_for_each(now, node)
		if (!map_get(&was, node->key))
			mark(&m->dirty_interfaces, node->key);
	map_clear(&was, NULL);
	chain->instances = *now;
}

static json_t *instance(const struct chain_state *chain, const struct pod_state *pod)
{
	cleanup_free char *left = xasprintf("%s/%s", pod->ns, interface_in(pod, chain->left)->resource);
	cleanup_free char *right = xasprintf("%s/%s", pod->ns,
					     interface_in(pod, chain->right)->resource);

	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "pod", pod->key, "node", pod->node, "state",
			 pod->object->pod->terminating ? "draining" : "active", "left", left,
			 "right", right);
}

static void publish(struct model *m, struct chain_state *chain)
{
	struct map_node **nodes = map_sorted(&chain->instances);
	json_t *list = mem_check(json_array());
	size_t i;

	for (i = 0; i < chain->instances.n; i++) {
		const struct pod_state *pod = nodes[i]->value;

		if (pod->object->pod->ready)
			json_array_append_new(list, instance(chain, pod));
	}
	free(nodes);
	store_put(m->store, RES_CHAIN, chain->ns, chain->object->name, chain->object->uid, NULL,
		  json_pack("{s:s, s:s, s:o}", "left", chain->left->key, "right",
			    chain->right->key, "instances", list));
}

/* --- between which networks ------------------------------------------------------ */

static void mark_interfaces(struct model *m, const struct network_state *net)
{
	map_for_each(&net->pods, node)
		mark(&m->dirty_interfaces, node->key);
}

/* The chain no longer holds; others may want its place. */
static void give_up(struct model *m, struct chain_state *chain)
{
	if (!chain->pair || !chain->left || !chain->right)
		return;
	map_del(&m->chain_pairs, chain->pair);
	isolation_refresh_all(m);
	free(chain->pair);
	chain->pair = NULL;
	store_del(m->store, RES_CHAIN, chain->ns, strchr(chain->key, '/') + 1);
	mark_interfaces(m, chain->left);
	mark_interfaces(m, chain->right);
	map_for_each(&m->chains, node)
		if (((struct chain_state *)node->value)->problem)
			mark(&m->dirty_chains, node->key);
}

static void unlink_networks(struct model *m, struct chain_state *chain)
{
	struct network_state *nets[] = { chain->left, chain->right };
	size_t i;

	chain->left = chain->right = NULL;
	for (i = 0; i < 2; i++) {
		if (!nets[i])
			continue;
		map_del(&nets[i]->chains, chain->key);
		network_put(m, nets[i]);
	}
}

static void link_networks(struct model *m, struct chain_state *chain)
{
	const struct chain_spec *spec = chain->object->chain;

	if (chain->left && !strcmp(chain->left->key, spec->left) &&
	    !strcmp(chain->right->key, spec->right))
		return;
	give_up(m, chain);
	unlink_networks(m, chain);
	chain->left = network_get(m, spec->left);
	chain->right = network_get(m, spec->right);
	map_set(&chain->left->chains, chain->key, chain);
	map_set(&chain->right->chains, chain->key, chain);
}

/* The problem (to be freed), or NULL: the chain holds. */
static char *take_place(struct model *m, struct chain_state *chain)
{
	const struct network_state *l = chain->left, *r = chain->right;
	bool ordered = strcmp(l->key, r->key) < 0;
	const struct chain_state *other;
	char *pair;

	if (!l->known || !r->known)
		return xasprintf("spec.%s: there is no VirtualNetwork %s", l->known ? "right" : "left",
				 l->known ? r->key : l->key);
	if (chain->pair)
		return NULL;
	pair = xasprintf("%s %s", ordered ? l->key : r->key, ordered ? r->key : l->key);
	other = map_get(&m->chain_pairs, pair);
	if (other) {
		free(pair);
		return xasprintf("%s and %s are chained by ServiceChain %s already", l->key, r->key,
				 other->key);
	}
	map_set(&m->chain_pairs, pair, chain);
	isolation_refresh_all(m);
	chain->pair = pair;
	mark_interfaces(m, l);
	mark_interfaces(m, r);
	return NULL;
}

static void chain_reconcile(struct model *m, struct chain_state *chain)
{
	struct pick_arg arg = { .chain = chain, .m = m };
	struct map now = {};
	char *problem;

	link_networks(m, chain);
	problem = take_place(m, chain);
	if (problem) {
		give_up(m, chain);
		set_instances(m, chain, &now);
		model_problem(m, &chain->problem, chain->object, problem);
		return;
	}
	arg.out = &now;
	buckets_of_selector(chain->ns, chain->object->chain->pods, pick, &arg);
	set_instances(m, chain, &now);
	model_problem(m, &chain->problem, chain->object,
		      now.n ? NULL : xasprintf("spec.podSelector: no pod with interfaces in %s and "
					       "%s matches it; nothing passes", chain->left->key,
					       chain->right->key));
	publish(m, chain);
}

static void chain_forget(struct model *m, struct chain_state *chain)
{
	struct map none = {};

	give_up(m, chain);
	set_instances(m, chain, &none);
	unlink_networks(m, chain);
	model_problem(m, &chain->problem, NULL, NULL);
	index_del(&m->chains_of_ns, chain->ns, chain->key);
	chain_state_free(map_del(&m->chains, chain->key));
}

void chains_reconcile(struct model *m)
{
	struct map_node **nodes;
	size_t i;

	/* twice: what one gives up another may take */
	while (m->dirty_chains.n) {
		struct map dirty = m->dirty_chains;

		memset(&m->dirty_chains, 0, sizeof(m->dirty_chains));
		nodes = map_sorted(&dirty);
		for (i = 0; i < dirty.n; i++) {
			struct chain_state *chain = map_get(&m->chains, nodes[i]->key);

			if (chain && !chain->object)
				chain_forget(m, chain);
			else if (chain)
				chain_reconcile(m, chain);
		}
		free(nodes);
		map_clear(&dirty, NULL);
	}
}

void chain_state_free(void *value)
{
	struct chain_state *chain = value;

	map_clear(&chain->instances, NULL);
	free(chain->problem);
	free(chain->pair);
	free(chain->key);
	free(chain->ns);
	free(chain);
}
