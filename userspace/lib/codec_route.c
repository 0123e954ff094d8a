// SPDX-License-Identifier: GPL-2.0-only
/* Routes. */

#include "codec.h"

#define FIELD(word, a, type, flags, member)						\
	VR_FIELD(word, VROUTER_A_ROUTE_##a, type, flags, struct vr_route, member)

static const struct vr_field fields[] = {
	FIELD("vrf", VRF, VR_T_U32, VR_F_KEY, vrf),
	FIELD("prefix", ADDR, VR_T_ADDR, VR_F_KEY | VR_F_ALWAYS, prefix.addr),
	FIELD("prefix", PREFIX_LEN, VR_T_U8, VR_F_KEY | VR_F_ALWAYS, prefix.len),
	FIELD("nexthop", NEXTHOP, VR_T_U32, 0, nexthop),
	VR_LIST_FIELD("sg", VROUTER_A_ROUTE_SG, VR_T_U32S, VR_F_UNORDERED, struct vr_route, sgs,
		      n_sgs, NULL),
	FIELD("label", LABEL, VR_T_STRING, 0, label),
	FIELD("node", NODE, VR_T_FLAG, 0, node),
};

static const struct vr_field filter[] = {
	VR_FIELD("vrf", VROUTER_A_ROUTE_VRF, VR_T_U32, 0, struct vr_filter, vrf),
	VR_FIELD("family", VROUTER_A_ROUTE_FAMILY, VR_T_U8, 0, struct vr_filter, family),
};

const struct vr_obj_type vr_type_route = {
	.name	= "route",
	.body	= VR_STRUCT(fields, struct vr_route),
	.filter	= VR_FIELDS(filter),
	.get	= VROUTER_CMD_ROUTE_GET,
	.new	= VROUTER_CMD_ROUTE_NEW,
	.del	= VROUTER_CMD_ROUTE_DEL,
};

/* A look-up's request, which is a key without length. */
static const struct vr_field lookup[] = {
	FIELD("vrf", VRF, VR_T_U32, 0, vrf),
	FIELD("address", ADDR, VR_T_ADDR, VR_F_ALWAYS, prefix.addr),
	FIELD("lookup", LOOKUP, VR_T_FLAG, VR_F_ALWAYS, prefix.len),
};

const struct vr_struct vr_struct_lookup = VR_STRUCT(lookup, struct vr_route);
