// SPDX-License-Identifier: GPL-2.0-only
/* vrctl vrf */

#include <stdio.h>

#include "vrctl.h"

void show_vrf(struct ctx *c, const void *obj)
{
	const struct vr_vrf *vrf = obj;

	out_num(c->out, "id", "ID", vrf->id);
	out_str(c->out, "label", "LABEL", vrf->label);
	show_addrs(c, "gateway", "GATEWAY", vrf->gateways, vrf->n_gateways);
	out_num(c->out, "routes", "ROUTES", vrf->routes);
	show_counters(c, &vrf->counters, COUNT_RX | COUNT_TX);
}

static int run_show(struct ctx *c, const struct verb *v, void *obj)
{
	(void)v, (void)obj;
	return show_all(c, &vr_type_vrf, NULL, show_vrf);
}

static int run_get(struct ctx *c, const struct verb *v, void *obj)
{
	(void)v;
	return show_one(c, &vr_type_vrf, obj, show_vrf);
}

#define LABEL { .word = "label", .value = "LABEL", .help = "a name for people", \
		.type = ARG_STRING, ARG_AT(struct vr_vrf, label) }
#define GATEWAY { .word = "gateway", .value = "ADDRESS", .type = ARG_ADDRS,	\
		  .help = "address that the module answers for (ARP, ND, ping)", \
		  ARG_AT(struct vr_vrf, gateways), ARG_COUNT(struct vr_vrf, n_gateways) }

static const struct arg add_args[] = {
	{ .word = "id", .value = "NUMBER", .type = ARG_NUMBER, .min = 1, .flags = ARG_REQUIRED,
	  .help = "number of the new VRF", ARG_AT(struct vr_vrf, id) },
	LABEL,
	GATEWAY,
};

static const struct arg key_args[] = {
	{ .word = "id", .value = "VRF", .type = ARG_REF, .ref = &vr_type_vrf,
	  .flags = ARG_REQUIRED, .help = "id or label of the VRF", ARG_AT(struct vr_vrf, id) },
};

static const struct arg replace_args[] = {
	{ .word = "id", .value = "VRF", .type = ARG_REF, .ref = &vr_type_vrf,
	  .flags = ARG_REQUIRED, .help = "id or label of the VRF", ARG_AT(struct vr_vrf, id) },
	LABEL,
	GATEWAY,
};

static const struct verb verbs[] = {
	{ "show", "all VRFs", .run = run_show },
	{ "get", "one VRF", .type = &vr_type_vrf, .args = ARG_TABLE(key_args, struct vr_vrf),
	  .run = run_get },
	{ "add", "add a VRF", .type = &vr_type_vrf, .args = ARG_TABLE(add_args, struct vr_vrf),
	  .mode = VR_ADD, .run = verb_set },
	{ "replace", "add a VRF, or replace label and gateways", .type = &vr_type_vrf,
	  .args = ARG_TABLE(replace_args, struct vr_vrf), .mode = VR_SET, .run = verb_set },
	{ "del", "delete a VRF with its routes and vips", .type = &vr_type_vrf,
	  .args = ARG_TABLE(key_args, struct vr_vrf), .run = verb_del },
};

const struct object object_vrf = { "vrf", "virtual networks: gateways, routing tables",
				   VERBS(verbs) };
