// SPDX-License-Identifier: GPL-2.0-only
/* vrctl vif */

#include <stdio.h>

#include "vrctl.h"

void show_vif(struct ctx *c, const void *obj)
{
	const struct vr_vif *vif = obj;
	char mac[VR_MAC_TEXT];

	vr_mac_text(vif->mac, mac);
	out_num(c->out, "id", "ID", vif->id);
	out_str(c->out, "label", "LABEL", vif->label);
	out_cell(c->out, "DEVICE, MAC", "%s\n%s", vif->ifname[0] ? vif->ifname : "-", mac);
	out_str(c->out, "dev", NULL, vif->ifname[0] ? vif->ifname : NULL);
	if (vif->ifindex)
		out_num(c->out, "ifindex", NULL, vif->ifindex);
	show_name(c, "type", NULL, vr_names_vif_type, vif->type);
	out_str(c->out, "mac", NULL, mac);
	show_ref(c, "vrf", "VRF", &vr_type_vrf, vif->vrf);
	show_addrs(c, "addr", "ADDRESS", vif->addrs, vif->n_addrs);
	show_refs(c, "sg", "SG", &vr_type_sg, vif->sgs, vif->n_sgs);
	out_num(c->out, "mtu", NULL, vif->mtu);
	out_num(c->out, "flow-limit", NULL, vif->flow_limit);
	out_num(c->out, "half-open-limit", NULL, vif->half_open_limit);
	if (!c->counters)
		return;
	out_num(c->out, "flows", NULL, vif->flows);
	out_num(c->out, "half-open", NULL, vif->half_open);
	out_detail(c->out, "flows %u, half open %u", vif->flows, vif->half_open);
	show_counters(c, &vif->counters, COUNT_RX | COUNT_TX | COUNT_DROPS);
}

static int run_show(struct ctx *c, const struct verb *v, void *obj)
{
	(void)v, (void)obj;
	return show_all(c, &vr_type_vif, NULL, show_vif);
}

static int run_get(struct ctx *c, const struct verb *v, void *obj)
{
	const struct vr_vif *key = obj;

	(void)v;
	if (!key->id && !key->ifname[0])
		return usage(c, "id or dev is missing");
	return show_one(c, &vr_type_vif, obj, show_vif);
}

#define ID_REF(f) { .word = "id", .value = "VIF", .type = ARG_REF, .ref = &vr_type_vif, \
		    .flags = f, .help = "id or label of the vif", ARG_AT(struct vr_vif, id) }
#define DEVICE(f) { .word = "dev", .value = "DEVICE", .type = ARG_DEVICE, .flags = f, \
		    .help = "veth end or tap on this node", ARG_AT(struct vr_vif, ifname) }
#define REST									\
	{ .word = "vrf", .value = "VRF", .type = ARG_REF, .ref = &vr_type_vrf,	\
	  .flags = ARG_REQUIRED, .help = "the interface's network", ARG_AT(struct vr_vif, vrf) }, \
	{ .word = "mac", .value = "MAC", .type = ARG_MAC, .flags = ARG_REQUIRED,	\
	  .help = "the pod's or VM's own; others are dropped", ARG_AT(struct vr_vif, mac) }, \
	{ .word = "addr", .value = "ADDRESS", .type = ARG_ADDRS,			\
	  .help = "the pod's or VM's own; others are dropped",			\
	  ARG_AT(struct vr_vif, addrs), ARG_COUNT(struct vr_vif, n_addrs) },	\
	{ .word = "sg", .value = "SG", .type = ARG_REFS, .ref = &vr_type_sg,		\
	  .help = "security group; none at all: everything is allowed",		\
	  ARG_AT(struct vr_vif, sgs), ARG_COUNT(struct vr_vif, n_sgs) },		\
	{ .word = "mtu", .value = "OCTETS", .type = ARG_NUMBER, .max = 65535,		\
	  .help = "largest IP packet to the interface; 0 = the device's MTU",		\
	  ARG_AT(struct vr_vif, mtu) },						\
	{ .word = "flow-limit", .value = "NUMBER", .type = ARG_NUMBER,		\
	  .help = "flows that it may open; 0 = the namespace's limit",		\
	  ARG_AT(struct vr_vif, flow_limit) },					\
	{ .word = "half-open-limit", .value = "NUMBER", .type = ARG_NUMBER,		\
	  .help = "half-open ones of these; 0 = the namespace's limit",		\
	  ARG_AT(struct vr_vif, half_open_limit) },				\
	{ .word = "label", .value = "LABEL", .type = ARG_STRING,			\
	  .help = "a name for people", ARG_AT(struct vr_vif, label) }

static const struct arg add_args[] = {
	{ .word = "id", .value = "NUMBER", .type = ARG_NUMBER, .min = 1, .flags = ARG_REQUIRED,
	  .help = "number of the new vif", ARG_AT(struct vr_vif, id) },
	DEVICE(ARG_REQUIRED),
	REST,
};

static const struct arg replace_args[] = { ID_REF(ARG_REQUIRED), DEVICE(ARG_REQUIRED), REST };
static const struct arg key_args[] = { ID_REF(ARG_REQUIRED) };
static const struct arg get_args[] = { ID_REF(0), DEVICE(0) };

static const struct verb verbs[] = {
	{ "show", "all interfaces", .run = run_show },
	{ "get", "one interface, by id or device", .type = &vr_type_vif,
	  .args = ARG_TABLE(get_args, struct vr_vif), .run = run_get },
	{ "add", "attach a device", .type = &vr_type_vif,
	  .args = ARG_TABLE(add_args, struct vr_vif), .mode = VR_ADD, .run = verb_set },
	{ "replace", "attach a device, or replace all that was said of it",
	  .type = &vr_type_vif, .args = ARG_TABLE(replace_args, struct vr_vif), .mode = VR_SET,
	  .run = verb_set },
	{ "del", "detach a device; its flows end", .type = &vr_type_vif,
	  .args = ARG_TABLE(key_args, struct vr_vif), .run = verb_del },
};

const struct object object_vif = { "vif", "interfaces of pods and VMs", VERBS(verbs) };
