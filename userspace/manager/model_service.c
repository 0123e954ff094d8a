// SPDX-License-Identifier: GPL-2.0-only
/* Services: cluster addresses, endpoints, load balancers and their pools. */
#include "field.h"
#include "model.h"
#include "xmem.h"

/* Where services of a pod's labels are looked for: see buckets_of_selector(). */
struct bucket_arg {
	struct model		*m;
	const char		*ns;
	const struct labels	*labels;
	struct service_state	*svc;
};

static void mark_bucket(const char *bucket, void *p)
{
	struct bucket_arg *arg = p;
	const struct map *services = index_get(&arg->m->service_index, bucket);

	if (!services)
		return;
	map_for_each(services, node) {
		const struct service_state *svc = node->value;

		if (svc->object && svc->object->service->selector &&
		    selector_matches(svc->object->service->selector, arg->labels))
			mark(&arg->m->dirty_services, svc->key);
	}
}

void services_mark(struct model *m, const char *ns, const struct labels *labels)
{
	struct bucket_arg arg = { .m = m, .ns = ns, .labels = labels };

	buckets_of_pod(ns, labels, mark_bucket, &arg);
}

void services_mark_monitored(struct model *m, const char *monitor)
{
	const struct map *services = index_get(&m->monitor_users, monitor);

	if (!services)
		return;
	map_for_each(services, node)
		mark(&m->dirty_services, node->key);
}

static void reindex_monitor(struct model *m, struct service_state *svc,
			    const struct service_spec *spec)
{
	if (svc->monitor)
		index_del(&m->monitor_users, svc->monitor, svc->key);
	free(svc->monitor);
	svc->monitor = NULL;
	if (!spec || !spec->monitor)
		return;
	svc->monitor = xasprintf("%s/%s", svc->object->ns, spec->monitor);
	index_add(&m->monitor_users, svc->monitor, svc->key, svc);
}

static void take_bucket(const char *bucket, void *p)
{
	struct bucket_arg *arg = p;

	/* A service's selector has one value for each label, so one bucket. */
	index_add(&arg->m->service_index, bucket, arg->svc->key, arg->svc);
	arg->svc->bucket = xstrdup(bucket);
}

static void reindex(struct model *m, struct service_state *svc)
{
	const struct service_spec *spec = svc->object ? svc->object->service : NULL;
	struct bucket_arg arg = { .m = m, .svc = svc };

	if (svc->bucket)
		index_del(&m->service_index, svc->bucket, svc->key);
	free(svc->bucket);
	svc->bucket = NULL;
	reindex_monitor(m, svc, spec);
	if (spec && spec->selector)
		buckets_of_selector(svc->object->ns, spec->selector, take_bucket, &arg);
}

/* --- cluster addresses ---------------------------------------------------------------- */

static void release_addr(struct model *m, struct service_state *svc, enum family f)
{
	if (svc->has_addr[f])
		ipam_release(&m->service_ipam, &svc->addr[f]);
	m->released |= svc->has_addr[f];
	svc->has_addr[f] = false;
}

/* Gives back what the service no longer asks for, before others ask for addresses. */
static void shed(struct model *m, struct service_state *svc)
{
	const struct service_spec *spec = svc->object ? svc->object->service : NULL;
	enum family f;

	for (f = V4; f < FAMILIES; f++)
		if (!spec || spec->no_address || !spec->wants[f] ||
		    (spec->has_addr[f] && !addr_equal(&spec->addr[f], &svc->addr[f])))
			release_addr(m, svc, f);
}

/* The problem, or NULL. */
static char *take_addrs(struct model *m, struct service_state *svc)
{
	const struct service_spec *spec = svc->object->service;
	cleanup_free char *owner = xasprintf("service %s", svc->key);
	char *problem = NULL;
	enum family f;

	for (f = V4; f < FAMILIES && !problem && !spec->no_address; f++) {
		if (!spec->wants[f] || svc->has_addr[f])
			continue;
		if (spec->has_addr[f]) {
			svc->addr[f] = spec->addr[f];
			problem = ipam_claim(&m->service_ipam, &svc->addr[f], owner, NULL);
		} else {
			problem = ipam_allocate(&m->service_ipam, f, owner, NULL,
							 &svc->addr[f]);
		}
		svc->has_addr[f] = !problem;
	}
	return problem;
}

/* --- members ------------------------------------------------------------------------------ */

struct member {
	struct addr	addr;
	uint16_t	port;
	bool		draining, failed;
	const char	*node, *target;		/* borrowed, may be NULL */
	json_t		*zones, *nodes;		/* the same */
};

struct members {
	struct member	*v;
	size_t		n;
};

/*
 * As kube-proxy does: ready ones get traffic; ones that terminate and still serve get it when
 * there is no other. A pod that is published although not ready counts as ready.
 */
static void add_member(struct members *list, const struct endpoint *ep, uint16_t port,
		       bool publish_not_ready)
{
	bool active = publish_not_ready || (ep->ready && !ep->terminating);
	struct member *mb;

	if (!active && !(ep->serving && ep->terminating))
		return;
	mb = array_push(&list->v, &list->n, sizeof(*mb));
	mb->addr = ep->addr;
	mb->port = port;
	mb->draining = !active;
	mb->node = ep->node;
	mb->target = ep->target;
	mb->zones = ep->zones;
	mb->nodes = ep->nodes;
}

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int diff = memcmp(x->addr.bytes, y->addr.bytes, sizeof(x->addr.bytes));

	if (!diff)
		diff = (int)x->port - (int)y->port;
	/* Of two that say different things of one endpoint the better one counts. */
	return diff ? diff : (int)x->draining - (int)y->draining;
}

static json_t *members_json(struct members *list)
{
	json_t *out = mem_check(json_array());
	char text[ADDR_TEXT];
	size_t i;

	if (list->n)
		qsort(list->v, list->n, sizeof(*list->v), compare_members);
	for (i = 0; i < list->n; i++) {
		const struct member *mb = &list->v[i];

		if (i && addr_equal(&mb[-1].addr, &mb->addr) && mb[-1].port == mb->port)
			continue;
		json_array_append_new(out, json_pack("{s:s, s:i, s:i, s:s, s:s*, s:s*, s:O*, s:O*}",
			"address", addr_text(&mb->addr, text), "port", (int)mb->port, "weight", 1,
			"state", mb->failed ? "failed" : mb->draining ? "draining" : "active",
			"node", mb->node,
			"target", mb->target, "zones", mb->zones, "nodes", mb->nodes));
	}
	return out;
}

/* --- where members come from ---------------------------------------------------------------- */

static void add_listed(struct members *list, const struct object *obj,
		       const struct service_spec *spec, const struct service_port *port,
		       enum family family)
{
	size_t i, j, k;

	for (i = 0; i < obj->endpoints->n; i++) {
		const struct endpoint_group *group = &obj->endpoints->groups[i];

		for (j = 0; j < group->n_ports; j++) {
			const struct container_port *p = &group->ports[j];

			if (strcmp(p->name, port->name) || p->proto != port->proto)
				continue;
			for (k = 0; k < group->n; k++)
				if (group->v[k].addr.family == family)
					add_member(list, &group->v[k], p->number,
						   spec->publish_not_ready);
		}
	}
}

/* The pod's number for the service port; 0: it has none. */
static uint16_t target_number(const struct pod_spec *pod, const struct service_port *port)
{
	size_t i;

	if (!port->target_name)
		return port->target;
	for (i = 0; i < pod->n_ports; i++)
		if (pod->ports[i].proto == port->proto &&
		    !strcmp(pod->ports[i].name, port->target_name))
			return pod->ports[i].number;
	return 0;
}

struct select_arg {
	struct model			*m;
	const struct service_spec	*spec;
	const struct service_port	*port;
	enum family			family;
	struct members			*list;
};

static void add_selected(const char *bucket, void *p)
{
	struct select_arg *arg = p;
	const struct map *pods = index_get(&arg->m->pod_index, bucket);

	if (!pods)
		return;
	map_for_each(pods, node) {
		const struct pod_state *pod = node->value;
		const struct pod_spec *ps = pod->object->pod;
		uint16_t number = target_number(ps, arg->port);
		struct endpoint ep = { .addr = pod->addr[arg->family], .node = (char *)pod->node,
				       .target = pod->key, .ready = ps->ready, .serving = ps->ready,
				       .terminating = ps->terminating };

		if (number && pod->serves && pod->has_addr[arg->family] &&
		    selector_matches(arg->spec->selector, pod->labels))
			add_member(arg->list, &ep, number, arg->spec->publish_not_ready);
	}
}

/* Objects that list a service's endpoints of one family. */
struct sources {
	const struct object	**v;
	size_t			n;
	bool			listed;		/* somebody says what the endpoints are, if there are any */
};

static bool lists_family(const struct endpoint_list *list, enum family f)
{
	size_t i, k;

	for (i = 0; i < list->n; i++)
		for (k = 0; k < list->groups[i].n; k++)
			if (list->groups[i].v[k].addr.family == f)
				return true;
	return false;
}

/* The oldest first, so that a new one changes no other one's place. */
static int by_age(const void *a, const void *b)
{
	const struct object *x = *(const struct object *const *)a;
	const struct object *y = *(const struct object *const *)b;
	const char *x_made = x->endpoints->created, *y_made = y->endpoints->created;
	int diff = strcmp(x_made ? x_made : "", y_made ? y_made : "");

	return diff ? diff : strcmp(x->key, y->key);
}

/* EndpointSlices if there are any, else Endpoints; NULL: nobody lists any. */
static const struct map *listed_of(const struct model *m, const struct service_state *svc)
{
	const struct map *slices = index_get(&m->slices, svc->key);

	return slices ? slices : index_get(&m->endpoints, svc->key);
}

/* v is to be freed. */
static void find_sources(struct model *m, const struct service_state *svc, enum family f,
			 struct sources *src)
{
	const struct map *listed = listed_of(m, svc);

	memset(src, 0, sizeof(*src));
	src->listed = listed;
	if (!listed)
		return;
	map_for_each(listed, node) {
		const struct object *obj = node->value;

		if (lists_family(obj->endpoints, f))
			*(const struct object **)array_push(&src->v, &src->n, sizeof(*src->v)) = obj;
	}
	if (src->n)
		qsort(src->v, src->n, sizeof(*src->v), by_age);
}

/* Of one source. NULL: what the selector finds, where nobody lists endpoints; on an API server somebody will. */
static json_t *find_members(struct model *m, const struct service_state *svc,
			    const struct service_port *port, enum family family,
			    const struct monitor_spec *mon, const struct object *source)
{
	const struct service_spec *spec = svc->object->service;
	struct members list = {};
	json_t *out;
	size_t i;

	if (source) {
		add_listed(&list, source, spec, port, family);
	} else if (spec->selector && !m->cfg->api) {
		struct select_arg arg = { m, spec, port, family, &list };

		buckets_of_selector(svc->object->ns, spec->selector, add_selected, &arg);
	}
	for (i = 0; mon && i < list.n; i++)
		list.v[i].failed = health_failed(m, svc->monitor, mon, list.v[i].node,
						 &list.v[i].addr, list.v[i].port);
	out = members_json(&list);
	free(list.v);
	return out;
}

/* --- resources -------------------- */

/* "web.http", "web.80-tcp", "web.http.ipv6" */
static char *pool_name(const struct object *obj, const struct service_port *port, enum family f)
{
	const char *proto = port->proto == IPPROTO_UDP ? "udp" : "sctp";
	const char *end = f == V6 ? ".ipv6" : "";

	if (port->proto == IPPROTO_TCP)
		proto = "tcp";
	if (*port->name)
		return xasprintf("%s.%s%s", obj->name, port->name, end);
	return xasprintf("%s.%u-%s%s", obj->name, port->number, proto, end);
}

/* Takes members over. */
static json_t *pool_json(const struct service_state *svc, const struct service_port *port,
			 enum family f, const struct monitor_spec *mon, json_t *members)
{
	json_t *pool = mem_check(json_pack("{s:s, s:s, s:s, s:s, s:o}", "loadBalancer", svc->key,
					   "network", CLUSTER_NETWORK, "protocol",
					   protocol_name(port->proto), "family", family_name(f),
					   "members", members));

	if (mon)
		json_object_set(pool, "healthMonitor", mon->json);
	return pool;
}

static void put_policies(json_t *pool, const struct service_spec *spec,
			 const struct service_port *port)
{
	if (spec->internal_local)
		json_object_set_new(pool, "internalTrafficPolicy", json_string("Local"));
	if (spec->n_external || spec->n_balanced || port->node_port)
		json_object_set_new(pool, "externalTrafficPolicy",
				    json_string(spec->external_local ? "Local" : "Cluster"));
}

/* An empty list is of both families. */
static bool is_of_family(const struct endpoint_list *list, enum family f)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (list->groups[i].n)
			return list->groups[i].v[0].addr.family == f;
	return true;
}

static bool is_shard(const struct sources *src, const struct object *obj)
{
	size_t i;

	for (i = 1; i < src->n; i++)
		if (src->v[i] == obj)
			return true;
	return false;
}

static json_t *trigger_notes(const char *trigger)
{
	return trigger ? json_pack("{s:s}", TRIGGER_ANNOTATION, trigger) : NULL;
}

/* When the last of what changed the members happened, but for those of shards; NULL: nobody says. */
static json_t *trigger_of(const struct model *m, const struct service_state *svc, enum family f,
			  const struct sources *src)
{
	const struct map *listed = listed_of(m, svc);
	const char *last = NULL;

	if (!listed)
		return NULL;
	map_for_each(listed, node) {
		const struct object *obj = node->value;
		const struct endpoint_list *list = obj->endpoints;

		/* of one form, in UTC: the order of texts is that of times */
		if (list->trigger && is_of_family(list, f) && !is_shard(src, obj) &&
		    (!last || strcmp(list->trigger, last) > 0))
			last = list->trigger;
	}
	return trigger_notes(last);
}

/*
 * The pool of one port and family has the members of the oldest EndpointSlice; each further one is a shard, so
 * that an endpoint's change writes no more than its slice's members. Returns the pool's key.
 */
static char *publish_pool(struct model *m, struct service_state *svc,
			  const struct service_port *port, enum family f)
{
	const struct monitor_spec *mon = health_monitor(m, svc, NULL);
	cleanup_free char *name = pool_name(svc->object, port, f);
	const char *ns = svc->object->ns;
	char *key = xasprintf("%s/%s", ns, name);
	struct sources src;
	json_t *pool;
	size_t i;

	if (mon && !health_can_probe(mon, port))
		mon = NULL;
	find_sources(m, svc, f, &src);
	if (src.n || !src.listed)
		pool = find_members(m, svc, port, f, mon, src.n ? src.v[0] : NULL);
	else
		pool = mem_check(json_array());
	pool = pool_json(svc, port, f, mon, pool);
	put_policies(pool, svc->object->service, port);
	mark(&svc->pools, name);
	store_put(m->store, RES_POOL, ns, name, NULL, trigger_of(m, svc, f, &src), pool);
	for (i = 1; i < src.n; i++) {
		cleanup_free char *shard = xasprintf("%s.shard-%016llx", name, (unsigned long long)
						     stable_hash(src.v[i]->key));

		pool = pool_json(svc, port, f, mon, find_members(m, svc, port, f, mon, src.v[i]));
		json_object_set_new(pool, "shardOf", json_string(key));
		mark(&svc->pools, shard);
		store_put(m->store, RES_POOL, ns, shard, NULL,
			  trigger_notes(src.v[i]->endpoints->trigger), pool);
	}
	free(src.v);
	return key;
}

/* Publishes the pools of one port and returns its listener. */
static json_t *publish_port(struct model *m, struct service_state *svc,
			    const struct service_port *port)
{
	json_t *refs = mem_check(json_object()), *listener;
	enum family f;

	for (f = V4; f < FAMILIES; f++) {
		cleanup_free char *key = NULL;

		if (!svc->has_addr[f])
			continue;
		key = publish_pool(m, svc, port, f);
		json_object_set_new(refs, family_name(f), json_string(key));
	}
	listener = json_pack("{s:s*, s:s, s:i, s:o}", "name", *port->name ? port->name : NULL,
			     "protocol", protocol_name(port->proto), "port", (int)port->number,
			     "pools", refs);
	if (port->node_port)
		json_object_set_new(listener, "nodePort", json_integer(port->node_port));
	return listener;
}

static json_t *publish_vips(struct model *m, struct service_state *svc)
{
	const struct service_spec *spec = svc->object->service;
	enum family order[FAMILIES] = { spec->primary, spec->primary == V4 ? V6 : V4 }, f;
	json_t *vips = mem_check(json_array());
	char text[ADDR_TEXT], name[ADDR_TEXT];
	int i;

	for (i = 0; i < FAMILIES; i++) {
		f = order[i];
		if (!svc->has_addr[f])
			continue;
		json_array_append_new(vips, json_string(addr_text(&svc->addr[f], text)));
		mark(&svc->ips, instance_ip_name(&svc->addr[f], name));
		store_put(m->store, RES_INSTANCE_IP, "", name, NULL, NULL,
			  json_pack("{s:s, s:s, s:s, s:s}", "address", text, "family",
				    family_name(f), "network", CLUSTER_NETWORK, "loadBalancer",
				    svc->key));
	}
	return vips;
}

static void put_addrs(json_t *spec, const char *key, const struct addr *addrs, size_t n)
{
	json_t *list = mem_check(json_array());
	char text[ADDR_TEXT];
	size_t i;

	for (i = 0; i < n; i++)
		json_array_append_new(list, json_string(addr_text(&addrs[i], text)));
	if (n)
		json_object_set(spec, key, list);
	json_decref(list);
}

static void put_ranges(json_t *spec, const struct service_spec *svc)
{
	json_t *list = mem_check(json_array());
	char text[PREFIX_TEXT];
	size_t i;

	for (i = 0; i < svc->n_ranges; i++)
		json_array_append_new(list, json_string(prefix_text(&svc->ranges[i], text)));
	if (svc->n_ranges)
		json_object_set(spec, "sourceRanges", list);
	json_decref(list);
}

static void publish(struct model *m, struct service_state *svc)
{
	const struct service_spec *spec = svc->object->service;
	json_t *listeners = mem_check(json_array()), *affinity = NULL, *out;
	size_t i;

	for (i = 0; i < spec->n_ports; i++)
		json_array_append_new(listeners, publish_port(m, svc, &spec->ports[i]));
	if (spec->affinity)
		affinity = json_pack("{s:i}", "timeoutSeconds", (int)spec->affinity);
	out = mem_check(json_pack("{s:s, s:o, s:o*, s:o}", "network", CLUSTER_NETWORK, "vips",
				  publish_vips(m, svc), "sessionAffinity", affinity, "listeners",
				  listeners));
	put_addrs(out, "externalAddresses", spec->external, spec->n_external);
	put_addrs(out, "loadBalancerAddresses", spec->balanced, spec->n_balanced);
	put_ranges(out, spec);
	if (spec->health_port)
		json_object_set_new(out, "healthCheckNodePort", json_integer(spec->health_port));
	store_put(m->store, RES_LOAD_BALANCER, svc->object->ns, svc->object->name, svc->object->uid,
		  NULL, out);
	svc->published = true;
}

/* Marks all that is published of the service as deleted; what is put after that is not. */
static void withdraw(struct model *m, struct service_state *svc)
{
	char *ns = xstrdup(svc->key), *name = strchr(ns, '/');

	*name++ = '\0';
	map_for_each(&svc->pools, node)
		store_del(m->store, RES_POOL, ns, node->key);
	map_clear(&svc->pools, NULL);
	map_for_each(&svc->ips, node)
		store_del(m->store, RES_INSTANCE_IP, "", node->key);
	map_clear(&svc->ips, NULL);
	if (svc->published)
		store_del(m->store, RES_LOAD_BALANCER, ns, name);
	svc->published = false;
	free(ns);
}

static void service_reconcile(struct model *m, struct service_state *svc)
{
	enum family f;
	char *problem;

	reindex(m, svc);
	if (!svc->object) {
		map_del(&m->starved_services, svc->key);
		model_problem(m, &svc->problem, NULL, NULL);
		service_state_free(map_del(&m->services, svc->key));
		return;
	}
	problem = take_addrs(m, svc);
	if (problem) {
		mark(&m->starved_services, svc->key);
		for (f = V4; f < FAMILIES; f++)
			release_addr(m, svc, f);
	} else {
		map_del(&m->starved_services, svc->key);
		if (!svc->object->service->no_data_path) {
			publish(m, svc);
			problem = external_take(m, svc);
			if (!problem)
				health_monitor(m, svc, &problem);
		}
	}
	model_problem(m, &svc->problem, svc->object, problem);
}

void services_reconcile(struct model *m)
{
	struct map_node **nodes;
	struct map others = {};
	int given;
	size_t i;

	m->released = false;
	map_for_each(&m->dirty_services, node) {
		struct service_state *svc = map_get(&m->services, node->key);

		if (!svc)
			continue;
		withdraw(m, svc);
		shed(m, svc);
		external_leave(m, svc, &others);
	}
	map_for_each(&others, node) {
		withdraw(m, map_get(&m->services, node->key));
		mark(&m->dirty_services, node->key);
	}
	map_clear(&others, NULL);
	if (m->released)
		map_for_each(&m->starved_services, node)
			mark(&m->dirty_services, node->key);
	nodes = map_sorted(&m->dirty_services);
	for (given = 1; given >= 0; given--) {
		for (i = 0; i < m->dirty_services.n; i++) {
			struct service_state *svc = map_get(&m->services, nodes[i]->key);
			const struct service_spec *spec =
				svc && svc->object ? svc->object->service : NULL;

			if (svc && (spec && (spec->has_addr[V4] || spec->has_addr[V6])) == given)
				service_reconcile(m, svc);
		}
	}
	free(nodes);
	m->released = false;
	map_clear(&m->dirty_services, NULL);
}

void service_state_free(void *value)
{
	struct service_state *svc = value;

	map_clear(&svc->pools, NULL);
	map_clear(&svc->ips, NULL);
	map_clear(&svc->places, NULL);
	free(svc->problem);
	free(svc->bucket);
	free(svc->monitor);
	free(svc->key);
	free(svc);
}
