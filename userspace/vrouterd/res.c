// SPDX-License-Identifier: GPL-2.0-only
/* The end of resources, one function for each kind that owns more than its own struct. */

#include <stdlib.h>

#include "intern.h"
#include "model.h"

static void free_strings(char **list, unsigned int n)
{
	while (n)
		free(list[--n]);
	free(list);
}

static void free_sg(struct sg *sg)
{
	unsigned int i;

	for (i = 0; i < sg->n_rules; i++) {
		free(sg->rules[i].name);
		free(sg->rules[i].except);
		free(sg->rules[i].peer_sg);
	}
	free(sg->rules);
}

static void free_vmi(struct vmi *v)
{
	unsigned int i;

	intern_put(v->network);
	intern_put(v->joined);
	intern_put(v->node);
	intern_put(v->ifname);
	free(v->pod);
	free(v->config_hash);
	free(v->addrs);
	for (i = 0; i < v->n_sgs; i++)
		intern_put(v->sgs[i]);
	free(v->sgs);
	free_strings(v->additional, v->n_additional);
	for (i = 0; i < v->n_through; i++) {
		free(v->through[i].network);
		free(v->through[i].chain);
	}
	free(v->through);
}

static void free_chain(struct chain *c)
{
	unsigned int i;

	for (i = 0; i < c->n_instances; i++) {
		free(c->instances[i].pod);
		free(c->instances[i].node);
		free(c->instances[i].vmis[0]);
		free(c->instances[i].vmis[1]);
	}
	free(c->instances);
	free(c->nets[0]);
	free(c->nets[1]);
}

static void free_lb(struct lb *lb)
{
	unsigned int i;

	for (i = 0; i < lb->n_listeners; i++) {
		free(lb->listeners[i].name);
		free(lb->listeners[i].pool4);
		free(lb->listeners[i].pool6);
	}
	free(lb->listeners);
	free(lb->network);
	free(lb->vips);
	free(lb->external);
	free(lb->balanced);
	free(lb->ranges);
}

void res_is_elsewhere(struct res *r)
{
	free(r->uid);
	free(r->vmi.pod);
	free(r->vmi.config_hash);
	r->uid = NULL;
	r->vmi.pod = NULL;
	r->vmi.config_hash = NULL;
}

void res_free(struct res *r)
{
	unsigned int i;

	if (!r)
		return;
	switch (r->kind) {
	case RES_NETWORK:
		free(r->network.subnets);
		free(r->network.services);
		free(r->network.joined);
		free(r->network.inside);
		free(r->network.addrs);
		free(r->network.plain);
		free_strings(r->network.nodes, r->network.n_nodes);
		break;
	case RES_SG:
		free_sg(&r->sg);
		break;
	case RES_ROUTER:
		free(r->router.network);
		free(r->router.addrs);
		free(r->router.zone);
		for (i = 0; i < r->router.n_blocks; i++)
			intern_put(r->router.blocks[i].network);
		free(r->router.blocks);
		break;
	case RES_CHAIN:
		free_chain(&r->chain);
		break;
	case RES_VMI:
		free_vmi(&r->vmi);
		break;
	case RES_POOL:
		for (i = 0; i < r->pool.n_members; i++) {
			free(r->pool.members[i].target);
			intern_put(r->pool.members[i].node);
			free_strings(r->pool.members[i].zones, r->pool.members[i].n_zones);
			free_strings(r->pool.members[i].nodes, r->pool.members[i].n_nodes);
		}
		free(r->pool.members);
		free(r->pool.shard_of);
		monitor_free(r->pool.monitor);
		intern_put(r->pool.network);
		break;
	case RES_LINK_LOCAL:
		free(r->link_local.network);
		break;
	case RES_LB:
		free_lb(&r->lb);
		break;
	default:
		break;
	}
	free(r->key);
	free(r->uid);
	free(r);
}
