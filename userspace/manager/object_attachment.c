// SPDX-License-Identifier: GPL-2.0-only
/*
 * NetworkAttachmentDefinitions, by which pods name further networks (Network Plumbing Working Group,
 * "Kubernetes Network Custom Resource Definition De-facto Standard", 3.2). Those of other plugins are
 * somebody else's to attach. Ours stand for a VirtualNetwork: that of an annotation, one that is made
 * from an annotation's prefixes, or that of their own name.
 */
#include "field.h"
#include "objects.h"
#include "xmem.h"

#define CIDR_ANNOTATION "opencontrail.org/cidr"
#define NETWORK_ANNOTATION "opencontrail.org/network"

/* The plugin's type in a CNI configuration or list of such (CNI 1.1, 1); NULL: there is none. */
static bool is_contrail(const struct field *config, const json_t *conf)
{
	const char *type = json_string_value(json_object_get(conf, "type"));
	const json_t *first = json_array_get(json_object_get(conf, "plugins"), 0);

	if (!type)
		type = json_string_value(json_object_get(first, "type"));
	if (!type)
		field_error(config, "names no plugin: \"type\" is missing");
	/* the second is that of Tungsten Fabric's plugin, from where the object may come */
	return type && (!strcmp(type, "contrail-cni") || !strcmp(type, "contrail-k8s-cni"));
}

/* Without configuration the name is that of one on the nodes' disks: not ours. */
static bool is_ours(const struct field *spec)
{
	const char *text = field_string(spec, "config");
	struct field config = field_get(spec, "config");
	json_error_t e;
	json_t *conf;
	bool ours;

	if (!text || !*text)
		return false;
	conf = json_loads(text, JSON_REJECT_DUPLICATES, &e);
	if (!conf) {
		field_error(&config, "is not JSON: line %d: %.100s", e.line, e.text);
		return false;
	}
	ours = is_contrail(&config, conf);
	json_decref(conf);
	return ours;
}

static struct object *make_network(const struct object *obj, const struct field *doc)
{
	struct object *made = xzalloc(sizeof(*made));
	cleanup_free char *seed = xasprintf("VirtualNetwork/%s", obj->key);

	made->kind = KIND_NETWORK;
	object_identify(made, obj->ns, obj->key, obj->name);
	made->where = xstrdup("NetworkAttachmentDefinition");
	uid_from_text(seed, made->uid);
	made->network = network_spec_new(doc);
	made->network->made = true;
	return made;
}

/* "CIDR[,CIDR]..." */
static struct object *read_cidrs(const struct object *obj, const struct field *doc,
				 const struct field *f)
{
	const char *text = field_as_string(f), *reason = name_dns_label(obj->name);
	char *copy, *save, *word;
	struct object *made;
	struct prefix p;

	if (reason)
		field_error(f, "a VirtualNetwork cannot have the name \"%.100s\": it %s", obj->name,
			    reason);
	if (!text || reason)
		return NULL;
	made = make_network(obj, doc);
	copy = xstrdup(text);
	for (word = strtok_r(copy, ", ", &save); word; word = strtok_r(NULL, ", ", &save)) {
		reason = prefix_parse(word, &p);
		if (reason)
			field_error(f, "\"%.60s\" %s", word, reason);
		else
			network_take_prefix(&made->network->net, f, f, word, &p);
	}
	free(copy);
	if (!made->network->net.n)
		field_error(f, "has no prefix");
	return made;
}

void attachment_read(struct object *obj, const struct field *doc)
{
	struct field meta = field_get(doc, "metadata"), notes = field_object(&meta, "annotations");
	struct field cidr = field_get(&notes, CIDR_ANNOTATION);
	struct field network = field_get(&notes, NETWORK_ANNOTATION);
	struct field spec = field_object(doc, "spec");
	struct attachment_spec *at = xzalloc(sizeof(*at));

	obj->attachment = at;
	at->foreign = !(spec.value && is_ours(&spec)) && !cidr.value && !network.value;
	if (cidr.value && network.value)
		field_error(&cidr, "excludes " NETWORK_ANNOTATION);
	else if (cidr.value)
		at->made = read_cidrs(obj, doc, &cidr);
	else if (network.value)
		at->network = network_annotation(obj, &network);
}

void attachment_spec_free(struct attachment_spec *at)
{
	if (!at)
		return;
	free(at->network);
	object_free(at->made);
	free(at);
}
