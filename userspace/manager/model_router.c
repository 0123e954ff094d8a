// SPDX-License-Identifier: GPL-2.0-only
/* Logical routers, a part of their network's resource, and link-local services. They are few, so
 * they are looked through.
 */
#include "field.h"
#include "model.h"
#include "xmem.h"

/* The network's; of several the first by name counts. */
static const struct object *router_of(const struct model *m, const char *network)
{
	const struct object *best = NULL;

	map_for_each(&m->objects[KIND_ROUTER], node) {
		const struct object *obj = node->value;

		if (!strcmp(obj->router->network, network) &&
		    (!best || strcmp(obj->key, best->key) < 0))
			best = obj;
	}
	return best;
}

static json_t *addresses(const struct router_spec *router)
{
	json_t *list = router->n_addrs ? mem_check(json_array()) : NULL;
	char text[ADDR_TEXT];
	size_t i;

	for (i = 0; i < router->n_addrs; i++)
		json_array_append_new(list, json_string(addr_text(&router->addrs[i], text)));
	return list;
}

static json_t *names(char *const *v, size_t n)
{
	json_t *list = n ? mem_check(json_array()) : NULL;
	size_t i;

	for (i = 0; i < n; i++)
		json_array_append_new(list, json_string(v[i]));
	return list;
}

static json_t *prefixes(const struct router_spec *router)
{
	json_t *list = router->n_plain ? mem_check(json_array()) : NULL;
	char text[PREFIX_TEXT];
	size_t i;

	for (i = 0; i < router->n_plain; i++)
		json_array_append_new(list, json_string(prefix_text(&router->plain[i], text)));
	return list;
}

/* Outside, an address is that of one network: of those that share some, the first by name is
 * reached. Which one goes before this network, or NULL.
 */
static const struct network_state *reached_instead(const struct model *m, const char *network)
{
	const struct network_state *net = map_get(&m->networks, network), *other;
	const struct prefix *ours, *theirs;

	map_for_each(&m->objects[KIND_ROUTER], node) {
		const struct object *obj = node->value;

		other = map_get(&m->networks, obj->router->network);
		if (obj->router->reachable && other && other->known && net && net->known &&
		    strcmp(other->key, network) < 0 && router_of(m, other->key) == obj &&
		    network_overlap(&net->ipam.net, &other->ipam.net, &ours, &theirs))
			return other;
	}
	return NULL;
}

json_t *router_egress(const struct model *m, const char *network)
{
	const struct object *obj = router_of(m, network);
	const struct router_spec *router;

	if (!obj)
		return strcmp(network, CLUSTER_NETWORK) ? NULL : mem_check(json_object());
	router = obj->router;
	return mem_check(json_pack("{s:o*, s:o*, s:o*, s:o*}", "addresses", addresses(router), "nodes",
				   names(router->nodes, router->n_nodes), "nonMasqueradeCIDRs",
				   prefixes(router), "reachable",
				   router->reachable && !reached_instead(m, network) ?
				   json_true() : NULL));
}

static char *problem_of(const struct model *m, const struct object *obj)
{
	const struct network_state *net = map_get(&m->networks, obj->router->network);
	const struct object *first = router_of(m, obj->router->network);
	const struct network_state *other;

	if (first != obj)
		return xasprintf("spec.network: %s has LogicalRouter %s already; ignored",
				 obj->router->network, first->key);
	if (!net || !net->known)
		return xasprintf("spec.network: there is no VirtualNetwork %s", obj->router->network);
	other = obj->router->reachable ? reached_instead(m, net->key) : NULL;
	if (other)
		return xasprintf("spec.reachable: %s has addresses of %s, which is reachable already; "
				 "not reachable", net->key, other->key);
	return NULL;
}

void routers_mark(struct model *m, const struct object *obj)
{
	mark(&m->dirty_networks, obj->router->network);
	namespaces_mark_fabric(m);
	m->routers_changed = true;
}

void routers_reconcile(struct model *m)
{
	if (!m->routers_changed)
		return;
	m->routers_changed = false;
	map_for_each(&m->router_problems, node) {
		if (map_get(&m->objects[KIND_ROUTER], node->key))
			continue;
		model_problem(m, (char **)&node->value, NULL, NULL);
		map_del(&m->router_problems, node->key);
	}
	map_for_each(&m->objects[KIND_ROUTER], node) {
		char *told = map_get(&m->router_problems, node->key);

		model_problem(m, &told, node->value, problem_of(m, node->value));
		if (told)
			map_set(&m->router_problems, node->key, told);
		else
			map_del(&m->router_problems, node->key);
	}
	/* one that went may have stood in another's way */
	map_for_each(&m->objects[KIND_ROUTER], node) {
		const struct object *obj = node->value;
		const struct network_state *net = map_get(&m->networks, obj->router->network);

		if (net && net->known)
			network_publish(m, net);
	}
}

/* --- link-local services -------------------------------------------------------- */

void link_local_publish(struct model *m, const struct object *obj, bool add)
{
	const struct link_local_spec *ll = obj->link_local;
	char text[ADDR_TEXT];

	if (!add) {
		store_del(m->store, RES_LINK_LOCAL, "", obj->name);
		return;
	}
	store_put(m->store, RES_LINK_LOCAL, "", obj->name, obj->uid, NULL,
		  json_pack("{s:s, s:s, s:s, s:i, s:i}", "network", CLUSTER_NETWORK, "address",
			    addr_text(&ll->addr, text), "protocol", protocol_name(ll->proto),
			    "port", (int)ll->port, "nodePort", (int)ll->node_port));
}
