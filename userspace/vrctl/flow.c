// SPDX-License-Identifier: GPL-2.0-only
/* vrctl flow */

#include <errno.h>
#include <stdio.h>

#include "vrctl.h"

void show_flow(struct ctx *c, const void *obj)
{
	char src[END_TEXT], dst[END_TEXT], via[END_TEXT];
	const struct vr_flow *f = obj;

	show_name(c, "proto", "PROTO", vr_names_proto, f->orig.proto);
	show_name(c, "state", "STATE", vr_names_flow_state, f->state);
	out_cell(c->out, "FROM", "%s", source_text(&f->orig, src));
	out_cell(c->out, "TO", "%s", dest_text(&f->orig, dst));
	/* Who really answers. */
	out_cell(c->out, "MEMBER", "%s", f->translated ? source_text(&f->reply, via) : "-");
	show_tuple(c, "orig", &f->orig);
	show_tuple(c, "reply", &f->reply);
	show_ref(c, "vif-in", "IN", &vr_type_vif, f->vif_in);
	if (f->vif_out)
		show_ref(c, "vif-out", "OUT", &vr_type_vif, f->vif_out);
	else
		out_cell(c->out, "OUT", "node");
	show_ref(c, "vrf", NULL, &vr_type_vrf, f->vrf);
	out_bool(c->out, "translated", f->translated);
	if (!c->counters)
		return;
	out_num(c->out, "timeout", NULL, f->timeout);
	out_num(c->out, "orig-packets", NULL, f->orig_packets);
	out_num(c->out, "orig-bytes", NULL, f->orig_bytes);
	out_num(c->out, "reply-packets", NULL, f->reply_packets);
	out_num(c->out, "reply-bytes", NULL, f->reply_bytes);
	out_detail(c->out, "%llu packets %llu bytes, replies %llu packets %llu bytes, ends in %u s",
		   (unsigned long long)f->orig_packets, (unsigned long long)f->orig_bytes,
		   (unsigned long long)f->reply_packets, (unsigned long long)f->reply_bytes,
		   f->timeout);
}

static int show_each(const void *obj, void *arg)
{
	struct ctx *c = arg;

	out_row_begin(c->out);
	show_flow(c, obj);
	out_row_end(c->out);
	return 0;
}

static int run_show(struct ctx *c, const struct verb *v, void *obj)
{
	int err;

	(void)v;
	/* The socket is in the dump when the first flow is shown. */
	label_of(c, &vr_type_vif, 1);
	label_of(c, &vr_type_vrf, 1);
	out_list_begin(c->out);
	err = vr_dump_each(c->nl, &vr_type_flow, obj, show_each, c, &c->err);
	out_list_end(c->out);
	if (err == -EINTR) {
		fprintf(stderr, "vrctl: flows came and went meanwhile, some may be missing or twice\n");
		err = 0;
	}
	return err ? refused(c) : EXIT_OK;
}

static int run_flush(struct ctx *c, const struct verb *v, void *obj)
{
	long n = vr_flow_flush(c->nl, obj, &c->err);

	(void)v;
	if (n < 0)
		return refused(c);
	out_flushed(c, n, &vr_type_flow);
	return EXIT_OK;
}

#define AT(member) ARG_AT(struct vr_flow_filter, member)
#define HAS(member) ARG_HAS(struct vr_flow_filter, member)

static const struct arg filter_args[] = {
	{ .word = "vif", .value = "VIF", .type = ARG_REF, .ref = &vr_type_vif,
	  .help = "entered or left by this interface", AT(vif) },
	{ .word = "vrf", .value = "VRF", .type = ARG_REF, .ref = &vr_type_vrf,
	  .help = "of the opener", AT(vrf) },
	{ .word = "src", .value = "ADDRESS", .type = ARG_ADDR,
	  .help = "source of either direction, as the packet enters", AT(tuple.src) },
	{ .word = "dst", .value = "ADDRESS", .type = ARG_ADDR,
	  .help = "destination, the same", AT(tuple.dst) },
	{ .word = "proto", .value = "PROTO", .type = ARG_NAME, .names = vr_names_proto,
	  .help = "tcp, udp, sctp, icmp, icmpv6", AT(tuple.proto) },
	{ .word = "sport", .value = "PORT", .type = ARG_NUMBER, .max = 65535,
	  .help = "source port, or ICMP identifier", AT(tuple.sport), HAS(tuple.has_sport) },
	{ .word = "dport", .value = "PORT", .type = ARG_NUMBER, .max = 65535,
	  .help = "destination port", AT(tuple.dport), HAS(tuple.has_dport) },
	{ .word = "state", .value = "STATE", .type = ARG_NAME, .names = vr_names_flow_state,
	  .help = "new, open, syn-recv, established, half-closed, closed", AT(state),
	  HAS(has_state) },
};

static const struct verb verbs[] = {
	{ "show", "flows, all or those that fit every word",
	  .args = ARG_TABLE(filter_args, struct vr_flow_filter), .run = run_show },
	{ "flush", "end these flows; none of the words: all",
	  .args = ARG_TABLE(filter_args, struct vr_flow_filter), .run = run_flush },
};

const struct object object_flow = { "flow", "connections under way", VERBS(verbs) };
