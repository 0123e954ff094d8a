// SPDX-License-Identifier: GPL-2.0-only
/* The dry run of a packet: what is asked, and the steps of the answer. */

#include "codec.h"

#define STEP(word, a, type, member)							\
	VR_FIELD(word, VROUTER_A_TRACE_STEP_##a, type, VR_F_TOLD, struct vr_trace_step, member)

static const struct vr_field step[] = {
	STEP("stage", STAGE, VR_T_U8, stage),
	STEP("text", TEXT, VR_T_STRING, text),
	STEP("reason", REASON, VR_T_U32, reason),
	STEP("vif", VIF, VR_T_U32, vif),
	STEP("vrf", VRF, VR_T_U32, vrf),
	STEP("nexthop", NEXTHOP, VR_T_U32, nexthop),
	STEP("sg", SG, VR_T_U32, sg),
	VR_OPT_FIELD("rule", VROUTER_A_TRACE_STEP_RULE, VR_T_U32, VR_F_TOLD, struct vr_trace_step,
		     rule, has_rule),
	STEP("addr", ADDR, VR_T_ADDR, addr),
	STEP("port", PORT, VR_T_U16, port),
	STEP("prefix-len", PREFIX_LEN, VR_T_U8, prefix_len),
};

static const struct vr_struct step_struct = VR_STRUCT(step, struct vr_trace_step);

static const struct vr_field fields[] = {
	VR_FIELD("vif", VROUTER_A_TRACE_VIF, VR_T_U32, VR_F_KEY, struct vr_trace, vif),
	VR_NEST_FIELD("", VROUTER_A_TRACE_TUPLE, VR_F_KEY, struct vr_trace, tuple,
		      &vr_struct_tuple),
	VR_LIST_FIELD("step", VROUTER_A_TRACE_STEP, VR_T_NESTS, VR_F_TOLD, struct vr_trace, steps,
		      n_steps, &step_struct),
	VR_FIELD("reason", VROUTER_A_TRACE_REASON, VR_T_U32, VR_F_TOLD, struct vr_trace, reason),
	VR_NEST_FIELD("final", VROUTER_A_TRACE_FINAL, VR_F_TOLD, struct vr_trace, final,
		      &vr_struct_tuple),
	VR_FIELD("vif-out", VROUTER_A_TRACE_VIF_OUT, VR_T_U32, VR_F_TOLD, struct vr_trace,
		 vif_out),
};

const struct vr_obj_type vr_type_trace = {
	.name	= "trace",
	.body	= VR_STRUCT(fields, struct vr_trace),
	.get	= VROUTER_CMD_TRACE,
};
