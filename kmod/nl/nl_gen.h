/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	uapi/vrouter.yaml */
/* YNL-GEN kernel header */
/* To regenerate run: tests/lib/uapi-gen.sh */

#ifndef _LINUX_VROUTER_GEN_H
#define _LINUX_VROUTER_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <linux/vrouter.h>

/* Common nested types */
extern const struct nla_policy vrouter_counters_nl_policy[VROUTER_A_COUNTERS_FLOWS + 1];
extern const struct nla_policy vrouter_member_nl_policy[VROUTER_A_MEMBER_COUNTERS + 1];
extern const struct nla_policy vrouter_prefix_nl_policy[VROUTER_A_PREFIX_LEN + 1];
extern const struct nla_policy vrouter_sg_rule_nl_policy[VROUTER_A_SG_RULE_ACTION + 1];
extern const struct nla_policy vrouter_tuple_nl_policy[VROUTER_A_TUPLE_DPORT + 1];

extern const struct nla_policy vrouter_vrf_get_nl_policy[VROUTER_A_VRF_ID + 1];

extern const struct nla_policy vrouter_vrf_new_nl_policy[VROUTER_A_VRF_GATEWAY + 1];

extern const struct nla_policy vrouter_vrf_del_nl_policy[VROUTER_A_VRF_ID + 1];

extern const struct nla_policy vrouter_vif_get_nl_policy[VROUTER_A_VIF_IFNAME + 1];

extern const struct nla_policy vrouter_vif_new_nl_policy[VROUTER_A_VIF_VNI + 1];

extern const struct nla_policy vrouter_vif_del_nl_policy[VROUTER_A_VIF_ID + 1];

extern const struct nla_policy vrouter_nexthop_get_nl_policy[VROUTER_A_NEXTHOP_ID + 1];

extern const struct nla_policy vrouter_nexthop_new_nl_policy[VROUTER_A_NEXTHOP_PORT_MAX + 1];

extern const struct nla_policy vrouter_nexthop_del_nl_policy[VROUTER_A_NEXTHOP_ID + 1];

extern const struct nla_policy vrouter_route_get_nl_policy[VROUTER_A_ROUTE_LOOKUP + 1];

extern const struct nla_policy vrouter_route_new_nl_policy[VROUTER_A_ROUTE_NODE + 1];

extern const struct nla_policy vrouter_route_del_nl_policy[VROUTER_A_ROUTE_PREFIX_LEN + 1];

extern const struct nla_policy vrouter_vip_get_nl_policy[VROUTER_A_VIP_PORT + 1];

extern const struct nla_policy vrouter_vip_new_nl_policy[VROUTER_A_VIP_SG + 1];

extern const struct nla_policy vrouter_vip_del_nl_policy[VROUTER_A_VIP_PORT + 1];

extern const struct nla_policy vrouter_sg_get_nl_policy[VROUTER_A_SG_ID + 1];

extern const struct nla_policy vrouter_sg_new_nl_policy[VROUTER_A_SG_PRIORITY + 1];

extern const struct nla_policy vrouter_sg_del_nl_policy[VROUTER_A_SG_ID + 1];

extern const struct nla_policy vrouter_flow_get_nl_policy[VROUTER_A_FLOW_FILTER + 1];

extern const struct nla_policy vrouter_flow_del_nl_policy[VROUTER_A_FLOW_FILTER + 1];

extern const struct nla_policy vrouter_drop_get_nl_policy[VROUTER_A_DROP_VIF + 1];

extern const struct nla_policy vrouter_limits_get_nl_policy[VROUTER_A_LIMITS_GLOBAL + 1];

extern const struct nla_policy vrouter_limits_set_nl_policy[VROUTER_A_LIMITS_TCP_MSS + 1];

extern const struct nla_policy vrouter_stats_get_nl_policy[VROUTER_A_STATS_PAD + 1];

extern const struct nla_policy vrouter_trace_nl_policy[VROUTER_A_TRACE_TUPLE + 1];

/* Ops table for vrouter */
extern const struct genl_ops vrouter_nl_ops[25];

int vrouter_nl_vrf_get_doit(struct sk_buff *skb, struct genl_info *info);
int vrouter_nl_vrf_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int vrouter_nl_vrf_new_doit(struct sk_buff *skb, struct genl_info *info);
int vrouter_nl_vrf_del_doit(struct sk_buff *skb, struct genl_info *info);
int vrouter_nl_vif_get_doit(struct sk_buff *skb, struct genl_info *info);
int vrouter_nl_vif_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int vrouter_nl_vif_new_doit(struct sk_buff *skb, struct genl_info *info);
int vrouter_nl_vif_del_doit(struct sk_buff *skb, struct genl_info *info);
int vrouter_nl_nexthop_get_doit(struct sk_buff *skb, struct genl_info *info);
int vrouter_nl_nexthop_get_dumpit(struct sk_buff *skb,
				  struct netlink_callback *cb);
int vrouter_nl_nexthop_new_doit(struct sk_buff *skb, struct genl_info *info);
int vrouter_nl_nexthop_del_doit(struct sk_buff *skb, struct genl_info *info);
int vrouter_nl_route_get_doit(struct sk_buff *skb, struct genl_info *info);
int vrouter_nl_route_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb);
int vrouter_nl_route_new_doit(struct sk_buff *skb, struct genl_info *info);
int vrouter_nl_route_del_doit(struct sk_buff *skb, struct genl_info *info);
int vrouter_nl_vip_get_doit(struct sk_buff *skb, struct genl_info *info);
int vrouter_nl_vip_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int vrouter_nl_vip_new_doit(struct sk_buff *skb, struct genl_info *info);
int vrouter_nl_vip_del_doit(struct sk_buff *skb, struct genl_info *info);
int vrouter_nl_sg_get_doit(struct sk_buff *skb, struct genl_info *info);
int vrouter_nl_sg_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int vrouter_nl_sg_new_doit(struct sk_buff *skb, struct genl_info *info);
int vrouter_nl_sg_del_doit(struct sk_buff *skb, struct genl_info *info);
int vrouter_nl_flow_get_doit(struct sk_buff *skb, struct genl_info *info);
int vrouter_nl_flow_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int vrouter_nl_flow_del_doit(struct sk_buff *skb, struct genl_info *info);
int vrouter_nl_drop_get_doit(struct sk_buff *skb, struct genl_info *info);
int vrouter_nl_drop_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int vrouter_nl_limits_get_doit(struct sk_buff *skb, struct genl_info *info);
int vrouter_nl_limits_set_doit(struct sk_buff *skb, struct genl_info *info);
int vrouter_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info);
int vrouter_nl_trace_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	VROUTER_NLGRP_OBJECTS,
	VROUTER_NLGRP_FLOWS,
	VROUTER_NLGRP_DROPS,
};

#endif /* _LINUX_VROUTER_GEN_H */
