// SPDX-License-Identifier: GPL-2.0-only
/* Health of services and of the node, asked for over HTTP. */

#include <errno.h>
#include <search.h>

#include <linux/vrouter.h>

#include "dlog.h"
#include "healthport.h"
#include "httpd.h"
#include "mem.h"
#include "promtext.h"

struct service_port {
	struct healthport		*health;
	char			*service;
	uint16_t		port;
	struct http_listener	*listener;
};

struct healthport {
	struct httpd		*http;
	const struct model	*model;
	const char		*node;
	const struct healthport_state *state;
	struct healthport_counts counts;
	healthport_metrics_fn	metrics;	/* may be NULL */
	void			*metrics_arg;
	void			*ports;		/* tsearch() tree of struct service_port */
};

/* --- members ------------------------------------------------------------------------ */

struct addr_list {
	struct vr_addr	*v;
	size_t		n;
};

static void collect(const struct model *model, const char *node, const char *key,
		    struct addr_list *list)
{
	const struct res *r = key ? model_get(model, RES_POOL, key) : NULL;
	struct pool pool;
	unsigned int i;

	if (!r)
		return;
	model_whole_pool(model, r, &pool);
	for (i = 0; i < pool.n_members; i++) {
		const struct pool_member *m = &pool.members[i];

		if (m->state != VROUTER_MEMBER_STATE_ACTIVE || !m->weight || !m->node ||
		    strcmp(m->node, node))
			continue;
		list->v = mem_grow(list->v, list->n, sizeof(*list->v));
		list->v[list->n++] = m->addr;
	}
	free(pool.members);
}

static int compare_addrs(const void *a, const void *b)
{
	return vr_addr_compare(a, b);
}

/* A member is counted once, whatever ports and families it has. */
unsigned int healthport_members(const struct model *model, const char *node, const char *service)
{
	const struct res *r = model_get(model, RES_LB, service);
	struct addr_list list = {};
	unsigned int n[2] = {};
	size_t i;

	for (i = 0; r && i < r->lb.n_listeners; i++) {
		collect(model, node, r->lb.listeners[i].pool4, &list);
		collect(model, node, r->lb.listeners[i].pool6, &list);
	}
	if (list.n)
		qsort(list.v, list.n, sizeof(*list.v), compare_addrs);
	for (i = 0; i < list.n; i++)
		if (!i || vr_addr_compare(&list.v[i - 1], &list.v[i]))
			n[list.v[i].family == AF_INET6]++;
	free(list.v);
	return n[0] > n[1] ? n[0] : n[1];
}

/* --- answers ------------------------------------------------------------------------ */

static void set_body(struct http_answer *a, json_t *body)
{
	a->body = mem_check(json_dumps(mem_check(body), JSON_INDENT(2)));
	json_decref(body);
}

/* One object that the kernel refuses is no reason to take the node away from all services. */
static void answer_service(void *arg, const struct http_request *rq, struct http_answer *a)
{
	const struct service_port *p = arg;
	const struct healthport *h = p->health;
	unsigned int n = healthport_members(h->model, h->node, p->service);
	const char *slash = strchr(p->service, '/');
	bool serves = h->state->synced && h->state->updated;

	(void)rq;
	a->status = n && serves ? 200 : 503;
	a->weight = n;
	set_body(a, json_pack("{s:{s:s%, s:s}, s:i, s:b}", "service", "namespace", p->service,
			      (size_t)(slash - p->service), "name", slash + 1, "localEndpoints",
			      (int)n, "serviceProxyHealthy", serves));
}

static const char *time_text(time_t t, char buf[32])
{
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(buf, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return buf;
}

/* As kube-proxy: a node that leaves gets nothing new (healthz), and is well nevertheless (livez). */
static void answer_state(struct healthport *h, bool live, struct http_answer *a)
{
	const struct healthport_state *s = h->state;
	bool good = s->synced && s->programmed && (live || !s->leaving);
	char updated[32], now[32];

	(live ? h->counts.livez : h->counts.healthz)[good]++;
	a->status = good ? 200 : 503;
	set_body(a, json_pack("{s:s, s:s, s:b}", "lastUpdated", time_text(s->updated, updated),
			      "currentTime", time_text(time(NULL), now), "nodeEligible",
			      !s->leaving));
}

static void answer_node(void *arg, const struct http_request *rq, struct http_answer *a)
{
	const char *path = http_path(rq);
	struct healthport *h = arg;

	if (h->metrics && !strcmp(path, "/metrics")) {
		a->body = h->metrics(h->metrics_arg, &h->counts);
		a->type = PROM_TYPE;
		return;
	}
	answer_state(h, !strcmp(path, "/livez"), a);
}

/* --- ports -------------------------------------------------------------------------- */

static int compare_ports(const void *a, const void *b)
{
	return strcmp(((const struct service_port *)a)->service,
		      ((const struct service_port *)b)->service);
}

static void free_port(void *p)
{
	struct service_port *port = p;

	httpd_unlisten(port->listener);
	free(port->service);
	free(port);
}

static void listen_for(struct healthport *h, const char *service, uint16_t port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct service_port *p = mem_zero(1, sizeof(*p));
	char what[400];

	p->health = h;
	p->service = mem_strdup(service);
	p->port = port;
	mem_check(tsearch(p, &h->ports, compare_ports));
	snprintf(what, sizeof(what), "%s: healthCheckNodePort", service);
	p->listener = httpd_listen(h->http, what, &any, answer_service, p);
}

void healthport_service(struct healthport *h, const char *service, uint16_t port)
{
	struct service_port probe = { .service = (char *)service }, **slot, *p;

	slot = (struct service_port **)tfind(&probe, &h->ports, compare_ports);
	p = slot ? *slot : NULL;
	if (p && p->port == port)
		return;
	if (p) {
		tdelete(p, &h->ports, compare_ports);
		free_port(p);
	}
	if (port)
		listen_for(h, service, port);
}

void healthport_node(struct healthport *h, const struct sockaddr_in6 *addr,
		     healthport_metrics_fn metrics, void *arg)
{
	h->metrics = metrics;
	h->metrics_arg = arg;
	httpd_listen(h->http, "--healthz", addr, answer_node, h);
}

/* --- start and stop ------------------------------------------------------------------- */

int healthport_new(struct healthport **h, sd_event *loop, const struct model *model, const char *node,
	       const struct healthport_state *state)
{
	struct healthport *n = mem_zero(1, sizeof(*n));
	int err;

	n->model = model;
	n->node = node;
	n->state = state;
	err = httpd_new(&n->http, loop, &vrd_log);
	if (err) {
		free(n);
		n = NULL;
	}
	*h = n;
	return err;
}

void healthport_free(struct healthport *h)
{
	if (!h)
		return;
	tdestroy(h->ports, free_port);
	httpd_free(h->http);
	free(h);
}
