// SPDX-License-Identifier: GPL-2.0-only
/* Flows and filters of them. */

#include "codec.h"

#define FIELD(word, a, type, member)							\
	VR_FIELD(word, VROUTER_A_FLOW_##a, type, VR_F_TOLD, struct vr_flow, member)

static const struct vr_field fields[] = {
	VR_NEST_FIELD("orig", VROUTER_A_FLOW_ORIG, VR_F_TOLD, struct vr_flow, orig,
		      &vr_struct_tuple),
	VR_NEST_FIELD("reply", VROUTER_A_FLOW_REPLY, VR_F_TOLD, struct vr_flow, reply,
		      &vr_struct_tuple),
	FIELD("vif-in", VIF_IN, VR_T_U32, vif_in),
	FIELD("vif-out", VIF_OUT, VR_T_U32, vif_out),
	FIELD("vrf", VRF, VR_T_U32, vrf),
	FIELD("state", STATE, VR_T_U8, state),
	FIELD("timeout", TIMEOUT, VR_T_U32, timeout),
	FIELD("orig-packets", ORIG_PACKETS, VR_T_U64, orig_packets),
	FIELD("orig-bytes", ORIG_BYTES, VR_T_U64, orig_bytes),
	FIELD("reply-packets", REPLY_PACKETS, VR_T_U64, reply_packets),
	FIELD("reply-bytes", REPLY_BYTES, VR_T_U64, reply_bytes),
	FIELD("translated", TRANSLATED, VR_T_FLAG, translated),
};

#define FILTER(word, a, type, member)							\
	VR_FIELD(word, VROUTER_A_FLOW_##a, type, 0, struct vr_flow_filter, member)

static const struct vr_field filter[] = {
	FILTER("vif", VIF, VR_T_U32, vif),
	FILTER("vrf", VRF, VR_T_U32, vrf),
	VR_OPT_FIELD("state", VROUTER_A_FLOW_STATE, VR_T_U8, 0, struct vr_flow_filter, state,
		     has_state),
	VR_NEST_FIELD("", VROUTER_A_FLOW_FILTER, 0, struct vr_flow_filter, tuple,
		      &vr_struct_tuple),
};

const struct vr_obj_type vr_type_flow = {
	.name	= "flow",
	.body	= VR_STRUCT(fields, struct vr_flow),
	.filter	= VR_STRUCT(filter, struct vr_flow_filter),
	.get	= VROUTER_CMD_FLOW_GET,
	.del	= VROUTER_CMD_FLOW_DEL,
};

/* What a flow-del answers. */
static const struct vr_field flushed[] = {
	{ .name = "flushed", .attr = VROUTER_A_FLOW_FLUSHED, .type = VR_T_U32 },
};

const struct vr_struct vr_struct_flushed = VR_STRUCT(flushed, uint32_t);
