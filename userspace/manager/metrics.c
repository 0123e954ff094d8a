// SPDX-License-Identifier: GPL-2.0-only
#include "http.h"

#include "promtext.h"
#include "xmem.h"

#define MAX_NETWORKS	1000	/* in one answer; default/cluster-network sorts early */

static void put_state(FILE *out, const struct http_parts *p)
{
	prom_family(out, "vrouter_manager_build_info", "gauge", "1, with the version.");
	prom_sample(out, "vrouter_manager_build_info", 1, "version", VR_VERSION, NULL);
	if (p->lease)
		prom_one(out, "vrouter_manager_leader", "gauge",
			 "1 on the replica that leads, and writes; else 0.",
			 kube_lease_is_held(p->lease));
	prom_one(out, "vrouter_manager_problems", "gauge",
		 "Objects that could not be translated as they are given.",
		 p->mgr->model.problems);
	if (p->informers)
		prom_one(out, "vrouter_manager_complaints_total", "counter",
			 "Objects that were refused, or not taken as they were meant.",
			 informers_complaints(p->informers));
	prom_histogram(out, "vrouter_manager_reconcile_duration_seconds",
		       "Translations of collected changes.", &p->mgr->runs);
}

static void put_counts(FILE *out, const struct http_parts *p)
{
	const struct manager *mgr = p->mgr;
	unsigned int i;

	prom_family(out, "vrouter_manager_objects", "gauge", "Objects known, by kind.");
	for (i = 0; i < OBJECT_KINDS; i++)
		prom_sample(out, "vrouter_manager_objects", mgr->model.objects[i].n, "kind",
			    kind_name(i), NULL);
	prom_family(out, "vrouter_manager_resources", "gauge",
		    "Resources made of them, by kind.");
	for (i = 0; i < STORED_KINDS; i++)
		prom_sample(out, "vrouter_manager_resources", mgr->store.published[i].n, "kind",
			    resource_name(i), NULL);
}

static void put_writes(FILE *out, const struct publisher *publisher)
{
	static const char *const results[] = { [WRITE_OK] = "ok", [WRITE_CONFLICT] = "conflict",
					       [WRITE_ERROR] = "error" };
	struct publisher_stats s;
	unsigned int kind, r;

	publisher_stats(publisher, &s);
	prom_family(out, "vrouter_manager_pending_writes", "gauge",
		    "Resources that differ from what the API server has: queued, being written "
		    "(in_flight), or waiting for another try after a failure (retry).");
	prom_sample(out, "vrouter_manager_pending_writes", s.queued, "state", "queued", NULL);
	prom_sample(out, "vrouter_manager_pending_writes", s.in_flight, "state", "in_flight", NULL);
	prom_sample(out, "vrouter_manager_pending_writes", s.waiting, "state", "retry", NULL);
	prom_one(out, "vrouter_manager_writes_stuck_seconds", "gauge",
		 "For how long the API server has taken no write; 0 while it does.", s.stuck);
	prom_family(out, "vrouter_manager_writes_total", "counter",
		    "Writes of resources, by kind and what came of them.");
	for (kind = 0; kind < RESOURCE_KINDS; kind++)
		for (r = 0; r < WRITE_RESULTS; r++)
			prom_sample(out, "vrouter_manager_writes_total", s.writes[kind][r], "kind",
				    resource_name(kind), "result", results[r], NULL);
}

static void put_requests(FILE *out, const struct kube_client *client)
{
	const struct kube_count *v;
	char code[12];
	size_t n, i;

	v = kube_client_counts(client, &n);
	prom_family(out, "vrouter_manager_api_requests_total", "counter",
		    "Requests to the API server that ended, by method and HTTP status; status 0: "
		    "without an answer.");
	for (i = 0; i < n; i++) {
		snprintf(code, sizeof(code), "%d", v[i].code);
		prom_sample(out, "vrouter_manager_api_requests_total", v[i].n, "verb", v[i].verb,
			    "code", code, NULL);
	}
}

/* One family of what the reflectors count. */
static void put_informers(FILE *out, const struct informers *in, const char *name,
			  const char *help, size_t offset)
{
	struct informer_state s;
	size_t i;

	prom_family(out, name, "counter", help);
	for (i = 0; informers_state(in, i, &s); i++)
		prom_sample(out, name,
			    *(const unsigned long long *)((const char *)s.stats + offset),
			    "resource", s.resource, NULL);
}

static void put_watches(FILE *out, const struct informers *in)
{
	put_informers(out, in, "vrouter_manager_lists_total",
		      "Lists begun, by resource; more than the first are relists.",
		      offsetof(struct kube_reflector_stats, lists));
	put_informers(out, in, "vrouter_manager_watches_total",
		      "Watches begun, by resource; one each few minutes is usual.",
		      offsetof(struct kube_reflector_stats, watches));
	put_informers(out, in, "vrouter_manager_watch_failures_total",
		      "Lists and watches that ended in trouble, by resource.",
		      offsetof(struct kube_reflector_stats, failures));
	put_informers(out, in, "vrouter_manager_watch_events_total",
		      "Objects that came, changed, went or were listed again, by resource.",
		      offsetof(struct kube_reflector_stats, events));
}

/* --- addresses ------------------------------------------------------------- */

static void put_addresses(FILE *out, const char *network, const struct ipam *ipam, bool in_use)
{
	const char *name = in_use ? "vrouter_manager_addresses_in_use" :
				    "vrouter_manager_addresses_free";
	enum family f;
	double used;

	for (f = V4; f < FAMILIES; f++) {
		if (!ipam->net.has[f])
			continue;
		used = ipam_used(ipam, f);
		prom_sample(out, name, in_use ? used : (double)ipam_size(ipam, f) - used,
			    "network", network, "family", family_name(f), NULL);
	}
}

static void put_networks(FILE *out, const struct model *m, bool in_use)
{
	struct map_node **nodes = map_sorted(&m->networks);
	size_t i, n = 0;

	prom_family(out, in_use ? "vrouter_manager_addresses_in_use" :
				  "vrouter_manager_addresses_free", "gauge",
		    in_use ? "Addresses in use, by network; network \"services\": of Services." :
			     "Addresses that are left, by network.");
	put_addresses(out, "services", &m->service_ipam, in_use);
	for (i = 0; i < m->networks.n && n < MAX_NETWORKS; i++) {
		const struct network_state *net = nodes[i]->value;

		if (!net->known)
			continue;
		put_addresses(out, net->key, &net->ipam, in_use);
		n++;
	}
	free(nodes);
}

char *metrics_text(const struct http_parts *p)
{
	char *text = NULL;
	size_t len;
	FILE *out = mem_check(open_memstream(&text, &len));

	put_state(out, p);
	put_counts(out, p);
	if (p->publisher)
		put_writes(out, p->publisher);
	if (p->client)
		put_requests(out, p->client);
	if (p->informers)
		put_watches(out, p->informers);
	put_networks(out, &p->mgr->model, true);
	put_networks(out, &p->mgr->model, false);
	prom_process(out);
	fclose(out);
	return mem_check(text);
}
