// SPDX-License-Identifier: GPL-2.0-only
/* Drop counters and events of drops. */

#include "codec.h"

#define FIELD(word, a, type, flags, member)						\
	VR_FIELD(word, VROUTER_A_DROP_##a, type, flags, struct vr_drop, member)

static const struct vr_field fields[] = {
	FIELD("reason", REASON, VR_T_U32, VR_F_KEY | VR_F_ALWAYS, reason),
	FIELD("name", NAME, VR_T_STRING, VR_F_TOLD, name),
	FIELD("help", HELP, VR_T_STRING, VR_F_TOLD, help),
	FIELD("packets", PACKETS, VR_T_U64, VR_F_TOLD, packets),
	FIELD("vif", VIF, VR_T_U32, VR_F_KEY, vif),
	VR_NEST_FIELD("tuple", VROUTER_A_DROP_TUPLE, VR_F_TOLD, struct vr_drop, tuple,
		      &vr_struct_tuple),
	FIELD("sg-vif", SG_VIF, VR_T_U32, VR_F_TOLD, sg_vif),
	FIELD("suppressed", SUPPRESSED, VR_T_U32, VR_F_TOLD, suppressed),
};

static const struct vr_field filter[] = {
	VR_FIELD("vif", VROUTER_A_DROP_VIF, VR_T_U32, 0, struct vr_filter, vif),
};

const struct vr_obj_type vr_type_drop = {
	.name	= "drop",
	.body	= VR_STRUCT(fields, struct vr_drop),
	.filter	= VR_FIELDS(filter),
	.get	= VROUTER_CMD_DROP_GET,
};
