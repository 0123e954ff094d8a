// SPDX-License-Identifier: GPL-2.0-only
/* ClusterNetworkPolicy, policy.networking.k8s.io/v1alpha2. */
#include "field.h"
#include "objects.h"
#include "xmem.h"

/*
 * The API server has checked what its schema knows. What is of a later schema, or not
 * supported, fails closed, as the API asks for: such a rule that accepts matches nothing,
 * one that denies or passes denies everything.
 */

#define MAX_PRIORITY	1000
#define MAX_RULES	25
#define MAX_LIST	25

static struct selector *everything(void)
{
	return xzalloc(sizeof(struct selector));
}

/* {namespaceSelector, podSelector} */
static void read_pods(const struct field *f, struct selector **ns, struct selector **pods)
{
	static const char *const known[] = { "namespaceSelector", "podSelector", NULL };
	struct field n = field_get(f, "namespaceSelector"), p = field_get(f, "podSelector");

	field_only(f, known, true);
	*ns = n.value ? selector_read(&n) : everything();
	*pods = p.value ? selector_read(&p) : everything();
}

/* namespaces or pods; false: it is neither */
static bool read_who(const struct field *f, struct selector **ns, struct selector **pods)
{
	struct field namespaces = field_get(f, "namespaces"), in = field_object(f, "pods");

	if (namespaces.value && in.value)
		field_error(f, "must have one of namespaces and pods, not both");
	else if (namespaces.value)
		*ns = selector_read(&namespaces);
	else if (in.value)
		read_pods(&in, ns, pods);
	return namespaces.value || in.value;
}

/* --- peers ------------------------------------------------------------------ */

static struct policy_peer *add_peer(struct policy_rule *rule, size_t index)
{
	struct policy_peer *peer = array_push(&rule->peers, &rule->n_peers, sizeof(*rule->peers));

	peer->index = index;
	return peer;
}

static void read_networks(struct policy_rule *rule, const struct field *list, size_t index)
{
	size_t i;

	if (field_count(list) > MAX_LIST)
		field_error(list, "has more than %d entries", MAX_LIST);
	for (i = 0; i < field_count(list) && i < MAX_LIST; i++) {
		struct field e = field_at(list, i);

		field_prefix(&e, &add_peer(rule, index)->block);
	}
}

/* False: it is nothing that is known here. */
static bool read_peer(struct policy_spec *policy, struct policy_rule *rule, const struct field *f,
		      size_t index)
{
	struct field networks = field_array(f, "networks"), nodes = field_get(f, "nodes");
	struct selector *ns = NULL, *pods = NULL;
	struct policy_peer *peer;

	if (!json_is_object(f->value)) {
		field_error(f, "must be an object");
		return true;
	}
	if (json_object_size(f->value) > 1)
		field_error(f, "must have one field");
	if (read_who(f, &ns, &pods)) {
		peer = add_peer(rule, index);
		peer->ns = ns;
		peer->pods = pods;
		return true;
	}
	if (rule->direction == EGRESS && networks.value) {
		read_networks(rule, &networks, index);
		return true;
	}
	if (rule->direction == EGRESS && nodes.value) {
		add_peer(rule, index)->nodes = selector_read(&nodes);
		policy->by_nodes = true;
		return true;
	}
	return false;
}

/* --- protocols -------------------------------------------------------------- */

static struct policy_port *add_port(struct policy_rule *rule, size_t index, int proto)
{
	struct policy_port *port = array_push(&rule->ports, &rule->n_ports, sizeof(*rule->ports));

	port->index = index;
	port->proto = proto;
	return port;
}

/* {tcp: {destinationPort: {number} or {range: {start, end}}}}, without the first level */
static void read_number(struct policy_port *port, const struct field *proto)
{
	static const char *const known[] = { "destinationPort", NULL };
	static const char *const forms[] = { "number", "range", NULL };
	struct field dest = field_object(proto, "destinationPort");
	struct field range = field_object(&dest, "range");

	field_only(proto, known, true);
	if (!dest.value)
		return;
	field_only(&dest, forms, true);
	if (!range.value) {
		field_required(&dest, "number");
		port->from = port->to = field_int(&dest, "number", 1, 65535, 0);
		return;
	}
	port->from = field_int(&range, "start", 1, 65535, 0);
	port->to = field_int(&range, "end", 1, 65535, 0);
	if (port->to < port->from || !port->from)
		field_error(&range, "must have a start that is not above its end");
}

/* A port's name says nothing of its protocol: it is the pod's. */
static void read_port_name(struct policy_rule *rule, const struct field *f, size_t index)
{
	static const int protocols[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP };
	const char *name = field_as_string(f), *reason = name ? name_port(name) : NULL;
	size_t i;

	if (reason)
		field_error(f, "\"%.30s\" %s", name, reason);
	for (i = 0; name && i < sizeof(protocols) / sizeof(*protocols); i++)
		add_port(rule, index, protocols[i])->name = xstrdup(name);
}

/* False: it is nothing that is known here. */
static bool read_protocol(struct policy_rule *rule, const struct field *f, size_t index)
{
	static const struct { const char *key; int proto; } protocols[] = {
		{ "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP }, { "sctp", IPPROTO_SCTP },
	};
	struct field name = field_get(f, "destinationNamedPort");
	size_t i;

	if (name.value) {
		read_port_name(rule, &name, index);
		return true;
	}
	for (i = 0; i < sizeof(protocols) / sizeof(*protocols); i++) {
		struct field at = field_object(f, protocols[i].key);

		if (!at.value)
			continue;
		read_number(add_port(rule, index, protocols[i].proto), &at);
		return true;
	}
	return false;
}

/* --- rules -------------------------------------------------------------------- */

static enum policy_action read_action(const struct field *f)
{
	static const char *const words[] = {
		[ACTION_ACCEPT] = "Accept", [ACTION_DENY] = "Deny", [ACTION_PASS] = "Pass",
	};
	const char *word = field_string(f, "action");
	struct field at = field_get(f, "action");
	size_t i;

	field_required(f, "action");
	for (i = 0; word && i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(word, words[i]))
			return i;
	if (word)
		field_error(&at, "must be Accept, Deny or Pass, not \"%.30s\"", word);
	return ACTION_DENY;
}

/* Both lists; false: the rule has something that is not known here. */
static bool read_lists(struct policy_spec *policy, struct policy_rule *rule, const struct field *f)
{
	static const char *const list[] = { [INGRESS] = "from", [EGRESS] = "to" };
	struct field peers = field_array(f, list[rule->direction]);
	struct field protocols = field_array(f, "protocols");
	bool known = true;
	size_t i;

	field_required(f, list[rule->direction]);
	if (peers.value && !field_count(&peers))
		field_error(&peers, "must have at least one entry");
	for (i = 0; i < field_count(&peers); i++) {
		struct field e = field_at(&peers, i);

		if (read_peer(policy, rule, &e, i))
			continue;
		field_warn(&e, "is no peer that is known here: the rule %s",
			   rule->action == ACTION_ACCEPT ? "matches nothing" : "denies everything");
		known = false;
	}
	for (i = 0; i < field_count(&protocols); i++) {
		struct field e = field_at(&protocols, i);

		if (read_protocol(rule, &e, i))
			continue;
		field_warn(&e, "is no protocol that is known here: the rule %s",
			   rule->action == ACTION_ACCEPT ? "matches nothing" : "denies everything");
		known = false;
	}
	return known;
}

static void check_named_ports(const struct policy_rule *rule, const struct field *f)
{
	bool named = false, others = false;
	size_t i;

	for (i = 0; i < rule->n_ports; i++)
		named |= rule->ports[i].name != NULL;
	for (i = 0; i < rule->n_peers; i++)
		others |= rule->peers[i].nodes || peer_is_block(&rule->peers[i]);
	if (named && others)
		field_error(f, "networks and nodes have no named ports");
}

/* The last rule has something that is not known here. */
static void fail_closed(struct policy_spec *policy, struct policy_rule *rule)
{
	struct policy_rule deny = {
		.direction = rule->direction, .index = rule->index, .action = ACTION_DENY,
		.name = xstrdup(rule->name),
	};
	bool accepts = rule->action == ACTION_ACCEPT;

	policy_rule_clear(rule);
	*rule = deny;
	if (!accepts)
		return;
	policy_rule_clear(rule);
	policy->n_rules--;
}

static void read_rule(struct policy_spec *policy, const struct field *f, enum direction direction,
		      size_t index)
{
	struct policy_rule *rule = array_push(&policy->rules, &policy->n_rules, sizeof(*rule));

	rule->direction = direction;
	rule->index = index;
	if (!json_is_object(f->value)) {
		field_error(f, "must be an object");
		return;
	}
	rule->action = read_action(f);
	rule->name = xstrdup(field_string(f, "name"));
	if (read_lists(policy, rule, f))
		check_named_ports(rule, f);
	else
		fail_closed(policy, rule);
}

static void read_tier(struct policy_spec *policy, const struct field *spec)
{
	const char *word = field_string(spec, "tier");
	struct field at = field_get(spec, "tier");

	field_required(spec, "tier");
	if (word && !strcmp(word, "Admin"))
		policy->tier = TIER_ADMIN;
	else if (word && !strcmp(word, "Baseline"))
		policy->tier = TIER_BASELINE;
	else if (word)
		field_error(&at, "must be Admin or Baseline, not \"%.30s\"", word);
	field_required(spec, "priority");
	policy->priority = field_int(spec, "priority", 0, MAX_PRIORITY, 0);
}

void cluster_policy_read(struct object *obj, const struct field *doc)
{
	static const char *const lists[] = { [INGRESS] = "ingress", [EGRESS] = "egress" };
	struct field spec = field_object(doc, "spec"), subject = field_object(&spec, "subject");
	struct policy_spec *policy = xzalloc(sizeof(*policy));
	enum direction d;
	size_t i;

	obj->policy = policy;
	field_required(doc, "spec");
	if (!spec.value)
		return;
	read_tier(policy, &spec);
	field_required(&spec, "subject");
	if (subject.value && !read_who(&subject, &policy->ns, &policy->pods))
		field_error(&subject, "must have namespaces or pods");
	for (d = INGRESS; d <= EGRESS; d++) {
		struct field list = field_array(&spec, lists[d]);

		policy->enforce[d] = true;
		if (field_count(&list) > MAX_RULES)
			field_error(&list, "has more than %d rules", MAX_RULES);
		for (i = 0; i < field_count(&list) && i < MAX_RULES; i++) {
			struct field e = field_at(&list, i);

			read_rule(policy, &e, d, i);
		}
	}
}
