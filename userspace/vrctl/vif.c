// SPDX-License-Identifier: GPL-2.0-only
/* vrctl vif */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vrctl.h"

static bool has_mac(const struct vr_vif *vif)
{
	return vif->type == VROUTER_VIF_TYPE_VETH || vif->type == VROUTER_VIF_TYPE_TAP;
}

/* What it is attached to. */
static void cell(struct ctx *c, const struct vr_vif *vif, const char *mac)
{
	const char *dev = vif->ifname[0] ? vif->ifname : "-";
	char type[VR_NAME_TEXT];

	if (has_mac(vif))
		out_cell(c->out, "DEVICE, MAC", "%s\n%s", dev, mac);
	else if (vif->vni)
		out_cell(c->out, "DEVICE, MAC", "%s\nVNI %u",
			 vr_name(vr_names_vif_type, vif->type, type), vif->vni);
	else
		out_cell(c->out, "DEVICE, MAC", "%s\n%s", dev,
			 vr_name(vr_names_vif_type, vif->type, type));
}

void show_vif(struct ctx *c, const void *obj)
{
	const struct vr_vif *vif = obj;
	char mac[VR_MAC_TEXT];

	vr_mac_text(vif->mac, mac);
	out_num(c->out, "id", "ID", vif->id);
	out_str(c->out, "label", "LABEL", vif->label);
	cell(c, vif, mac);
	out_str(c->out, "dev", NULL, vif->ifname[0] ? vif->ifname : NULL);
	if (vif->ifindex)
		out_num(c->out, "ifindex", NULL, vif->ifindex);
	show_name(c, "type", NULL, vr_names_vif_type, vif->type);
	if (has_mac(vif))
		out_str(c->out, "mac", NULL, mac);
	if (vif->vni)
		out_num(c->out, "vni", NULL, vif->vni);
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

/* --- words ---------------------------------------------------------------------------- */

struct words {
	struct vr_vif	vif;		/* first: it is freed as one */
	const char	*type;		/* the word that said it, NULL = a pod's or VM's device */
};

static int parse_type(struct parser *p, const struct arg *a, void *obj)
{
	struct words *w = obj;
	uint32_t type;

	if (w->type)
		return vr_err_set(p->err, EINVAL, "a vif is either %s or %s", w->type, a->word);
	if (!vr_name_value(vr_names_vif_type, a->word, &type))
		return -EINVAL;
	w->type = a->word;
	w->vif.type = type;
	return 0;
}

/* What each type has to have; what it may not have the kernel says. */
static int run_set(struct ctx *c, const struct verb *v, void *obj)
{
	static const uint8_t no_mac[6];
	const struct words *w = obj;
	bool device = !w->type || w->vif.type == VROUTER_VIF_TYPE_HOST;

	if (device && !w->vif.ifname[0])
		return usage(c, "dev DEVICE is missing");
	if (!w->type && !memcmp(w->vif.mac, no_mac, sizeof(no_mac)))
		return usage(c, "mac MAC is missing");
	if (w->vif.type == VROUTER_VIF_TYPE_TUNNEL && !w->vif.vni)
		return usage(c, "vni NUMBER is missing");
	return verb_set(c, v, obj);
}

#define ID_REF(f) { .word = "id", .value = "VIF", .type = ARG_REF, .ref = &vr_type_vif, \
		    .flags = f, .help = "id or label of the vif", ARG_AT(struct vr_vif, id) }
#define DEVICE(f) { .word = "dev", .value = "DEVICE", .type = ARG_DEVICE, .flags = f, \
		    .help = "veth end or tap on this node", ARG_AT(struct vr_vif, ifname) }
#define TYPE(w, h) { .word = w, .type = ARG_CUSTOM, .parse = parse_type, .help = h }
#define REST									\
	TYPE("tunnel", "instead of dev: where a network's tunnels from other nodes end"), \
	TYPE("host", "dev is the node's own interface (ip link add ... type vrouter)"),	\
	TYPE("external", "instead of dev: the node's own network"),		\
	{ .word = "vni", .value = "NUMBER", .type = ARG_NUMBER, .min = 1, .max = 16777215, \
	  .help = "of tunnel: VXLAN network identifier, or MPLS label",		\
	  ARG_AT(struct vr_vif, vni) },						\
	{ .word = "vrf", .value = "VRF", .type = ARG_REF, .ref = &vr_type_vrf,	\
	  .flags = ARG_REQUIRED, .help = "the interface's network", ARG_AT(struct vr_vif, vrf) }, \
	{ .word = "mac", .value = "MAC", .type = ARG_MAC,			\
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
	DEVICE(0),
	REST,
};

static const struct arg replace_args[] = { ID_REF(ARG_REQUIRED), DEVICE(0), REST };
static const struct arg key_args[] = { ID_REF(ARG_REQUIRED) };
static const struct arg get_args[] = { ID_REF(0), DEVICE(0) };

static const struct verb verbs[] = {
	{ "show", "all interfaces", .run = run_show },
	{ "get", "one interface, by id or device", .type = &vr_type_vif,
	  .args = ARG_TABLE(get_args, struct vr_vif), .run = run_get },
	{ "add", "attach a device", .type = &vr_type_vif,
	  .args = ARG_TABLE(add_args, struct words), .mode = VR_ADD, .run = run_set },
	{ "replace", "attach a device, or replace all that was said of it",
	  .type = &vr_type_vif, .args = ARG_TABLE(replace_args, struct words), .mode = VR_SET,
	  .run = run_set },
	{ "del", "detach a device; its flows end", .type = &vr_type_vif,
	  .args = ARG_TABLE(key_args, struct vr_vif), .run = verb_del },
};

const struct object object_vif = { "vif", "interfaces: of pods, VMs, the node, tunnels", VERBS(verbs) };
