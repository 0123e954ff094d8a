// SPDX-License-Identifier: GPL-2.0-only
/* Nodes: where their vrouters are. */
#include "model.h"
#include "xmem.h"

/* The blocks of addresses that the node has, of all networks by name. */
struct block_list {
	const char	*network;
	json_t		*list;
};

static void add_block(const struct prefix *block, void *arg)
{
	struct block_list *to = arg;
	char text[PREFIX_TEXT];

	json_array_append_new(to->list, json_pack("{s:s, s:s}", "network", to->network, "cidr",
						  prefix_text(block, text)));
}

/* NULL: none. */
static json_t *blocks_of(const struct model *m, const char *name)
{
	struct map_node **nets = map_sorted(&m->networks);
	struct block_list to = { .list = mem_check(json_array()) };
	size_t i;

	for (i = 0; i < m->networks.n; i++) {
		const struct network_state *net = nets[i]->value;

		to.network = net->key;
		if (net->known)
			ipam_blocks(&net->ipam, name, add_block, &to);
	}
	free(nets);
	if (json_array_size(to.list))
		return to.list;
	json_decref(to.list);
	return NULL;
}

static void node_reconcile(struct model *m, const char *name)
{
	const struct object *obj = map_get(&m->objects[KIND_NODE], name);
	json_t *addrs;
	char text[ADDR_TEXT];
	size_t i;

	if (!obj) {
		store_del(m->store, RES_ROUTER, "", name);
		return;
	}
	addrs = mem_check(json_array());
	for (i = 0; i < obj->node->n; i++)
		json_array_append_new(addrs, json_string(addr_text(&obj->node->addrs[i], text)));
	store_put(m->store, RES_ROUTER, "", name, obj->uid, NULL,
		  json_pack("{s:o, s:s, s:s*, s:o*, s:o*}", "addresses", addrs, "network",
			    CLUSTER_NETWORK, "zone", obj->node->zone, "blocks",
			    blocks_of(m, name), "leaving",
			    obj->node->leaving ? json_true() : NULL));
}

void nodes_reconcile(struct model *m)
{
	struct map_node **nodes = map_sorted(&m->dirty_nodes);
	size_t i, n = m->dirty_nodes.n;

	for (i = 0; i < n; i++)
		node_reconcile(m, nodes[i]->key);
	free(nodes);
	map_clear(&m->dirty_nodes, NULL);
}
