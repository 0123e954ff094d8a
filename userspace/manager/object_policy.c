// SPDX-License-Identifier: GPL-2.0-only
#include "field.h"
#include "objects.h"
#include "xmem.h"

/*
 * An unknown field is an error here and not only a warning: a policy with a
 * misspelt "podSelector" would mean something quite different from what was wanted.
 */

static void read_block(struct policy_peer *peer, const struct field *f)
{
	static const char *const known[] = { "cidr", "except", NULL };
	struct field cidr = field_get(f, "cidr"), list = field_array(f, "except");
	bool good = false;
	size_t i;

	field_only(f, known, true);
	if (cidr.value)
		good = field_prefix(&cidr, &peer->block);
	else
		field_required(f, "cidr");
	for (i = 0; i < field_count(&list); i++) {
		struct prefix *p = array_push(&peer->except, &peer->n_except, sizeof(*p));
		struct field e = field_at(&list, i);

		if (field_prefix(&e, p) && good &&
		    !(prefix_covers(&peer->block, p) && p->len > peer->block.len))
			field_error(&e, "\"%s\" is not a part of cidr %s",
				    json_string_value(e.value), json_string_value(cidr.value));
	}
}

static void read_peer(struct policy_peer *peer, const struct field *f)
{
	static const char *const known[] = { "podSelector", "namespaceSelector", "ipBlock", NULL };
	struct field pods = field_get(f, "podSelector"), ns = field_get(f, "namespaceSelector");
	struct field block = field_object(f, "ipBlock");

	if (!json_is_object(f->value)) {
		field_error(f, "must be an object");
		return;
	}
	field_only(f, known, true);
	if (block.value && (pods.value || ns.value))
		field_error(f, "ipBlock may not stand beside podSelector or namespaceSelector");
	else if (!block.value && !pods.value && !ns.value)
		field_error(f, "must have podSelector, namespaceSelector or ipBlock");
	if (pods.value)
		peer->pods = selector_read(&pods);
	if (ns.value)
		peer->ns = selector_read(&ns);
	if (block.value)
		read_block(peer, &block);
}

static void read_end_port(struct policy_port *port, const struct field *f)
{
	struct field at = field_get(f, "endPort");

	if (!at.value)
		return;
	if (port->name || !port->from) {
		field_error(&at, "needs a port number in port");
		return;
	}
	port->to = field_int(f, "endPort", 1, 65535, port->from);
	if (port->to < port->from)
		field_error(&at, "must not be below port, %u", port->from);
}

static void read_port(struct policy_port *port, const struct field *f)
{
	static const char *const known[] = { "protocol", "port", "endPort", NULL };
	struct field at = field_get(f, "port");
	const char *name, *reason;

	if (!json_is_object(f->value)) {
		field_error(f, "must be an object");
		return;
	}
	field_only(f, known, true);
	field_protocol(f, &port->proto);
	if (json_is_string(at.value)) {
		name = json_string_value(at.value);
		reason = name_port(name);
		if (reason)
			field_error(&at, "\"%.30s\" %s", name, reason);
		port->name = xstrdup(name);
	} else {
		port->from = port->to = field_int(f, "port", 1, 65535, 0);
	}
	read_end_port(port, f);
}

static void read_rule(struct policy_spec *policy, const struct field *f, enum direction direction,
		      size_t index)
{
	static const char *const known[][3] = { { "from", "ports", NULL },
						{ "to", "ports", NULL } };
	struct policy_rule *rule = array_push(&policy->rules, &policy->n_rules, sizeof(*rule));
	struct field peers = field_array(f, known[direction][0]), ports = field_array(f, "ports");
	size_t i;

	rule->direction = direction;
	rule->index = index;
	if (!json_is_object(f->value)) {
		field_error(f, "must be an object");
		return;
	}
	field_only(f, known[direction], true);
	for (i = 0; i < field_count(&peers); i++) {
		struct field e = field_at(&peers, i);

		array_push(&rule->peers, &rule->n_peers, sizeof(*rule->peers));
		rule->peers[i].index = i;
		read_peer(&rule->peers[i], &e);
	}
	for (i = 0; i < field_count(&ports); i++) {
		struct field e = field_at(&ports, i);

		array_push(&rule->ports, &rule->n_ports, sizeof(*rule->ports));
		rule->ports[i].index = i;
		read_port(&rule->ports[i], &e);
	}
}

static void read_types(struct policy_spec *policy, const struct field *spec, size_t n_egress)
{
	struct field list = field_array(spec, "policyTypes");
	size_t i;

	if (!field_count(&list)) {
		policy->enforce[INGRESS] = true;
		policy->enforce[EGRESS] = n_egress;
	}
	for (i = 0; i < field_count(&list); i++) {
		struct field e = field_at(&list, i);
		const char *s = field_as_string(&e);

		if (s && !strcmp(s, "Ingress"))
			policy->enforce[INGRESS] = true;
		else if (s && !strcmp(s, "Egress"))
			policy->enforce[EGRESS] = true;
		else if (s)
			field_error(&e, "must be Ingress or Egress, not \"%.30s\"", s);
	}
}

void policy_read(struct object *obj, const struct field *doc)
{
	static const char *const known[] = { "podSelector", "ingress", "egress", "policyTypes",
					     NULL };
	static const char *const lists[] = { "ingress", "egress" };
	struct field spec = field_object(doc, "spec"), pods = field_get(&spec, "podSelector");
	struct policy_spec *policy = xzalloc(sizeof(*policy));
	size_t i, n[2] = {};
	enum direction d;

	obj->policy = policy;
	field_required(doc, "spec");
	if (!spec.value)
		return;
	field_only(&spec, known, true);
	field_required(&spec, "podSelector");
	if (pods.value)
		policy->pods = selector_read(&pods);
	for (d = INGRESS; d <= EGRESS; d++) {
		struct field list = field_array(&spec, lists[d]);

		n[d] = field_count(&list);
		for (i = 0; i < n[d]; i++) {
			struct field e = field_at(&list, i);

			read_rule(policy, &e, d, i);
		}
	}
	read_types(policy, &spec, n[EGRESS]);
	for (d = INGRESS; d <= EGRESS; d++) {
		struct field list = field_get(&spec, lists[d]);

		if (n[d] && !policy->enforce[d])
			field_warn(&list, "has no effect: policyTypes lacks %s",
				   d ? "Egress" : "Ingress");
	}
}

void policy_rule_clear(struct policy_rule *rule)
{
	size_t i;

	for (i = 0; i < rule->n_peers; i++) {
		selector_free(rule->peers[i].nodes);
		selector_free(rule->peers[i].ns);
		selector_free(rule->peers[i].pods);
		free(rule->peers[i].except);
	}
	free(rule->peers);
	for (i = 0; i < rule->n_ports; i++)
		free(rule->ports[i].name);
	free(rule->ports);
	free(rule->name);
}

void policy_spec_free(struct policy_spec *policy)
{
	size_t i;

	if (!policy)
		return;
	for (i = 0; i < policy->n_rules; i++)
		policy_rule_clear(&policy->rules[i]);
	free(policy->rules);
	free(policy->domain);
	selector_free(policy->ns);
	selector_free(policy->pods);
	free(policy);
}
