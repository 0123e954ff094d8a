// SPDX-License-Identifier: GPL-2.0-only
#include <netinet/in.h>

#include "field.h"
#include "objects.h"
#include "word.h"
#include "xmem.h"

static void read_port(struct pod_spec *pod, const struct field *f)
{
	struct container_port *port = array_push(&pod->ports, &pod->n_ports, sizeof(*port));
	const char *name = field_string(f, "name"), *reason;

	field_required(f, "containerPort");
	port->number = field_int(f, "containerPort", 1, 65535, 0);
	field_protocol(f, &port->proto);
	port->name = word_get(name ? name : "");
	reason = name && *name ? name_port(name) : NULL;
	if (reason) {
		struct field at = field_get(f, "name");

		field_error(&at, "\"%.30s\" %s", name, reason);
	}
}

static void read_containers(struct pod_spec *pod, const struct field *spec, const char *key)
{
	struct field list = field_array(spec, key);
	size_t i, j;

	for (i = 0; i < field_count(&list); i++) {
		struct field c = field_at(&list, i), ports;

		if (!json_is_object(c.value)) {
			field_error(&c, "must be an object");
			continue;
		}
		ports = field_array(&c, "ports");
		for (j = 0; j < field_count(&ports); j++) {
			struct field p = field_at(&ports, j);

			if (json_is_object(p.value))
				read_port(pod, &p);
			else
				field_error(&p, "must be an object");
		}
	}
}

/* An init container that restarts always is a sidecar: it serves as others do. */
static void read_sidecars(struct pod_spec *pod, const struct field *spec)
{
	struct field list = field_array(spec, "initContainers");
	size_t i, j;

	for (i = 0; i < field_count(&list); i++) {
		struct field c = field_at(&list, i), ports;
		const char *restart = json_string_value(json_object_get(c.value, "restartPolicy"));

		if (!restart || strcmp(restart, "Always"))
			continue;
		ports = field_array(&c, "ports");
		for (j = 0; j < field_count(&ports); j++) {
			struct field p = field_at(&ports, j);

			read_port(pod, &p);
		}
	}
}

static void take_addr(struct object *obj, const struct field *f)
{
	struct pod_spec *pod = obj->pod;
	struct addr a;

	if (!field_addr(f, &a))
		return;
	if (pod->has_addr[a.family] && !addr_equal(&pod->addr[a.family], &a)) {
		field_error(f, "\"%s\" is a second %s address", json_string_value(f->value),
			    family_name(a.family));
		return;
	}
	pod->has_addr[a.family] = true;
	pod->addr[a.family] = a;
}

static void read_addrs(struct object *obj, const struct field *status)
{
	struct field one = field_get(status, "podIP"), list = field_array(status, "podIPs");
	size_t i;

	if (one.value && json_string_length(one.value))
		take_addr(obj, &one);
	for (i = 0; i < field_count(&list); i++) {
		struct field e = field_at(&list, i), ip = field_get(&e, "ip");

		take_addr(obj, &ip);
	}
}

static bool is_ready(const struct field *status)
{
	struct field list = field_array(status, "conditions");
	size_t i;

	for (i = 0; i < field_count(&list); i++) {
		struct field c = field_at(&list, i);
		const char *type = field_string(&c, "type"), *value = field_string(&c, "status");

		if (type && value && !strcmp(type, "Ready"))
			return !strcmp(value, "True");
	}
	return true;
}

/* Who made the pod, if it is of a kind whose labels count. */
static void read_owner(struct pod_spec *pod, const struct field *meta)
{
	const json_t *list = json_object_get(meta->value, "ownerReferences"), *o;
	const char *kind, *name;
	enum object_kind k;
	size_t i;

	json_array_foreach(list, i, o) {
		kind = json_string_value(json_object_get(o, "kind"));
		name = json_string_value(json_object_get(o, "name"));
		if (!json_is_true(json_object_get(o, "controller")) || !kind || !name)
			continue;
		for (k = 0; k < OBJECT_KINDS && !pod->owner; k++)
			if (kind_is_controller(k) && !strcmp(kind_name(k), kind)) {
				pod->owner_kind = k;
				pod->owner = xstrdup(name);
			}
	}
}

void pod_read(struct object *obj, const struct field *doc)
{
	struct field meta = field_get(doc, "metadata"), notes = field_object(&meta, "annotations");
	struct field deleted = field_get(&meta, "deletionTimestamp");
	struct field spec = field_object(doc, "spec"), status = field_object(doc, "status");
	struct pod_spec *pod = xzalloc(sizeof(*pod));
	const char *node, *phase, *reason;
	struct field at;

	obj->pod = pod;
	field_required(doc, "spec");
	node = field_string(&spec, "nodeName");
	at = field_get(&spec, "nodeName");
	reason = node && *node ? name_dns_subdomain(node) : NULL;
	if (reason)
		field_error(&at, "\"%.80s\" %s", node, reason);
	pod->node = node && *node ? word_get(node) : NULL;
	pod->host_network = field_bool(&spec, "hostNetwork", false);
	read_containers(pod, &spec, "containers");
	read_sidecars(pod, &spec);
	read_owner(pod, &meta);
	pod->terminating = deleted.value;
	pod->config_hash = xstrdup(field_string(&notes, CONFIG_HASH));
	if (!pod->host_network)
		pod_networks_read(obj, &notes);
	pod->groups = xstrdup(field_string(&notes, GROUPS_ANNOTATION));
	phase = field_string(&status, "phase");
	pod->finished = phase && (!strcmp(phase, "Succeeded") || !strcmp(phase, "Failed"));
	pod->ready = is_ready(&status);
	read_addrs(obj, &status);
}

void pod_spec_free(struct pod_spec *pod)
{
	size_t i;

	if (!pod)
		return;
	for (i = 0; i < pod->n_ports; i++)
		word_put(pod->ports[i].name);
	free(pod->ports);
	pod_networks_free(pod);
	free(pod->config_hash);
	free(pod->groups);
	free(pod->owner);
	word_put(pod->node);
	free(pod);
}
