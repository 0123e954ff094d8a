// SPDX-License-Identifier: GPL-2.0-only
/* vrctl nexthop */

#include <errno.h>
#include <stdio.h>

#include "vrctl.h"

/* Where a packet goes: the type's object, in text. */
static void target(struct ctx *c, const struct vr_nexthop *nh, char text[REF_TEXT])
{
	char addr[VR_ADDR_TEXT], encap[VR_NAME_TEXT];

	switch (nh->type) {
	case VROUTER_NEXTHOP_TYPE_TUNNEL:
		snprintf(text, REF_TEXT, "%s %s", vr_name(vr_names_tunnel_encap, nh->encap, encap),
			 vr_addr_text(&nh->remote, addr));
		break;
	case VROUTER_NEXTHOP_TYPE_SNAT:
		snprintf(text, REF_TEXT, "%s%s, ports %u-%u",
			 nh->n_snat_addrs ? vr_addr_text(&nh->snat_addrs[0], addr) : "-",
			 nh->n_snat_addrs > 1 ? " and others" : "", nh->port_min, nh->port_max);
		break;
	case VROUTER_NEXTHOP_TYPE_LOCAL:
		if (nh->vif)
			ref_text(c, &vr_type_vif, nh->vif, text);
		else
			snprintf(text, REF_TEXT, "vif is gone");
		break;
	case VROUTER_NEXTHOP_TYPE_VRF:
		ref_text(c, &vr_type_vrf, nh->vrf, text);
		break;
	case VROUTER_NEXTHOP_TYPE_ECMP:
		snprintf(text, REF_TEXT, "%u member%s", nh->members_told,
			 nh->members_told == 1 ? "" : "s");
		break;
	default:
		snprintf(text, REF_TEXT, "-");
	}
}

static void member_detail(struct ctx *c, const struct vr_member *m)
{
	char addr[VR_ADDR_TEXT], port[16] = "", via[REF_TEXT + 16] = "", ref[REF_TEXT];
	char counters[128] = "", state[VR_NAME_TEXT];

	if (m->port)
		snprintf(port, sizeof(port), "port %u", m->port);
	if (m->nexthop)
		snprintf(via, sizeof(via), "nexthop %s",
			 ref_text(c, &vr_type_nexthop, m->nexthop, ref));
	if (c->counters)
		snprintf(counters, sizeof(counters), "\tnew flows %llu\trx %llu packets\ttx %llu packets",
			 (unsigned long long)m->counters.flows,
			 (unsigned long long)m->counters.rx_packets,
			 (unsigned long long)m->counters.tx_packets);
	out_detail(c->out, "member %s\t%s\tweight %u\t%s\t%s%s%s%s", vr_addr_text(&m->addr, addr),
		   port, m->weight, vr_name(vr_names_member_state, m->state, state),
		   m->label ? m->label : "", m->label && *via ? " " : "", via, counters);
}

static void show_member(struct ctx *c, const struct vr_member *m)
{
	if (!out_is_json(c->out)) {
		member_detail(c, m);
		return;
	}
	out_object_begin(c->out, NULL);
	show_addr(c, "addr", NULL, &m->addr);
	if (m->port)
		out_num(c->out, "port", NULL, m->port);
	show_ref(c, "nexthop", NULL, &vr_type_nexthop, m->nexthop);
	out_num(c->out, "weight", NULL, m->weight);
	show_name(c, "state", NULL, vr_names_member_state, m->state);
	out_str(c->out, "label", NULL, m->label);
	show_counters(c, &m->counters, COUNT_RX | COUNT_TX);
	out_end(c->out);
}

static void show_tunnel(struct ctx *c, const struct vr_nexthop *nh)
{
	char mac[VR_MAC_TEXT];

	show_name(c, "encap", NULL, vr_names_tunnel_encap, nh->encap);
	show_addr(c, "remote", NULL, &nh->remote);
	if (nh->local.family)
		show_addr(c, "local", NULL, &nh->local);
	vr_mac_text(nh->mac, mac);
	if (nh->encap == VROUTER_TUNNEL_ENCAP_VXLAN)
		out_str(c->out, "mac", NULL, mac);
	out_bool(c->out, "csum", nh->csum);
}

static void show_snat(struct ctx *c, const struct vr_nexthop *nh)
{
	show_addrs(c, "snat-addr", NULL, nh->snat_addrs, nh->n_snat_addrs);
	out_num(c->out, "port-min", NULL, nh->port_min);
	out_num(c->out, "port-max", NULL, nh->port_max);
}

void show_nexthop(struct ctx *c, const void *obj)
{
	const struct vr_nexthop *nh = obj;
	char text[REF_TEXT];
	unsigned int i;

	target(c, nh, text);
	out_num(c->out, "id", "ID", nh->id);
	show_name(c, "type", "TYPE", vr_names_nexthop_type, nh->type);
	out_str(c->out, "label", "LABEL", nh->label);
	out_cell(c->out, "TO", "%s", text);
	show_ref(c, "vif", NULL, &vr_type_vif, nh->vif);
	show_ref(c, "vrf", NULL, &vr_type_vrf, nh->vrf);
	if (nh->type == VROUTER_NEXTHOP_TYPE_TUNNEL)
		show_tunnel(c, nh);
	if (nh->type == VROUTER_NEXTHOP_TYPE_SNAT)
		show_snat(c, nh);
	show_counters(c, &nh->counters, COUNT_TX);
	if (nh->type != VROUTER_NEXTHOP_TYPE_ECMP)
		return;
	out_num(c->out, "members", NULL, nh->members_told);
	out_array_begin(c->out, "member");
	for (i = 0; i < nh->n_members; i++)
		show_member(c, &nh->members[i]);
	out_end(c->out);
}

static int run_show(struct ctx *c, const struct verb *v, void *obj)
{
	(void)v, (void)obj;
	return show_all(c, &vr_type_nexthop, NULL, show_nexthop);
}

static int run_get(struct ctx *c, const struct verb *v, void *obj)
{
	(void)v;
	return show_one(c, &vr_type_nexthop, obj, show_nexthop);
}

/* --- words ---------------------------------------------------------------------------- */

struct words {
	struct vr_nexthop nh;		/* first: it is freed as one */
	const char	*type;		/* the word that said it */
};

static int run_set(struct ctx *c, const struct verb *v, void *obj)
{
	const struct words *w = obj;

	if (!w->type)
		return usage(c, "the type is missing: blackhole, local, ecmp, host, tunnel, snat or vrf VRF");
	return verb_set(c, v, obj);
}

static int set_type(struct parser *p, const struct arg *a, struct words *w, uint32_t type)
{
	if (w->type)
		return vr_err_set(p->err, EINVAL, "a next hop is either %s or %s", w->type,
				  a->word);
	w->type = a->word;
	w->nh.type = type;
	return 0;
}

static int parse_type(struct parser *p, const struct arg *a, void *obj)
{
	uint32_t type;

	return vr_name_value(vr_names_nexthop_type, a->word, &type) ?
	       set_type(p, a, obj, type) : -EINVAL;
}

static int parse_vrf(struct parser *p, const struct arg *a, void *obj)
{
	const char *text = arg_value(p, a);
	struct words *w = obj;

	if (!text)
		return -EINVAL;
	return set_type(p, a, w, VROUTER_NEXTHOP_TYPE_VRF) ?:
	       arg_ref(p, a, &vr_type_vrf, text, &w->nh.vrf);
}

/* "tunnel ENCAP" */
static int parse_tunnel(struct parser *p, const struct arg *a, void *obj)
{
	const char *text = arg_value(p, a);
	struct words *w = obj;
	uint32_t encap;

	if (!text)
		return -EINVAL;
	if (!vr_name_value(vr_names_tunnel_encap, text, &encap))
		return arg_invalid(p, a, text, "an encapsulation: vxlan or mplsoudp");
	w->nh.encap = encap;
	w->nh.has_encap = true;
	return set_type(p, a, w, VROUTER_NEXTHOP_TYPE_TUNNEL);
}

/* The type, or behind "tunnel" its own address here. */
static int parse_local(struct parser *p, const struct arg *a, void *obj)
{
	struct words *w = obj;
	const char *text;

	if (w->nh.type != VROUTER_NEXTHOP_TYPE_TUNNEL)
		return parse_type(p, a, obj);
	text = arg_value(p, a);
	if (!text)
		return -EINVAL;
	return vr_addr_parse(text, &w->nh.local) ? 0 :
	       arg_invalid(p, a, text, "an IPv4 or IPv6 address");
}

static const struct vr_name on_off[] = { { "off", 0 }, { "on", 1 }, { 0 } };

static const struct arg member_args[] = {
	{ .value = "ADDRESS", .type = ARG_ADDR, .help = "destination after translation",
	  ARG_AT(struct vr_member, addr) },
	{ .word = "port", .value = "PORT", .type = ARG_NUMBER, .min = 1, .max = 65535,
	  .help = "port after translation; absent = the packet's",
	  ARG_AT(struct vr_member, port) },
	{ .word = "nexthop", .value = "NEXTHOP", .type = ARG_REF, .ref = &vr_type_nexthop,
	  .help = "absent = by route to the address", ARG_AT(struct vr_member, nexthop) },
	{ .word = "weight", .value = "NUMBER", .type = ARG_NUMBER, .min = 1, .max = 1000,
	  .help = "share of new flows; absent = 1", ARG_AT(struct vr_member, weight) },
	{ .word = "state", .value = "STATE", .type = ARG_NAME, .names = vr_names_member_state,
	  .help = "active, or draining: keeps its flows, gets no new ones",
	  ARG_AT(struct vr_member, state) },
	{ .word = "label", .value = "LABEL", .type = ARG_STRING, .help = "a name for people",
	  ARG_AT(struct vr_member, label) },
};

static const struct arg_table member_table = ARG_TABLE(member_args, struct vr_member);

#define AT(member) ARG_AT(struct words, nh.member)
#define TYPE(w, h) { .word = w, .type = ARG_CUSTOM, .parse = parse_type, .help = h }
#define REST									\
	{ .word = "label", .value = "LABEL", .type = ARG_STRING,			\
	  .help = "a name for people; before members, which have their own", AT(label) }, \
	TYPE("blackhole", "drops"),						\
	TYPE("host", "to the node's own IP stack"),				\
	{ .word = "local", .value = "[ADDRESS]", .type = ARG_CUSTOM, .parse = parse_local, \
	  .help = "to a vif of this node; behind tunnel: its address here, absent = by route" }, \
	{ .word = "vif", .value = "VIF", .type = ARG_REF, .ref = &vr_type_vif,	\
	  .help = "of local or snat", AT(vif) },						\
	{ .word = "vrf", .value = "VRF", .type = ARG_CUSTOM, .parse = parse_vrf,	\
	  .help = "look up again in this VRF" },					\
	{ .word = "tunnel", .value = "ENCAP", .type = ARG_CUSTOM, .parse = parse_tunnel, \
	  .help = "to another node: vxlan or mplsoudp" },			\
	{ .word = "remote", .value = "ADDRESS", .type = ARG_ADDR,		\
	  .help = "of tunnel: the other node's address", AT(remote) },		\
	{ .word = "mac", .value = "MAC", .type = ARG_MAC,				\
	  .help = "of tunnel vxlan: the inner destination; absent = 00:00:5e:00:01:00", \
	  AT(mac) },								\
	{ .word = "csum", .value = "on|off", .type = ARG_NAME, .names = on_off,	\
	  .help = "of tunnel: UDP checksum; absent = with IPv6 only", AT(csum),	\
	  ARG_HAS(struct words, nh.has_csum) },					\
	TYPE("snat", "out by a vif of type external, from an address of the node's"), \
	{ .word = "snat-addr", .value = "ADDRESS", .type = ARG_ADDRS,		\
	  .help = "of snat: the source becomes it; several", AT(snat_addrs),	\
	  ARG_COUNT(struct words, nh.n_snat_addrs) },				\
	{ .word = "port-min", .value = "PORT", .type = ARG_NUMBER, .min = 1024, .max = 65535, \
	  .help = "of snat: first port; absent = 61000", AT(port_min) },	\
	{ .word = "port-max", .value = "PORT", .type = ARG_NUMBER, .min = 1024, .max = 65535, \
	  .help = "of snat: last port; absent = 65535", AT(port_max) },	\
	TYPE("ecmp", "one of several members"),					\
	{ .word = "member", .type = ARG_LIST, .sub = &member_table,			\
	  .help = "of ecmp", AT(members), ARG_COUNT(struct words, nh.n_members) }

static const struct arg add_args[] = {
	{ .word = "id", .value = "NUMBER", .type = ARG_NUMBER, .min = 1, .flags = ARG_REQUIRED,
	  .help = "number of the new next hop", AT(id) },
	REST,
};

static const struct arg replace_args[] = {
	{ .word = "id", .value = "NEXTHOP", .type = ARG_REF, .ref = &vr_type_nexthop,
	  .flags = ARG_REQUIRED, .help = "id or label of the next hop", AT(id) },
	REST,
};

static const struct arg key_args[] = {
	{ .word = "id", .value = "NEXTHOP", .type = ARG_REF, .ref = &vr_type_nexthop,
	  .flags = ARG_REQUIRED, .help = "id or label of the next hop",
	  ARG_AT(struct vr_nexthop, id) },
};

static const struct verb verbs[] = {
	{ "show", "all next hops with their members", .run = run_show },
	{ "get", "one next hop", .type = &vr_type_nexthop,
	  .args = ARG_TABLE(key_args, struct vr_nexthop), .run = run_get },
	{ "add", "add a next hop", .type = &vr_type_nexthop,
	  .args = ARG_TABLE(add_args, struct words), .mode = VR_ADD, .run = run_set },
	{ "replace", "add a next hop, or replace label and members", .type = &vr_type_nexthop,
	  .args = ARG_TABLE(replace_args, struct words), .mode = VR_SET, .run = run_set },
	{ "del", "delete a next hop that nothing uses", .type = &vr_type_nexthop,
	  .args = ARG_TABLE(key_args, struct vr_nexthop), .run = verb_del },
};

const struct object object_nexthop = { "nexthop", "where packets go: interfaces, members, the node",
				       VERBS(verbs) };
