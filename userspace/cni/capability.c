// SPDX-License-Identifier: GPL-2.0-only
/* What the runtime passes for capabilities that the configuration names: runtimeConfig. */

#include <string.h>
#include <strings.h>

#include "cni.h"

#define RATE_MAX	1000000000000000	/* bits a second; "1P", as Kubernetes bounds the annotation */

/* What a runtime says that was told no burst: containerd passes the largest of 32 bits. */
#define BURST_NOT_SAID	UINT32_MAX

/* containerd up to 1.7 writes "HostPort" for "hostPort" and so on: plugins in Go do not see a
 * difference, and no more may this one.
 */
static const json_t *get(const json_t *o, const char *key)
{
	const json_t *exact = json_object_get(o, key);
	const char *name;
	json_t *value;

	if (exact)
		return exact;
	json_object_foreach((json_t *)o, name, value) {
		if (!strcasecmp(name, key))
			return value;
	}
	return NULL;
}

/* Absent or 0: none. */
static int get_bits(const json_t *o, const char *key, json_int_t min, uint64_t *value,
		    struct cni_error *e)
{
	const json_t *v = get(o, key);
	json_int_t n = json_integer_value(v);

	if (!v || (json_is_integer(v) && !n))
		return 0;
	if (!json_is_integer(v) || n < min || n > RATE_MAX)
		return cni_fail(e, CNI_BAD_CONFIG, "runtimeConfig.bandwidth.%s: must be a whole "
				"number of bits, 0 or from %lld to %lld", key, (long long)min,
				(long long)RATE_MAX);
	*value = n;
	return 0;
}

static int parse_bandwidth(struct cni_request *rq, const json_t *o, struct cni_error *e)
{
	unsigned int i;

	if (!o || json_is_null(o))
		return 0;
	if (!json_is_object(o))
		return cni_fail(e, CNI_BAD_CONFIG, "runtimeConfig.bandwidth: must be an object");
	if (get_bits(o, "ingressRate", 8, &rq->limit[CNI_TO_POD].rate, e) ||
	    get_bits(o, "ingressBurst", 1, &rq->limit[CNI_TO_POD].burst, e) ||
	    get_bits(o, "egressRate", 8, &rq->limit[CNI_FROM_POD].rate, e) ||
	    get_bits(o, "egressBurst", 1, &rq->limit[CNI_FROM_POD].burst, e))
		return -1;
	for (i = 0; i < 2; i++)
		if (rq->limit[i].burst >= BURST_NOT_SAID)
			rq->limit[i].burst = 0;
	return 0;
}

static int get_port(const json_t *o, size_t i, const char *key, unsigned int min,
		    json_int_t *port, struct cni_error *e)
{
	const json_t *v = get(o, key);

	*port = json_integer_value(v);
	if (!v && !min)
		return 0;
	if (!json_is_integer(v) || *port < min || *port > 65535)
		return cni_fail(e, CNI_BAD_CONFIG,
				"runtimeConfig.portMappings[%zu].%s: must be a port, %u to 65535", i,
				key, min);
	return 0;
}

/* Runtimes write "tcp" as well as "TCP"; not said is TCP. */
static int get_protocol(const json_t *o, size_t i, const char **protocol, struct cni_error *e)
{
	static const char *const known[] = { "TCP", "UDP", "SCTP" };
	const json_t *v = get(o, "protocol");
	const char *s = v ? json_string_value(v) : "TCP";
	unsigned int k;

	for (k = 0; s && k < sizeof(known) / sizeof(known[0]); k++)
		if (!strcasecmp(s, known[k])) {
			*protocol = known[k];
			return 0;
		}
	return cni_fail(e, CNI_BAD_CONFIG, "runtimeConfig.portMappings[%zu].protocol: \"%.32s\" is "
			"not tcp, udp or sctp", i, s ?: "");
}

/* One mapping, for vrouterd; one without host port (0) is none. */
static int parse_port(struct cni_request *rq, const json_t *o, size_t i, struct cni_error *e)
{
	const json_t *at = get(o, "hostIP");
	const char *ip = json_string_value(at), *protocol = "TCP";
	json_int_t host, container = 0;

	if (!json_is_object(o))
		return cni_fail(e, CNI_BAD_CONFIG,
				"runtimeConfig.portMappings[%zu]: must be an object", i);
	/* what is not understood must not be taken for every address */
	if (at && !ip)
		return cni_fail(e, CNI_BAD_CONFIG,
				"runtimeConfig.portMappings[%zu].hostIP: must be a string", i);
	if (get_port(o, i, "hostPort", 0, &host, e) || (host && (get_port(o, i, "containerPort", 1,
	    &container, e) || get_protocol(o, i, &protocol, e))))
		return -1;
	if (!host)
		return 0;
	json_array_append_new(rq->ports, json_pack("{sI sI ss ss*}", "hostPort", host,
			      "containerPort", container, "protocol", protocol,
			      "hostIP", ip && *ip ? ip : NULL));
	return 0;
}

static int parse_ports(struct cni_request *rq, const json_t *list, struct cni_error *e)
{
	const json_t *o;
	size_t i;

	if (!list || json_is_null(list))
		return 0;
	if (!json_is_array(list))
		return cni_fail(e, CNI_BAD_CONFIG, "runtimeConfig.portMappings: must be a list");
	rq->ports = json_array();
	json_array_foreach(list, i, o)
		if (parse_port(rq, o, i, e))
			return -1;
	return 0;
}

int cni_capabilities_parse(struct cni_request *rq, const json_t *root, struct cni_error *e)
{
	const json_t *o = json_object_get(root, "runtimeConfig");

	if (!o)
		return 0;
	if (!json_is_object(o))
		return cni_fail(e, CNI_BAD_CONFIG, "runtimeConfig: must be an object");
	return parse_bandwidth(rq, get(o, "bandwidth"), e) ?:
	       parse_ports(rq, get(o, "portMappings"), e);
}
