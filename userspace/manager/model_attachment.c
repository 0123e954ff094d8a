// SPDX-License-Identifier: GPL-2.0-only
/*
 * What pods name as further networks: NetworkAttachmentDefinitions, and where there is none of the
 * name, VirtualNetworks.
 */
#include "model.h"
#include "xmem.h"

static const struct attachment_spec *attachment_of(const struct model *m, const char *key)
{
	const struct object *obj = map_get(&m->objects[KIND_ATTACHMENT], key);

	return obj ? obj->attachment : NULL;
}

const char *attachment_network(const struct model *m, const char *key)
{
	const struct attachment_spec *at = attachment_of(m, key);

	return at && at->network ? at->network : key;
}

const struct pod_attachment *attachment_at(const struct model *m, const struct pod_spec *pod,
					   size_t i)
{
	const struct attachment_spec *at;
	size_t j;

	for (j = 0; j < pod->n_extra; j++) {
		at = attachment_of(m, pod->extra[j].network);
		if ((!at || !at->foreign) && !i--)
			return &pod->extra[j];
	}
	return NULL;
}

size_t attachment_count(const struct model *m, const struct pod_spec *pod)
{
	size_t n = 0;

	while (attachment_at(m, pod, n))
		n++;
	return n;
}

/* A user's of the same name goes before one that is made. */
const struct object *attachment_network_object(const struct model *m, const char *key)
{
	const struct object *obj = map_get(&m->objects[KIND_NETWORK], key);
	const struct attachment_spec *at = obj ? NULL : attachment_of(m, key);

	return at ? at->made : obj;
}

void attachment_changed(struct model *m, const struct object *obj)
{
	const struct map *pods = index_get(&m->pods_of_attachment, obj->key);

	mark(&m->dirty_networks, obj->key);
	if (!pods)
		return;
	map_for_each(pods, node)
		mark(&m->dirty_pods, node->key);
}

void attachments_of_pod(struct model *m, const struct object *obj, bool add)
{
	const struct pod_spec *pod = obj->pod;
	size_t i;

	for (i = 0; i < pod->n_extra; i++) {
		if (add)
			index_add(&m->pods_of_attachment, pod->extra[i].network, obj->key,
				  (void *)obj);
		else
			index_del(&m->pods_of_attachment, pod->extra[i].network, obj->key);
	}
}
