// SPDX-License-Identifier: GPL-2.0-only
/* Ports of the node that pods have. */

#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hostport.h"
#include "jread.h"
#include "mem.h"

const char *host_port_proto(uint8_t proto)
{
	return proto == IPPROTO_TCP ? "TCP" : proto == IPPROTO_UDP ? "UDP" : "SCTP";
}

static bool is_any(const struct vr_addr *a)
{
	static const uint8_t none[16];

	return !memcmp(a->b, none, sizeof(none));
}

/* --- as contrail-cni tells them ------------------------------------------------- */

static void parse_one(struct jerr *e, const json_t *o, struct host_port *p)
{
	const char *text = jstring(e, o, "hostIP", false);
	size_t mark = jenter(e, "hostIP", -1);

	if (text)
		jip(e, text, &p->addr);
	jleave(e, mark);
	p->proto = jproto(e, o, "protocol", true, false);
	p->port = jnumber(e, o, "hostPort", 1, 65535, 0);
	p->target = jnumber(e, o, "containerPort", 1, 65535, 0);
	if (!p->port || !p->target)
		jfail(e, p->port ? "containerPort" : "hostPort", "is missing");
}

struct host_port *host_ports_parse(struct jerr *e, const json_t *o, unsigned int *n)
{
	const json_t *list = jarray(e, o, "portMappings", HOST_PORTS_MAX);
	struct host_port *ports = mem_zero(json_array_size(list), sizeof(*ports));
	size_t mark;

	for (*n = 0; *n < json_array_size(list) && !jbad(e); (*n)++) {
		mark = jenter(e, "portMappings", *n);
		parse_one(e, json_array_get(list, *n), &ports[*n]);
		jleave(e, mark);
	}
	return ports;
}

json_t *host_ports_json(const struct host_port *ports, unsigned int n)
{
	json_t *list = json_array(), *o;
	char text[VR_ADDR_TEXT];
	unsigned int i;

	for (i = 0; i < n; i++) {
		o = json_pack("{si si ss}", "hostPort", ports[i].port, "containerPort",
			      ports[i].target, "protocol", host_port_proto(ports[i].proto));
		if (ports[i].addr.family)
			json_object_set_new(o, "hostIP",
					    json_string(vr_addr_text(&ports[i].addr, text)));
		json_array_append_new(list, o);
	}
	return list;
}

bool host_port_serves(const struct host_port *p, const struct vr_addr *addr)
{
	if (!p->addr.family)
		return true;
	return p->addr.family == addr->family &&
	       (is_any(&p->addr) || !vr_addr_compare(&p->addr, addr));
}

/* --- whose is it? ---------------------------------------------------------------- */

struct search {
	const struct host_port	*port;
	const struct res	*service;
};

static void match_service(const struct res *r, void *arg)
{
	struct search *s = arg;
	unsigned int i;

	if (s->port->proto == IPPROTO_TCP && r->lb.health_port == s->port->port)
		s->service = r;
	for (i = 0; i < r->lb.n_listeners; i++)
		if (r->lb.listeners[i].node_port == s->port->port &&
		    r->lb.listeners[i].proto == s->port->proto)
			s->service = r;
}

static bool overlap(const struct host_port *a, const struct host_port *b)
{
	return a->proto == b->proto && a->port == b->port &&
	       (host_port_serves(a, &b->addr) || host_port_serves(b, &a->addr));
}

static const struct attachment *match_pod(const struct attachments *a, const char *vmi,
					  const struct host_port *port)
{
	const struct attachment *at;
	unsigned int i;

	for (at = a->list; at; at = at->next)
		for (i = 0; i < at->n_ports; i++)
			if (strcmp(at->vmi, vmi) && overlap(&at->ports[i], port))
				return at;
	return NULL;
}

static bool is_addr(const struct sockaddr *sa, const struct vr_addr *a)
{
	if (!sa || sa->sa_family != a->family)
		return false;
	if (a->family == AF_INET)
		return !memcmp(&((const struct sockaddr_in *)sa)->sin_addr, a->b, 4);
	return !memcmp(&((const struct sockaddr_in6 *)sa)->sin6_addr, a->b, 16);
}

/* Is it one of this node's? */
static bool is_here(const struct vr_addr *a)
{
	struct ifaddrs *list, *i;
	bool found = false;

	if (getifaddrs(&list))
		return false;
	for (i = list; i && !found; i = i->ifa_next)
		found = is_addr(i->ifa_addr, a);
	freeifaddrs(list);
	return found;
}

static bool is_loopback(const struct vr_addr *a)
{
	static const struct vr_addr one = { .family = AF_INET6, .b = { [15] = 1 } };

	return a->family == AF_INET ? a->b[0] == 127 : !vr_addr_compare(a, &one);
}

static bool is_free(const struct model *model, const struct attachments *a, const char *vmi,
		    const struct host_port *p, char *why, size_t size)
{
	const struct attachment *at = match_pod(a, vmi, p);
	struct search s = { .port = p };
	char text[VR_ADDR_TEXT];

	model_each(model, RES_LB, match_service, &s);
	if (at)
		snprintf(why, size, "hostPort %u/%s is that of pod %s", p->port,
			 host_port_proto(p->proto), at->vmi);
	else if (s.service)
		snprintf(why, size, "hostPort %u/%s is a node port of service %s", p->port,
			 host_port_proto(p->proto), s.service->key);
	else if (p->addr.family && is_loopback(&p->addr))
		snprintf(why, size, "hostPort %u/%s: hostIP %s is a loopback address, which pods' "
			 "ports are not served at", p->port, host_port_proto(p->proto),
			 vr_addr_text(&p->addr, text));
	else if (p->addr.family && !is_any(&p->addr) && !is_here(&p->addr))
		snprintf(why, size, "hostPort %u/%s: hostIP %s is not an address of this node",
			 p->port, host_port_proto(p->proto), vr_addr_text(&p->addr, text));
	else
		return true;
	return false;
}

bool host_ports_free(const struct model *model, const struct attachments *a, const char *vmi,
		     const struct host_port *ports, unsigned int n, char *why, size_t size)
{
	unsigned int i, j;

	for (i = 0; i < n; i++) {
		for (j = 0; j < i; j++)
			if (overlap(&ports[i], &ports[j])) {
				snprintf(why, size, "hostPort %u/%s is asked for twice",
					 ports[i].port, host_port_proto(ports[i].proto));
				return false;
			}
		if (!is_free(model, a, vmi, &ports[i], why, size))
			return false;
	}
	return true;
}
