// SPDX-License-Identifier: GPL-2.0-only
#include <netinet/in.h>

#include "field.h"
#include "objects.h"
#include "word.h"
#include "xmem.h"

#define SERVICE_NAME_LABEL "kubernetes.io/service-name"
#define SLICE_MAX_ENDPOINTS 1000
#define SLICE_MAX_PORTS 100

static void read_ports(struct endpoint_group *group, const struct field *list)
{
	size_t i;

	for (i = 0; i < field_count(list); i++) {
		struct container_port *port =
			array_push(&group->ports, &group->n_ports, sizeof(*port));
		struct field f = field_at(list, i), at = field_get(&f, "name");
		const char *name, *reason;

		port->name = word_get("");
		if (!json_is_object(f.value)) {
			field_error(&f, "must be an object");
			continue;
		}
		name = field_string(&f, "name");
		reason = name && *name ? name_dns_label(name) : NULL;
		if (reason)
			field_error(&at, "\"%.80s\" %s", name, reason);
		if (name && !reason) {
			word_put(port->name);
			port->name = word_get(name);
		}
		field_required(&f, "port");
		port->number = field_int(&f, "port", 1, 65535, 0);
		field_protocol(&f, &port->proto);
	}
}

/* Addresses that would reach something else than an endpoint. */
static void check_usable(const struct field *f, const struct addr *a)
{
	static const char *const nets[] = { "0.0.0.0/8",   "127.0.0.0/8", "169.254.0.0/16",
					    "224.0.0.0/4", "::/128",	  "::1/128",
					    "fe80::/10",   "ff00::/8" };
	struct prefix p;
	size_t i;

	for (i = 0; i < sizeof(nets) / sizeof(*nets); i++)
		if (!prefix_parse(nets[i], &p) && prefix_contains(&p, a))
			field_error(f, "\"%s\" lies in %s, which is no endpoint's",
				    json_string_value(f->value), nets[i]);
}

static void read_place(struct object *obj, struct endpoint *ep, const struct field *f)
{
	struct field ref = field_object(f, "targetRef"), topology;
	const char *node = field_string(f, "nodeName"), *kind = field_string(&ref, "kind");
	const char *name = field_string(&ref, "name"), *ns = field_string(&ref, "namespace");

	/* v1beta1 says it among the labels of its place */
	topology = field_object(f, "topology");
	ep->node = word_get(node ? node : field_string(&topology, "kubernetes.io/hostname"));
	if (kind && name && !strcmp(kind, "Pod"))
		ep->target = xasprintf("%s/%s", ns ? ns : obj->ns, name);
}

/* Names of a list of {"name": ...}; NULL: none. */
static json_t *read_hint(const struct field *hints, const char *key)
{
	struct field list = field_array(hints, key);
	json_t *names = NULL;
	size_t i;

	for (i = 0; i < field_count(&list); i++) {
		struct field e = field_at(&list, i);
		json_t *name = json_object_get(e.value, "name");

		if (!json_is_string(name)) {
			field_error(&e, "must be an object with a name");
			continue;
		}
		if (!names)
			names = mem_check(json_array());
		json_array_append(names, name);
	}
	return names;
}

/* KEP-2433, KEP-3015: which clients' zones or nodes it is meant for. */
static void read_hints(struct endpoint *ep, const struct field *f)
{
	struct field hints = field_object(f, "hints");

	ep->zones = read_hint(&hints, "forZones");
	ep->nodes = read_hint(&hints, "forNodes");
}

static void read_slice_endpoint(struct object *obj, struct endpoint_group *group,
				const struct field *f, enum family family)
{
	struct field cond = field_object(f, "conditions"), list = field_array(f, "addresses");
	struct field first = field_at(&list, 0);
	struct endpoint *ep;
	struct addr a;

	if (!field_count(&list)) {
		field_error(&list, "must hold an address");
		return;
	}
	/* All addresses of one endpoint are the same thing; users take the first. */
	if (!field_addr(&first, &a))
		return;
	if (a.family != family) {
		field_error(&first, "\"%s\" does not fit the addressType",
			    json_string_value(first.value));
		return;
	}
	check_usable(&first, &a);
	ep = array_push(&group->v, &group->n, sizeof(*ep));
	ep->addr = a;
	ep->ready = field_bool(&cond, "ready", true);
	ep->serving = field_bool(&cond, "serving", ep->ready);
	ep->terminating = field_bool(&cond, "terminating", false);
	read_place(obj, ep, f);
	read_hints(ep, f);
}

void slice_read(struct object *obj, const struct field *doc)
{
	struct field at = field_get(doc, "addressType");
	struct field ports = field_array(doc, "ports"), list = field_array(doc, "endpoints");
	struct field meta = field_get(doc, "metadata"), notes = field_object(&meta, "annotations");
	const char *type = field_string(doc, "addressType");
	const char *service = labels_get(obj->labels, SERVICE_NAME_LABEL);
	struct endpoint_group *group;
	size_t i;

	obj->endpoints = xzalloc(sizeof(*obj->endpoints));
	obj->endpoints->service = xstrdup(service ? service : "");
	obj->endpoints->trigger = xstrdup(field_string(&notes, TRIGGER_ANNOTATION));
	obj->endpoints->created = xstrdup(json_string_value(json_object_get(meta.value,
									    "creationTimestamp")));
	if (!service)
		field_warn(doc, "has no label " SERVICE_NAME_LABEL ", so it belongs to no service");
	field_required(doc, "addressType");
	if (!type)
		return;
	if (!strcmp(type, "FQDN")) {
		field_warn(&at, "FQDN endpoints are not served");
		return;
	}
	if (strcmp(type, "IPv4") && strcmp(type, "IPv6")) {
		field_error(&at, "must be IPv4, IPv6 or FQDN, not \"%.30s\"", type);
		return;
	}
	if (field_count(&list) > SLICE_MAX_ENDPOINTS)
		field_error(&list, "must hold at most %d endpoints", SLICE_MAX_ENDPOINTS);
	if (field_count(&ports) > SLICE_MAX_PORTS)
		field_error(&ports, "must hold at most %d ports", SLICE_MAX_PORTS);
	group = array_push(&obj->endpoints->groups, &obj->endpoints->n, sizeof(*group));
	read_ports(group, &ports);
	for (i = 0; i < field_count(&list); i++) {
		struct field e = field_at(&list, i);

		if (json_is_object(e.value))
			read_slice_endpoint(obj, group, &e, type[3] == '6' ? V6 : V4);
		else
			field_error(&e, "must be an object");
	}
}

static void read_addresses(struct object *obj, struct endpoint_group *group,
			   const struct field *subset, const char *key, bool ready)
{
	struct field list = field_array(subset, key);
	size_t i;

	for (i = 0; i < field_count(&list); i++) {
		struct field e = field_at(&list, i), ip = field_get(&e, "ip");
		struct endpoint *ep;
		struct addr a;

		if (!ip.value) {
			field_error(&ip, "is required");
			continue;
		}
		if (!field_addr(&ip, &a))
			continue;
		check_usable(&ip, &a);
		ep = array_push(&group->v, &group->n, sizeof(*ep));
		ep->addr = a;
		ep->ready = ep->serving = ready;
		read_place(obj, ep, &e);
	}
}

void endpoints_read(struct object *obj, const struct field *doc)
{
	struct field list = field_array(doc, "subsets");
	size_t i;

	obj->endpoints = xzalloc(sizeof(*obj->endpoints));
	obj->endpoints->service = xstrdup(obj->name);
	for (i = 0; i < field_count(&list); i++) {
		struct field subset = field_at(&list, i), ports = field_array(&subset, "ports");
		struct endpoint_group *group;

		group = array_push(&obj->endpoints->groups, &obj->endpoints->n, sizeof(*group));
		read_ports(group, &ports);
		read_addresses(obj, group, &subset, "addresses", true);
		read_addresses(obj, group, &subset, "notReadyAddresses", false);
	}
}

static void group_clear(struct endpoint_group *group)
{
	size_t i;

	for (i = 0; i < group->n_ports; i++)
		word_put(group->ports[i].name);
	free(group->ports);
	for (i = 0; i < group->n; i++) {
		word_put(group->v[i].node);
		free(group->v[i].target);
		json_decref(group->v[i].zones);
		json_decref(group->v[i].nodes);
	}
	free(group->v);
}

void endpoint_list_free(struct endpoint_list *list)
{
	size_t i;

	if (!list)
		return;
	for (i = 0; i < list->n; i++)
		group_clear(&list->groups[i]);
	free(list->groups);
	free(list->service);
	free(list->trigger);
	free(list->created);
	free(list);
}
