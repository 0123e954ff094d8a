// SPDX-License-Identifier: GPL-2.0-only
/* Resources from JSON, one function for each kind's spec. */

#include <linux/vrouter.h>
#include <time.h>

#include "intern.h"
#include "jread.h"
#include "mem.h"
#include "names.h"

#define MAX_LIST	65536	/* elements of any list; a line of the feed holds few more */
#define MAX_ADDRS	64	/* of an interface, of egress, and VIPs of a service */
#define MAX_GROUPS	256	/* of an interface */

#define API_VERSION	"opencontrail.org/v1"

static const char *const kind_names[RES_KINDS] = {
	[RES_NETWORK] = "VirtualNetwork",
	[RES_SG] = "SecurityGroup",
	[RES_ROUTER] = "VirtualRouter",
	[RES_CHAIN] = "ServiceChain",
	[RES_VMI] = "VirtualMachineInterface",
	[RES_POOL] = "LoadBalancerPool",
	[RES_LINK_LOCAL] = "LinkLocalService",
	[RES_LB] = "LoadBalancer",
};

const char *res_kind_name(enum res_kind kind)
{
	return kind < RES_KINDS ? kind_names[kind] : "resource";
}

static char *dup_string(struct jerr *e, const json_t *o, const char *field, bool required)
{
	return mem_strdup(jstring(e, o, field, required));
}

static const char *intern_string(struct jerr *e, const json_t *o, const char *field)
{
	return intern(jstring(e, o, field, false));
}

/* NULL for an empty one: most are. */
static void *list_of(const json_t *list, size_t size)
{
	return json_array_size(list) ? mem_zero(json_array_size(list), size) : NULL;
}

static void parse_subnet(struct jerr *e, const json_t *o, struct subnet *s)
{
	size_t mark;

	mark = jenter(e, "cidr", -1);
	jprefix(e, json_string_value(json_object_get(o, "cidr")), &s->prefix);
	jleave(e, mark);
	mark = jenter(e, "gateway", -1);
	jip(e, json_string_value(json_object_get(o, "gateway")), &s->gateway);
	if (!jbad(e) && s->gateway.family != s->prefix.addr.family)
		jfail(e, NULL, "is not of the subnet's address family");
	jleave(e, mark);
}

/* A list of prefixes as strings. */
static struct vr_prefix *parse_prefixes(struct jerr *e, const json_t *o, const char *field,
				     unsigned int *n)
{
	const json_t *list = jarray(e, o, field, MAX_LIST);
	struct vr_prefix *p = list_of(list, sizeof(*p));

	for (*n = 0; *n < json_array_size(list) && !jbad(e); (*n)++) {
		size_t mark = jenter(e, field, *n);

		jprefix(e, json_string_value(json_array_get(list, *n)), &p[*n]);
		jleave(e, mark);
	}
	return p;
}

static struct vr_addr *parse_ips(struct jerr *e, const json_t *spec, const char *field,
			    unsigned int *n)
{
	const json_t *list = jarray(e, spec, field, MAX_ADDRS);
	struct vr_addr *ips = list_of(list, sizeof(*ips));

	for (*n = 0; *n < json_array_size(list) && !jbad(e); (*n)++) {
		size_t mark = jenter(e, field, *n);

		jip(e, json_string_value(json_array_get(list, *n)), &ips[*n]);
		jleave(e, mark);
	}
	return ips;
}

static char **parse_names(struct jerr *e, const json_t *spec, const char *field, unsigned int *n)
{
	const json_t *list = jarray(e, spec, field, MAX_LIST);
	char **names = list_of(list, sizeof(*names));

	for (*n = 0; *n < json_array_size(list) && !jbad(e); (*n)++) {
		const char *s = json_string_value(json_array_get(list, *n));
		size_t mark = jenter(e, field, *n);

		if (s)
			names[*n] = mem_strdup(s);
		else
			jfail(e, NULL, "must be a string");
		jleave(e, mark);
	}
	return names;
}

static void parse_egress(struct jerr *e, const json_t *o, struct network *n)
{
	size_t mark;

	if (!o)
		return;
	mark = jenter(e, "egress", -1);
	n->egress = true;
	n->addrs = parse_ips(e, o, "addresses", &n->n_addrs);
	n->nodes = parse_names(e, o, "nodes", &n->n_nodes);
	n->plain = parse_prefixes(e, o, "nonMasqueradeCIDRs", &n->n_plain);
	n->reachable = json_is_true(json_object_get(o, "reachable"));
	jleave(e, mark);
}

static void parse_joined(struct jerr *e, const json_t *o, struct network *n)
{
	size_t mark;

	if (!o)
		return;
	mark = jenter(e, "joined", -1);
	n->joined = jkey(e, o, "network", true);
	n->inside = parse_prefixes(e, o, "subnets", &n->n_inside);
	jleave(e, mark);
}

static void parse_network(struct jerr *e, const json_t *spec, struct res *r)
{
	const json_t *list = jarray(e, spec, "subnets", MAX_LIST);
	struct network *n = &r->network;

	n->subnets = list_of(list, sizeof(*n->subnets));
	for (; n->n_subnets < json_array_size(list) && !jbad(e); n->n_subnets++) {
		size_t mark = jenter(e, "subnets", n->n_subnets);

		parse_subnet(e, json_array_get(list, n->n_subnets), &n->subnets[n->n_subnets]);
		jleave(e, mark);
	}
	n->services = parse_prefixes(e, spec, "serviceSubnets", &n->n_services);
	parse_egress(e, jobject(e, spec, "egress", false), n);
	parse_joined(e, jobject(e, spec, "joined", false), n);
	n->vni = jnumber(e, spec, "vni", 1, 0xffffff, 0);
}

static uint8_t parse_direction(struct jerr *e, const char *field, const char *word)
{
	if (word && !strcmp(word, "ingress"))
		return VROUTER_DIRECTION_INGRESS;
	if (word && !strcmp(word, "egress"))
		return VROUTER_DIRECTION_EGRESS;
	jfail(e, field, "must be \"ingress\" or \"egress\"");
	return 0;
}

static void parse_peer(struct jerr *e, const json_t *peer, struct rule *r)
{
	size_t mark;

	if (!peer)
		return;
	mark = jenter(e, "peer", -1);
	if (json_object_get(peer, "securityGroup")) {
		r->peer = PEER_SG;
		r->peer_sg = jkey(e, peer, "securityGroup", true);
		if (json_object_get(peer, "prefix"))
			jfail(e, NULL, "has both prefix and securityGroup");
	} else {
		const char *text = jstring(e, peer, "prefix", true);
		size_t inner = jenter(e, "prefix", -1);

		r->peer = PEER_PREFIX;
		if (text)
			jprefix(e, text, &r->prefix);
		jleave(e, inner);
		r->except = parse_prefixes(e, peer, "except", &r->n_except);
	}
	jleave(e, mark);
}

/* One of the words that vrctl has for it, too; fallback when there is none. */
static uint8_t parse_word(struct jerr *e, const json_t *o, const char *field,
			  const struct vr_name *words, uint8_t fallback)
{
	const char *word = jstring(e, o, field, false);
	uint32_t value = fallback;

	if (word && !vr_name_value(words, word, &value))
		jfail(e, field, "is unknown: \"%.30s\"", word);
	return value;
}

static void parse_rule(struct jerr *e, const json_t *o, struct rule *r)
{
	const json_t *ports = jobject(e, o, "ports", false);
	size_t mark;

	r->direction = parse_direction(e, "direction", jstring(e, o, "direction", true));
	r->name = dup_string(e, o, "name", false);
	r->proto = jproto(e, o, "protocol", false, true);
	if (ports) {
		mark = jenter(e, "ports", -1);
		r->port_min = jnumber(e, ports, "from", 1, 65535, 0);
		r->port_max = jnumber(e, ports, "to", 1, 65535, r->port_min);
		if (!r->port_min)
			jfail(e, "from", "is missing");
		else if (r->port_max < r->port_min)
			jfail(e, "to", "%u is less than from, %u", r->port_max, r->port_min);
		else if (r->proto != IPPROTO_TCP && r->proto != IPPROTO_UDP &&
			 r->proto != IPPROTO_SCTP)
			jfail(e, NULL, "only TCP, UDP and SCTP have ports");
		jleave(e, mark);
	}
	parse_peer(e, jobject(e, o, "peer", false), r);
	r->action = parse_word(e, o, "action", vr_names_sg_action, VROUTER_SG_ACTION_ACCEPT);
}

static void parse_sg(struct jerr *e, const json_t *spec, struct res *r)
{
	const json_t *list = jarray(e, spec, "enforce", 2);
	struct sg *sg = &r->sg;
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		sg->enforce |= parse_direction(e, "enforce",
					       json_string_value(json_array_get(list, i))) ==
			       VROUTER_DIRECTION_INGRESS ? VROUTER_SG_FLAGS_INGRESS :
							   VROUTER_SG_FLAGS_EGRESS;
	sg->tier = parse_word(e, spec, "tier", vr_names_sg_tier, VROUTER_SG_TIER_NETWORK_POLICY);
	if (sg->tier && sg->enforce)
		jfail(e, "enforce", "has no place in the tiers admin and baseline");
	if (sg->tier)
		sg->priority = jnumber(e, spec, "priority", 0, 65535, 0);
	list = jarray(e, spec, "rules", MAX_LIST);
	sg->rules = list_of(list, sizeof(*sg->rules));
	for (; sg->n_rules < json_array_size(list) && !jbad(e); sg->n_rules++) {
		size_t mark = jenter(e, "rules", sg->n_rules);

		parse_rule(e, json_array_get(list, sg->n_rules), &sg->rules[sg->n_rules]);
		if (sg->rules[sg->n_rules].action && !sg->tier)
			jfail(e, "action", "only the tiers admin and baseline deny or pass");
		jleave(e, mark);
	}
}

static void parse_block(struct jerr *e, const json_t *o, struct block *b)
{
	size_t mark;

	b->network = intern_take(jkey(e, o, "network", true));
	mark = jenter(e, "cidr", -1);
	jprefix(e, json_string_value(json_object_get(o, "cidr")), &b->prefix);
	jleave(e, mark);
}

static void parse_router(struct jerr *e, const json_t *spec, struct res *r)
{
	const json_t *list = jarray(e, spec, "blocks", MAX_LIST);
	struct router *router = &r->router;

	r->router.network = jkey(e, spec, "network", true);
	r->router.addrs = parse_ips(e, spec, "addresses", &r->router.n_addrs);
	r->router.zone = dup_string(e, spec, "zone", false);
	r->router.leaving = json_is_true(json_object_get(spec, "leaving"));
	router->blocks = list_of(list, sizeof(*router->blocks));
	for (; router->n_blocks < json_array_size(list) && !jbad(e); router->n_blocks++) {
		size_t mark = jenter(e, "blocks", router->n_blocks);

		parse_block(e, json_array_get(list, router->n_blocks), &router->blocks[router->n_blocks]);
		jleave(e, mark);
	}
}

/* Keys of other resources. */
static char **parse_keys(struct jerr *e, const json_t *spec, const char *field, size_t max,
			 unsigned int *n)
{
	const json_t *list = jarray(e, spec, field, max);
	char **keys = list_of(list, sizeof(*keys));

	for (*n = 0; *n < json_array_size(list) && !jbad(e); (*n)++) {
		const char *s = json_string_value(json_array_get(list, *n));
		size_t mark = jenter(e, field, *n);

		if (s && key_valid(s))
			keys[*n] = mem_strdup(s);
		else
			jfail(e, NULL, "\"%.64s\" is not namespace/name", s ? s : "");
		jleave(e, mark);
	}
	return keys;
}

static void parse_instance(struct jerr *e, const json_t *o, struct instance *in)
{
	const char *state = jstring(e, o, "state", true);

	in->pod = jkey(e, o, "pod", true);
	in->node = dup_string(e, o, "node", true);
	in->vmis[0] = jkey(e, o, "left", true);
	in->vmis[1] = jkey(e, o, "right", true);
	in->draining = state && !strcmp(state, "draining");
	if (state && !in->draining && strcmp(state, "active"))
		jfail(e, "state", "\"%.32s\" is not \"active\" or \"draining\"", state);
}

static void parse_chain(struct jerr *e, const json_t *spec, struct res *r)
{
	const json_t *list = jarray(e, spec, "instances", MAX_LIST);
	struct chain *c = &r->chain;

	c->nets[0] = jkey(e, spec, "left", true);
	c->nets[1] = jkey(e, spec, "right", true);
	c->instances = list_of(list, sizeof(*c->instances));
	for (; c->n_instances < json_array_size(list) && !jbad(e); c->n_instances++) {
		size_t mark = jenter(e, "instances", c->n_instances);

		parse_instance(e, json_array_get(list, c->n_instances),
			       &c->instances[c->n_instances]);
		jleave(e, mark);
	}
}

static void parse_through(struct jerr *e, const json_t *spec, struct vmi *v)
{
	const json_t *list = jarray(e, spec, "through", MAX_LIST);
	struct through *th;

	v->through = list_of(list, sizeof(*v->through));
	for (; v->n_through < json_array_size(list) && !jbad(e); v->n_through++) {
		const json_t *o = json_array_get(list, v->n_through);
		size_t mark = jenter(e, "through", v->n_through);
		const char *side = jstring(e, o, "side", true);

		th = &v->through[v->n_through];
		th->network = jkey(e, o, "network", true);
		th->chain = jkey(e, o, "chain", true);
		th->right = side && !strcmp(side, "right");
		if (side && !th->right && strcmp(side, "left"))
			jfail(e, "side", "must be \"left\" or \"right\"");
		jleave(e, mark);
	}
}

static void parse_vmi(struct jerr *e, const json_t *spec, struct res *r)
{
	struct vmi *v = &r->vmi;
	unsigned int i;

	v->network = intern_take(jkey(e, spec, "network", true));
	v->joined = intern_take(jkey(e, spec, "joined", false));
	v->node = intern_string(e, spec, "node");
	v->pod = dup_string(e, spec, "pod", false);
	v->ifname = intern_string(e, spec, "interface");
	jmac(e, jstring(e, spec, "macAddress", true), v->mac);
	v->addrs = parse_ips(e, spec, "addresses", &v->n_addrs);
	if (!v->n_addrs)
		jfail(e, "addresses", "is missing or empty");
	v->sgs = (const char **)parse_keys(e, spec, "securityGroups", MAX_GROUPS, &v->n_sgs);
	for (i = 0; i < v->n_sgs; i++)
		v->sgs[i] = intern_take((char *)v->sgs[i]);
	v->additional = parse_keys(e, spec, "additional", MAX_LIST, &v->n_additional);
	parse_through(e, spec, v);
	v->mtu = jnumber(e, spec, "mtu", 1280, 65535, 1500);
}

static void parse_state(struct jerr *e, const char *state, struct pool_member *m)
{
	m->state = VROUTER_MEMBER_STATE_ACTIVE;
	if (state && !strcmp(state, "draining"))
		m->state = VROUTER_MEMBER_STATE_DRAINING;
	else if (state && !strcmp(state, "failed"))
		m->failed = true;
	else if (state && strcmp(state, "active"))
		jfail(e, "state", "\"%.32s\" is not \"active\", \"draining\" or \"failed\"",
		      state);
}

static void parse_member(struct jerr *e, const json_t *o, uint8_t family, struct pool_member *m)
{
	const char *text = jstring(e, o, "address", true);
	const char *state = jstring(e, o, "state", false);
	size_t mark = jenter(e, "address", -1);

	if (text && jip(e, text, &m->addr) && m->addr.family != family)
		jfail(e, NULL, "\"%.64s\" is not of the pool's family", text);
	jleave(e, mark);
	m->port = jnumber(e, o, "port", 1, 65535, 0);
	if (!m->port)
		jfail(e, "port", "is missing");
	m->weight = jnumber(e, o, "weight", 0, 255, 1);
	parse_state(e, state, m);
	m->target = dup_string(e, o, "target", false);
	m->node = intern_string(e, o, "node");
	m->zones = parse_names(e, o, "zones", &m->n_zones);
	m->nodes = parse_names(e, o, "nodes", &m->n_nodes);
}

/* "Local" or "Cluster"; false: absent. */
static bool parse_policy(struct jerr *e, const json_t *spec, const char *field, bool *local)
{
	const char *s = jstring(e, spec, field, false);

	*local = s && !strcmp(s, "Local");
	if (s && !*local && strcmp(s, "Cluster"))
		jfail(e, field, "\"%.32s\" is not \"Cluster\" or \"Local\"", s);
	return s;
}

static void parse_pool(struct jerr *e, const json_t *spec, struct res *r)
{
	const char *family = jstring(e, spec, "family", true);
	const json_t *list = jarray(e, spec, "members", MAX_LIST);
	struct pool *p = &r->pool;

	p->network = intern_take(jkey(e, spec, "network", false));
	p->shard_of = jkey(e, spec, "shardOf", false);
	p->proto = jproto(e, spec, "protocol", true, false);
	parse_policy(e, spec, "internalTrafficPolicy", &p->internal_local);
	p->external = parse_policy(e, spec, "externalTrafficPolicy", &p->external_local);
	if (p->external && !p->network)
		jfail(e, "network", "is missing, and needed with externalTrafficPolicy");
	if (family && !strcmp(family, "IPv4"))
		p->family = AF_INET;
	else if (family && !strcmp(family, "IPv6"))
		p->family = AF_INET6;
	else
		jfail(e, "family", "must be \"IPv4\" or \"IPv6\"");
	p->monitor = monitor_parse(e, jobject(e, spec, "healthMonitor", false));
	p->members = list_of(list, sizeof(*p->members));
	for (; p->n_members < json_array_size(list) && !jbad(e); p->n_members++) {
		size_t mark = jenter(e, "members", p->n_members);

		parse_member(e, json_array_get(list, p->n_members), p->family,
			     &p->members[p->n_members]);
		jleave(e, mark);
	}
}

static void parse_listener(struct jerr *e, const json_t *o, struct listener *l)
{
	const json_t *pools = jobject(e, o, "pools", false);
	size_t mark;

	l->name = dup_string(e, o, "name", false);
	l->proto = jproto(e, o, "protocol", true, false);
	l->port = jnumber(e, o, "port", 1, 65535, 0);
	if (!l->port)
		jfail(e, "port", "is missing");
	l->node_port = jnumber(e, o, "nodePort", 1, 65535, 0);
	mark = jenter(e, "pools", -1);
	l->pool4 = jkey(e, pools, "IPv4", false);
	l->pool6 = jkey(e, pools, "IPv6", false);
	jleave(e, mark);
}

static void parse_lb(struct jerr *e, const json_t *spec, struct res *r)
{
	const json_t *list = jarray(e, spec, "listeners", MAX_LIST);
	const json_t *affinity = jobject(e, spec, "sessionAffinity", false);
	struct lb *lb = &r->lb;
	size_t mark;

	lb->network = jkey(e, spec, "network", true);
	lb->vips = parse_ips(e, spec, "vips", &lb->n_vips);
	lb->external = parse_ips(e, spec, "externalAddresses", &lb->n_external);
	lb->balanced = parse_ips(e, spec, "loadBalancerAddresses", &lb->n_balanced);
	lb->ranges = parse_prefixes(e, spec, "sourceRanges", &lb->n_ranges);
	lb->health_port = jnumber(e, spec, "healthCheckNodePort", 1, 65535, 0);
	if (affinity) {
		mark = jenter(e, "sessionAffinity", -1);
		lb->affinity = jnumber(e, affinity, "timeoutSeconds", 1, 86400, 10800);
		jleave(e, mark);
	}
	lb->listeners = list_of(list, sizeof(*lb->listeners));
	for (; lb->n_listeners < json_array_size(list) && !jbad(e); lb->n_listeners++) {
		mark = jenter(e, "listeners", lb->n_listeners);
		parse_listener(e, json_array_get(list, lb->n_listeners),
			       &lb->listeners[lb->n_listeners]);
		jleave(e, mark);
	}
}

static void parse_link_local(struct jerr *e, const json_t *spec, struct res *r)
{
	struct link_local *ll = &r->link_local;
	const char *text = jstring(e, spec, "address", true);
	size_t mark = jenter(e, "address", -1);

	if (text)
		jip(e, text, &ll->addr);
	jleave(e, mark);
	ll->network = jkey(e, spec, "network", true);
	ll->proto = jproto(e, spec, "protocol", true, false);
	ll->port = jnumber(e, spec, "port", 1, 65535, 0);
	ll->node_port = jnumber(e, spec, "nodePort", 1, 65535, ll->port);
	if (!ll->port)
		jfail(e, "port", "is missing");
}

/* In the place of a namespace; NULL for kinds that have one. */
static const char *prefix_of(enum res_kind kind)
{
	return kind == RES_ROUTER ? "Node" : kind == RES_LINK_LOCAL ? "LinkLocal" : NULL;
}

const char *res_feed_key(const struct res *r)
{
	return prefix_of(r->kind) ? strchr(r->key, '/') + 1 : r->key;
}

/* Identity: metadata.namespace and name make the key. */
static void parse_metadata(struct jerr *e, const json_t *object, struct res *r)
{
	const json_t *meta = jobject(e, object, "metadata", true);
	size_t mark = jenter(e, "metadata", -1);
	const char *ns, *name;

	ns = prefix_of(r->kind);
	if (!ns)
		ns = jstring(e, meta, "namespace", true);
	name = jstring(e, meta, "name", true);
	if (ns && name && !jbad(e)) {
		size_t len = strlen(ns) + strlen(name) + 2;

		r->key = mem_zero(1, len);
		snprintf(r->key, len, "%s/%s", ns, name);
		if (!key_valid(r->key))
			jfail(e, "name", "\"%.128s\" is not namespace/name", r->key);
	}
	r->uid = dup_string(e, meta, "uid", false);
	if (r->kind == RES_VMI)
		r->vmi.config_hash = dup_string(e, json_object_get(meta, "annotations"),
						"kubernetes.io/config.hash", false);
	jleave(e, mark);
}

static void (*const spec_parsers[RES_KINDS])(struct jerr *, const json_t *, struct res *) = {
	[RES_NETWORK] = parse_network, [RES_SG] = parse_sg, [RES_ROUTER] = parse_router,
	[RES_CHAIN] = parse_chain,
	[RES_VMI] = parse_vmi,
	[RES_POOL] = parse_pool, [RES_LB] = parse_lb,
	[RES_LINK_LOCAL] = parse_link_local,
};

static enum res_kind parse_kind(struct jerr *e, const json_t *object)
{
	const char *version = jstring(e, object, "apiVersion", true);
	const char *kind = jstring(e, object, "kind", true);
	enum res_kind k;

	if (version && strcmp(version, API_VERSION))
		jfail(e, "apiVersion", "\"%.64s\" is not %s", version, API_VERSION);
	for (k = 0; kind && k < RES_KINDS; k++)
		if (!strcmp(kind, kind_names[k]))
			return k;
	return RES_OTHER;
}

struct res *res_identify(const json_t *object, struct jerr *e)
{
	struct res *r = mem_zero(1, sizeof(*r));

	memset(e, 0, sizeof(*e));
	if (!json_is_object(object))
		jfail(e, "object", "must be an object");
	r->kind = parse_kind(e, object);
	if (!jbad(e) && r->kind != RES_OTHER)
		parse_metadata(e, object, r);
	if (!jbad(e))
		return r;
	res_free(r);
	return NULL;
}

/* "2026-01-31T03:00:00.5Z", seconds since 1970; 0: it is no such time. */
static double parse_time(const char *text)
{
	struct tm tm = {};
	const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;

	if (!rest)
		return 0;
	return timegm(&tm) + (*rest == '.' ? strtod(rest, NULL) : 0);
}

/* For metrics only: what is no time is as if it were not there. */
static void parse_trigger(const json_t *object, struct pool *p)
{
	const json_t *notes = json_object_get(json_object_get(object, "metadata"), "annotations");

	p->trigger = parse_time(json_string_value(json_object_get(
		notes, "endpoints.kubernetes.io/last-change-trigger-time")));
}

bool res_parse_spec(struct res *r, const json_t *object, struct jerr *e)
{
	const json_t *spec = jobject(e, object, "spec", true);
	size_t mark = jenter(e, "spec", -1);

	if (spec && r->kind != RES_OTHER)
		spec_parsers[r->kind](e, spec, r);
	if (r->kind == RES_POOL)
		parse_trigger(object, &r->pool);
	jleave(e, mark);
	return !jbad(e);
}
