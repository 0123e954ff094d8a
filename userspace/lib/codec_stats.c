// SPDX-License-Identifier: GPL-2.0-only
/* Totals of the namespace. */

#include "codec.h"

#define FIELD(word, a, type, member)							\
	VR_FIELD(word, VROUTER_A_STATS_##a, type, VR_F_TOLD, struct vr_stats, member)

static const struct vr_field fields[] = {
	FIELD("flows", FLOWS, VR_T_U32, flows),
	FIELD("half-open", HALF_OPEN, VR_T_U32, half_open),
	FIELD("flow-size", FLOW_SIZE, VR_T_U32, flow_size),
	FIELD("flows-created", FLOWS_CREATED, VR_T_U64, flows_created),
	FIELD("flows-ended", FLOWS_ENDED, VR_T_U64, flows_ended),
	FIELD("flows-evicted", FLOWS_EVICTED, VR_T_U64, flows_evicted),
	FIELD("flow-hits", FLOW_HITS, VR_T_U64, flow_hits),
	FIELD("flow-misses", FLOW_MISSES, VR_T_U64, flow_misses),
	FIELD("revalidated", REVALIDATED, VR_T_U64, revalidated),
	FIELD("drops", DROPS, VR_T_U64, drops),
};

const struct vr_obj_type vr_type_stats = {
	.name	= "stats",
	.body	= VR_STRUCT(fields, struct vr_stats),
	.get	= VROUTER_CMD_STATS_GET,
};
