// SPDX-License-Identifier: GPL-2.0-only
/* VRFs, and what several objects have: counters, prefixes, tuples. */

#include "codec.h"

#define COUNTER(word, a, member)							\
	VR_FIELD(word, VROUTER_A_COUNTERS_##a, VR_T_U64, VR_F_TOLD, struct vr_counters, member)

static const struct vr_field counters[] = {
	COUNTER("rx-packets", RX_PACKETS, rx_packets),
	COUNTER("rx-bytes", RX_BYTES, rx_bytes),
	COUNTER("tx-packets", TX_PACKETS, tx_packets),
	COUNTER("tx-bytes", TX_BYTES, tx_bytes),
	COUNTER("drops", DROPS, drops),
	COUNTER("flows", FLOWS, flows),
};

const struct vr_struct vr_struct_counters = VR_STRUCT(counters, struct vr_counters);

static const struct vr_field prefix[] = {
	VR_FIELD("address", VROUTER_A_PREFIX_ADDR, VR_T_ADDR, VR_F_ALWAYS, struct vr_prefix, addr),
	VR_FIELD("length", VROUTER_A_PREFIX_LEN, VR_T_U8, VR_F_ALWAYS, struct vr_prefix, len),
};

const struct vr_struct vr_struct_prefix = VR_STRUCT(prefix, struct vr_prefix);

static const struct vr_field tuple[] = {
	VR_FIELD("src", VROUTER_A_TUPLE_SRC, VR_T_ADDR, 0, struct vr_tuple, src),
	VR_FIELD("dst", VROUTER_A_TUPLE_DST, VR_T_ADDR, 0, struct vr_tuple, dst),
	VR_FIELD("proto", VROUTER_A_TUPLE_PROTO, VR_T_U8, 0, struct vr_tuple, proto),
	VR_OPT_FIELD("sport", VROUTER_A_TUPLE_SPORT, VR_T_U16, 0, struct vr_tuple, sport,
		     has_sport),
	VR_OPT_FIELD("dport", VROUTER_A_TUPLE_DPORT, VR_T_U16, 0, struct vr_tuple, dport,
		     has_dport),
};

const struct vr_struct vr_struct_tuple = VR_STRUCT(tuple, struct vr_tuple);

static const struct vr_field fields[] = {
	VR_FIELD("id", VROUTER_A_VRF_ID, VR_T_U32, VR_F_KEY, struct vr_vrf, id),
	VR_FIELD("label", VROUTER_A_VRF_LABEL, VR_T_STRING, 0, struct vr_vrf, label),
	VR_LIST_FIELD("gateway", VROUTER_A_VRF_GATEWAY, VR_T_ADDRS, VR_F_UNORDERED, struct vr_vrf,
		      gateways, n_gateways, NULL),
	VR_FIELD("routes", VROUTER_A_VRF_ROUTES, VR_T_U32, VR_F_TOLD, struct vr_vrf, routes),
	VR_NEST_FIELD("counters", VROUTER_A_VRF_COUNTERS, VR_F_TOLD, struct vr_vrf, counters,
		      &vr_struct_counters),
};

const struct vr_obj_type vr_type_vrf = {
	.name	= "vrf",
	.body	= VR_STRUCT(fields, struct vr_vrf),
	.get	= VROUTER_CMD_VRF_GET,
	.new	= VROUTER_CMD_VRF_NEW,
	.del	= VROUTER_CMD_VRF_DEL,
};
