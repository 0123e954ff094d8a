// SPDX-License-Identifier: GPL-2.0-only
/* LogicalRouter: how the pods of a network get outside. */
#include "field.h"
#include "objects.h"
#include "xmem.h"

#define MAX_ADDRS	64	/* a next hop takes 256 */
#define MAX_PREFIXES	256
#define MAX_NODES	256

static bool is_known(const struct router_spec *router, const struct addr *a)
{
	size_t i;

	for (i = 0; i < router->n_addrs; i++)
		if (addr_equal(&router->addrs[i], a))
			return true;
	return false;
}

static void read_addrs(struct router_spec *router, const struct field *snat)
{
	struct field list = field_array(snat, "addresses");
	struct addr a;
	size_t i;

	if (list.value && !field_count(&list))
		field_error(&list, "must have an address; without the list it is the node's own");
	if (field_count(&list) > MAX_ADDRS) {
		field_error(&list, "has more than %d addresses", MAX_ADDRS);
		return;
	}
	for (i = 0; i < field_count(&list); i++) {
		struct field f = field_at(&list, i);

		if (!field_addr(&f, &a))
			continue;
		if (!addr_is_usable(&a))
			field_error(&f, "\"%s\" cannot be a source: it is loopback, link-local, "
				    "multicast or reserved", json_string_value(f.value));
		if (is_known(router, &a))
			field_error(&f, "\"%s\" is there twice", json_string_value(f.value));
		*(struct addr *)array_push(&router->addrs, &router->n_addrs, sizeof(a)) = a;
	}
}

static void read_nodes(struct router_spec *router, const struct field *snat)
{
	struct field list = field_array(snat, "nodes");
	const char *name, *reason;
	size_t i;

	if (field_count(&list) > MAX_NODES) {
		field_error(&list, "has more than %d nodes", MAX_NODES);
		return;
	}
	if (field_count(&list) && !router->n_addrs)
		field_error(&list, "is of no use without addresses, which these nodes would have");
	for (i = 0; i < field_count(&list); i++) {
		struct field f = field_at(&list, i);

		name = field_as_string(&f);
		reason = name ? name_dns_subdomain(name) : NULL;
		if (reason)
			field_error(&f, "\"%.80s\" %s", name, reason);
		else if (name)
			*(char **)array_push(&router->nodes, &router->n_nodes, sizeof(char *)) =
				xstrdup(name);
	}
}

static void read_plain(struct router_spec *router, const struct field *spec)
{
	struct field list = field_array(spec, "nonMasqueradeCIDRs");
	struct prefix p;
	size_t i;

	if (field_count(&list) > MAX_PREFIXES) {
		field_error(&list, "has more than %d prefixes", MAX_PREFIXES);
		return;
	}
	for (i = 0; i < field_count(&list); i++) {
		struct field f = field_at(&list, i);

		if (field_prefix(&f, &p))
			*(struct prefix *)array_push(&router->plain, &router->n_plain, sizeof(p)) = p;
	}
}

void router_read(struct object *obj, const struct field *doc)
{
	static const char *const known[] = { "network", "snat", "nonMasqueradeCIDRs", "reachable", NULL };
	static const char *const of_snat[] = { "addresses", "nodes", NULL };
	struct field spec = field_object(doc, "spec"), snat = field_object(&spec, "snat");
	struct router_spec *router = xzalloc(sizeof(*router));
	struct field at = field_get(&spec, "network");
	const char *network;

	obj->router = router;
	field_required(doc, "spec");
	if (!spec.value)
		return;
	field_only(&spec, known, true);
	field_required(&spec, "network");
	network = field_string(&spec, "network");
	router->network = network ? network_reference(&at, network, obj->ns) : NULL;
	if (snat.value) {
		field_only(&snat, of_snat, true);
		read_addrs(router, &snat);
		read_nodes(router, &snat);
	}
	read_plain(router, &spec);
	router->reachable = field_bool(&spec, "reachable", false);
}

void router_spec_free(struct router_spec *router)
{
	if (!router)
		return;
	while (router->n_nodes)
		free(router->nodes[--router->n_nodes]);
	free(router->nodes);
	free(router->addrs);
	free(router->plain);
	free(router->network);
	free(router);
}
