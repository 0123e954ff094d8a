// SPDX-License-Identifier: GPL-2.0-only
/* Vifs. */

#include "codec.h"

#define FIELD(word, a, type, flags, member)						\
	VR_FIELD(word, VROUTER_A_VIF_##a, type, flags, struct vr_vif, member)

static const struct vr_field fields[] = {
	FIELD("id", ID, VR_T_U32, VR_F_KEY, id),
	FIELD("label", LABEL, VR_T_STRING, 0, label),
	FIELD("ifindex", IFINDEX, VR_T_U32, VR_F_GETKEY, ifindex),
	FIELD("dev", IFNAME, VR_T_NAME, VR_F_GETKEY, ifname),
	FIELD("type", TYPE, VR_T_U8, 0, type),
	FIELD("vrf", VRF, VR_T_U32, 0, vrf),
	FIELD("mac", MAC, VR_T_MAC, 0, mac),
	VR_LIST_FIELD("addr", VROUTER_A_VIF_ADDR, VR_T_ADDRS, VR_F_UNORDERED, struct vr_vif,
		      addrs, n_addrs, NULL),
	VR_LIST_FIELD("sg", VROUTER_A_VIF_SG, VR_T_U32S, VR_F_UNORDERED, struct vr_vif, sgs, n_sgs,
		      NULL),
	FIELD("vni", VNI, VR_T_U32, 0, vni),
	FIELD("mtu", MTU, VR_T_U32, 0, mtu),
	FIELD("flow-limit", FLOW_LIMIT, VR_T_U32, 0, flow_limit),
	FIELD("half-open-limit", HALF_OPEN_LIMIT, VR_T_U32, 0, half_open_limit),
	FIELD("flows", FLOWS, VR_T_U32, VR_F_TOLD, flows),
	FIELD("half-open", HALF_OPEN, VR_T_U32, VR_F_TOLD, half_open),
	VR_NEST_FIELD("counters", VROUTER_A_VIF_COUNTERS, VR_F_TOLD, struct vr_vif, counters,
		      &vr_struct_counters),
};

const struct vr_obj_type vr_type_vif = {
	.name	= "vif",
	.body	= VR_STRUCT(fields, struct vr_vif),
	.get	= VROUTER_CMD_VIF_GET,
	.new	= VROUTER_CMD_VIF_NEW,
	.del	= VROUTER_CMD_VIF_DEL,
};
