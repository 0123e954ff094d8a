// SPDX-License-Identifier: GPL-2.0-only
/* vrctl trace: what would happen to a packet */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "vrctl.h"

struct words {
	struct vr_trace	trace;
	uint8_t		icmp_type;
	bool		has_icmp_type;
};

/* Does the kernel's sentence name the object? */
static bool names(const char *text, const char *label, uint32_t id)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", id);
	return text && strstr(text, label ? label : number);
}

/* What a step has and its sentence has not: " [10.32.0.3:8080]", " [sg 5 (a/b)]". */
static void refs_text(struct ctx *c, const struct vr_trace_step *s, char *buf, size_t size)
{
	const struct {
		const char *name;
		const struct vr_obj_type *t;
		uint32_t id;
	} refs[] = {
		{ "vif", &vr_type_vif, s->vif },
		{ "vrf", &vr_type_vrf, s->vrf },
		{ "nexthop", &vr_type_nexthop, s->nexthop },
		{ "sg", &vr_type_sg, s->sg },
	};
	char ref[REF_TEXT], dst[END_TEXT], length[8] = "";
	struct vr_tuple to = { .dst = s->addr, .dport = s->port, .has_dport = s->port };
	size_t i, n = 0;

	buf[0] = '\0';
	if (s->addr.family && !s->port)
		snprintf(length, sizeof(length), "/%u", s->prefix_len);
	if (s->addr.family)
		n += snprintf(buf + n, size - n, " [%s%s", dest_text(&to, dst), length);
	for (i = 0; i < VR_ARRAY_SIZE(refs) && n < size; i++)
		if (refs[i].id && !names(s->text, label_of(c, refs[i].t, refs[i].id), refs[i].id))
			n += snprintf(buf + n, size - n, "%s%s %s", n ? ", " : " [", refs[i].name,
				      ref_text(c, refs[i].t, refs[i].id, ref));
	if (s->has_rule && n < size && !names(s->text, NULL, s->rule))
		n += snprintf(buf + n, size - n, "%srule %u", n ? ", " : " [", s->rule);
	if (n && n < size)
		snprintf(buf + n, size - n, "]");
}

static void show_text(struct ctx *c, const struct vr_trace *request, const struct vr_trace *t)
{
	char stage[VR_NAME_TEXT], reason[VR_NAME_TEXT], proto[VR_NAME_TEXT];
	char src[END_TEXT], dst[END_TEXT], ref[REF_TEXT], refs[4 * REF_TEXT];
	const struct vr_trace_step *s;

	out_line(c->out, "%s %s -> %s entering by vif %s",
		 vr_name(vr_names_proto, request->tuple.proto, proto),
		 source_text(&request->tuple, src), dest_text(&request->tuple, dst),
		 ref_text(c, &vr_type_vif, request->vif, ref));
	for (s = t->steps; s < t->steps + t->n_steps; s++) {
		refs_text(c, s, refs, sizeof(refs));
		out_line(c->out, "  %-10s  %s%s", vr_name(vr_names_trace_stage, s->stage, stage),
			 s->text ? s->text : "", refs);
	}
	if (t->reason)
		out_line(c->out, "dropped: %s", vr_name(vr_names_drop_reason, t->reason, reason));
	else if (t->final.src.family)
		out_line(c->out, "passes: leaves as %s %s -> %s by %s%s",
			 vr_name(vr_names_proto, t->final.proto, proto), source_text(&t->final, src),
			 dest_text(&t->final, dst), t->vif_out ? "vif " : "the node",
			 t->vif_out ? ref_text(c, &vr_type_vif, t->vif_out, ref) : "");
	else
		out_line(c->out, "passes");
}

static void step_json(struct ctx *c, const struct vr_trace_step *s)
{
	out_object_begin(c->out, NULL);
	show_name(c, "stage", NULL, vr_names_trace_stage, s->stage);
	out_str(c->out, "text", NULL, s->text);
	if (s->reason)
		show_name(c, "reason", NULL, vr_names_drop_reason, s->reason);
	show_ref(c, "vif", NULL, &vr_type_vif, s->vif);
	show_ref(c, "vrf", NULL, &vr_type_vrf, s->vrf);
	show_ref(c, "nexthop", NULL, &vr_type_nexthop, s->nexthop);
	show_ref(c, "sg", NULL, &vr_type_sg, s->sg);
	if (s->has_rule)
		out_num(c->out, "rule", NULL, s->rule);
	show_addr(c, "addr", NULL, &s->addr);
	if (s->addr.family)
		out_num(c->out, "prefix-len", NULL, s->prefix_len);
	if (s->port)
		out_num(c->out, "port", NULL, s->port);
	out_end(c->out);
}

static void show_json(struct ctx *c, const struct vr_trace *request, const struct vr_trace *t)
{
	const struct vr_trace_step *s;

	out_row_begin(c->out);
	show_ref(c, "vif", NULL, &vr_type_vif, request->vif);
	show_name(c, "proto", NULL, vr_names_proto, request->tuple.proto);
	show_tuple(c, "packet", &request->tuple);
	out_array_begin(c->out, "step");
	for (s = t->steps; s < t->steps + t->n_steps; s++)
		step_json(c, s);
	out_end(c->out);
	show_name(c, "reason", NULL, vr_names_drop_reason, t->reason);
	if (t->final.src.family)
		show_tuple(c, "final", &t->final);
	show_ref(c, "vif-out", NULL, &vr_type_vif, t->vif_out);
	out_row_end(c->out);
}

/* --- the packet -------------------------------------------------------------------------- */

/* The interface's first address of the destination's family, as a client would send. */
static int choose_source(struct ctx *c, struct vr_trace *t)
{
	struct vr_vif key = { .id = t->vif }, vif;
	unsigned int i;
	int err;

	err = vr_get(c->nl, &vr_type_vif, &key, &vif, &c->err);
	if (err)
		return err;
	for (i = 0; i < vif.n_addrs && !t->tuple.src.family; i++)
		if (vif.addrs[i].family == t->tuple.dst.family)
			t->tuple.src = vif.addrs[i];
	vr_obj_free(&vr_type_vif, &vif);
	if (t->tuple.src.family)
		return 0;
	return vr_err_set(&c->err, EADDRNOTAVAIL,
			  "the interface has no address of the destination's family: say src");
}

static int complete(struct ctx *c, struct words *w)
{
	struct vr_tuple *t = &w->trace.tuple;

	if (t->proto == IPPROTO_ICMP && t->dst.family == AF_INET6)
		t->proto = IPPROTO_ICMPV6;
	if (!t->proto)
		return usage(c, "proto: \"any\" is no protocol of a packet");
	if (w->has_icmp_type && t->proto != IPPROTO_ICMP && t->proto != IPPROTO_ICMPV6)
		return usage(c, "icmp-type is for icmp and icmpv6 only");
	if (w->has_icmp_type) {
		if (t->has_dport)
			return usage(c, "dport is not for icmp");
		t->dport = w->icmp_type << 8;
		t->has_dport = true;
	}
	if (!t->src.family && choose_source(c, &w->trace))
		return refused(c);
	return EXIT_OK;
}

static int run_trace(struct ctx *c, const struct verb *v, void *obj)
{
	struct words *w = obj;
	struct vr_trace t;
	int status;

	(void)v;
	status = complete(c, w);
	if (status)
		return status;
	if (vr_get(c->nl, &vr_type_trace, &w->trace, &t, &c->err))
		return refused(c);
	if (out_is_json(c->out))
		show_json(c, &w->trace, &t);
	else
		show_text(c, &w->trace, &t);
	status = t.reason ? EXIT_DROP : EXIT_OK;
	vr_obj_free(&vr_type_trace, &t);
	return status;
}

#define AT(member) ARG_AT(struct words, trace.member)

static const struct arg args[] = {
	{ .word = "vif", .value = "VIF", .type = ARG_REF, .ref = &vr_type_vif,
	  .flags = ARG_REQUIRED, .help = "interface that the packet enters by", AT(vif) },
	{ .word = "src", .value = "ADDRESS", .type = ARG_ADDR,
	  .help = "absent = the interface's own", AT(tuple.src) },
	{ .word = "dst", .value = "ADDRESS", .type = ARG_ADDR, .flags = ARG_REQUIRED,
	  .help = "a pod, a service, the world", AT(tuple.dst) },
	{ .word = "proto", .value = "PROTO", .type = ARG_NAME, .names = vr_names_proto,
	  .flags = ARG_REQUIRED, .help = "tcp, udp, sctp, icmp, icmpv6", AT(tuple.proto) },
	{ .word = "dport", .value = "PORT", .type = ARG_NUMBER, .max = 65535,
	  .help = "of tcp, udp, sctp",
	  AT(tuple.dport), ARG_HAS(struct words, trace.tuple.has_dport) },
	{ .word = "sport", .value = "PORT", .type = ARG_NUMBER, .max = 65535,
	  .help = "source port or ICMP identifier; absent = any",
	  AT(tuple.sport), ARG_HAS(struct words, trace.tuple.has_sport) },
	{ .word = "icmp-type", .value = "NUMBER", .type = ARG_NUMBER, .max = 255,
	  .help = "absent = echo request",
	  ARG_AT(struct words, icmp_type), ARG_HAS(struct words, has_icmp_type) },
};

static const struct verb verbs[] = {
	{ "", "walk the first packet of a flow through the kernel's decisions, without sending it",
	  .args = ARG_TABLE(args, struct words),
	  .more = "Exit status 0: it would pass; 3: it would be dropped.\n", .run = run_trace },
};

const struct object object_trace = { "trace", "what would happen to a packet, and why",
				     VERBS(verbs) };
