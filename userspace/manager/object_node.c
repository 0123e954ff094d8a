// SPDX-License-Identifier: GPL-2.0-only
#include "field.h"
#include "objects.h"
#include "xmem.h"

/* More than any node has; the rest would be a mistake. */
#define MAX_ADDRS 16

#define ZONE_LABEL "topology.kubernetes.io/zone"

/* The cluster autoscaler's, on a node that it is going to delete. */
#define LEAVING_TAINT "ToBeDeletedByClusterAutoscaler"

static bool is_leaving(const struct field *doc)
{
	struct field spec = field_object(doc, "spec"), list = field_array(&spec, "taints");
	size_t i;

	if (json_object_get(json_object_get(doc->value, "metadata"), "deletionTimestamp"))
		return true;
	for (i = 0; i < field_count(&list); i++) {
		const char *key = json_string_value(
			json_object_get(json_array_get(list.value, i), "key"));

		if (key && !strcmp(key, LEAVING_TAINT))
			return true;
	}
	return false;
}

static bool has_addr(const struct node_spec *node, const struct addr *a)
{
	size_t i;

	for (i = 0; i < node->n; i++)
		if (addr_equal(&node->addrs[i], a))
			return true;
	return false;
}

/* Those by which the nodes of a cluster reach each other; the first is the primary one. */
void node_read(struct object *obj, const struct field *doc)
{
	struct field status = field_object(doc, "status"), list = field_array(&status, "addresses");
	struct node_spec *node = xzalloc(sizeof(*node));
	size_t i;

	obj->node = node;
	node->leaving = is_leaving(doc);
	node->zone = xstrdup(labels_get(obj->labels, ZONE_LABEL));
	for (i = 0; i < field_count(&list); i++) {
		struct field e = field_at(&list, i), f = field_get(&e, "address");
		const char *type;
		struct addr a;

		if (!json_is_object(e.value)) {
			field_error(&e, "must be an object");
			continue;
		}
		type = field_string(&e, "type");
		if (!type || strcmp(type, "InternalIP") || !field_addr(&f, &a) || has_addr(node, &a))
			continue;
		if (node->n == MAX_ADDRS) {
			field_error(&list, "has more than %d addresses of type InternalIP",
				    MAX_ADDRS);
			return;
		}
		*(struct addr *)array_push(&node->addrs, &node->n, sizeof(a)) = a;
	}
}

void node_spec_free(struct node_spec *node)
{
	if (!node)
		return;
	free(node->addrs);
	free(node->zone);
	free(node);
}
