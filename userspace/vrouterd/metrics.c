// SPDX-License-Identifier: GPL-2.0-only
/* What Prometheus is told. */

#include <string.h>
#include <time.h>

#include "daemon.h"
#include "dlog.h"
#include "mem.h"
#include "names.h"

static double seconds(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

void metrics_init(struct metrics *m)
{
	static const double bounds[] = { 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128,
					 0.256, 0.512, 1.024, 2.048, 4.096, 8.192, 16.384 };
	static const double network[] = { 0.25, 0.5, 1, 2, 3, 4, 5, 10, 20, 30, 45, 60, 120, 300 };

	m->sync.bounds = bounds;
	m->sync.n = sizeof(bounds) / sizeof(bounds[0]);
	m->network.bounds = network;
	m->network.n = sizeof(network) / sizeof(network[0]);
	m->started = seconds(CLOCK_REALTIME);
}

void metrics_changed(struct metrics *m, bool endpoints)
{
	m->queued = seconds(CLOCK_REALTIME);
	if (endpoints) {
		m->endpoints.total++;
		m->endpoints.pending++;
	} else {
		m->services.total++;
		m->services.pending++;
	}
}

/* What happened before this daemon was there is not its delay. */
void metrics_trigger(struct metrics *m, double when)
{
	if (when > m->started && m->n_triggers < METRICS_TRIGGERS)
		m->triggers[m->n_triggers++] = when;
}

void metrics_begin(struct metrics *m)
{
	m->begun = seconds(CLOCK_MONOTONIC);
}

void metrics_end(struct metrics *m, bool done)
{
	if (!done) {
		m->failures++;
		return;
	}
	prom_observe(&m->sync, seconds(CLOCK_MONOTONIC) - m->begun);
	m->done = seconds(CLOCK_REALTIME);
	m->services.pending = m->endpoints.pending = 0;
	/* clocks of two nodes may disagree */
	while (m->n_triggers) {
		double took = m->done - m->triggers[--m->n_triggers];

		prom_observe(&m->network, took > 0 ? took : 0);
	}
}

/* --- the daemon ----------------------------------------------------------------------- */

static void put_sync(FILE *out, const struct metrics *m)
{
	prom_histogram(out, "vrouter_sync_proxy_rules_duration_seconds",
		       "Bringing what is planned to the kernel.", &m->sync);
	prom_histogram(out, "vrouter_network_programming_duration_seconds",
		       "From what changed a service's members to the kernel that has it.",
		       &m->network);
	prom_one(out, "vrouter_sync_proxy_rules_failures_total", "counter",
		 "Attempts after which the kernel did not have all that is planned.", m->failures);
	prom_one(out, "vrouter_sync_proxy_rules_last_timestamp_seconds", "gauge",
		 "When the kernel was last brought up to date.", m->done);
	prom_one(out, "vrouter_sync_proxy_rules_last_queued_timestamp_seconds", "gauge",
		 "When a service or its members last changed.", m->queued);
	prom_one(out, "vrouter_sync_proxy_rules_service_changes_total", "counter",
		 "Changes of services.", m->services.total);
	prom_one(out, "vrouter_sync_proxy_rules_service_changes_pending", "gauge",
		 "Changes of services that the kernel does not have yet.", m->services.pending);
	prom_one(out, "vrouter_sync_proxy_rules_endpoint_changes_total", "counter",
		 "Changes of services' members.", m->endpoints.total);
	prom_one(out, "vrouter_sync_proxy_rules_endpoint_changes_pending", "gauge",
		 "Changes of services' members that the kernel does not have yet.",
		 m->endpoints.pending);
}

struct local {
	const struct model	*model;
	const char		*node;
	unsigned long long	internal, external;	/* pools without a member here */
};

/* Has it members, and none on the node? */
static bool none_is_local(const struct pool *p, const char *node)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i < p->n_members; i++) {
		const struct pool_member *m = &p->members[i];

		if (m->failed || !m->weight)
			continue;
		if (m->node && !strcmp(m->node, node))
			return false;
		any = true;
	}
	return any;
}

static void count_local(const struct res *r, void *arg)
{
	struct local *l = arg;
	struct pool pool;

	if (r->pool.shard_of || !(r->pool.internal_local || r->pool.external_local))
		return;
	model_whole_pool(l->model, r, &pool);
	if (none_is_local(&pool, l->node)) {
		l->internal += pool.internal_local;
		l->external += pool.external && pool.external_local;
	}
	free(pool.members);
}

static void put_local(FILE *out, const struct daemon *d)
{
	static const char name[] = "vrouter_sync_proxy_rules_no_local_endpoints_total";
	struct local l = { .model = d->model, .node = d->opt->node };

	model_each(d->model, RES_POOL, count_local, &l);
	/* of a gauge; the name is kube-proxy's */
	prom_family(out, name, "gauge", "Pools with the traffic policy Local that have members, "
		    "and none on this node.");
	prom_sample(out, name, l.internal, "traffic_policy", "internal", NULL);
	prom_sample(out, name, l.external, "traffic_policy", "external", NULL);
}

static void put_answers(FILE *out, const char *name, const char *help,
			const unsigned long long n[2])
{
	prom_family(out, name, "counter", help);
	prom_sample(out, name, n[true], "code", "200", NULL);
	prom_sample(out, name, n[false], "code", "503", NULL);
}

/* --- the kernel ----------------------------------------------------------------------- */

static const struct limit {
	const char	*name;
	unsigned int	attr;
} limits[] = {
	{ "flows", VROUTER_A_LIMITS_FLOWS }, { "vrfs", VROUTER_A_LIMITS_VRFS },
	{ "vifs", VROUTER_A_LIMITS_VIFS }, { "nexthops", VROUTER_A_LIMITS_NEXTHOPS },
	{ "members", VROUTER_A_LIMITS_MEMBERS }, { "routes", VROUTER_A_LIMITS_ROUTES },
	{ "vips", VROUTER_A_LIMITS_VIPS }, { "sgs", VROUTER_A_LIMITS_SGS },
	{ "sg_rules", VROUTER_A_LIMITS_SG_RULES }, { "affinities", VROUTER_A_LIMITS_AFFINITIES },
	{ "fragment_bytes", VROUTER_A_LIMITS_FRAGMENT_BYTES },
};

static void put_limits(FILE *out, const struct vr_limits *l)
{
	size_t i;

	prom_family(out, "vrouter_in_use", "gauge", "What of each bound is in use.");
	for (i = 0; i < VR_ARRAY_SIZE(limits); i++)
		prom_sample(out, "vrouter_in_use", l->used[limits[i].attr], "limit",
			    limits[i].name, NULL);
	prom_family(out, "vrouter_limit", "gauge", "The bounds, see vrctl limits.");
	for (i = 0; i < VR_ARRAY_SIZE(limits); i++)
		prom_sample(out, "vrouter_limit", l->value[limits[i].attr], "limit",
			    limits[i].name, NULL);
}

static void put_flows(FILE *out, const struct vr_stats *s)
{
	prom_family(out, "vrouter_flows", "gauge",
		    "Flows, by whether they have had an answer yet.");
	prom_sample(out, "vrouter_flows", s->half_open, "state", "half_open", NULL);
	prom_sample(out, "vrouter_flows", (double)s->flows - s->half_open, "state", "answered",
		    NULL);
	prom_one(out, "vrouter_flows_created_total", "counter", "Flows set up.", s->flows_created);
	prom_one(out, "vrouter_flows_ended_total", "counter", "Flows that ended.", s->flows_ended);
	prom_one(out, "vrouter_flows_evicted_total", "counter",
		 "Flows ended to make room for others.", s->flows_evicted);
	prom_one(out, "vrouter_flow_hits_total", "counter", "Packets of a known flow.",
		 s->flow_hits);
	prom_one(out, "vrouter_flow_misses_total", "counter", "Packets that needed a decision.",
		 s->flow_misses);
}

static void put_drops(FILE *out, const struct vr_list *list)
{
	char number[VR_NAME_TEXT];
	unsigned int i;

	prom_family(out, "vrouter_drops_total", "counter",
		    "Packets dropped, by reason, see vrouter(7).");
	for (i = 0; i < list->n; i++) {
		const struct vr_drop *d = (const struct vr_drop *)list->objs + i;

		if (d->reason != VROUTER_DROP_REASON_NONE)
			prom_sample(out, "vrouter_drops_total", d->packets, "reason", d->name ?
				    d->name : vr_name(vr_names_drop_reason, d->reason, number),
				    NULL);
	}
}

static void put_kernel(FILE *out, struct daemon *d)
{
	struct kernel_counters c;
	struct vr_err e = {};
	bool there;

	there = d->kernel && !kernel_counters(d->kernel, &c, &e);
	prom_one(out, "vrouter_kernel_up", "gauge",
		 "1 when the kernel module answers; without it what it counts is left out.", there);
	if (!there)
		return;
	put_flows(out, &c.stats);
	put_limits(out, &c.limits);
	put_drops(out, &c.drops);
	vr_list_free(&c.drops);
}

char *metrics_text(void *arg, const struct healthport_counts *counts)
{
	struct daemon *d = arg;
	char *text = NULL;
	size_t len;
	FILE *out = mem_check(open_memstream(&text, &len));

	prom_family(out, "vrouter_build_info", "gauge", "1, with the version.");
	prom_sample(out, "vrouter_build_info", 1, "version", VR_VERSION, NULL);
	prom_one(out, "vrouter_feed_synced", "gauge",
		 "1 when the feed was heard to its end since the start.", d->state.synced);
	prom_one(out, "vrouter_programmed", "gauge",
		 "1 when the kernel has all that is planned.", d->state.programmed);
	put_sync(out, &d->metrics);
	put_local(out, d);
	put_answers(out, "vrouter_healthz_total", "Answers to /healthz.", counts->healthz);
	put_answers(out, "vrouter_livez_total", "Answers to /livez.", counts->livez);
	put_kernel(out, d);
	prom_process(out);
	fclose(out);
	return mem_check(text);
}
