// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the manager knows, as JSON:
 *
 *	/debug/                          kinds, with how many there are
 *	/debug/objects/KIND              a kind's Kubernetes objects, a page of them
 *	/debug/objects/KIND/[NS/]NAME    one, what is wrong with it, and what was made of it
 *	/debug/resources/KIND            the same of resources
 *	/debug/resources/KIND/[NS/]NAME  one, and how it is on the API server
 */
#include "http.h"

#include "xmem.h"

#define PAGE	500	/* names in one answer */

/* --- links ----------------------------------------------------------------- */

/* RFC 3986, 2.1: all but what it leaves unreserved, and the slash. */
static char *percent_encoded(const char *text)
{
	char *out = xzalloc(strlen(text) * 3 + 1), *p = out;

	for (; *text; text++) {
		unsigned char c = *text;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    strchr("-._~/", c))
			*p++ = c;
		else
			p += sprintf(p, "%%%02X", c);
	}
	return out;
}

/* Of what has no namespace the store's keys begin with a slash. */
static const char *name_of(const char *key)
{
	return *key == '/' ? key + 1 : key;
}

static json_t *link_to(const char *what, const char *kind, const char *key)
{
	cleanup_free char *name = percent_encoded(name_of(key));

	return mem_check(json_sprintf("/debug/%s/%s%s%s", what, kind, *name ? "/" : "", name));
}

/* --- lists ----------------------------------------------------------------- */

static json_t *kinds_json(const struct model *m, const struct store *st)
{
	json_t *objects = json_array(), *resources = json_array();
	unsigned int i;

	for (i = 0; i < OBJECT_KINDS; i++)
		json_array_append_new(objects, mem_check(json_pack(
			"{s:s, s:I, s:o}", "kind", kind_name(i), "count",
			(json_int_t)m->objects[i].n, "link",
			link_to("objects", kind_name(i), ""))));
	for (i = 0; i < STORED_KINDS; i++)
		json_array_append_new(resources, mem_check(json_pack(
			"{s:s, s:I, s:o}", "kind", resource_name(i), "count",
			(json_int_t)st->published[i].n, "link",
			link_to("resources", resource_name(i), ""))));
	return mem_check(json_pack("{s:I, s:o, s:o}", "problems", (json_int_t)m->problems,
				   "objects", objects, "resources", resources));
}

static json_t *list_json(const char *what, const char *kind, const struct map *map,
			 const char *after)
{
	struct map_node **nodes = map_sorted(map);
	json_t *items = json_array(), *list;
	size_t i, shown = 0;

	list = mem_check(json_pack("{s:s, s:I, s:o}", "kind", kind, "count", (json_int_t)map->n,
				   "items", items));
	for (i = 0; i < map->n; i++) {
		const char *key = nodes[i]->key;

		if (after && strcmp(name_of(key), after) <= 0)
			continue;
		if (shown++ == PAGE) {
			cleanup_free char *from = percent_encoded(name_of(nodes[i - 1]->key));

			json_object_set_new(list, "next", json_sprintf("/debug/%s/%s?after=%s",
								       what, kind, from));
			break;
		}
		json_array_append_new(items, mem_check(json_pack("{s:s, s:o}", "name", name_of(key),
								 "link", link_to(what, kind, key))));
	}
	free(nodes);
	return list;
}

/* --- what was made of an object -------------------------------------------- */

/* Takes res over. */
static void add_resource(json_t *list, enum resource_kind kind, const char *key, json_t *res)
{
	json_array_append_new(list, mem_check(json_pack(
		"{s:s, s:s, s:o, s:O}", "kind", resource_name(kind), "name", name_of(key), "link",
		link_to("resources", resource_name(kind), key), "spec",
		json_object_get(res, "spec"))));
	json_decref(res);
}

static void add_addresses(json_t *list, const struct store *st, const char *member, const char *key)
{
	map_for_each(&st->published[RES_INSTANCE_IP], node)
		if (record_says(node->value, member, key))
			add_resource(list, RES_INSTANCE_IP, node->key,
				     store_read(st, RES_INSTANCE_IP, node->key));
}

static void add_shards(json_t *list, const struct store *st, const char *pool)
{
	map_for_each(&st->published[RES_POOL], node)
		if (record_says(node->value, "shardOf", pool))
			add_resource(list, RES_POOL, node->key,
				     store_read(st, RES_POOL, node->key));
}

static void add_pools(json_t *list, const struct store *st, const char *balancer)
{
	json_t *object = store_read(st, RES_LOAD_BALANCER, balancer), *listener, *pool;
	const char *family;
	size_t i;

	json_array_foreach(json_object_get(json_object_get(object, "spec"), "listeners"), i,
			   listener) {
		json_object_foreach(json_object_get(listener, "pools"), family, pool) {
			const char *key = json_string_value(pool);
			json_t *res = key ? store_read(st, RES_POOL, key) : NULL;

			if (res)
				add_resource(list, RES_POOL, key, res);
			if (res)
				add_shards(list, st, key);
		}
	}
	json_decref(object);
}

static json_t *made_of(const struct store *st, const char *uid)
{
	json_t *list = json_array();
	unsigned int kind;

	for (kind = 0; kind < STORED_KINDS; kind++) {
		map_for_each(&st->published[kind], node) {
			if (!record_is_of(node->value, uid))
				continue;
			add_resource(list, kind, node->key, store_read(st, kind, node->key));
			if (kind == RES_INTERFACE)
				add_addresses(list, st, "interface", node->key);
			if (kind != RES_LOAD_BALANCER)
				continue;
			add_addresses(list, st, "loadBalancer", node->key);
			add_pools(list, st, node->key);
		}
	}
	return list;
}

/* --- an object ------------------------------------------------------------- */

static json_t *texts(const bool has[FAMILIES], const struct addr addr[FAMILIES])
{
	json_t *list = json_array();
	char text[ADDR_TEXT];
	enum family f;

	for (f = V4; f < FAMILIES; f++)
		if (has[f])
			json_array_append_new(list, json_string(addr_text(&addr[f], text)));
	return list;
}

static json_t *keys_of(const struct map *map)
{
	struct map_node **nodes = map_sorted(map);
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < map->n && i < PAGE; i++)
		json_array_append_new(list, json_string(nodes[i]->key));
	free(nodes);
	return list;
}

static void pod_json(json_t *out, const struct model *m, const struct object *obj)
{
	const struct pod_state *pod = map_get(&m->pods, obj->key);
	json_t *ifs = json_array();
	size_t i;

	for (i = 0; pod && i < pod->n_ifs; i++)
		json_array_append_new(ifs, mem_check(json_pack(
			"{s:s, s:s, s:o, s:s}", "name", pod->ifs[i].name, "network",
			pod->ifs[i].net ? pod->ifs[i].net->key : "", "addresses",
			texts(pod->ifs[i].has_addr, pod->ifs[i].addr), "macAddress",
			pod->ifs[i].mac)));
	json_object_update_new(out, mem_check(json_pack(
		"{s:s*, s:b, s:b, s:b, s:b, s:o, s:o}", "node", obj->pod->node, "hostNetwork",
		obj->pod->host_network, "ready", obj->pod->ready, "terminating",
		obj->pod->terminating, "finished", obj->pod->finished, "statusAddresses",
		texts(obj->pod->has_addr, obj->pod->addr), "interfaces", ifs)));
	if (!pod)
		return;
	json_object_set_new(out, "groups", keys_of(&pod->groups));
	if (pod->domain)
		json_object_set_new(out, "isolationDomain", json_string(pod->domain));
}

static void service_json(json_t *out, const struct model *m, const struct object *obj)
{
	const struct service_state *svc = map_get(&m->services, obj->key);

	json_object_update_new(out, mem_check(json_pack(
		"{s:b, s:o, s:o}", "noDataPath", obj->service->no_data_path, "clusterIPs",
		texts(obj->service->has_addr, obj->service->addr), "addresses",
		svc ? texts(svc->has_addr, svc->addr) : json_array())));
}

static const char *problem_of(const struct model *m, const struct object *obj)
{
	const struct network_state *net;
	const struct service_state *svc;
	const struct chain_state *chain;
	const struct pod_state *pod;

	switch (obj->kind) {
	case KIND_POD:
		pod = map_get(&m->pods, obj->key);
		return pod ? pod->problem : NULL;
	case KIND_SERVICE:
		svc = map_get(&m->services, obj->key);
		return svc ? svc->problem : NULL;
	case KIND_NETWORK:
		net = map_get(&m->networks, obj->key);
		return net ? net->problem : NULL;
	case KIND_CHAIN:
		chain = map_get(&m->chains, obj->key);
		return chain ? chain->problem : NULL;
	case KIND_ROUTER:
		return map_get(&m->router_problems, obj->key);
	default:
		return NULL;
	}
}

static json_t *object_json(const struct http_parts *p, const struct object *obj)
{
	const struct model *m = &p->mgr->model;
	json_t *out;

	out = mem_check(json_pack("{s:s, s:s, s:s, s:s, s:s*, s:o*}", "kind", kind_name(obj->kind),
				  "namespace", obj->ns, "name", obj->name, "uid", obj->uid, "file",
				  obj->where, "labels", obj->labels ? labels_json(obj->labels) : NULL));
	if (obj->kind == KIND_POD)
		pod_json(out, m, obj);
	else if (obj->kind == KIND_SERVICE)
		service_json(out, m, obj);
	if (obj->source)
		json_object_set(out, "source", obj->source);
	json_object_set_new(out, "problem", problem_of(m, obj) ? json_string(problem_of(m, obj)) :
								 json_null());
	json_object_set_new(out, "resources", made_of(p->mgr->model.store, obj->uid));
	return out;
}

static json_t *resource_json(const struct http_parts *p, enum resource_kind kind, const char *name)
{
	cleanup_free char *key = xasprintf("%s%s", strchr(name, '/') ? "" : "/", name);
	json_t *res = store_read(&p->mgr->store, kind, key);
	json_t *state = p->publisher ? publisher_state(p->publisher, kind, key) : NULL;

	if (!res && !state)
		return NULL;
	return mem_check(json_pack("{s:s, s:s, s:o*, s:o*}", "kind", resource_name(kind), "name",
				   name, "resource", res, "apiServer", state));
}

/* --- paths ----------------------------------------------------------------- */

/* "KIND" or "KIND/NAME" at the path; NULL: it is another kind's. */
static const char *behind(const char *path, const char *kind)
{
	size_t len = strlen(kind);

	if (strncmp(path, kind, len) || (path[len] && path[len] != '/'))
		return NULL;
	return path[len] ? path + len + 1 : "";
}

static json_t *objects_page(const struct http_parts *p, const char *path, const char *after)
{
	const struct model *m = &p->mgr->model;
	const struct object *obj;
	const char *name;
	unsigned int i;

	for (i = 0; i < OBJECT_KINDS; i++) {
		name = behind(path, kind_name(i));
		if (!name)
			continue;
		if (!*name)
			return list_json("objects", kind_name(i), &m->objects[i], after);
		obj = map_get(&m->objects[i], name);
		return obj ? object_json(p, obj) : NULL;
	}
	return NULL;
}

static json_t *resources_page(const struct http_parts *p, const char *path, const char *after)
{
	const char *name;
	unsigned int i;

	for (i = 0; i < STORED_KINDS; i++) {
		name = behind(path, resource_name(i));
		if (!name)
			continue;
		if (!*name)
			return list_json("resources", resource_name(i), &p->mgr->store.published[i],
					 after);
		return resource_json(p, i, name);
	}
	return NULL;
}

json_t *introspect(const struct http_parts *p, const char *path, const char *after)
{
	if (!strcmp(path, "/debug") || !strcmp(path, "/debug/"))
		return kinds_json(&p->mgr->model, &p->mgr->store);
	if (!strncmp(path, "/debug/objects/", 15))
		return objects_page(p, path + 15, after);
	if (!strncmp(path, "/debug/resources/", 17))
		return resources_page(p, path + 17, after);
	return NULL;
}
