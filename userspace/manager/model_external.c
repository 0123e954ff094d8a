// SPDX-License-Identifier: GPL-2.0-only
/*
 * External addresses of services. The API server gives a cluster's address to one service only; these it
 * takes as they are, and of two services at the same address, protocol and port one only can be reached.
 */
#include "field.h"
#include "model.h"
#include "xmem.h"

typedef void visit_fn(struct model *m, struct service_state *svc, const char *place, void *arg);

static void each_place(struct model *m, struct service_state *svc, const struct addr *list, size_t n,
		       visit_fn *visit, void *arg)
{
	const struct service_spec *spec = svc->object->service;
	char text[ADDR_TEXT];
	size_t i, j;

	for (i = 0; i < n; i++) {
		for (j = 0; j < spec->n_ports; j++) {
			cleanup_free char *place = xasprintf("%s, %s port %u,", addr_text(&list[i], text),
							     protocol_name(spec->ports[j].proto),
							     spec->ports[j].number);

			visit(m, svc, place, arg);
		}
	}
}

static void take_place(struct model *m, struct service_state *svc, const char *place, void *arg)
{
	const struct map *others = index_get(&m->externals, place), none = {};
	char **problem = arg;

	map_for_each(others ? others : &none, node) {
		if (*problem || !strcmp(node->key, svc->key))
			continue;
		*problem = xasprintf("external address %s is that of service %s, too; which of them it "
				     "reaches is not defined", place, node->key);
	}
	index_add(&m->externals, place, svc->key, svc);
	mark(&svc->places, place);
}

char *external_take(struct model *m, struct service_state *svc)
{
	const struct service_spec *spec = svc->object->service;
	char *problem = NULL;

	each_place(m, svc, spec->external, spec->n_external, take_place, &problem);
	each_place(m, svc, spec->balanced, spec->n_balanced, take_place, &problem);
	return problem;
}

static void leave_place(struct model *m, struct service_state *svc, const char *place,
			struct map *others)
{
	const struct map *left, none = {};

	index_del(&m->externals, place, svc->key);
	left = index_get(&m->externals, place);
	map_for_each(left ? left : &none, node)
		mark(others, node->key);
}

void external_leave(struct model *m, struct service_state *svc, struct map *others)
{
	map_for_each(&svc->places, node)
		leave_place(m, svc, node->key, others);
	map_clear(&svc->places, NULL);
}
