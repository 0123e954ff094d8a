/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who may talk to whom, twice:
 *
 *   naive_allows()    straight from the manifests, sentence by sentence as Kubernetes' documentation
 *                     of NetworkPolicy and ClusterNetworkPolicy has it, knowing nothing of the manager;
 *   emitted_allows()  from the SecurityGroups and interfaces that the manager publishes, as
 *                     vrouterd and the kernel read them.
 */
#ifndef TEST_MANAGER_NAIVE_H
#define TEST_MANAGER_NAIVE_H

#include "test_manager_world.h"

struct probe {
	const char	*src, *dst;	/* "ns/pod" */
	const char	*proto;
	int		port;		/* of the destination pod */
	bool		v6;
};

/* --- from the manifests ------------------------------------------------------------------ */

static inline const char *str(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static inline json_t *manifest(struct world *w, enum object_kind kind, const char *key)
{
	const struct object *obj = map_get(&w->model.objects[kind], key);

	return obj ? obj->source : NULL;
}

static inline json_t *labels_of(const json_t *manifest)
{
	return json_object_get(json_object_get(manifest, "metadata"), "labels");
}

static inline const char *label(const json_t *labels, const char *ns_name, const char *key)
{
	if (ns_name && !strcmp(key, "kubernetes.io/metadata.name"))
		return ns_name;
	return str(labels, key);
}

/* ns_name: the labels are those of that namespace */
static inline bool naive_selects(const json_t *selector, const json_t *labels, const char *ns_name)
{
	const char *key;
	json_t *value, *expr, *v;
	size_t i, j;

	json_object_foreach(json_object_get(selector, "matchLabels"), key, value) {
		const char *have = label(labels, ns_name, key);

		if (!have || strcmp(have, json_string_value(value)))
			return false;
	}
	json_array_foreach(json_object_get(selector, "matchExpressions"), i, expr) {
		const char *have = label(labels, ns_name, str(expr, "key")), *op = str(expr, "operator");
		bool in = false;

		json_array_foreach(json_object_get(expr, "values"), j, v)
			in |= have && !strcmp(have, json_string_value(v));
		if ((!strcmp(op, "In") && !in) || (!strcmp(op, "NotIn") && in) ||
		    (!strcmp(op, "Exists") && !have) || (!strcmp(op, "DoesNotExist") && have))
			return false;
	}
	return true;
}

static inline const char *pod_ip(const json_t *pod, bool v6)
{
	json_t *list = json_object_get(json_object_get(pod, "status"), "podIPs");

	return str(json_array_get(list, v6), "ip");
}

static inline bool naive_in_cidr(const char *cidr, const char *ip)
{
	struct prefix p;
	struct addr a;

	assert_null(prefix_parse(cidr, &p));
	assert_null(addr_parse(ip, &a));
	return prefix_contains(&p, &a);
}

static inline bool naive_is_peer(struct world *w, const json_t *peer, const char *policy_ns,
				 const char *other, bool v6)
{
	json_t *block = json_object_get(peer, "ipBlock"), *pod = manifest(w, KIND_POD, other), *e;
	json_t *pods = json_object_get(peer, "podSelector"), *nss = json_object_get(peer, "namespaceSelector");
	cleanup_free char *ns = mem_check(strndup(other, strcspn(other, "/")));
	size_t i;

	if (block) {
		const char *ip = pod_ip(pod, v6);

		if (!naive_in_cidr(str(block, "cidr"), ip))
			return false;
		json_array_foreach(json_object_get(block, "except"), i, e)
			if (naive_in_cidr(json_string_value(e), ip))
				return false;
		return true;
	}
	if (nss ? !naive_selects(nss, labels_of(manifest(w, KIND_NAMESPACE, ns)), ns) : strcmp(ns, policy_ns) != 0)
		return false;
	return !pods || naive_selects(pods, labels_of(pod), NULL);
}

static inline bool naive_is_port(struct world *w, const json_t *port, const struct probe *p)
{
	const char *proto = str(port, "protocol"), *name = str(port, "port");
	json_t *number = json_object_get(port, "port"), *end = json_object_get(port, "endPort"), *c, *cp;
	json_t *spec = json_object_get(manifest(w, KIND_POD, p->dst), "spec");
	size_t i, j;

	if (strcmp(proto ? proto : "TCP", p->proto))
		return false;
	if (!number)
		return true;
	if (!name)
		return p->port >= json_integer_value(number) &&
		       p->port <= json_integer_value(end ? end : number);
	json_array_foreach(json_object_get(spec, "containers"), i, c)
		json_array_foreach(json_object_get(c, "ports"), j, cp)
			if (str(cp, "name") && !strcmp(str(cp, "name"), name) &&
			    json_integer_value(json_object_get(cp, "containerPort")) == p->port &&
			    !strcmp(str(cp, "protocol") ? str(cp, "protocol") : "TCP", p->proto))
				return true;
	return false;
}

static inline bool naive_rule_allows(struct world *w, const json_t *rule, const char *policy_ns,
				     const struct probe *p, bool ingress)
{
	json_t *peers = json_object_get(rule, ingress ? "from" : "to"), *ports = json_object_get(rule, "ports");
	bool peer_ok = !json_array_size(peers), port_ok = !json_array_size(ports);
	json_t *e;
	size_t i;

	json_array_foreach(peers, i, e)
		peer_ok |= naive_is_peer(w, e, policy_ns, ingress ? p->src : p->dst, p->v6);
	json_array_foreach(ports, i, e)
		port_ok |= naive_is_port(w, e, p);
	return peer_ok && port_ok;
}

static inline bool naive_applies(const json_t *spec, const char *type)
{
	json_t *types = json_object_get(spec, "policyTypes"), *e;
	size_t i;

	if (!json_array_size(types))
		return !strcmp(type, "Ingress") || json_array_size(json_object_get(spec, "egress"));
	json_array_foreach(types, i, e)
		if (!strcmp(json_string_value(e), type))
			return true;
	return false;
}

/* *isolated: some policy selects the pod for this direction */
static inline bool naive_direction(struct world *w, const struct probe *p, bool ingress, bool *isolated)
{
	const char *subject = ingress ? p->dst : p->src;
	cleanup_free char *ns = mem_check(strndup(subject, strcspn(subject, "/")));
	json_t *labels = labels_of(manifest(w, KIND_POD, subject)), *rule;
	bool allowed = false;
	size_t i;

	*isolated = false;
	map_for_each(&w->model.objects[KIND_POLICY], node) {
		const struct object *obj = node->value;
		json_t *spec = json_object_get(obj->source, "spec");

		if (strcmp(obj->ns, ns) || !naive_applies(spec, ingress ? "Ingress" : "Egress") ||
		    !naive_selects(json_object_get(spec, "podSelector"), labels, NULL))
			continue;
		*isolated = true;
		json_array_foreach(json_object_get(spec, ingress ? "ingress" : "egress"), i, rule)
			allowed |= naive_rule_allows(w, rule, ns, p, ingress);
	}
	return !*isolated || allowed;
}

/* --- ClusterNetworkPolicies: its documentation, the same way ------------------------------ */

/* who: {namespaces} or {pods} of a subject or peer */
static inline bool naive_is_who(struct world *w, const json_t *who, const char *pod)
{
	json_t *all = json_object_get(who, "namespaces"), *pods = json_object_get(who, "pods");
	cleanup_free char *ns = mem_check(strndup(pod, strcspn(pod, "/")));
	json_t *ns_labels = labels_of(manifest(w, KIND_NAMESPACE, ns));

	if (all)
		return naive_selects(all, ns_labels, ns);
	return pods && naive_selects(json_object_get(pods, "namespaceSelector"), ns_labels, ns) &&
	       naive_selects(json_object_get(pods, "podSelector"),
			     labels_of(manifest(w, KIND_POD, pod)), NULL);
}

static inline bool naive_is_network(struct world *w, const json_t *peer, const struct probe *p)
{
	json_t *e;
	size_t i;

	json_array_foreach(json_object_get(peer, "networks"), i, e)
		if (naive_in_cidr(json_string_value(e), pod_ip(manifest(w, KIND_POD, p->dst), p->v6)))
			return true;
	return false;
}

static inline bool naive_is_protocol(struct world *w, const json_t *protocol, const struct probe *p)
{
	static const struct { const char *key, *name; } names[] = {
		{ "tcp", "TCP" }, { "udp", "UDP" }, { "sctp", "SCTP" },
	};
	const char *named = str(protocol, "destinationNamedPort");
	json_t *port, *range;
	size_t i;

	if (named) {
		json_t *as = json_pack("{s:s, s:s}", "protocol", p->proto, "port", named);
		bool is = naive_is_port(w, as, p);

		json_decref(as);
		return is;
	}
	for (i = 0; i < 3; i++) {
		json_t *at = json_object_get(protocol, names[i].key);

		if (!at || strcmp(names[i].name, p->proto))
			continue;
		port = json_object_get(at, "destinationPort");
		range = json_object_get(port, "range");
		if (!port)
			return true;
		if (!range)
			return p->port == json_integer_value(json_object_get(port, "number"));
		return p->port >= json_integer_value(json_object_get(range, "start")) &&
		       p->port <= json_integer_value(json_object_get(range, "end"));
	}
	return false;
}

static inline bool naive_cluster_rule(struct world *w, const json_t *rule, const struct probe *p,
				      bool ingress)
{
	json_t *protocols = json_object_get(rule, "protocols"), *e;
	bool peer_ok = false, proto_ok = !protocols;
	size_t i;

	json_array_foreach(json_object_get(rule, ingress ? "from" : "to"), i, e)
		peer_ok |= naive_is_who(w, e, ingress ? p->src : p->dst) || naive_is_network(w, e, p);
	json_array_foreach(protocols, i, e)
		proto_ok |= naive_is_protocol(w, e, p);
	return peer_ok && proto_ok;
}

/* "Accept", "Deny" or "Pass"; NULL: no rule of the tier matches. */
static inline const char *naive_tier(struct world *w, const struct probe *p, bool ingress,
				     const char *tier)
{
	json_int_t best = -1, priority;
	const char *action = NULL;
	json_t *rule;
	size_t i;

	map_for_each(&w->model.objects[KIND_CLUSTER_POLICY], node) {
		const struct object *obj = node->value;
		json_t *spec = json_object_get(obj->source, "spec");

		priority = json_integer_value(json_object_get(spec, "priority"));
		if (strcmp(str(spec, "tier"), tier) || (action && priority > best) ||
		    !naive_is_who(w, json_object_get(spec, "subject"), ingress ? p->dst : p->src))
			continue;
		json_array_foreach(json_object_get(spec, ingress ? "ingress" : "egress"), i, rule) {
			if (!naive_cluster_rule(w, rule, p, ingress))
				continue;
			action = str(rule, "action");
			best = priority;
			break;
		}
	}
	return action;
}

static inline bool naive_one_way(struct world *w, const struct probe *p, bool ingress)
{
	const char *action = naive_tier(w, p, ingress, "Admin");
	bool isolated;

	if (action && strcmp(action, "Pass"))
		return !strcmp(action, "Accept");
	if (!naive_direction(w, p, ingress, &isolated))
		return false;
	action = isolated ? NULL : naive_tier(w, p, ingress, "Baseline");
	return !action || strcmp(action, "Deny");
}

static inline bool naive_allows(struct world *w, const struct probe *p)
{
	return naive_one_way(w, p, false) && naive_one_way(w, p, true);
}

/* --- from what is published ------------------------------------------------------------------- */

static inline const char *vmi_address(const json_t *vmi, bool v6)
{
	json_t *e;
	size_t i;

	json_array_foreach(json_object_get(vmi, "addresses"), i, e)
		if (!strchr(json_string_value(e), ':') == !v6)
			return json_string_value(e);
	return NULL;
}

static inline bool in_list(const json_t *list, const char *s)
{
	json_t *e;
	size_t i;

	json_array_foreach(list, i, e)
		if (!strcmp(json_string_value(e), s))
			return true;
	return false;
}

static inline bool emitted_peer(const json_t *peer, const json_t *vmi, bool v6)
{
	const char *group = str(peer, "securityGroup"), *prefix = str(peer, "prefix");
	const char *ip = vmi_address(vmi, v6);
	json_t *e;
	size_t i;

	if (!peer)
		return true;
	if (group)
		return in_list(json_object_get(vmi, "securityGroups"), group);
	if (!naive_in_cidr(prefix, ip))
		return false;
	json_array_foreach(json_object_get(peer, "except"), i, e)
		if (naive_in_cidr(json_string_value(e), ip))
			return false;
	return true;
}

static inline bool emitted_rule(const json_t *rule, const char *direction, const struct probe *p,
				const json_t *other)
{
	json_t *ports = json_object_get(rule, "ports"), *from = json_object_get(ports, "from");
	json_t *to = json_object_get(ports, "to") ? json_object_get(ports, "to") : from;
	const char *proto = str(rule, "protocol");

	if (strcmp(str(rule, "direction"), direction) || (proto && strcmp(proto, p->proto)))
		return false;
	if (ports && (p->port < json_integer_value(from) || p->port > json_integer_value(to)))
		return false;
	return emitted_peer(json_object_get(rule, "peer"), other, p->v6);
}

/* The action of the tier's rule that decides; NULL: there is none. */
static inline const char *emitted_tier(struct world *w, const struct probe *p, const char *direction,
				       const char *tier, const json_t *own, const json_t *other)
{
	json_int_t best = -1, priority;
	const char *action = NULL;
	json_t *ref, *rule;
	size_t i, j;

	json_array_foreach(json_object_get(own, "securityGroups"), i, ref) {
		json_t *sg = world_spec(w, RES_SECURITY_GROUP, json_string_value(ref));

		priority = json_integer_value(json_object_get(sg, "priority"));
		if (!str(sg, "tier") || strcmp(str(sg, "tier"), tier) || (action && priority >= best))
			continue;
		assert_int_equal(json_array_size(json_object_get(sg, "enforce")), 0);
		json_array_foreach(json_object_get(sg, "rules"), j, rule) {
			if (!emitted_rule(rule, direction, p, other))
				continue;
			action = str(rule, "action") ? str(rule, "action") : "accept";
			best = priority;
			break;
		}
	}
	return action;
}

static inline bool emitted_direction(struct world *w, const struct probe *p, const char *direction)
{
	bool ingress = !strcmp(direction, "ingress"), enforced = false, allowed = false;
	json_t *own = world_spec(w, RES_INTERFACE, ingress ? p->dst : p->src), *ref, *rule;
	json_t *other = world_spec(w, RES_INTERFACE, ingress ? p->src : p->dst);
	const char *action;
	size_t i, j;

	assert_non_null(own);
	assert_non_null(other);
	action = emitted_tier(w, p, direction, "admin", own, other);
	if (action && strcmp(action, "pass"))
		return !strcmp(action, "accept");
	json_array_foreach(json_object_get(own, "securityGroups"), i, ref) {
		json_t *sg = world_spec(w, RES_SECURITY_GROUP, json_string_value(ref));

		if (!sg)
			fail_msg("%s is in %s, which is not published", p->dst, json_string_value(ref));
		enforced |= in_list(json_object_get(sg, "enforce"), direction);
		json_array_foreach(json_object_get(sg, "rules"), j, rule)
			allowed |= !str(sg, "tier") && emitted_rule(rule, direction, p, other);
	}
	if (enforced)
		return allowed;
	action = emitted_tier(w, p, direction, "baseline", own, other);
	return !action || strcmp(action, "deny");
}

static inline bool emitted_allows(struct world *w, const struct probe *p)
{
	return emitted_direction(w, p, "egress") && emitted_direction(w, p, "ingress");
}

#endif
