// SPDX-License-Identifier: GPL-2.0-only
/* Nodes: where their vrouters are. */
#include "model.h"
#include "xmem.h"

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
		  json_pack("{s:o, s:s, s:s*, s:o*}", "addresses", addrs, "network", CLUSTER_NETWORK,
			    "zone", obj->node->zone, "leaving",
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
