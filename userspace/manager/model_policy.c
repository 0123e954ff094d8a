// SPDX-License-Identifier: GPL-2.0-only
/* NetworkPolicies and ClusterNetworkPolicies: the groups they need, and their rules. */
#include "field.h"
#include "model.h"
#include "xmem.h"

/* --- groups ------------------------------------------------------------------------ */

/* What a peer's pods are called: the canonical text, the same for the same pods. */
static char *peer_key(const struct object *obj, const struct policy_peer *peer)
{
	char text[PREFIX_TEXT], *key, *more;
	size_t i;

	if (!peer)
		return xstrdup("all pods");
	if (!peer_is_block(peer)) {
		cleanup_free char *ns = peer->ns ? selector_text(peer->ns) : NULL;
		cleanup_free char *pods = peer->pods ? selector_text(peer->pods) : xstrdup("");

		return xasprintf("%s%s%s pods%s%s", ns ? "namespaces" : "namespace ",
				 ns ? *ns ? " " : "" : "", ns ? ns : obj->ns, *pods ? " " : "",
				 pods);
	}
	key = xasprintf("pods in %s", prefix_text(&peer->block, text));
	for (i = 0; i < peer->n_except; i++) {
		more = xasprintf("%s%s%s", key, i ? "," : " except ",
				 prefix_text(&peer->except[i], text));
		free(key);
		key = more;
	}
	return key;
}

/* Of a peer (NULL: all pods), or of those of its pods that have the named port. */
static char *identity_key(const struct object *obj, const struct policy_peer *peer,
			  const struct policy_port *port)
{
	char *key = peer_key(obj, peer), *named;

	if (!port)
		return key;
	named = xasprintf("%s with port %s/%s", key, port->name, protocol_name(port->proto));
	free(key);
	return named;
}

static void describe_peer(struct group *g, const struct object *obj, const struct policy_peer *peer)
{
	if (!peer)
		return;
	if (!peer_is_block(peer)) {
		g->ns = peer->ns ? NULL : xstrdup(obj->ns);
		g->ns_selector = selector_copy(peer->ns);
		g->pods = selector_copy(peer->pods);
		return;
	}
	g->in_block = true;
	g->block = peer->block;
	g->n_except = peer->n_except;
	g->except = xcalloc(peer->n_except, sizeof(*g->except));
	if (peer->n_except)
		memcpy(g->except, peer->except, peer->n_except * sizeof(*g->except));
}

static void use_identity(struct model *m, struct policy_state *ps, struct map *peers,
			 const struct policy_peer *peer, const struct policy_port *port)
{
	struct group g = { .key = identity_key(ps->object, peer, port) }, *got;

	describe_peer(&g, ps->object, peer);
	if (port) {
		g.port_name = xstrdup(port->name);
		g.port_proto = port->proto;
	}
	got = group_get(m, &g);
	map_keep(&got->users, ps->key, ps);
	map_keep(peers, got->key, got);
}

/* The groups that one rule's peers need: as they are, and by the numbers of named ports. */
static void use_rule_groups(struct model *m, struct policy_state *ps, struct map *peers,
			    const struct policy_rule *rule)
{
	size_t i, j, n = rule->n_peers ? rule->n_peers : 1;
	bool plain = !rule->n_ports;

	for (j = 0; j < rule->n_ports; j++)
		plain |= rule->direction == INGRESS || !rule->ports[j].name;
	for (i = 0; i < n; i++) {
		const struct policy_peer *peer = rule->n_peers ? &rule->peers[i] : NULL;

		if (peer && peer->nodes)
			continue;
		if (plain && peer && !peer_is_block(peer))
			use_identity(m, ps, peers, peer, NULL);
		for (j = 0; rule->direction == EGRESS && j < rule->n_ports; j++)
			if (rule->ports[j].name)
				use_identity(m, ps, peers, peer, &rule->ports[j]);
	}
}

/* Lets go of the identity groups that are not in keep. */
static void release_peers(struct model *m, struct policy_state *ps, const struct map *keep)
{
	map_for_each(&ps->peers, node) {
		struct group *g = node->value;

		if (keep && map_get(keep, node->key))
			continue;
		map_del(&g->users, ps->key);
		if (!g->users.n)
			group_drop(m, g);
	}
	map_clear(&ps->peers, NULL);
}

static bool has_named_ingress(const struct policy_spec *policy)
{
	size_t i, j;

	for (i = 0; i < policy->n_rules; i++)
		for (j = 0; policy->rules[i].direction == INGRESS && policy->enforce[INGRESS] &&
			    j < policy->rules[i].n_ports; j++)
			if (policy->rules[i].ports[j].name)
				return true;
	return false;
}

static void policy_forget(struct model *m, struct policy_state *ps)
{
	if (ps->subject)
		group_drop(m, ps->subject);
	release_peers(m, ps, NULL);
	map_del(&m->node_policies, ps->key);
	policy_state_free(map_del(&m->policies, ps->key));
}

/* Of a NetworkPolicy "policy ns/name"; to be freed. */
static char *policy_title(const char *key)
{
	return xasprintf("%s %s", strchr(key, '/') ? "policy" : "cluster policy", key);
}

static void policy_reconcile(struct model *m, const char *key)
{
	enum object_kind kind = strchr(key, '/') ? KIND_POLICY : KIND_CLUSTER_POLICY;
	const struct object *obj = map_get(&m->objects[kind], key);
	struct policy_state *ps = map_get(&m->policies, key);
	struct map peers = {};
	struct group subject = {};
	size_t i;

	if (!ps && !obj)
		return;
	if (!ps) {
		ps = xzalloc(sizeof(*ps));
		ps->key = xstrdup(key);
		map_set(&m->policies, key, ps);
	}
	/* Dropped and made anew; where that changes nothing, no event comes of it. */
	if (ps->subject)
		group_drop(m, ps->subject);
	ps->subject = NULL;
	ps->object = obj;
	if (!obj) {
		policy_forget(m, ps);
		return;
	}
	ps->named_ingress = has_named_ingress(obj->policy);
	for (i = 0; i < obj->policy->n_rules; i++)
		if (obj->policy->enforce[obj->policy->rules[i].direction])
			use_rule_groups(m, ps, &peers, &obj->policy->rules[i]);
	release_peers(m, ps, &peers);
	ps->peers = peers;
	if (obj->policy->by_nodes)
		mark(&m->node_policies, key);
	else
		map_del(&m->node_policies, key);
	subject.key = policy_title(key);
	subject.ns = obj->policy->ns ? NULL : xstrdup(obj->ns);
	subject.ns_selector = selector_copy(obj->policy->ns);
	subject.pods = selector_copy(obj->policy->pods);
	subject.policy = ps;
	ps->subject = group_get(m, &subject);
	mark(&m->dirty_rules, key);
}

void policies_reconcile(struct model *m)
{
	struct map_node **nodes = map_sorted(&m->dirty_policies);
	size_t i;

	for (i = 0; i < m->dirty_policies.n; i++)
		policy_reconcile(m, nodes[i]->key);
	free(nodes);
	map_clear(&m->dirty_policies, NULL);
}

/* --- named ports of ingress rules ------------------------------------------------------ */

/* " http/TCP=80", ... appended to *text if the pod has such a port and it is not there yet. */
static void add_numbers(char **text, const struct pod_spec *pod, const struct policy_port *port)
{
	size_t i;

	for (i = 0; i < pod->n_ports; i++) {
		char *more;

		if (pod->ports[i].proto != port->proto || strcmp(pod->ports[i].name, port->name))
			continue;
		more = xasprintf("%s%s%s/%s=%u", *text, **text ? "," : "", port->name,
				 protocol_name(port->proto), pod->ports[i].number);
		free(*text);
		*text = more;
	}
}

/* Whether an earlier port of the policy's ingress rules has the same name and protocol. */
static bool is_repeated(const struct policy_spec *policy, const struct policy_port *port)
{
	size_t i, j;

	for (i = 0; i < policy->n_rules; i++) {
		for (j = 0; j < policy->rules[i].n_ports; j++) {
			const struct policy_port *p = &policy->rules[i].ports[j];

			if (p == port)
				return false;
			if (policy->rules[i].direction == INGRESS && p->name &&
			    p->proto == port->proto && !strcmp(p->name, port->name))
				return true;
		}
	}
	return false;
}

char *policy_port_numbers(const struct policy_state *ps, const struct pod_state *pod)
{
	const struct policy_spec *policy = ps->object->policy;
	char *text = xstrdup("");
	size_t i, j;

	for (i = 0; i < policy->n_rules; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		for (j = 0; rule->direction == INGRESS && j < rule->n_ports; j++)
			if (rule->ports[j].name && !is_repeated(policy, &rule->ports[j]))
				add_numbers(&text, pod->object->pod, &rule->ports[j]);
	}
	return text;
}

/* Calls back with each number that a variant's text gives for the port. */
static void each_number(const char *text, const struct policy_port *port,
			void (*fn)(void *arg, unsigned int number), void *arg)
{
	cleanup_free char *prefix = xasprintf("%s/%s=", port->name, protocol_name(port->proto));
	const char *at;

	for (at = text; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
		if (!strncmp(at, prefix, strlen(prefix)))
			fn(arg, atoi(at + strlen(prefix)));
}

/* --- rules ------------------------------------------------------------------------------- */

/* One rule of the policy on its way to JSON. */
struct rule_arg {
	struct model			*m;
	const struct policy_state	*ps;
	const struct policy_rule	*rule;
	const struct policy_peer	*peer;		/* NULL: any */
	const struct policy_port	*port;		/* NULL: any */
	const char			*variant;	/* of the subject */
	char				*name;
	json_t				*rules;
};

static json_t *peer_block(const struct policy_peer *peer)
{
	json_t *except = mem_check(json_array());
	char text[PREFIX_TEXT];
	size_t i;

	for (i = 0; i < peer->n_except; i++)
		json_array_append_new(except, json_string(prefix_text(&peer->except[i], text)));
	if (!peer->n_except) {
		json_decref(except);
		except = NULL;
	}
	return json_pack("{s:s, s:o*}", "prefix", prefix_text(&peer->block, text), "except",
			 except);
}

static json_t *peer_group(const struct variant *v)
{
	cleanup_free char *ref = variant_reference(v);

	return json_pack("{s:s}", "securityGroup", ref);
}

/* Appends a rule; from 0 = every port; peer (taken over) may be NULL. */
static void add_rule(struct rule_arg *arg, unsigned int from, unsigned int to, json_t *peer)
{
	json_t *rule = mem_check(json_pack("{s:s, s:s}", "direction",
					   arg->rule->direction == INGRESS ? "ingress" : "egress",
					   "name", arg->name));

	if (arg->rule->action != ACTION_ACCEPT)
		json_object_set_new(rule, "action", json_string(
			arg->rule->action == ACTION_DENY ? "deny" : "pass"));
	if (arg->port)
		json_object_set_new(rule, "protocol", json_string(protocol_name(arg->port->proto)));
	if (from)
		json_object_set_new(rule, "ports", from == to ? json_pack("{s:i}", "from", from) :
				    json_pack("{s:i, s:i}", "from", from, "to", to));
	if (peer)
		json_object_set_new(rule, "peer", peer);
	json_array_append_new(arg->rules, rule);
}

static json_t *plain_peer(const struct rule_arg *arg)
{
	struct group *g;
	char *key;

	if (!arg->peer)
		return NULL;
	if (peer_is_block(arg->peer))
		return peer_block(arg->peer);
	key = identity_key(arg->ps->object, arg->peer, NULL);
	g = map_get(&arg->m->groups, key);
	free(key);
	return peer_group(map_get(&g->variants, ""));
}

/* Ingress by name: the number is the selected pod's own. */
static void add_own_number(void *p, unsigned int number)
{
	struct rule_arg *arg = p;

	add_rule(arg, number, number, plain_peer(arg));
}

/* Egress by name within a block: a rule for each pod's address in it. */
static void add_addresses(struct rule_arg *arg, const struct group *g)
{
	struct map_node **nodes = map_sorted(&g->members);
	size_t i, j;

	for (i = 0; i < g->members.n; i++) {
		const struct pod_state *pod = nodes[i]->value;
		const struct membership *ms = map_get(&pod->groups, g->key);
		struct policy_peer host = { .block = { pod->addr[g->block.addr.family],
						       family_bits(g->block.addr.family) } };

		for (j = 0; j < ms->n; j++)
			add_rule(arg, atoi(ms->variants[j]), atoi(ms->variants[j]),
				 peer_block(&host));
	}
	free(nodes);
}

/* Egress by name: one rule for each number among the peers, for those who have it. */
static void add_peer_numbers(struct rule_arg *arg)
{
	char *key = identity_key(arg->ps->object, arg->peer, arg->port);
	const struct group *g = map_get(&arg->m->groups, key);
	struct variant **list;
	size_t i, n;

	free(key);
	if (!group_is_published(g)) {
		add_addresses(arg, g);
		return;
	}
	list = group_variants(g, &n);
	for (i = 0; i < n; i++)
		add_rule(arg, atoi(list[i]->text), atoi(list[i]->text), peer_group(list[i]));
	free(list);
}

/* A rule for each address of the nodes. */
static void add_nodes(struct rule_arg *arg)
{
	struct map_node **nodes = map_sorted(&arg->m->objects[KIND_NODE]);
	size_t i, j;

	for (i = 0; i < arg->m->objects[KIND_NODE].n; i++) {
		const struct object *obj = nodes[i]->value;

		if (!selector_matches(arg->peer->nodes, obj->labels))
			continue;
		for (j = 0; j < obj->node->n; j++) {
			struct policy_peer host = { .block = {
				obj->node->addrs[j], family_bits(obj->node->addrs[j].family) } };

			add_rule(arg, arg->port ? arg->port->from : 0,
				 arg->port ? arg->port->to : 0, peer_block(&host));
		}
	}
	free(nodes);
}

static void add_peer_and_port(struct rule_arg *arg)
{
	if (arg->peer && arg->peer->nodes)
		add_nodes(arg);
	else if (!arg->port || !arg->port->name)
		add_rule(arg, arg->port ? arg->port->from : 0, arg->port ? arg->port->to : 0,
			 plain_peer(arg));
	else if (arg->rule->direction == EGRESS)
		add_peer_numbers(arg);
	else
		each_number(arg->variant, arg->port, add_own_number, arg);
}

/* "policy default/api ingress[0].from[1].ports[0]" */
static char *rule_name(const struct rule_arg *arg)
{
	const struct policy_spec *policy = arg->ps->object->policy;
	bool ingress = arg->rule->direction == INGRESS;
	cleanup_free char *title = policy_title(arg->ps->key);
	char from[32] = "", ports[32] = "";

	if (arg->peer)
		snprintf(from, sizeof(from), ".%s[%u]", ingress ? "from" : "to", arg->peer->index);
	if (arg->port)
		snprintf(ports, sizeof(ports), ".%s[%u]", policy->tier ? "protocols" : "ports",
			 arg->port->index);
	if (policy->domain)
		return xasprintf("isolation of %s %s[%u]%s", policy->domain,
				 ingress ? "ingress" : "egress", arg->rule->index, from);
	return xasprintf("%s %s[%u]%s%s%s%s", title, ingress ? "ingress" : "egress",
			 arg->rule->index, from, ports, arg->rule->name ? " " : "",
			 arg->rule->name ? arg->rule->name : "");
}

static void add_policy_rule(struct rule_arg *arg)
{
	const struct policy_rule *rule = arg->rule;
	size_t i, j;

	for (i = 0; i < (rule->n_peers ? rule->n_peers : 1); i++) {
		for (j = 0; j < (rule->n_ports ? rule->n_ports : 1); j++) {
			arg->peer = rule->n_peers ? &rule->peers[i] : NULL;
			arg->port = rule->n_ports ? &rule->ports[j] : NULL;
			arg->name = rule_name(arg);
			add_peer_and_port(arg);
			free(arg->name);
		}
	}
}

static void publish_variant(struct model *m, const struct policy_state *ps, const struct variant *v)
{
	json_t *rules = mem_check(json_array());
	struct rule_arg arg = { .m = m, .ps = ps, .variant = v->text, .rules = rules };
	const struct policy_spec *policy = ps->object->policy;
	static const char *const tiers[] = { [TIER_ADMIN] = "admin", [TIER_BASELINE] = "baseline" };
	json_t *enforce = mem_check(json_array()), *spec;
	size_t i;

	if (policy->enforce[INGRESS] && !policy->tier)
		json_array_append_new(enforce, json_string("ingress"));
	if (policy->enforce[EGRESS] && !policy->tier)
		json_array_append_new(enforce, json_string("egress"));
	for (i = 0; i < policy->n_rules; i++) {
		arg.rule = &policy->rules[i];
		if (policy->enforce[arg.rule->direction])
			add_policy_rule(&arg);
	}
	spec = mem_check(json_pack("{s:o, s:o}", "enforce", enforce, "rules", arg.rules));
	if (policy->tier) {
		json_object_set_new(spec, "tier", json_string(tiers[policy->tier]));
		json_object_set_new(spec, "priority", json_integer(policy->priority));
	}
	store_put(m->store, RES_SECURITY_GROUP, v->ns, v->name, *v->text ? NULL : ps->object->uid,
		  *v->text ? json_pack("{s:s}", "opencontrail.org/ports", v->text) : NULL, spec);
}

static void publish(struct model *m, const struct policy_state *ps)
{
	map_for_each(&ps->subject->variants, node)
		publish_variant(m, ps, node->value);
}

void policies_publish(struct model *m)
{
	map_for_each(&m->dirty_rules, node) {
		const struct policy_state *ps = map_get(&m->policies, node->key);

		if (ps && ps->subject)
			publish(m, ps);
	}
	map_clear(&m->dirty_rules, NULL);
}

void policies_mark_nodes(struct model *m)
{
	map_for_each(&m->node_policies, node)
		mark(&m->dirty_rules, node->key);
}

void policy_state_free(void *value)
{
	struct policy_state *ps = value;

	map_clear(&ps->peers, NULL);
	free(ps->key);
	free(ps);
}
