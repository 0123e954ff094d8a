// SPDX-License-Identifier: GPL-2.0-only
/* Bounds and time-outs. */

#include "codec.h"

#define VALUE(word, a)									\
	VR_FIELD(word, VROUTER_A_LIMITS_##a, VR_T_U32, 0, struct vr_limits,		\
		 value[VROUTER_A_LIMITS_##a])
/* Offsets of the nest's fields are from its own beginning, vr_limits::used. */
#define USED(word, a)									\
	{ .name = word, .attr = VROUTER_A_LIMITS_##a, .type = VR_T_U32, .flags = VR_F_TOLD, \
	  .offset = VROUTER_A_LIMITS_##a * sizeof(uint32_t) }

static const struct vr_field used[] = {
	USED("flows", FLOWS),
	USED("vrfs", VRFS),
	USED("vifs", VIFS),
	USED("nexthops", NEXTHOPS),
	USED("members", MEMBERS),
	USED("routes", ROUTES),
	USED("vips", VIPS),
	USED("sgs", SGS),
	USED("sg-rules", SG_RULES),
	USED("affinities", AFFINITIES),
	USED("fragment-bytes", FRAGMENT_BYTES),
};

static const struct vr_struct used_struct = {
	used, VR_ARRAY_SIZE(used), sizeof(((struct vr_limits *)0)->used),
};

static const struct vr_field fields[] = {
	VR_FIELD("global", VROUTER_A_LIMITS_GLOBAL, VR_T_FLAG, VR_F_KEY, struct vr_limits, global),
	VALUE("flows", FLOWS),
	VALUE("flows-per-vif", FLOWS_PER_VIF),
	VALUE("half-open-per-vif", HALF_OPEN_PER_VIF),
	VALUE("vrfs", VRFS),
	VALUE("vifs", VIFS),
	VALUE("nexthops", NEXTHOPS),
	VALUE("members", MEMBERS),
	VALUE("routes", ROUTES),
	VALUE("vips", VIPS),
	VALUE("sgs", SGS),
	VALUE("sg-rules", SG_RULES),
	VALUE("affinities", AFFINITIES),
	VALUE("fragment-bytes", FRAGMENT_BYTES),
	VALUE("timeout-new", TIMEOUT_NEW),
	VALUE("timeout-tcp-syn", TIMEOUT_TCP_SYN),
	VALUE("timeout-tcp-established", TIMEOUT_TCP_ESTABLISHED),
	VALUE("timeout-tcp-half-closed", TIMEOUT_TCP_HALF_CLOSED),
	VALUE("timeout-tcp-closed", TIMEOUT_TCP_CLOSED),
	VALUE("timeout-udp", TIMEOUT_UDP),
	VALUE("timeout-sctp", TIMEOUT_SCTP),
	VALUE("timeout-icmp", TIMEOUT_ICMP),
	VALUE("timeout-fragment", TIMEOUT_FRAGMENT),
	VALUE("tcp-mss", TCP_MSS),
	VR_NEST_FIELD("used", VROUTER_A_LIMITS_USED, VR_F_TOLD, struct vr_limits, used,
		      &used_struct),
};

const struct vr_obj_type vr_type_limits = {
	.name	= "limits",
	.body	= VR_STRUCT(fields, struct vr_limits),
	.get	= VROUTER_CMD_LIMITS_GET,
	.new	= VROUTER_CMD_LIMITS_SET,
};
