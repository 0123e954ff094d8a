// SPDX-License-Identifier: GPL-2.0-only
/* Health of members: what monitors ask, and what nodes say of their own members. */
#include <errno.h>

#include "field.h"
#include "model.h"
#include "xmem.h"

#define MAX_NODES 8192		/* that have said something; more would be a mistake */
#define MAX_ENTRIES 16384	/* of one node; a line holds few more */

/* --- for services ------------------------------------------------------------ */

bool health_can_probe(const struct monitor_spec *mon, const struct service_port *port)
{
	return mon->type == MONITOR_PING || mon->port || port->proto == IPPROTO_TCP;
}

const struct monitor_spec *health_monitor(const struct model *m, const struct service_state *svc,
					  char **problem)
{
	const struct service_spec *spec = svc->object->service;
	const struct object *obj;
	size_t i;

	if (!svc->monitor)
		return NULL;
	obj = map_get(&m->objects[KIND_MONITOR], svc->monitor);
	if (!obj && problem)
		*problem = xasprintf("metadata.annotations[" MONITOR_ANNOTATION "]: there is no "
				     "HealthMonitor %s; its members are not probed", svc->monitor);
	if (!obj)
		return NULL;
	for (i = 0; problem && !*problem && i < spec->n_ports; i++)
		if (!health_can_probe(obj->monitor, &spec->ports[i]))
			*problem = xasprintf("HealthMonitor %s connects by TCP and has no port of "
					     "its own: members of %s port %u are not probed",
					     svc->monitor, protocol_name(spec->ports[i].proto),
					     spec->ports[i].number);
	return obj->monitor;
}

static char *entry_key(const char *monitor, const char *addr, unsigned int port)
{
	return xasprintf("%s %s %u", monitor, addr, port);
}

bool health_failed(const struct model *m, const char *monitor, const struct monitor_spec *mon,
		   const char *node, const struct addr *addr, uint16_t port)
{
	const struct map *failed = node ? map_get(&m->health, node) : NULL;
	cleanup_free char *key = NULL;
	char text[ADDR_TEXT];

	if (!failed)
		return false;
	if (mon->type == MONITOR_PING)
		port = 0;
	else if (mon->port)
		port = mon->port;
	key = entry_key(monitor, addr_text(addr, text), port);
	return map_get(failed, key);
}

static void free_node(void *value)
{
	map_clear(value, NULL);
	free(value);
}

void health_free(struct model *m)
{
	map_clear(&m->health, free_node);
}

/* --- from nodes ---------------------------------------------------------------- */

/* Is the address that of an interface of another node? An unknown one does no harm. */
static bool is_foreign(const struct model *m, const char *node, const struct addr *a)
{
	const char *name, *host;
	json_t *ip, *vmi;
	char text[ADDR_TEXT];
	bool foreign;
	cleanup_free char *key = xasprintf("/%s", instance_ip_name(a, text));

	ip = store_read(m->store, RES_INSTANCE_IP, key);
	name = json_string_value(json_object_get(json_object_get(ip, "spec"), "interface"));
	vmi = name ? store_read(m->store, RES_INTERFACE, name) : NULL;
	host = json_string_value(json_object_get(json_object_get(vmi, "spec"), "node"));
	foreign = host && strcmp(host, node);
	json_decref(ip);
	json_decref(vmi);
	return foreign;
}

/* One of status.failedMembers; 0, or a negative errno. */
static int take_entry(struct model *m, const char *node, const json_t *e, struct map *failed,
		      size_t *foreign, struct vr_err *err)
{
	const char *monitor = json_string_value(json_object_get(e, "healthMonitor"));
	const char *address = json_string_value(json_object_get(e, "address"));
	const json_t *port = json_object_get(e, "port");
	json_int_t number = port ? json_integer_value(port) : 0;
	char text[ADDR_TEXT];
	struct addr a;

	if (!monitor || !strchr(monitor, '/'))
		return vr_err_set(err, EINVAL, "healthMonitor: must be namespace/name");
	if (!address || addr_parse(address, &a))
		return vr_err_set(err, EINVAL, "address: \"%.60s\" is no IP address",
				  address ? address : "");
	if ((port && !json_is_integer(port)) || number < 0 || number > 65535)
		return vr_err_set(err, EINVAL, "port: must be a number from 0 to 65535");
	if (is_foreign(m, node, &a)) {
		(*foreign)++;
		return 0;
	}
	cleanup_free char *key = entry_key(monitor, addr_text(&a, text), number);

	map_set(failed, key, failed);
	return 0;
}

static void mark_entry(struct model *m, const char *key)
{
	char *monitor = xstrdup(key);

	*strchr(monitor, ' ') = '\0';
	services_mark_monitored(m, monitor);
	free(monitor);
}

/* Marks what one has and the other has not. */
static void mark_missing(struct model *m, const struct map *one, const struct map *other)
{
	map_for_each(one, node)
		if (!map_get(other, node->key))
			mark_entry(m, node->key);
}

static int take_list(struct model *m, const char *node, const json_t *list, struct map *failed,
		     struct vr_err *err)
{
	size_t i, foreign = 0;
	int ret;

	if (!json_is_array(list))
		return vr_err_set(err, EINVAL, "status.failedMembers: must be a list");
	if (json_array_size(list) > MAX_ENTRIES)
		return vr_err_set(err, E2BIG, "status.failedMembers: more than %d", MAX_ENTRIES);
	for (i = 0; i < json_array_size(list); i++) {
		ret = take_entry(m, node, json_array_get(list, i), failed, &foreign, err);
		if (ret)
			return vr_err_wrap(err, "status.failedMembers[%zu]", i);
	}
	if (foreign) {
		cleanup_free char *text = xasprintf("MemberHealth of node %s: %zu members are on "
						    "other nodes, not believed", node, foreign);

		m->warn(m->warn_arg, NULL, text);
	}
	return 0;
}

/* The name that the line speaks for, or NULL. */
static const char *check_identity(const struct model *m, const char *spoken, const json_t *object,
				  struct vr_err *err)
{
	const json_t *meta = json_object_get(object, "metadata");
	const char *name = json_string_value(json_object_get(meta, "name")), *reason;
	const char *kind = json_string_value(json_object_get(object, "kind"));
	const char *version = json_string_value(json_object_get(object, "apiVersion"));

	if (!version || strcmp(version, "opencontrail.org/v1") || !kind ||
	    strcmp(kind, "MemberHealth")) {
		vr_err_set(err, EINVAL, "object: must be of kind MemberHealth, apiVersion "
			   "opencontrail.org/v1");
		return NULL;
	}
	reason = name ? name_dns_subdomain(name) : "is missing";
	if (reason) {
		vr_err_set(err, EINVAL, "metadata.name: \"%.80s\" %s", name ? name : "", reason);
		return NULL;
	}
	if (spoken && strcmp(spoken, name)) {
		vr_err_set(err, EPERM, "metadata.name: %s, but this client is node %s", name,
			   spoken);
		return NULL;
	}
	if (m->health.n >= MAX_NODES && !map_get(&m->health, name)) {
		vr_err_set(err, ENOSPC, "node %s: more than %d nodes", name, MAX_NODES);
		return NULL;
	}
	return name;
}

int model_health(struct model *m, char **node, const json_t *object, struct vr_err *err)
{
	const char *name = check_identity(m, *node, object, err);
	struct map *failed, *old;
	const json_t *list;
	int ret;

	if (!name)
		return -err->code;
	failed = xzalloc(sizeof(*failed));
	list = json_object_get(json_object_get(object, "status"), "failedMembers");
	ret = take_list(m, name, list, failed, err);
	if (ret) {
		free_node(failed);
		return ret;
	}
	if (!*node)
		*node = xstrdup(name);
	old = map_set(&m->health, name, failed);
	if (old) {
		mark_missing(m, old, failed);
		mark_missing(m, failed, old);
		free_node(old);
	} else {
		map_for_each(failed, entry)
			mark_entry(m, entry->key);
	}
	return 0;
}
