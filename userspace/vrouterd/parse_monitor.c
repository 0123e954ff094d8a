// SPDX-License-Identifier: GPL-2.0-only
/* The health monitor of a LoadBalancerPool. */

#include "jread.h"
#include "mem.h"

#define MAX_SECONDS	86400
#define MAX_THRESHOLD	1000
#define MAX_RANGES	64

static enum monitor_type parse_type(struct jerr *e, const json_t *o)
{
	const char *s = jstring(e, o, "type", true);

	if (s && !strcmp(s, "PING"))
		return MONITOR_PING;
	if (s && !strcmp(s, "TCP"))
		return MONITOR_TCP;
	if (s && strcmp(s, "HTTP"))
		jfail(e, "type", "\"%.32s\" is not PING, TCP or HTTP", s);
	return MONITOR_HTTP;
}

static void parse_expected(struct jerr *e, const json_t *o, struct monitor *m)
{
	const json_t *list = jarray(e, o, "expectedStatus", MAX_RANGES);

	m->expected = mem_zero(json_array_size(list), sizeof(*m->expected));
	for (; m->n_expected < json_array_size(list) && !jbad(e); m->n_expected++) {
		const json_t *range = json_array_get(list, m->n_expected);
		struct status_range *r = &m->expected[m->n_expected];
		size_t mark = jenter(e, "expectedStatus", m->n_expected);

		r->from = jnumber(e, range, "from", 100, 599, 0);
		r->to = jnumber(e, range, "to", 100, 599, r->from);
		if (!r->from)
			jfail(e, "from", "is missing");
		jleave(e, mark);
	}
	if (!json_array_size(list))
		jfail(e, "expectedStatus", "is missing or empty");
}

static void parse_http(struct jerr *e, const json_t *o, struct monitor *m)
{
	const char *path = jstring(e, o, "path", true);

	if (path && *path != '/')
		jfail(e, "path", "must begin with /");
	m->path = mem_strdup(path);
	m->host = mem_strdup(jstring(e, o, "host", false));
	parse_expected(e, o, m);
}

struct monitor *monitor_parse(struct jerr *e, const json_t *o)
{
	size_t mark = jenter(e, "healthMonitor", -1);
	struct monitor *m = NULL;

	if (o) {
		m = mem_zero(1, sizeof(*m));
		m->name = jkey(e, o, "name", true);
		m->type = parse_type(e, o);
		m->interval = jnumber(e, o, "intervalSeconds", 1, MAX_SECONDS, 5);
		m->timeout = jnumber(e, o, "timeoutSeconds", 1, MAX_SECONDS, m->interval);
		m->healthy = jnumber(e, o, "healthyThreshold", 1, MAX_THRESHOLD, 2);
		m->unhealthy = jnumber(e, o, "unhealthyThreshold", 1, MAX_THRESHOLD, 3);
		m->port = jnumber(e, o, "port", 1, 65535, 0);
		if (m->type == MONITOR_HTTP)
			parse_http(e, o, m);
		if (m->timeout > m->interval)
			jfail(e, "timeoutSeconds", "is longer than intervalSeconds");
	}
	jleave(e, mark);
	if (!jbad(e))
		return m;
	monitor_free(m);
	return NULL;
}

struct monitor *monitor_dup(const struct monitor *m)
{
	struct monitor *d = mem_dup(m, 1, sizeof(*m));

	d->name = mem_strdup(m->name);
	d->path = mem_strdup(m->path);
	d->host = mem_strdup(m->host);
	d->expected = mem_dup(m->expected, m->n_expected, sizeof(*m->expected));
	return d;
}

static bool text_equal(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

bool monitor_equal(const struct monitor *a, const struct monitor *b)
{
	return text_equal(a->name, b->name) && a->type == b->type && a->interval == b->interval &&
	       a->timeout == b->timeout && a->healthy == b->healthy &&
	       a->unhealthy == b->unhealthy && a->port == b->port &&
	       text_equal(a->path, b->path) && text_equal(a->host, b->host) &&
	       a->n_expected == b->n_expected &&
	       (!a->n_expected || !memcmp(a->expected, b->expected,
					  a->n_expected * sizeof(*a->expected)));
}

void monitor_free(struct monitor *m)
{
	if (!m)
		return;
	free(m->name);
	free(m->path);
	free(m->host);
	free(m->expected);
	free(m);
}
