// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	uapi/vrouter.yaml */
/* YNL-GEN kernel source */
/* To regenerate run: tests/lib/uapi-gen.sh */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "nl_gen.h"

#include <linux/vrouter.h>

/* Integer value ranges */
static const struct netlink_range_validation vrouter_a_vif_mtu_range = {
	.max	= 65535ULL,
};

static const struct netlink_range_validation vrouter_a_vif_vni_range = {
	.min	= 1ULL,
	.max	= 16777215ULL,
};

static const struct netlink_range_validation vrouter_a_vip_affinity_timeout_range = {
	.max	= 86400ULL,
};

static const struct netlink_range_validation vrouter_a_limits_flows_range = {
	.min	= 1ULL,
	.max	= S32_MAX,
};

static const struct netlink_range_validation vrouter_a_limits_flows_per_vif_range = {
	.min	= 1ULL,
	.max	= S32_MAX,
};

static const struct netlink_range_validation vrouter_a_limits_half_open_per_vif_range = {
	.min	= 1ULL,
	.max	= S32_MAX,
};

static const struct netlink_range_validation vrouter_a_limits_vrfs_range = {
	.min	= 1ULL,
	.max	= S32_MAX,
};

static const struct netlink_range_validation vrouter_a_limits_vifs_range = {
	.min	= 1ULL,
	.max	= S32_MAX,
};

static const struct netlink_range_validation vrouter_a_limits_nexthops_range = {
	.min	= 1ULL,
	.max	= S32_MAX,
};

static const struct netlink_range_validation vrouter_a_limits_members_range = {
	.min	= 1ULL,
	.max	= S32_MAX,
};

static const struct netlink_range_validation vrouter_a_limits_routes_range = {
	.min	= 1ULL,
	.max	= S32_MAX,
};

static const struct netlink_range_validation vrouter_a_limits_vips_range = {
	.min	= 1ULL,
	.max	= S32_MAX,
};

static const struct netlink_range_validation vrouter_a_limits_sgs_range = {
	.min	= 1ULL,
	.max	= S32_MAX,
};

static const struct netlink_range_validation vrouter_a_limits_sg_rules_range = {
	.min	= 1ULL,
	.max	= S32_MAX,
};

static const struct netlink_range_validation vrouter_a_limits_affinities_range = {
	.min	= 1ULL,
	.max	= S32_MAX,
};

static const struct netlink_range_validation vrouter_a_limits_timeout_new_range = {
	.min	= 1ULL,
	.max	= 864000ULL,
};

static const struct netlink_range_validation vrouter_a_limits_timeout_tcp_syn_range = {
	.min	= 1ULL,
	.max	= 864000ULL,
};

static const struct netlink_range_validation vrouter_a_limits_timeout_tcp_established_range = {
	.min	= 1ULL,
	.max	= 864000ULL,
};

static const struct netlink_range_validation vrouter_a_limits_timeout_tcp_half_closed_range = {
	.min	= 1ULL,
	.max	= 864000ULL,
};

static const struct netlink_range_validation vrouter_a_limits_timeout_tcp_closed_range = {
	.min	= 1ULL,
	.max	= 864000ULL,
};

static const struct netlink_range_validation vrouter_a_limits_timeout_udp_range = {
	.min	= 1ULL,
	.max	= 864000ULL,
};

static const struct netlink_range_validation vrouter_a_limits_timeout_sctp_range = {
	.min	= 1ULL,
	.max	= 864000ULL,
};

static const struct netlink_range_validation vrouter_a_limits_timeout_icmp_range = {
	.min	= 1ULL,
	.max	= 864000ULL,
};

static const struct netlink_range_validation vrouter_a_limits_fragment_bytes_range = {
	.min	= 1ULL,
	.max	= S32_MAX,
};

static const struct netlink_range_validation vrouter_a_limits_timeout_fragment_range = {
	.min	= 1ULL,
	.max	= 864000ULL,
};

static const struct netlink_range_validation vrouter_a_limits_tcp_mss_range = {
	.min	= 536ULL,
	.max	= U16_MAX,
};

/* Common nested types */
const struct nla_policy vrouter_counters_nl_policy[VROUTER_A_COUNTERS_FLOWS + 1] = {
	[VROUTER_A_COUNTERS_RX_PACKETS] = { .type = NLA_U64, },
	[VROUTER_A_COUNTERS_RX_BYTES] = { .type = NLA_U64, },
	[VROUTER_A_COUNTERS_TX_PACKETS] = { .type = NLA_U64, },
	[VROUTER_A_COUNTERS_TX_BYTES] = { .type = NLA_U64, },
	[VROUTER_A_COUNTERS_DROPS] = { .type = NLA_U64, },
	[VROUTER_A_COUNTERS_FLOWS] = { .type = NLA_U64, },
};

const struct nla_policy vrouter_member_nl_policy[VROUTER_A_MEMBER_COUNTERS + 1] = {
	[VROUTER_A_MEMBER_ADDR] = NLA_POLICY_MAX_LEN(16),
	[VROUTER_A_MEMBER_PORT] = { .type = NLA_U16, },
	[VROUTER_A_MEMBER_NEXTHOP] = NLA_POLICY_MIN(NLA_U32, 1),
	[VROUTER_A_MEMBER_WEIGHT] = NLA_POLICY_RANGE(NLA_U32, 1, 1000),
	[VROUTER_A_MEMBER_STATE] = NLA_POLICY_MAX(NLA_U8, 1),
	[VROUTER_A_MEMBER_LABEL] = { .type = NLA_NUL_STRING, .len = VROUTER_LABEL_MAX, },
	[VROUTER_A_MEMBER_COUNTERS] = NLA_POLICY_NESTED(vrouter_counters_nl_policy),
};

const struct nla_policy vrouter_prefix_nl_policy[VROUTER_A_PREFIX_LEN + 1] = {
	[VROUTER_A_PREFIX_ADDR] = NLA_POLICY_MAX_LEN(16),
	[VROUTER_A_PREFIX_LEN] = NLA_POLICY_MAX(NLA_U8, 128),
};

const struct nla_policy vrouter_sg_rule_nl_policy[VROUTER_A_SG_RULE_ACTION + 1] = {
	[VROUTER_A_SG_RULE_INDEX] = { .type = NLA_U32, },
	[VROUTER_A_SG_RULE_DIRECTION] = NLA_POLICY_MAX(NLA_U8, 1),
	[VROUTER_A_SG_RULE_FAMILY] = { .type = NLA_U8, },
	[VROUTER_A_SG_RULE_PROTO] = { .type = NLA_U8, },
	[VROUTER_A_SG_RULE_PORT_MIN] = { .type = NLA_U16, },
	[VROUTER_A_SG_RULE_PORT_MAX] = { .type = NLA_U16, },
	[VROUTER_A_SG_RULE_ICMP_TYPE] = { .type = NLA_U8, },
	[VROUTER_A_SG_RULE_ICMP_CODE] = { .type = NLA_U8, },
	[VROUTER_A_SG_RULE_PEER_PREFIX] = NLA_POLICY_NESTED(vrouter_prefix_nl_policy),
	[VROUTER_A_SG_RULE_PEER_EXCEPT] = NLA_POLICY_NESTED(vrouter_prefix_nl_policy),
	[VROUTER_A_SG_RULE_PEER_SG] = NLA_POLICY_MIN(NLA_U32, 1),
	[VROUTER_A_SG_RULE_LABEL] = { .type = NLA_NUL_STRING, .len = VROUTER_LABEL_MAX, },
	[VROUTER_A_SG_RULE_HITS] = { .type = NLA_U64, },
	[VROUTER_A_SG_RULE_ACTION] = NLA_POLICY_MAX(NLA_U8, 2),
};

const struct nla_policy vrouter_tuple_nl_policy[VROUTER_A_TUPLE_DPORT + 1] = {
	[VROUTER_A_TUPLE_SRC] = NLA_POLICY_MAX_LEN(16),
	[VROUTER_A_TUPLE_DST] = NLA_POLICY_MAX_LEN(16),
	[VROUTER_A_TUPLE_PROTO] = { .type = NLA_U8, },
	[VROUTER_A_TUPLE_SPORT] = { .type = NLA_U16, },
	[VROUTER_A_TUPLE_DPORT] = { .type = NLA_U16, },
};

/* VROUTER_CMD_VRF_GET - do */
const struct nla_policy vrouter_vrf_get_nl_policy[VROUTER_A_VRF_ID + 1] = {
	[VROUTER_A_VRF_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* VROUTER_CMD_VRF_NEW - do */
const struct nla_policy vrouter_vrf_new_nl_policy[VROUTER_A_VRF_GATEWAY + 1] = {
	[VROUTER_A_VRF_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[VROUTER_A_VRF_LABEL] = { .type = NLA_NUL_STRING, .len = VROUTER_LABEL_MAX, },
	[VROUTER_A_VRF_GATEWAY] = NLA_POLICY_MAX_LEN(16),
};

/* VROUTER_CMD_VRF_DEL - do */
const struct nla_policy vrouter_vrf_del_nl_policy[VROUTER_A_VRF_ID + 1] = {
	[VROUTER_A_VRF_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* VROUTER_CMD_VIF_GET - do */
const struct nla_policy vrouter_vif_get_nl_policy[VROUTER_A_VIF_IFNAME + 1] = {
	[VROUTER_A_VIF_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[VROUTER_A_VIF_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[VROUTER_A_VIF_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
};

/* VROUTER_CMD_VIF_NEW - do */
const struct nla_policy vrouter_vif_new_nl_policy[VROUTER_A_VIF_VNI + 1] = {
	[VROUTER_A_VIF_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[VROUTER_A_VIF_LABEL] = { .type = NLA_NUL_STRING, .len = VROUTER_LABEL_MAX, },
	[VROUTER_A_VIF_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[VROUTER_A_VIF_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
	[VROUTER_A_VIF_TYPE] = NLA_POLICY_MAX(NLA_U8, 4),
	[VROUTER_A_VIF_VRF] = NLA_POLICY_MIN(NLA_U32, 1),
	[VROUTER_A_VIF_MAC] = NLA_POLICY_EXACT_LEN(6),
	[VROUTER_A_VIF_ADDR] = NLA_POLICY_MAX_LEN(16),
	[VROUTER_A_VIF_SG] = NLA_POLICY_MIN(NLA_U32, 1),
	[VROUTER_A_VIF_MTU] = NLA_POLICY_FULL_RANGE(NLA_U32, &vrouter_a_vif_mtu_range),
	[VROUTER_A_VIF_FLOW_LIMIT] = { .type = NLA_U32, },
	[VROUTER_A_VIF_HALF_OPEN_LIMIT] = { .type = NLA_U32, },
	[VROUTER_A_VIF_VNI] = NLA_POLICY_FULL_RANGE(NLA_U32, &vrouter_a_vif_vni_range),
};

/* VROUTER_CMD_VIF_DEL - do */
const struct nla_policy vrouter_vif_del_nl_policy[VROUTER_A_VIF_ID + 1] = {
	[VROUTER_A_VIF_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* VROUTER_CMD_NEXTHOP_GET - do */
const struct nla_policy vrouter_nexthop_get_nl_policy[VROUTER_A_NEXTHOP_ID + 1] = {
	[VROUTER_A_NEXTHOP_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* VROUTER_CMD_NEXTHOP_NEW - do */
const struct nla_policy vrouter_nexthop_new_nl_policy[VROUTER_A_NEXTHOP_PORT_MAX + 1] = {
	[VROUTER_A_NEXTHOP_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[VROUTER_A_NEXTHOP_LABEL] = { .type = NLA_NUL_STRING, .len = VROUTER_LABEL_MAX, },
	[VROUTER_A_NEXTHOP_TYPE] = NLA_POLICY_MAX(NLA_U8, 6),
	[VROUTER_A_NEXTHOP_VIF] = NLA_POLICY_MIN(NLA_U32, 1),
	[VROUTER_A_NEXTHOP_VRF] = NLA_POLICY_MIN(NLA_U32, 1),
	[VROUTER_A_NEXTHOP_MEMBER] = NLA_POLICY_NESTED(vrouter_member_nl_policy),
	[VROUTER_A_NEXTHOP_ENCAP] = NLA_POLICY_MAX(NLA_U8, 1),
	[VROUTER_A_NEXTHOP_REMOTE] = NLA_POLICY_MAX_LEN(16),
	[VROUTER_A_NEXTHOP_LOCAL] = NLA_POLICY_MAX_LEN(16),
	[VROUTER_A_NEXTHOP_MAC] = NLA_POLICY_EXACT_LEN(6),
	[VROUTER_A_NEXTHOP_CSUM] = NLA_POLICY_MAX(NLA_U8, 1),
	[VROUTER_A_NEXTHOP_SNAT_ADDR] = NLA_POLICY_MAX_LEN(16),
	[VROUTER_A_NEXTHOP_PORT_MIN] = NLA_POLICY_MIN(NLA_U16, 1024),
	[VROUTER_A_NEXTHOP_PORT_MAX] = { .type = NLA_U16, },
};

/* VROUTER_CMD_NEXTHOP_DEL - do */
const struct nla_policy vrouter_nexthop_del_nl_policy[VROUTER_A_NEXTHOP_ID + 1] = {
	[VROUTER_A_NEXTHOP_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* VROUTER_CMD_ROUTE_GET - do */
const struct nla_policy vrouter_route_get_nl_policy[VROUTER_A_ROUTE_LOOKUP + 1] = {
	[VROUTER_A_ROUTE_VRF] = NLA_POLICY_MIN(NLA_U32, 1),
	[VROUTER_A_ROUTE_ADDR] = NLA_POLICY_MAX_LEN(16),
	[VROUTER_A_ROUTE_PREFIX_LEN] = NLA_POLICY_MAX(NLA_U8, 128),
	[VROUTER_A_ROUTE_LOOKUP] = { .type = NLA_FLAG, },
	[VROUTER_A_ROUTE_FAMILY] = { .type = NLA_U8, },
};

/* VROUTER_CMD_ROUTE_NEW - do */
const struct nla_policy vrouter_route_new_nl_policy[VROUTER_A_ROUTE_NODE + 1] = {
	[VROUTER_A_ROUTE_VRF] = NLA_POLICY_MIN(NLA_U32, 1),
	[VROUTER_A_ROUTE_ADDR] = NLA_POLICY_MAX_LEN(16),
	[VROUTER_A_ROUTE_PREFIX_LEN] = NLA_POLICY_MAX(NLA_U8, 128),
	[VROUTER_A_ROUTE_NEXTHOP] = NLA_POLICY_MIN(NLA_U32, 1),
	[VROUTER_A_ROUTE_SG] = NLA_POLICY_MIN(NLA_U32, 1),
	[VROUTER_A_ROUTE_LABEL] = { .type = NLA_NUL_STRING, .len = VROUTER_LABEL_MAX, },
	[VROUTER_A_ROUTE_NODE] = { .type = NLA_FLAG, },
};

/* VROUTER_CMD_ROUTE_DEL - do */
const struct nla_policy vrouter_route_del_nl_policy[VROUTER_A_ROUTE_PREFIX_LEN + 1] = {
	[VROUTER_A_ROUTE_VRF] = NLA_POLICY_MIN(NLA_U32, 1),
	[VROUTER_A_ROUTE_ADDR] = NLA_POLICY_MAX_LEN(16),
	[VROUTER_A_ROUTE_PREFIX_LEN] = NLA_POLICY_MAX(NLA_U8, 128),
};

/* VROUTER_CMD_VIP_GET - do */
const struct nla_policy vrouter_vip_get_nl_policy[VROUTER_A_VIP_PORT + 1] = {
	[VROUTER_A_VIP_VRF] = NLA_POLICY_MIN(NLA_U32, 1),
	[VROUTER_A_VIP_ADDR] = NLA_POLICY_MAX_LEN(16),
	[VROUTER_A_VIP_PROTO] = { .type = NLA_U8, },
	[VROUTER_A_VIP_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
};

/* VROUTER_CMD_VIP_NEW - do */
const struct nla_policy vrouter_vip_new_nl_policy[VROUTER_A_VIP_SG + 1] = {
	[VROUTER_A_VIP_VRF] = NLA_POLICY_MIN(NLA_U32, 1),
	[VROUTER_A_VIP_ADDR] = NLA_POLICY_MAX_LEN(16),
	[VROUTER_A_VIP_PROTO] = { .type = NLA_U8, },
	[VROUTER_A_VIP_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[VROUTER_A_VIP_NEXTHOP] = NLA_POLICY_MIN(NLA_U32, 1),
	[VROUTER_A_VIP_AFFINITY_TIMEOUT] = NLA_POLICY_FULL_RANGE(NLA_U32, &vrouter_a_vip_affinity_timeout_range),
	[VROUTER_A_VIP_LABEL] = { .type = NLA_NUL_STRING, .len = VROUTER_LABEL_MAX, },
	[VROUTER_A_VIP_SG] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* VROUTER_CMD_VIP_DEL - do */
const struct nla_policy vrouter_vip_del_nl_policy[VROUTER_A_VIP_PORT + 1] = {
	[VROUTER_A_VIP_VRF] = NLA_POLICY_MIN(NLA_U32, 1),
	[VROUTER_A_VIP_ADDR] = NLA_POLICY_MAX_LEN(16),
	[VROUTER_A_VIP_PROTO] = { .type = NLA_U8, },
	[VROUTER_A_VIP_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
};

/* VROUTER_CMD_SG_GET - do */
const struct nla_policy vrouter_sg_get_nl_policy[VROUTER_A_SG_ID + 1] = {
	[VROUTER_A_SG_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* VROUTER_CMD_SG_NEW - do */
const struct nla_policy vrouter_sg_new_nl_policy[VROUTER_A_SG_PRIORITY + 1] = {
	[VROUTER_A_SG_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[VROUTER_A_SG_LABEL] = { .type = NLA_NUL_STRING, .len = VROUTER_LABEL_MAX, },
	[VROUTER_A_SG_ENFORCE] = NLA_POLICY_MASK(NLA_U32, 0x3),
	[VROUTER_A_SG_RULE] = NLA_POLICY_NESTED(vrouter_sg_rule_nl_policy),
	[VROUTER_A_SG_TIER] = NLA_POLICY_MAX(NLA_U8, 2),
	[VROUTER_A_SG_PRIORITY] = { .type = NLA_U16, },
};

/* VROUTER_CMD_SG_DEL - do */
const struct nla_policy vrouter_sg_del_nl_policy[VROUTER_A_SG_ID + 1] = {
	[VROUTER_A_SG_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* VROUTER_CMD_FLOW_GET - do */
const struct nla_policy vrouter_flow_get_nl_policy[VROUTER_A_FLOW_FILTER + 1] = {
	[VROUTER_A_FLOW_VIF] = { .type = NLA_U32, },
	[VROUTER_A_FLOW_VRF] = { .type = NLA_U32, },
	[VROUTER_A_FLOW_STATE] = NLA_POLICY_MAX(NLA_U8, 5),
	[VROUTER_A_FLOW_FILTER] = NLA_POLICY_NESTED(vrouter_tuple_nl_policy),
};

/* VROUTER_CMD_FLOW_DEL - do */
const struct nla_policy vrouter_flow_del_nl_policy[VROUTER_A_FLOW_FILTER + 1] = {
	[VROUTER_A_FLOW_VIF] = { .type = NLA_U32, },
	[VROUTER_A_FLOW_VRF] = { .type = NLA_U32, },
	[VROUTER_A_FLOW_STATE] = NLA_POLICY_MAX(NLA_U8, 5),
	[VROUTER_A_FLOW_FILTER] = NLA_POLICY_NESTED(vrouter_tuple_nl_policy),
};

/* VROUTER_CMD_DROP_GET - do */
const struct nla_policy vrouter_drop_get_nl_policy[VROUTER_A_DROP_VIF + 1] = {
	[VROUTER_A_DROP_REASON] = NLA_POLICY_MAX(NLA_U32, 47),
	[VROUTER_A_DROP_VIF] = { .type = NLA_U32, },
};

/* VROUTER_CMD_LIMITS_GET - do */
const struct nla_policy vrouter_limits_get_nl_policy[VROUTER_A_LIMITS_GLOBAL + 1] = {
	[VROUTER_A_LIMITS_GLOBAL] = { .type = NLA_FLAG, },
};

/* VROUTER_CMD_LIMITS_SET - do */
const struct nla_policy vrouter_limits_set_nl_policy[VROUTER_A_LIMITS_TCP_MSS + 1] = {
	[VROUTER_A_LIMITS_GLOBAL] = { .type = NLA_FLAG, },
	[VROUTER_A_LIMITS_FLOWS] = NLA_POLICY_FULL_RANGE(NLA_U32, &vrouter_a_limits_flows_range),
	[VROUTER_A_LIMITS_FLOWS_PER_VIF] = NLA_POLICY_FULL_RANGE(NLA_U32, &vrouter_a_limits_flows_per_vif_range),
	[VROUTER_A_LIMITS_HALF_OPEN_PER_VIF] = NLA_POLICY_FULL_RANGE(NLA_U32, &vrouter_a_limits_half_open_per_vif_range),
	[VROUTER_A_LIMITS_VRFS] = NLA_POLICY_FULL_RANGE(NLA_U32, &vrouter_a_limits_vrfs_range),
	[VROUTER_A_LIMITS_VIFS] = NLA_POLICY_FULL_RANGE(NLA_U32, &vrouter_a_limits_vifs_range),
	[VROUTER_A_LIMITS_NEXTHOPS] = NLA_POLICY_FULL_RANGE(NLA_U32, &vrouter_a_limits_nexthops_range),
	[VROUTER_A_LIMITS_MEMBERS] = NLA_POLICY_FULL_RANGE(NLA_U32, &vrouter_a_limits_members_range),
	[VROUTER_A_LIMITS_ROUTES] = NLA_POLICY_FULL_RANGE(NLA_U32, &vrouter_a_limits_routes_range),
	[VROUTER_A_LIMITS_VIPS] = NLA_POLICY_FULL_RANGE(NLA_U32, &vrouter_a_limits_vips_range),
	[VROUTER_A_LIMITS_SGS] = NLA_POLICY_FULL_RANGE(NLA_U32, &vrouter_a_limits_sgs_range),
	[VROUTER_A_LIMITS_SG_RULES] = NLA_POLICY_FULL_RANGE(NLA_U32, &vrouter_a_limits_sg_rules_range),
	[VROUTER_A_LIMITS_AFFINITIES] = NLA_POLICY_FULL_RANGE(NLA_U32, &vrouter_a_limits_affinities_range),
	[VROUTER_A_LIMITS_TIMEOUT_NEW] = NLA_POLICY_FULL_RANGE(NLA_U32, &vrouter_a_limits_timeout_new_range),
	[VROUTER_A_LIMITS_TIMEOUT_TCP_SYN] = NLA_POLICY_FULL_RANGE(NLA_U32, &vrouter_a_limits_timeout_tcp_syn_range),
	[VROUTER_A_LIMITS_TIMEOUT_TCP_ESTABLISHED] = NLA_POLICY_FULL_RANGE(NLA_U32, &vrouter_a_limits_timeout_tcp_established_range),
	[VROUTER_A_LIMITS_TIMEOUT_TCP_HALF_CLOSED] = NLA_POLICY_FULL_RANGE(NLA_U32, &vrouter_a_limits_timeout_tcp_half_closed_range),
	[VROUTER_A_LIMITS_TIMEOUT_TCP_CLOSED] = NLA_POLICY_FULL_RANGE(NLA_U32, &vrouter_a_limits_timeout_tcp_closed_range),
	[VROUTER_A_LIMITS_TIMEOUT_UDP] = NLA_POLICY_FULL_RANGE(NLA_U32, &vrouter_a_limits_timeout_udp_range),
	[VROUTER_A_LIMITS_TIMEOUT_SCTP] = NLA_POLICY_FULL_RANGE(NLA_U32, &vrouter_a_limits_timeout_sctp_range),
	[VROUTER_A_LIMITS_TIMEOUT_ICMP] = NLA_POLICY_FULL_RANGE(NLA_U32, &vrouter_a_limits_timeout_icmp_range),
	[VROUTER_A_LIMITS_FRAGMENT_BYTES] = NLA_POLICY_FULL_RANGE(NLA_U32, &vrouter_a_limits_fragment_bytes_range),
	[VROUTER_A_LIMITS_TIMEOUT_FRAGMENT] = NLA_POLICY_FULL_RANGE(NLA_U32, &vrouter_a_limits_timeout_fragment_range),
	[VROUTER_A_LIMITS_TCP_MSS] = NLA_POLICY_FULL_RANGE(NLA_U32, &vrouter_a_limits_tcp_mss_range),
};

/* VROUTER_CMD_STATS_GET - do */
const struct nla_policy vrouter_stats_get_nl_policy[VROUTER_A_STATS_PAD + 1] = {
};

/* VROUTER_CMD_TRACE - do */
const struct nla_policy vrouter_trace_nl_policy[VROUTER_A_TRACE_TUPLE + 1] = {
	[VROUTER_A_TRACE_VIF] = NLA_POLICY_MIN(NLA_U32, 1),
	[VROUTER_A_TRACE_TUPLE] = NLA_POLICY_NESTED(vrouter_tuple_nl_policy),
};

/* Ops table for vrouter */
const struct genl_ops vrouter_nl_ops[25] = {
	{
		.cmd		= VROUTER_CMD_VRF_GET,
		.doit		= vrouter_nl_vrf_get_doit,
		.dumpit		= vrouter_nl_vrf_get_dumpit,
		.policy		= vrouter_vrf_get_nl_policy,
		.maxattr	= VROUTER_A_VRF_ID,
	},
	{
		.cmd		= VROUTER_CMD_VRF_NEW,
		.doit		= vrouter_nl_vrf_new_doit,
		.policy		= vrouter_vrf_new_nl_policy,
		.maxattr	= VROUTER_A_VRF_GATEWAY,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= VROUTER_CMD_VRF_DEL,
		.doit		= vrouter_nl_vrf_del_doit,
		.policy		= vrouter_vrf_del_nl_policy,
		.maxattr	= VROUTER_A_VRF_ID,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= VROUTER_CMD_VIF_GET,
		.doit		= vrouter_nl_vif_get_doit,
		.dumpit		= vrouter_nl_vif_get_dumpit,
		.policy		= vrouter_vif_get_nl_policy,
		.maxattr	= VROUTER_A_VIF_IFNAME,
	},
	{
		.cmd		= VROUTER_CMD_VIF_NEW,
		.doit		= vrouter_nl_vif_new_doit,
		.policy		= vrouter_vif_new_nl_policy,
		.maxattr	= VROUTER_A_VIF_VNI,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= VROUTER_CMD_VIF_DEL,
		.doit		= vrouter_nl_vif_del_doit,
		.policy		= vrouter_vif_del_nl_policy,
		.maxattr	= VROUTER_A_VIF_ID,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= VROUTER_CMD_NEXTHOP_GET,
		.doit		= vrouter_nl_nexthop_get_doit,
		.dumpit		= vrouter_nl_nexthop_get_dumpit,
		.policy		= vrouter_nexthop_get_nl_policy,
		.maxattr	= VROUTER_A_NEXTHOP_ID,
	},
	{
		.cmd		= VROUTER_CMD_NEXTHOP_NEW,
		.doit		= vrouter_nl_nexthop_new_doit,
		.policy		= vrouter_nexthop_new_nl_policy,
		.maxattr	= VROUTER_A_NEXTHOP_PORT_MAX,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= VROUTER_CMD_NEXTHOP_DEL,
		.doit		= vrouter_nl_nexthop_del_doit,
		.policy		= vrouter_nexthop_del_nl_policy,
		.maxattr	= VROUTER_A_NEXTHOP_ID,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= VROUTER_CMD_ROUTE_GET,
		.doit		= vrouter_nl_route_get_doit,
		.dumpit		= vrouter_nl_route_get_dumpit,
		.policy		= vrouter_route_get_nl_policy,
		.maxattr	= VROUTER_A_ROUTE_LOOKUP,
	},
	{
		.cmd		= VROUTER_CMD_ROUTE_NEW,
		.doit		= vrouter_nl_route_new_doit,
		.policy		= vrouter_route_new_nl_policy,
		.maxattr	= VROUTER_A_ROUTE_NODE,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= VROUTER_CMD_ROUTE_DEL,
		.doit		= vrouter_nl_route_del_doit,
		.policy		= vrouter_route_del_nl_policy,
		.maxattr	= VROUTER_A_ROUTE_PREFIX_LEN,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= VROUTER_CMD_VIP_GET,
		.doit		= vrouter_nl_vip_get_doit,
		.dumpit		= vrouter_nl_vip_get_dumpit,
		.policy		= vrouter_vip_get_nl_policy,
		.maxattr	= VROUTER_A_VIP_PORT,
	},
	{
		.cmd		= VROUTER_CMD_VIP_NEW,
		.doit		= vrouter_nl_vip_new_doit,
		.policy		= vrouter_vip_new_nl_policy,
		.maxattr	= VROUTER_A_VIP_SG,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= VROUTER_CMD_VIP_DEL,
		.doit		= vrouter_nl_vip_del_doit,
		.policy		= vrouter_vip_del_nl_policy,
		.maxattr	= VROUTER_A_VIP_PORT,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= VROUTER_CMD_SG_GET,
		.doit		= vrouter_nl_sg_get_doit,
		.dumpit		= vrouter_nl_sg_get_dumpit,
		.policy		= vrouter_sg_get_nl_policy,
		.maxattr	= VROUTER_A_SG_ID,
	},
	{
		.cmd		= VROUTER_CMD_SG_NEW,
		.doit		= vrouter_nl_sg_new_doit,
		.policy		= vrouter_sg_new_nl_policy,
		.maxattr	= VROUTER_A_SG_PRIORITY,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= VROUTER_CMD_SG_DEL,
		.doit		= vrouter_nl_sg_del_doit,
		.policy		= vrouter_sg_del_nl_policy,
		.maxattr	= VROUTER_A_SG_ID,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= VROUTER_CMD_FLOW_GET,
		.doit		= vrouter_nl_flow_get_doit,
		.dumpit		= vrouter_nl_flow_get_dumpit,
		.policy		= vrouter_flow_get_nl_policy,
		.maxattr	= VROUTER_A_FLOW_FILTER,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= VROUTER_CMD_FLOW_DEL,
		.doit		= vrouter_nl_flow_del_doit,
		.policy		= vrouter_flow_del_nl_policy,
		.maxattr	= VROUTER_A_FLOW_FILTER,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= VROUTER_CMD_DROP_GET,
		.doit		= vrouter_nl_drop_get_doit,
		.dumpit		= vrouter_nl_drop_get_dumpit,
		.policy		= vrouter_drop_get_nl_policy,
		.maxattr	= VROUTER_A_DROP_VIF,
	},
	{
		.cmd		= VROUTER_CMD_LIMITS_GET,
		.doit		= vrouter_nl_limits_get_doit,
		.policy		= vrouter_limits_get_nl_policy,
		.maxattr	= VROUTER_A_LIMITS_GLOBAL,
	},
	{
		.cmd		= VROUTER_CMD_LIMITS_SET,
		.doit		= vrouter_nl_limits_set_doit,
		.policy		= vrouter_limits_set_nl_policy,
		.maxattr	= VROUTER_A_LIMITS_TCP_MSS,
		.flags		= GENL_ADMIN_PERM,
	},
	{
		.cmd		= VROUTER_CMD_STATS_GET,
		.doit		= vrouter_nl_stats_get_doit,
		.policy		= vrouter_stats_get_nl_policy,
		.maxattr	= VROUTER_A_STATS_PAD,
	},
	{
		.cmd		= VROUTER_CMD_TRACE,
		.doit		= vrouter_nl_trace_doit,
		.policy		= vrouter_trace_nl_policy,
		.maxattr	= VROUTER_A_TRACE_TUPLE,
		.flags		= GENL_ADMIN_PERM,
	},
};

static const struct genl_multicast_group vrouter_nl_mcgrps[] = {
	[VROUTER_NLGRP_OBJECTS] = { "objects", },
	[VROUTER_NLGRP_FLOWS] = { "flows", },
	[VROUTER_NLGRP_DROPS] = { "drops", },
};
