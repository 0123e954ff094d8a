// SPDX-License-Identifier: GPL-2.0-only
/* Next hops and their members. */

#include "codec.h"

#define MEMBER(word, a, type, flags, field)						\
	VR_FIELD(word, VROUTER_A_MEMBER_##a, type, flags, struct vr_member, field)

static const struct vr_field member[] = {
	MEMBER("addr", ADDR, VR_T_ADDR, 0, addr),
	MEMBER("port", PORT, VR_T_U16, 0, port),
	MEMBER("nexthop", NEXTHOP, VR_T_U32, 0, nexthop),
	MEMBER("weight", WEIGHT, VR_T_U32, 0, weight),
	MEMBER("state", STATE, VR_T_U8, VR_F_ALWAYS, state),
	MEMBER("label", LABEL, VR_T_STRING, 0, label),
	VR_NEST_FIELD("counters", VROUTER_A_MEMBER_COUNTERS, VR_F_TOLD, struct vr_member, counters,
		      &vr_struct_counters),
};

static const struct vr_struct member_struct = VR_STRUCT(member, struct vr_member);

#define FIELD(word, a, type, flags, field)						\
	VR_FIELD(word, VROUTER_A_NEXTHOP_##a, type, flags, struct vr_nexthop, field)

static const struct vr_field fields[] = {
	VR_LIST_FIELD("member", VROUTER_A_NEXTHOP_MEMBER, VR_T_NESTS, VR_F_UNORDERED,
		      struct vr_nexthop, members, n_members, &member_struct),
	FIELD("id", ID, VR_T_U32, VR_F_KEY, id),
	FIELD("label", LABEL, VR_T_STRING, 0, label),
	FIELD("type", TYPE, VR_T_U8, VR_F_ALWAYS, type),
	FIELD("vif", VIF, VR_T_U32, 0, vif),
	FIELD("vrf", VRF, VR_T_U32, 0, vrf),
	VR_OPT_FIELD("encap", VROUTER_A_NEXTHOP_ENCAP, VR_T_U8, 0, struct vr_nexthop, encap,
		     has_encap),
	FIELD("remote", REMOTE, VR_T_ADDR, 0, remote),
	FIELD("local", LOCAL, VR_T_ADDR, 0, local),
	FIELD("mac", MAC, VR_T_MAC, 0, mac),
	VR_OPT_FIELD("csum", VROUTER_A_NEXTHOP_CSUM, VR_T_U8, 0, struct vr_nexthop, csum, has_csum),
	VR_LIST_FIELD("snat-addr", VROUTER_A_NEXTHOP_SNAT_ADDR, VR_T_ADDRS, VR_F_UNORDERED,
		      struct vr_nexthop, snat_addrs, n_snat_addrs, NULL),
	FIELD("port-min", PORT_MIN, VR_T_U16, 0, port_min),
	FIELD("port-max", PORT_MAX, VR_T_U16, 0, port_max),
	FIELD("members", MEMBERS, VR_T_U32, VR_F_TOLD, members_told),
	VR_NEST_FIELD("counters", VROUTER_A_NEXTHOP_COUNTERS, VR_F_TOLD, struct vr_nexthop,
		      counters, &vr_struct_counters),
};

static const struct vr_field filter[] = {
	VR_FIELD("id", VROUTER_A_NEXTHOP_ID, VR_T_U32, 0, struct vr_filter, id),
};

const struct vr_obj_type vr_type_nexthop = {
	.name	= "nexthop",
	.body	= VR_STRUCT(fields, struct vr_nexthop),
	.filter	= VR_FIELDS(filter),
	.get	= VROUTER_CMD_NEXTHOP_GET,
	.new	= VROUTER_CMD_NEXTHOP_NEW,
	.del	= VROUTER_CMD_NEXTHOP_DEL,
	.split	= &fields[0],
	.split_told = offsetof(struct vr_nexthop, members_told),
};
