// SPDX-License-Identifier: GPL-2.0-only
#include "config.h"
#include "field.h"
#include "objects.h"
#include "word.h"
#include "xmem.h"

#define AFFINITY_DEFAULT 10800
#define AFFINITY_MAX 86400
#define MAX_EXTERNAL 32
#define MAX_RANGES 4096
#define RANGES_ANNOTATION "service.beta.kubernetes.io/load-balancer-source-ranges"

static void read_target(struct service_port *port, const struct field *f)
{
	struct field target = field_get(f, "targetPort");
	const char *name, *reason;

	port->target = port->number;
	if (!target.value)
		return;
	if (!json_is_string(target.value)) {
		port->target = field_int(f, "targetPort", 1, 65535, 0);
		return;
	}
	name = json_string_value(target.value);
	reason = name_port(name);
	if (reason)
		field_error(&target, "\"%.30s\" %s", name, reason);
	port->target = 0;
	port->target_name = word_get(name);
}

static void read_node_port(struct service_spec *svc, struct service_port *port,
			   const struct field *f)
{
	struct field at = field_get(f, "nodePort");
	size_t i;

	if (!svc->node_ports)
		return;
	port->node_port = field_int(f, "nodePort", 1, 65535, 0);
	if (!port->node_port)
		field_note(&at, "is not given; without an API server none is allocated");
	for (i = 0; port->node_port && i + 1 < svc->n_ports; i++)
		if (svc->ports[i].node_port == port->node_port &&
		    svc->ports[i].proto == port->proto)
			field_error(&at, "%u is that of ports[%zu]", port->node_port, i);
}

static void read_port(struct service_spec *svc, const struct field *f, bool name_needed)
{
	static const char *const known[] = { "name", "protocol", "port", "targetPort", "nodePort",
					     "appProtocol", NULL };
	struct service_port *port = array_push(&svc->ports, &svc->n_ports, sizeof(*port));
	struct field at = field_get(f, "name");
	const char *name = field_string(f, "name"), *reason;
	size_t i;

	field_only(f, known, false);
	field_required(f, "port");
	port->name = word_get(name ? name : "");
	port->number = field_int(f, "port", 1, 65535, 0);
	field_protocol(f, &port->proto);
	read_target(port, f);
	read_node_port(svc, port, f);
	if (!*port->name && name_needed)
		field_error(&at, "is required when there are several ports");
	reason = *port->name ? name_dns_label(port->name) : NULL;
	if (reason)
		field_error(&at, "\"%.80s\" %s", name, reason);
	for (i = 0; i + 1 < svc->n_ports; i++) {
		if (*port->name && !strcmp(svc->ports[i].name, port->name))
			field_error(&at, "\"%.80s\" is the name of ports[%zu] too", name, i);
		if (svc->ports[i].number == port->number && svc->ports[i].proto == port->proto)
			field_error(f, "%s port %u is the same as ports[%zu]",
				    protocol_name(port->proto), port->number, i);
	}
}

static void read_ports(struct service_spec *svc, const struct field *spec)
{
	struct field list = field_array(spec, "ports");
	size_t i;

	if (!field_count(&list) && !svc->no_address)
		field_error(&list, "is required");
	for (i = 0; i < field_count(&list); i++) {
		struct field p = field_at(&list, i);

		if (json_is_object(p.value))
			read_port(svc, &p, field_count(&list) > 1);
		else
			field_error(&p, "must be an object");
	}
}

static void read_affinity(struct service_spec *svc, const struct field *spec)
{
	struct field at = field_get(spec, "sessionAffinity");
	struct field cfg = field_object(spec, "sessionAffinityConfig");
	struct field client = field_object(&cfg, "clientIP");
	const char *s = field_string(spec, "sessionAffinity");

	if (!s || !strcmp(s, "None"))
		return;
	if (strcmp(s, "ClientIP")) {
		field_error(&at, "must be None or ClientIP, not \"%.30s\"", s);
		return;
	}
	svc->affinity = field_int(&client, "timeoutSeconds", 1, AFFINITY_MAX, AFFINITY_DEFAULT);
}

static void read_type(struct service_spec *svc, const struct field *spec)
{
	struct field at = field_get(spec, "type");
	const char *type = field_string(spec, "type");

	if (!type || !strcmp(type, "ClusterIP"))
		return;
	if (!strcmp(type, "ExternalName")) {
		field_required(spec, "externalName");
		svc->no_address = true;
	} else if (!strcmp(type, "NodePort") || !strcmp(type, "LoadBalancer")) {
		svc->node_ports = true;
		svc->load_balancer = *type == 'L';
	} else {
		field_error(
			&at,
			"must be ClusterIP, NodePort, LoadBalancer or ExternalName, not \"%.30s\"",
			type);
	}
}

static bool read_policy(const struct field *spec, const char *key)
{
	struct field f = field_get(spec, key);
	const char *s = field_string(spec, key);

	if (s && strcmp(s, "Local") && strcmp(s, "Cluster"))
		field_error(&f, "must be Cluster or Local, not \"%.30s\"", s);
	return s && !strcmp(s, "Local");
}

static bool has_addr(const struct addr *list, size_t n, const struct addr *a)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (addr_equal(&list[i], a))
			return true;
	return false;
}

static void take_external(struct addr **list, size_t *n, const struct field *f)
{
	struct addr a;

	if (!field_addr(f, &a) || has_addr(*list, *n, &a))
		return;
	if (*n == MAX_EXTERNAL)
		field_error(f, "is one more than %d external addresses", MAX_EXTERNAL);
	else
		*(struct addr *)array_push(list, n, sizeof(a)) = a;
}

/* What the load balancer was given. One that is a proxy sends to node ports: its addresses
 * are not the nodes' to serve (KEP-1860).
 */
static void read_balanced(struct service_spec *svc, const struct field *status)
{
	struct field lb = field_object(status, "loadBalancer"), list = field_array(&lb, "ingress");
	size_t i;

	for (i = 0; i < field_count(&list); i++) {
		struct field e = field_at(&list, i), ip = field_get(&e, "ip");
		const char *mode = field_string(&e, "ipMode");

		if (ip.value && (!mode || strcmp(mode, "Proxy")))
			take_external(&svc->balanced, &svc->n_balanced, &ip);
	}
}

/*
 * Who writes an address of the cluster's own there would get what pods send to another's service or
 * pod (CVE-2020-8554).
 */
static bool is_inside(const struct field *f, const struct addr *a)
{
	const struct config *cfg = f->place->config;
	bool service = network_subnet_of(&cfg->services, a);

	if (!service && !network_subnet_of(&cfg->pods, a))
		return false;
	field_warn(f, "\"%s\" is in the cluster's %s network, ignored; an external address is one that "
		   "the network outside routes to the nodes", json_string_value(f->value),
		   service ? "service" : "pod");
	return true;
}

/* From outside. An address that is both is the load balancer's, whose ranges hold. */
static void read_external(struct service_spec *svc, const struct field *spec,
			  const struct field *status)
{
	struct field list = field_array(spec, "externalIPs");
	struct addr a;
	size_t i;

	read_balanced(svc, status);
	for (i = 0; i < field_count(&list); i++) {
		struct field f = field_at(&list, i);

		if (!field_addr(&f, &a) || has_addr(svc->balanced, svc->n_balanced, &a) ||
		    is_inside(&f, &a))
			continue;
		take_external(&svc->external, &svc->n_external, &f);
	}
	svc->external_local = read_policy(spec, "externalTrafficPolicy");
	svc->internal_local = read_policy(spec, "internalTrafficPolicy");
}

/* --- whom a load balancer serves -------------------------------------------------------- */

/* len octets of text, without the blanks around. */
static void take_range(struct service_spec *svc, const struct field *f, const char *text,
		       size_t len)
{
	char cidr[2 * PREFIX_TEXT];	/* what is cut off of more is wrong before that */
	const char *reason;
	struct prefix p;
	size_t i;

	for (; len && strchr(" \t", *text); len--)
		text++;
	while (len && strchr(" \t", text[len - 1]))
		len--;
	if (len >= sizeof(cidr))
		len = sizeof(cidr) - 1;
	memcpy(cidr, text, len);
	cidr[len] = '\0';
	reason = prefix_parse(cidr, &p);
	if (reason) {
		field_error(f, "\"%.60s\" %s", cidr, reason);
		return;
	}
	for (i = 0; i < svc->n_ranges; i++)
		if (svc->ranges[i].len == p.len && addr_equal(&svc->ranges[i].addr, &p.addr))
			return;
	if (svc->n_ranges == MAX_RANGES)
		field_error(f, "is one more than %d ranges", MAX_RANGES);
	else
		*(struct prefix *)array_push(&svc->ranges, &svc->n_ranges, sizeof(p)) = p;
}

static void read_ranges(struct service_spec *svc, const struct field *doc,
			const struct field *spec)
{
	struct field list = field_array(spec, "loadBalancerSourceRanges");
	struct field meta = field_get(doc, "metadata"), notes = field_object(&meta, "annotations");
	struct field old = field_get(&notes, RANGES_ANNOTATION);
	const char *s;
	size_t i, len;

	if (field_count(&list))
		old.value = NULL;
	if ((field_count(&list) || old.value) && !svc->load_balancer) {
		field_error(old.value ? &old : &list, "needs type LoadBalancer");
		return;
	}
	for (i = 0; i < field_count(&list); i++) {
		struct field f = field_at(&list, i);

		s = field_as_string(&f);
		if (s)
			take_range(svc, &f, s, strlen(s));
	}
	s = old.value ? field_as_string(&old) : NULL;
	for (; s && *s; s += len + (s[len] == ',')) {
		len = strcspn(s, ",");
		take_range(svc, &old, s, len);
	}
}

static void read_health_port(struct service_spec *svc, const struct field *spec)
{
	struct field f = field_get(spec, "healthCheckNodePort");
	size_t i;

	svc->health_port = field_int(spec, "healthCheckNodePort", 0, 65535, 0);
	if (!svc->health_port)
		return;
	if (!svc->load_balancer || !svc->external_local)
		field_error(&f, "needs type LoadBalancer and externalTrafficPolicy Local");
	for (i = 0; i < svc->n_ports; i++)
		if (svc->ports[i].node_port == svc->health_port &&
		    svc->ports[i].proto == IPPROTO_TCP)
			field_error(&f, "%u is that of ports[%zu].nodePort", svc->health_port, i);
}

static void take_family(struct service_spec *svc, const struct field *f, enum family family,
			size_t i)
{
	if (!f->place->config->services.has[family]) {
		field_error(f, "the service network has no %s", family_name(family));
		return;
	}
	if (svc->wants[family])
		field_error(f, "%s is given twice", family_name(family));
	if (!i)
		svc->primary = family;
	svc->wants[family] = true;
}

static void take_addr(struct service_spec *svc, const struct field *f, size_t i)
{
	const struct network *net = &f->place->config->services;
	struct addr a;

	if (!field_addr(f, &a))
		return;
	take_family(svc, f, a.family, i);
	if (net->has[a.family] && !network_subnet_of(net, &a))
		field_error(f, "\"%s\" is outside of the service network",
			    json_string_value(f->value));
	svc->has_addr[a.family] = true;
	svc->addr[a.family] = a;
}

/* clusterIP and clusterIPs, which begins with the same. */
static void read_addrs(struct service_spec *svc, const struct field *spec)
{
	const char *one = field_string(spec, "clusterIP"), *first;
	struct field f = field_get(spec, "clusterIP"), list = field_array(spec, "clusterIPs");
	struct field head = field_at(&list, 0);
	size_t i;

	first = field_count(&list) ? field_as_string(&head) : NULL;
	if (one && !*one)
		one = NULL;
	if (one && first && strcmp(one, first))
		field_error(&list, "must begin with spec.clusterIP, \"%.60s\"", one);
	if (field_count(&list) > 2)
		field_error(&list, "must hold at most one address of each family");
	if ((one && !strcmp(one, "None")) || (first && !strcmp(first, "None"))) {
		svc->no_address = true;
		return;
	}
	if (one && !first)
		take_addr(svc, &f, 0);
	for (i = 0; i < field_count(&list) && i < 2; i++) {
		struct field e = field_at(&list, i);

		take_addr(svc, &e, i);
	}
}

static void read_family_list(struct service_spec *svc, const struct field *spec)
{
	struct field list = field_array(spec, "ipFamilies");
	bool given[FAMILIES] = { svc->wants[V4], svc->wants[V6] };
	enum family family, primary = svc->primary;
	size_t i;

	if (field_count(&list))
		svc->wants[V4] = svc->wants[V6] = false;
	for (i = 0; i < field_count(&list); i++) {
		struct field e = field_at(&list, i);
		const char *s = field_as_string(&e);

		if (!s)
			continue;
		if (strcmp(s, "IPv4") && strcmp(s, "IPv6")) {
			field_error(&e, "must be IPv4 or IPv6, not \"%.30s\"", s);
			continue;
		}
		family = s[3] == '6' ? V6 : V4;
		take_family(svc, &e, family, i);
		if (!i && (given[V4] || given[V6]) && family != primary)
			field_error(&e, "%s does not fit the first cluster address", s);
	}
	for (family = V4; family < FAMILIES; family++)
		if (field_count(&list) && given[family] && !svc->wants[family])
			field_error(&list, "lacks %s, of which a cluster address is given",
				    family_name(family));
}

static void apply_family_policy(struct service_spec *svc, const struct field *spec)
{
	struct field f = field_get(spec, "ipFamilyPolicy");
	const struct network *net = &spec->place->config->services;
	const char *policy = field_string(spec, "ipFamilyPolicy");
	bool both = net->has[V4] && net->has[V6];

	if (!svc->wants[V4] && !svc->wants[V6]) {
		svc->primary = net->primary;
		svc->wants[net->primary] = true;
	}
	if (!policy)
		return;
	if (!strcmp(policy, "SingleStack")) {
		if (svc->wants[V4] && svc->wants[V6])
			field_error(&f, "SingleStack, but two families are given");
	} else if (!strcmp(policy, "RequireDualStack")) {
		if (!both)
			field_error(&f, "RequireDualStack, but the service network has only %s",
				    family_name(net->primary));
		svc->wants[V4] = svc->wants[V6] = true;
	} else if (!strcmp(policy, "PreferDualStack")) {
		svc->wants[V4] |= both;
		svc->wants[V6] |= both;
	} else {
		field_error(
			&f,
			"must be SingleStack, PreferDualStack or RequireDualStack, not \"%.30s\"",
			policy);
	}
}

/* Labels that hand a service to somebody else: any value, as for kube-proxy. */
static bool is_not_ours(const struct labels *labels)
{
	return labels_get(labels, "service.kubernetes.io/service-proxy-name") ||
	       labels_get(labels, "service.kubernetes.io/headless");
}

/* NULL: none, or after a complaint. */
static char *read_monitor(const struct field *doc)
{
	struct field meta = field_object(doc, "metadata");
	struct field notes = field_object(&meta, "annotations");
	struct field f = field_get(&notes, MONITOR_ANNOTATION);
	const char *s = field_string(&notes, MONITOR_ANNOTATION);
	const char *reason = s ? name_dns_subdomain(s) : NULL;

	if (!reason)
		return xstrdup(s);
	field_error(&f, "\"%.80s\" %s", s, reason);
	return NULL;
}

void service_read(struct object *obj, const struct field *doc)
{
	static const char *const known[] = {
		"ports", "selector", "clusterIP", "clusterIPs", "type", "externalIPs",
		"sessionAffinity", "sessionAffinityConfig", "loadBalancerIP",
		"loadBalancerSourceRanges", "externalName", "externalTrafficPolicy",
		"healthCheckNodePort", "publishNotReadyAddresses", "ipFamilies", "ipFamilyPolicy",
		"allocateLoadBalancerNodePorts", "loadBalancerClass", "internalTrafficPolicy",
		"trafficDistribution", NULL
	};
	struct field spec = field_object(doc, "spec"), selector = field_object(&spec, "selector");
	struct field status = field_object(doc, "status");
	struct service_spec *svc = xzalloc(sizeof(*svc));

	obj->service = svc;
	field_required(doc, "spec");
	if (!spec.value)
		return;
	field_only(&spec, known, false);
	read_type(svc, &spec);
	if (!svc->no_address) {
		read_addrs(svc, &spec);
		if (!svc->no_address) {
			read_family_list(svc, &spec);
			apply_family_policy(svc, &spec);
		}
	}
	svc->no_data_path = svc->no_address || is_not_ours(obj->labels);
	read_ports(svc, &spec);
	read_affinity(svc, &spec);
	read_external(svc, &spec, &status);
	svc->monitor = read_monitor(doc);
	read_ranges(svc, doc, &spec);
	read_health_port(svc, &spec);
	svc->publish_not_ready = field_bool(&spec, "publishNotReadyAddresses", false);
	if (json_object_size(selector.value))
		svc->selector = selector_read_map(&selector);
}

void service_spec_free(struct service_spec *svc)
{
	size_t i;

	if (!svc)
		return;
	for (i = 0; i < svc->n_ports; i++) {
		word_put(svc->ports[i].name);
		word_put(svc->ports[i].target_name);
	}
	free(svc->ports);
	free(svc->external);
	free(svc->monitor);
	free(svc->balanced);
	free(svc->ranges);
	selector_free(svc->selector);
	free(svc);
}
