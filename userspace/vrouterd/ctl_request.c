// SPDX-License-Identifier: GPL-2.0-only
/* Requests of contrail-cni. */

#include <net/if.h>

#include "ctl.h"
#include "hostport.h"
#include "jread.h"
#include "kobj.h"
#include "mem.h"

#define DEFAULT_TIMEOUT	30	/* seconds */
#define MAX_TIMEOUT	120

static void parse_op(struct jerr *e, struct pod_request *rq)
{
	static const char *const ops[] = {
		[POD_PREPARE] = "prepare", [POD_ATTACH] = "attach", [POD_DETACH] = "detach",
		[POD_CHECK] = "check", [POD_HEALTH] = "health",
		[POD_STATUS] = "status", [POD_GC] = "gc",
	};
	const char *word = jstring(e, rq->json, "op", true);
	unsigned int i;

	for (i = 0; word && i < sizeof(ops) / sizeof(ops[0]); i++)
		if (!strcmp(word, ops[i])) {
			rq->op = i;
			return;
		}
	jfail(e, "op", "must be prepare, attach, detach, check, health, status or gc");
}

static void parse_pod(struct jerr *e, struct pod_request *rq)
{
	bool needed = rq->op != POD_DETACH;
	const char *ns = jstring(e, rq->json, "namespace", needed);
	const char *pod = jstring(e, rq->json, "pod", needed);
	const char *interface = jstring(e, rq->json, "interface", false);
	size_t len;

	if (!ns || !pod)
		return;
	rq->pod = pod;
	len = strlen(ns) + strlen(pod) + 2;
	rq->key = mem_zero(1, len);
	snprintf(rq->key, len, "%s/%s", ns, pod);
	rq->vmi = rq->key;
	if (!key_valid(rq->key))
		jfail(e, "pod", "\"%.128s\" is not namespace/pod", rq->key);
	if (!interface)
		return;
	rq->vmi = interface;
	if (!key_valid(interface) || strncmp(interface, ns, strlen(ns)) ||
	    interface[strlen(ns)] != '/')
		jfail(e, "interface", "\"%.128s\" is not one of namespace %.64s", interface, ns);
}

/* A list that is missing or not one must never read as an empty one: that ends all. */
static void parse_keep(struct jerr *e, struct pod_request *rq)
{
	const json_t *name;
	size_t i;

	rq->net = jstring(e, rq->json, "network", false);
	rq->keep = json_object_get(rq->json, "keep");
	if (!json_is_array(rq->keep)) {
		jfail(e, "keep", "must be a list of devices");
		return;
	}
	json_array_foreach(rq->keep, i, name)
		if (!json_is_string(name) || !host_ifname_valid(json_string_value(name)))
			jfail(e, "keep", "[%zu] is not a name that contrail-cni gives", i);
}

static void parse_attachment(struct jerr *e, struct pod_request *rq)
{
	rq->container = jstring(e, rq->json, "containerID", true);
	rq->ifname = jstring(e, rq->json, "ifname", true);
	rq->host = jstring(e, rq->json, "hostIfname", true);
	rq->uid = jstring(e, rq->json, "uid", false);
	rq->net = jstring(e, rq->json, "network", false);
	rq->ports = host_ports_parse(e, rq->json, &rq->n_ports);
	rq->timeout = jnumber(e, rq->json, "timeout", 1, MAX_TIMEOUT, DEFAULT_TIMEOUT);
	parse_pod(e, rq);
	if (!jbad(e) && !host_ifname_valid(rq->host))
		jfail(e, "hostIfname", "\"%.32s\" is not a name that contrail-cni gives",
		      rq->host);
}

bool pod_request_parse(struct pod_request *rq, const char *text, size_t len, char *why,
		       size_t size)
{
	struct jerr e = {};
	json_error_t je;

	memset(rq, 0, sizeof(*rq));
	rq->json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &je);
	if (!json_is_object(rq->json))
		jfail(&e, "request", "%s", rq->json ? "must be an object" : je.text);
	parse_op(&e, rq);
	if (!jbad(&e) && rq->op == POD_GC)
		parse_keep(&e, rq);
	else if (!jbad(&e) && rq->op != POD_HEALTH && rq->op != POD_STATUS)
		parse_attachment(&e, rq);
	if (!jbad(&e))
		return true;
	snprintf(why, size, "%s", e.text);
	pod_request_clear(rq);
	return false;
}

void pod_request_clear(struct pod_request *rq)
{
	json_decref(rq->json);
	free(rq->ports);
	free(rq->key);
	memset(rq, 0, sizeof(*rq));
}

json_t *pod_error(int code, const char *msg, const char *details)
{
	return json_pack("{s{si ss ss*}}", "error", "code", code, "msg", msg, "details",
			 details && details[0] ? details : NULL);
}
