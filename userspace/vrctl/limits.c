// SPDX-License-Identifier: GPL-2.0-only
/* vrctl limits */

#include <stdio.h>

#include "vrctl.h"

static const struct limit {
	const char	*name, *meaning;
	unsigned int	attr;
	bool		has_used;
} limits[] = {
	{ "flows", "flows in all", VROUTER_A_LIMITS_FLOWS, true },
	{ "flows-per-vif", "flows that one interface may open", VROUTER_A_LIMITS_FLOWS_PER_VIF,
	  false },
	{ "half-open-per-vif", "of these, without an answer", VROUTER_A_LIMITS_HALF_OPEN_PER_VIF,
	  false },
	{ "vrfs", "VRFs", VROUTER_A_LIMITS_VRFS, true },
	{ "vifs", "interfaces", VROUTER_A_LIMITS_VIFS, true },
	{ "nexthops", "next hops", VROUTER_A_LIMITS_NEXTHOPS, true },
	{ "members", "members of all ecmp next hops", VROUTER_A_LIMITS_MEMBERS, true },
	{ "routes", "routes of all VRFs", VROUTER_A_LIMITS_ROUTES, true },
	{ "vips", "service addresses and ports", VROUTER_A_LIMITS_VIPS, true },
	{ "sgs", "security groups", VROUTER_A_LIMITS_SGS, true },
	{ "sg-rules", "rules of all groups", VROUTER_A_LIMITS_SG_RULES, true },
	{ "affinities", "clients that stay with a member", VROUTER_A_LIMITS_AFFINITIES, true },
	{ "fragment-bytes", "octets of memory for IP fragments", VROUTER_A_LIMITS_FRAGMENT_BYTES,
	  true },
	{ "timeout-new", "seconds: first packet, no answer yet", VROUTER_A_LIMITS_TIMEOUT_NEW,
	  false },
	{ "timeout-tcp-syn", "seconds: TCP before it is established",
	  VROUTER_A_LIMITS_TIMEOUT_TCP_SYN, false },
	{ "timeout-tcp-established", "seconds: TCP, idle",
	  VROUTER_A_LIMITS_TIMEOUT_TCP_ESTABLISHED, false },
	{ "timeout-tcp-half-closed", "seconds: TCP after the first FIN",
	  VROUTER_A_LIMITS_TIMEOUT_TCP_HALF_CLOSED, false },
	{ "timeout-tcp-closed", "seconds: TCP after both FINs, or an RST",
	  VROUTER_A_LIMITS_TIMEOUT_TCP_CLOSED, false },
	{ "timeout-udp", "seconds: UDP with answers", VROUTER_A_LIMITS_TIMEOUT_UDP, false },
	{ "timeout-sctp", "seconds: SCTP with answers", VROUTER_A_LIMITS_TIMEOUT_SCTP, false },
	{ "timeout-icmp", "seconds: ICMP echo with answers", VROUTER_A_LIMITS_TIMEOUT_ICMP, false },
	{ "timeout-fragment", "seconds: until all fragments of a datagram came",
	  VROUTER_A_LIMITS_TIMEOUT_FRAGMENT, false },
	{ "tcp-mss", "octets: largest TCP segment that a SYN asks for", VROUTER_A_LIMITS_TCP_MSS,
	  false },
};

static void show_json(struct ctx *c, const struct vr_limits *l)
{
	const struct limit *i;

	out_row_begin(c->out);
	out_bool(c->out, "global", l->global);
	for (i = limits; i < limits + VR_ARRAY_SIZE(limits); i++)
		if (l->value[i->attr])
			out_num(c->out, i->name, NULL, l->value[i->attr]);
	out_object_begin(c->out, "used");
	for (i = limits; i < limits + VR_ARRAY_SIZE(limits); i++)
		if (i->has_used)
			out_num(c->out, i->name, NULL, l->used[i->attr]);
	out_end(c->out);
	out_row_end(c->out);
}

static void show_table(struct ctx *c, const struct vr_limits *l)
{
	const struct limit *i;

	out_list_begin(c->out);
	for (i = limits; i < limits + VR_ARRAY_SIZE(limits); i++) {
		if (!l->value[i->attr])
			continue;	/* the module as a whole has no such limit */
		out_row_begin(c->out);
		out_str(c->out, NULL, "NAME", i->name);
		out_num(c->out, NULL, "LIMIT", l->value[i->attr]);
		if (i->has_used)
			out_num(c->out, NULL, "USED", l->used[i->attr]);
		else
			out_str(c->out, NULL, "USED", "");
		out_str(c->out, NULL, "MEANING", i->meaning);
		out_row_end(c->out);
	}
	out_list_end(c->out);
}

static int run_show(struct ctx *c, const struct verb *v, void *obj)
{
	struct vr_limits limits_now;

	(void)v;
	if (vr_get(c->nl, &vr_type_limits, obj, &limits_now, &c->err))
		return refused(c);
	if (out_is_json(c->out))
		show_json(c, &limits_now);
	else
		show_table(c, &limits_now);
	return EXIT_OK;
}

static int run_set(struct ctx *c, const struct verb *v, void *obj)
{
	const struct vr_limits *l = obj;
	bool any = false;
	unsigned int i;

	(void)v;
	for (i = 0; i < VR_ARRAY_SIZE(limits); i++)
		any |= l->value[limits[i].attr];
	if (!any)
		return usage(c, "a limit and its value are missing");
	return vr_limits_set(c->nl, l, &c->err) ? refused(c) : EXIT_OK;
}

#define GLOBAL { .word = "global", .type = ARG_FLAG,				\
		 .help = "of the module, for all network namespaces together",	\
		 ARG_AT(struct vr_limits, global) }
#define LIMIT(w, a) { .word = w, .value = "NUMBER", .type = ARG_NUMBER, .min = 1,	\
		      .max = INT32_MAX, ARG_AT(struct vr_limits, value[VROUTER_A_LIMITS_##a]) }
#define TIMEOUT(w, a) { .word = w, .value = "SECONDS", .type = ARG_NUMBER, .min = 1,	\
			.max = 864000, ARG_AT(struct vr_limits, value[VROUTER_A_LIMITS_##a]) }

static const struct arg show_args[] = { GLOBAL };

static const struct arg set_args[] = {
	GLOBAL,
	LIMIT("flows", FLOWS),
	LIMIT("flows-per-vif", FLOWS_PER_VIF),
	LIMIT("half-open-per-vif", HALF_OPEN_PER_VIF),
	LIMIT("vrfs", VRFS),
	LIMIT("vifs", VIFS),
	LIMIT("nexthops", NEXTHOPS),
	LIMIT("members", MEMBERS),
	LIMIT("routes", ROUTES),
	LIMIT("vips", VIPS),
	LIMIT("sgs", SGS),
	LIMIT("sg-rules", SG_RULES),
	LIMIT("affinities", AFFINITIES),
	LIMIT("fragment-bytes", FRAGMENT_BYTES),
	TIMEOUT("timeout-new", TIMEOUT_NEW),
	TIMEOUT("timeout-tcp-syn", TIMEOUT_TCP_SYN),
	TIMEOUT("timeout-tcp-established", TIMEOUT_TCP_ESTABLISHED),
	TIMEOUT("timeout-tcp-half-closed", TIMEOUT_TCP_HALF_CLOSED),
	TIMEOUT("timeout-tcp-closed", TIMEOUT_TCP_CLOSED),
	TIMEOUT("timeout-udp", TIMEOUT_UDP),
	TIMEOUT("timeout-sctp", TIMEOUT_SCTP),
	TIMEOUT("timeout-icmp", TIMEOUT_ICMP),
	TIMEOUT("timeout-fragment", TIMEOUT_FRAGMENT),
	{ .word = "tcp-mss", .value = "OCTETS", .type = ARG_NUMBER, .min = 536, .max = 65535,
	  ARG_AT(struct vr_limits, value[VROUTER_A_LIMITS_TCP_MSS]) },
};

static const struct verb verbs[] = {
	{ "show", "limits and time-outs, with what is in use", .type = &vr_type_limits,
	  .args = ARG_TABLE(show_args, struct vr_limits), .run = run_show },
	{ "set", "change those that are given", .type = &vr_type_limits,
	  .args = ARG_TABLE(set_args, struct vr_limits), .run = run_set },
};

const struct object object_limits = { "limits", "bounds and time-outs", VERBS(verbs) };
