// SPDX-License-Identifier: GPL-2.0-only
/* vrctl route */

#include <stdio.h>

#include "vrctl.h"

void show_route(struct ctx *c, const void *obj)
{
	const struct vr_route *r = obj;
	char text[VR_PREFIX_TEXT];

	show_ref(c, "vrf", "VRF", &vr_type_vrf, r->vrf);
	out_str(c->out, "prefix", "PREFIX", vr_prefix_text(&r->prefix, text));
	show_ref(c, "nexthop", "NEXTHOP", &vr_type_nexthop, r->nexthop);
	show_refs(c, "sg", "SG", &vr_type_sg, r->sgs, r->n_sgs);
	out_str(c->out, "label", "LABEL", r->label);
	out_bool(c->out, "node", r->node);
}

static int run_show(struct ctx *c, const struct verb *v, void *obj)
{
	(void)v;
	return show_all(c, &vr_type_route, obj, show_route);
}

static int run_flush(struct ctx *c, const struct verb *v, void *obj)
{
	(void)v;
	return flush_all(c, &vr_type_route, obj);
}

struct lookup {
	uint32_t	vrf;
	struct vr_addr	addr;
};

static int run_get(struct ctx *c, const struct verb *v, void *obj)
{
	const struct lookup *l = obj;
	struct vr_route route;

	(void)v;
	if (vr_route_lookup(c->nl, l->vrf, &l->addr, &route, &c->err))
		return refused(c);
	out_row_begin(c->out);
	show_route(c, &route);
	out_row_end(c->out);
	vr_obj_free(&vr_type_route, &route);
	return EXIT_OK;
}

#define VRF(st, f) { .word = "vrf", .value = "VRF", .type = ARG_REF, .ref = &vr_type_vrf, \
		     .flags = f, .help = "id or label of the VRF", ARG_AT(st, vrf) }
#define KEY									\
	VRF(struct vr_route, ARG_REQUIRED),					\
	{ .value = "PREFIX", .type = ARG_PREFIX, .flags = ARG_REQUIRED,		\
	  .help = "10.0.0.0/8, fd00::/64; an address alone is one of full length", \
	  ARG_AT(struct vr_route, prefix) }

static const struct arg key_args[] = { KEY };

static const struct arg set_args[] = {
	KEY,
	{ .word = "nexthop", .value = "NEXTHOP", .type = ARG_REF, .ref = &vr_type_nexthop,
	  .flags = ARG_REQUIRED, .help = "where packets go", ARG_AT(struct vr_route, nexthop) },
	{ .word = "sg", .value = "SG", .type = ARG_REFS, .ref = &vr_type_sg,
	  .help = "security group of what is behind the route",
	  ARG_AT(struct vr_route, sgs), ARG_COUNT(struct vr_route, n_sgs) },
	{ .word = "node", .type = ARG_FLAG,
	  .help = "to a node's address: node ports serve there, too",
	  ARG_AT(struct vr_route, node) },
	{ .word = "label", .value = "LABEL", .type = ARG_STRING, .help = "a name for people",
	  ARG_AT(struct vr_route, label) },
};

static const struct arg get_args[] = {
	VRF(struct lookup, ARG_REQUIRED),
	{ .value = "ADDRESS", .type = ARG_ADDR, .flags = ARG_REQUIRED,
	  .help = "the packet's destination", ARG_AT(struct lookup, addr) },
};

#define FAMILY { .word = "family", .value = "FAMILY", .type = ARG_NAME, .names = vr_names_family, \
		 .help = "ipv4 or ipv6", ARG_AT(struct vr_filter, family) }

static const struct arg show_args[] = { VRF(struct vr_filter, 0), FAMILY };
static const struct arg flush_args[] = { VRF(struct vr_filter, ARG_REQUIRED), FAMILY };

static const struct verb verbs[] = {
	{ "show", "all routes", .args = ARG_TABLE(show_args, struct vr_filter),
	  .run = run_show },
	{ "get", "the route that a packet takes", .args = ARG_TABLE(get_args, struct lookup),
	  .run = run_get },
	{ "add", "add a route", .type = &vr_type_route,
	  .args = ARG_TABLE(set_args, struct vr_route), .mode = VR_ADD, .run = verb_set },
	{ "replace", "add a route, or replace the one of this prefix", .type = &vr_type_route,
	  .args = ARG_TABLE(set_args, struct vr_route), .mode = VR_SET, .run = verb_set },
	{ "del", "delete a route", .type = &vr_type_route,
	  .args = ARG_TABLE(key_args, struct vr_route), .run = verb_del },
	{ "flush", "delete all routes of a VRF", .args = ARG_TABLE(flush_args, struct vr_filter),
	  .run = run_flush },
};

const struct object object_route = { "route", "routes of the VRFs", VERBS(verbs) };
