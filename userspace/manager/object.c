// SPDX-License-Identifier: GPL-2.0-only
#include "objects.h"

#include "field.h"
#include "map.h"
#include "xmem.h"

static const struct kind {
	const char	*name, *version;
	bool		namespaced;
	const char	*(*check_name)(const char *name);
	void		(*read)(struct object *obj, const struct field *doc);
} kinds[OBJECT_KINDS] = {
	[KIND_NAMESPACE] = { "Namespace", "v1", false, name_dns_label, NULL },
	[KIND_NODE] = { "Node", "v1", false, name_dns_subdomain, node_read },
	[KIND_POD] = { "Pod", "v1", true, name_dns_subdomain, pod_read },
	[KIND_SERVICE] = { "Service", "v1", true, name_dns_service, service_read },
	[KIND_ENDPOINTS] = { "Endpoints", "v1", true, name_dns_subdomain, endpoints_read },
	[KIND_SLICE] = { "EndpointSlice", "discovery.k8s.io/v1", true, name_dns_subdomain,
			 slice_read },
	[KIND_POLICY] = { "NetworkPolicy", "networking.k8s.io/v1", true, name_dns_subdomain,
			  policy_read },
	[KIND_CLUSTER_POLICY] = { "ClusterNetworkPolicy", "policy.networking.k8s.io/v1alpha2",
				  false, name_dns_subdomain, cluster_policy_read },
	[KIND_NETWORK] = { "VirtualNetwork", "opencontrail.org/v1", true, name_dns_label,
			   network_read },
	[KIND_ROUTER] = { "LogicalRouter", "opencontrail.org/v1", true, name_dns_label,
			  router_read },
	[KIND_LINK_LOCAL] = { "LinkLocalService", "opencontrail.org/v1", false, name_dns_label,
			      link_local_read },
	[KIND_CHAIN] = { "ServiceChain", "opencontrail.org/v1", true, name_dns_label, chain_read },
	[KIND_ATTACHMENT] = { "NetworkAttachmentDefinition", "k8s.cni.cncf.io/v1", true,
			      name_dns_subdomain, attachment_read },
	[KIND_DEPLOYMENT] = { "Deployment", "apps/v1", true, name_dns_subdomain, NULL },
	[KIND_REPLICA_SET] = { "ReplicaSet", "apps/v1", true, name_dns_subdomain, NULL },
	[KIND_STATEFUL_SET] = { "StatefulSet", "apps/v1", true, name_dns_subdomain, NULL },
	[KIND_DAEMON_SET] = { "DaemonSet", "apps/v1", true, name_dns_subdomain, NULL },
	[KIND_JOB] = { "Job", "batch/v1", true, name_dns_subdomain, NULL },
	[KIND_MONITOR] = { "HealthMonitor", "opencontrail.org/v1", true, name_dns_subdomain,
			   monitor_read },
};

const char *kind_name(enum object_kind kind)
{
	return kinds[kind].name;
}

const char *kind_version(enum object_kind kind)
{
	return kinds[kind].version;
}

void uid_from_text(const char *text, char *buf)
{
	cleanup_free char *salted = xasprintf("uid %s", text);
	uint64_t a = stable_hash(text), b = stable_hash(salted);

	/* RFC 9562: version 8 (custom), the usual variant. */
	snprintf(buf, UID_TEXT, "%08x-%04x-8%03x-%04x-%012llx", (unsigned int)(a >> 32),
		 (unsigned int)(a >> 16 & 0xffff), (unsigned int)(a & 0xfff),
		 (unsigned int)(0x8000 | (b >> 48 & 0x3fff)),
		 (unsigned long long)(b & 0xffffffffffffULL));
}

char *object_id(const struct object *obj)
{
	return xasprintf("%s/%s", kinds[obj->kind].name, obj->key);
}

void object_free(struct object *obj)
{
	if (!obj)
		return;
	if (obj->kind == KIND_NODE)
		node_spec_free(obj->node);
	else if (obj->kind == KIND_POD)
		pod_spec_free(obj->pod);
	else if (obj->kind == KIND_SERVICE)
		service_spec_free(obj->service);
	else if (obj->kind == KIND_ENDPOINTS || obj->kind == KIND_SLICE)
		endpoint_list_free(obj->endpoints);
	else if (obj->kind == KIND_POLICY || obj->kind == KIND_CLUSTER_POLICY)
		policy_spec_free(obj->policy);
	else if (obj->kind == KIND_NETWORK)
		network_spec_free(obj->network);
	else if (obj->kind == KIND_ATTACHMENT)
		attachment_spec_free(obj->attachment);
	else if (obj->kind == KIND_ROUTER)
		router_spec_free(obj->router);
	else if (obj->kind == KIND_LINK_LOCAL)
		free(obj->link_local);
	else if (obj->kind == KIND_CHAIN)
		chain_spec_free(obj->chain);
	else if (obj->kind == KIND_MONITOR)
		monitor_spec_free(obj->monitor);
	labels_put(obj->labels);
	json_decref(obj->source);
	free(obj->ns);
	free(obj->where);
	free(obj);
}

static bool makes_pods(const char *kind)
{
	static const char *const names[] = { "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet",
					     "ReplicationController", "Job", "CronJob" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(kind, names[i]))
			return true;
	return false;
}

/* The kind's row, or NULL after saying why the object is not for us. */
static const struct kind *find_kind(const struct field *doc)
{
	const char *name = field_string(doc, "kind"), *version = field_string(doc, "apiVersion");
	struct field at = field_get(doc, "apiVersion");
	size_t i;

	if (!name || !version) {
		field_required(doc, "kind");
		field_required(doc, "apiVersion");
		return NULL;
	}
	for (i = 0; i < OBJECT_KINDS && strcmp(kinds[i].name, name); i++)
		;
	if (makes_pods(name) && (i == OBJECT_KINDS || !doc->place->config->api))
		field_warn(doc,
			   "kind %s: its pod template is not expanded into pods; give the pods as "
			   "kind Pod",
			   name);
	else if (i == OBJECT_KINDS)
		field_note(doc, "kind %.60s is not used, ignored", name);
	else if (strcmp(kinds[i].version, version))
		field_error(&at, "must be %s for kind %s, not \"%.60s\"", kinds[i].version, name,
			    version);
	else
		return &kinds[i];
	return NULL;
}

void object_identify(struct object *obj, const char *ns, const char *key, const char *name)
{
	size_t ns_len = strlen(ns) + 1, key_len = strlen(key);

	obj->ns = mem_check(malloc(ns_len + key_len + 1));
	memcpy(obj->ns, ns, ns_len);
	memcpy(obj->ns + ns_len, key, key_len + 1);
	obj->key = obj->ns + ns_len;
	obj->name = obj->key + key_len - strlen(name);
}

static const char *checked_name(const struct field *meta, const char *key,
				const char *(*check)(const char *))
{
	struct field f = field_get(meta, key);
	const char *s = field_string(meta, key), *reason = s ? check(s) : NULL;

	if (!reason)
		return s;
	field_error(&f, "\"%.80s\" %s", s, reason);
	return NULL;
}

/* Kind, namespace and name; false when the object cannot be told from others. */
static bool read_identity(struct object *obj, const struct kind *kind, const struct field *meta)
{
	const char *name = checked_name(meta, "name", kind->check_name);
	const char *ns = kind->namespaced ? "default" : "";
	struct field f = field_get(meta, "name");
	cleanup_free char *key = NULL;

	if (!f.value)
		field_error(&f, "is required%s", json_object_get(meta->value, "generateName") ?
			    " (generateName needs an API server)" : "");
	f = field_get(meta, "namespace");
	if (kind->namespaced && f.value)
		ns = checked_name(meta, "namespace", name_dns_label);
	if (!kind->namespaced && f.value)
		field_warn(&f, "a %s has no namespace, ignored", kind->name);
	if (!name || !ns)
		return false;
	key = xasprintf("%s%s%s", ns, kind->namespaced ? "/" : "", name);
	object_identify(obj, ns, key, name);
	return true;
}

static void read_labels(struct object *obj, const struct field *meta)
{
	struct field labels = field_object(meta, "labels");
	const char *key, *reason, *text;
	json_t *value;

	json_object_foreach(labels.value, key, value) {
		struct field f = field_get(&labels, key);

		text = field_as_string(&f);
		reason = name_label_key(key);
		if (reason)
			field_error(&f, "key \"%.80s\" %s", key, reason);
		reason = text ? name_label_value(text) : NULL;
		if (reason)
			field_error(&f, "\"%.80s\" %s", text, reason);
	}
	obj->labels = labels_new(labels.value);
}

/* What selectors of namespaces rely on. */
static void add_name_label(struct object *obj)
{
	json_t *labels = labels_json(obj->labels);

	json_object_set_new(labels, NAME_LABEL, json_string(obj->name));
	labels_put(obj->labels);
	obj->labels = labels_new(labels);
	json_decref(labels);
}

/* Objects are many: once they are read, labels that nobody asks for are not kept. */
static void keep_labels(struct object *obj)
{
	struct labels *all = obj->labels;
	const char *app = labels_get(all, APP_LABEL);

	if (obj->kind == KIND_NAMESPACE || obj->kind == KIND_NODE || obj->kind == KIND_POD)
		return;
	obj->labels = NULL;
	if (app && (obj->kind == KIND_SERVICE || kind_is_controller(obj->kind)))
		obj->labels = labels_one(APP_LABEL, app);
	labels_put(all);
}

static void read_uid(struct object *obj, const struct field *meta)
{
	const char *uid = field_string(meta, "uid");
	struct field f = field_get(meta, "uid");

	if (uid && strlen(uid) >= UID_TEXT) {
		field_error(&f, "must be no longer than %d characters", UID_TEXT - 1);
	} else if (uid && *uid) {
		strcpy(obj->uid, uid);
	} else {
		cleanup_free char *id = object_id(obj);

		uid_from_text(id, obj->uid);
	}
}

struct object *object_read(const struct field *doc, char **key)
{
	struct place *place = doc->place;
	size_t errors = place->report->errors;
	const struct kind *kind;
	struct object *obj;
	struct field meta;

	*key = NULL;
	kind = find_kind(doc);
	if (!kind)
		return NULL;
	obj = xzalloc(sizeof(*obj));
	obj->kind = kind - kinds;
	place->object = kind->name;
	meta = field_object(doc, "metadata");
	if (!read_identity(obj, kind, &meta)) {
		object_free(obj);
		return NULL;
	}
	*key = object_id(obj);
	cleanup_free char *name = xasprintf("%s %s", kind->name, obj->key);

	place->object = name;
	read_labels(obj, &meta);
	if (obj->kind == KIND_NAMESPACE)
		add_name_label(obj);
	read_uid(obj, &meta);
	if (kind->read)
		kind->read(obj, doc);
	keep_labels(obj);
	if (place->file)
		obj->where = xasprintf("%s:%u", place->file, field_line(doc));
	obj->source = json_incref(doc->value);
	place->object = NULL;
	if (place->report->errors == errors)
		return obj;
	object_free(obj);
	return NULL;
}

void object_forget_source(struct object *obj)
{
	if (obj->kind == KIND_NAMESPACE)
		return;
	json_decref(obj->source);
	obj->source = NULL;
}
