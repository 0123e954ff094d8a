// SPDX-License-Identifier: GPL-2.0-only
/* Vips. */

#include "codec.h"

#define FIELD(word, a, type, flags, member)						\
	VR_FIELD(word, VROUTER_A_VIP_##a, type, flags, struct vr_vip, member)

static const struct vr_field fields[] = {
	FIELD("vrf", VRF, VR_T_U32, VR_F_KEY, vrf),
	FIELD("address", ADDR, VR_T_ADDR, VR_F_KEY | VR_F_ALWAYS, addr),
	FIELD("proto", PROTO, VR_T_U8, VR_F_KEY, proto),
	FIELD("port", PORT, VR_T_U16, VR_F_KEY, port),
	FIELD("nexthop", NEXTHOP, VR_T_U32, 0, nexthop),
	FIELD("affinity", AFFINITY_TIMEOUT, VR_T_U32, 0, affinity_timeout),
	FIELD("label", LABEL, VR_T_STRING, 0, label),
	VR_NEST_FIELD("counters", VROUTER_A_VIP_COUNTERS, VR_F_TOLD, struct vr_vip, counters,
		      &vr_struct_counters),
	FIELD("sg", SG, VR_T_U32, 0, sg),
};

static const struct vr_field filter[] = {
	VR_FIELD("vrf", VROUTER_A_VIP_VRF, VR_T_U32, 0, struct vr_filter, vrf),
};

const struct vr_obj_type vr_type_vip = {
	.name	= "vip",
	.body	= VR_STRUCT(fields, struct vr_vip),
	.filter	= VR_FIELDS(filter),
	.get	= VROUTER_CMD_VIP_GET,
	.new	= VROUTER_CMD_VIP_NEW,
	.del	= VROUTER_CMD_VIP_DEL,
};
