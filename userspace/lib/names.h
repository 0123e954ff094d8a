/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_NAMES_H
#define VR_NAMES_H

/* Enumerations and their words, the same as in uapi/vrouter.yaml. */

#include <stdbool.h>
#include <stdint.h>

struct vr_name {
	const char	*name;		/* NULL ends a table */
	uint32_t	value;
};

extern const struct vr_name vr_names_proto[];		/* IPPROTO_*; "any" = 0 */
extern const struct vr_name vr_names_family[];		/* AF_*: ipv4, ipv6 */
extern const struct vr_name vr_names_direction[];
extern const struct vr_name vr_names_sg_flags[];
extern const struct vr_name vr_names_sg_tier[];
extern const struct vr_name vr_names_sg_action[];
extern const struct vr_name vr_names_vif_type[];
extern const struct vr_name vr_names_nexthop_type[];
extern const struct vr_name vr_names_tunnel_encap[];
extern const struct vr_name vr_names_member_state[];
extern const struct vr_name vr_names_flow_state[];
extern const struct vr_name vr_names_drop_reason[];
extern const struct vr_name vr_names_trace_stage[];

#define VR_NAME_TEXT 16

/* The word, or the number in buf: an unknown value is shown, never hidden. */
const char *vr_name(const struct vr_name *table, uint32_t value, char buf[VR_NAME_TEXT]);
/* Exact words only. */
bool vr_name_value(const struct vr_name *table, const char *name, uint32_t *value);

#endif
