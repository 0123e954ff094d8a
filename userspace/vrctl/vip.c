// SPDX-License-Identifier: GPL-2.0-only
/* vrctl vip */

#include <stdio.h>

#include "vrctl.h"

void show_vip(struct ctx *c, const void *obj)
{
	const struct vr_vip *vip = obj;

	show_ref(c, "vrf", "VRF", &vr_type_vrf, vip->vrf);
	show_addr(c, "addr", "ADDRESS", &vip->addr);
	show_name(c, "proto", "PROTO", vr_names_proto, vip->proto);
	out_num(c->out, "port", "PORT", vip->port);
	out_str(c->out, "label", "LABEL", vip->label);
	show_ref(c, "nexthop", "NEXTHOP", &vr_type_nexthop, vip->nexthop);
	out_num(c->out, "affinity", "AFFINITY", vip->affinity_timeout);
	show_ref(c, "sg", "SG", &vr_type_sg, vip->sg);
	show_counters(c, &vip->counters, 0);
}

static int run_show(struct ctx *c, const struct verb *v, void *obj)
{
	(void)v;
	return show_all(c, &vr_type_vip, obj, show_vip);
}

static int run_get(struct ctx *c, const struct verb *v, void *obj)
{
	(void)v;
	return show_one(c, &vr_type_vip, obj, show_vip);
}

static int run_flush(struct ctx *c, const struct verb *v, void *obj)
{
	(void)v;
	return flush_all(c, &vr_type_vip, obj);
}

#define VRF(st, f) { .word = "vrf", .value = "VRF", .type = ARG_REF, .ref = &vr_type_vrf, \
		     .flags = f, .help = "id or label of the VRF", ARG_AT(st, vrf) }
#define KEY									\
	VRF(struct vr_vip, ARG_REQUIRED),					\
	{ .value = "ADDRESS", .type = ARG_ADDR, .flags = ARG_REQUIRED,		\
	  .help = "the service's address", ARG_AT(struct vr_vip, addr) },		\
	{ .value = "PROTO", .type = ARG_NAME, .names = vr_names_proto,		\
	  .flags = ARG_REQUIRED, .help = "tcp, udp or sctp", ARG_AT(struct vr_vip, proto) }, \
	{ .value = "PORT", .type = ARG_NUMBER, .min = 1, .max = 65535,		\
	  .flags = ARG_REQUIRED, .help = "the service's port", ARG_AT(struct vr_vip, port) }

static const struct arg key_args[] = { KEY };

static const struct arg set_args[] = {
	KEY,
	{ .word = "nexthop", .value = "NEXTHOP", .type = ARG_REF, .ref = &vr_type_nexthop,
	  .flags = ARG_REQUIRED, .help = "an ecmp next hop, the members have addresses",
	  ARG_AT(struct vr_vip, nexthop) },
	{ .word = "affinity", .value = "SECONDS", .type = ARG_NUMBER, .max = 86400,
	  .help = "a client stays with its member for so long; 0 = it does not",
	  ARG_AT(struct vr_vip, affinity_timeout) },
	{ .word = "sg", .value = "SG", .type = ARG_REF, .ref = &vr_type_sg,
	  .help = "serves only who matches an ingress rule of this security group",
	  ARG_AT(struct vr_vip, sg) },
	{ .word = "label", .value = "LABEL", .type = ARG_STRING, .help = "a name for people",
	  ARG_AT(struct vr_vip, label) },
};

static const struct arg show_args[] = { VRF(struct vr_filter, 0) };
static const struct arg flush_args[] = { VRF(struct vr_filter, ARG_REQUIRED) };

static const struct verb verbs[] = {
	{ "show", "all services", .args = ARG_TABLE(show_args, struct vr_filter),
	  .run = run_show },
	{ "get", "one service", .type = &vr_type_vip, .args = ARG_TABLE(key_args, struct vr_vip),
	  .run = run_get },
	{ "add", "add a service", .type = &vr_type_vip,
	  .args = ARG_TABLE(set_args, struct vr_vip), .mode = VR_ADD, .run = verb_set },
	{ "replace", "add a service, or replace the one of this address and port",
	  .type = &vr_type_vip, .args = ARG_TABLE(set_args, struct vr_vip), .mode = VR_SET,
	  .run = verb_set },
	{ "del", "delete a service; its flows end", .type = &vr_type_vip,
	  .args = ARG_TABLE(key_args, struct vr_vip), .run = verb_del },
	{ "flush", "delete all services of a VRF", .args = ARG_TABLE(flush_args, struct vr_filter),
	  .run = run_flush },
};

const struct object object_vip = { "vip", "service addresses, balanced over members",
				   VERBS(verbs) };
