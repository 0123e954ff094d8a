// SPDX-License-Identifier: GPL-2.0-only
/* Words of enumerations, once. */

#include <linux/vrouter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "names.h"

const struct vr_name vr_names_proto[] = {
	{ "any", 0 },
	{ "tcp", IPPROTO_TCP },
	{ "udp", IPPROTO_UDP },
	{ "sctp", IPPROTO_SCTP },
	{ "icmp", IPPROTO_ICMP },
	{ "icmpv6", IPPROTO_ICMPV6 },
	{ 0 }
};

const struct vr_name vr_names_family[] = {
	{ "ipv4", AF_INET },
	{ "ipv6", AF_INET6 },
	{ 0 }
};

const struct vr_name vr_names_direction[] = {
	{ "ingress", VROUTER_DIRECTION_INGRESS },
	{ "egress", VROUTER_DIRECTION_EGRESS },
	{ 0 }
};

const struct vr_name vr_names_sg_flags[] = {
	{ "ingress", VROUTER_SG_FLAGS_INGRESS },
	{ "egress", VROUTER_SG_FLAGS_EGRESS },
	{ 0 }
};

const struct vr_name vr_names_sg_tier[] = {
	{ "network-policy", VROUTER_SG_TIER_NETWORK_POLICY },
	{ "admin", VROUTER_SG_TIER_ADMIN },
	{ "baseline", VROUTER_SG_TIER_BASELINE },
	{ 0 }
};

const struct vr_name vr_names_sg_action[] = {
	{ "accept", VROUTER_SG_ACTION_ACCEPT },
	{ "deny", VROUTER_SG_ACTION_DENY },
	{ "pass", VROUTER_SG_ACTION_PASS },
	{ 0 }
};

const struct vr_name vr_names_vif_type[] = {
	{ "veth", VROUTER_VIF_TYPE_VETH },
	{ "tap", VROUTER_VIF_TYPE_TAP },
	{ "tunnel", VROUTER_VIF_TYPE_TUNNEL },
	{ "host", VROUTER_VIF_TYPE_HOST },
	{ "external", VROUTER_VIF_TYPE_EXTERNAL },
	{ 0 }
};

const struct vr_name vr_names_nexthop_type[] = {
	{ "blackhole", VROUTER_NEXTHOP_TYPE_BLACKHOLE },
	{ "local", VROUTER_NEXTHOP_TYPE_LOCAL },
	{ "ecmp", VROUTER_NEXTHOP_TYPE_ECMP },
	{ "host", VROUTER_NEXTHOP_TYPE_HOST },
	{ "vrf", VROUTER_NEXTHOP_TYPE_VRF },
	{ "tunnel", VROUTER_NEXTHOP_TYPE_TUNNEL },
	{ "snat", VROUTER_NEXTHOP_TYPE_SNAT },
	{ 0 }
};

const struct vr_name vr_names_tunnel_encap[] = {
	{ "vxlan", VROUTER_TUNNEL_ENCAP_VXLAN },
	{ "mplsoudp", VROUTER_TUNNEL_ENCAP_MPLSOUDP },
	{ 0 }
};

const struct vr_name vr_names_member_state[] = {
	{ "active", VROUTER_MEMBER_STATE_ACTIVE },
	{ "draining", VROUTER_MEMBER_STATE_DRAINING },
	{ 0 }
};

const struct vr_name vr_names_flow_state[] = {
	{ "new", VROUTER_FLOW_STATE_NEW },
	{ "open", VROUTER_FLOW_STATE_OPEN },
	{ "syn-recv", VROUTER_FLOW_STATE_SYN_RECV },
	{ "established", VROUTER_FLOW_STATE_ESTABLISHED },
	{ "half-closed", VROUTER_FLOW_STATE_HALF_CLOSED },
	{ "closed", VROUTER_FLOW_STATE_CLOSED },
	{ 0 }
};

const struct vr_name vr_names_drop_reason[] = {
	{ "none", VROUTER_DROP_REASON_NONE },
	{ "no-memory", VROUTER_DROP_REASON_NO_MEMORY },
	{ "vif-down", VROUTER_DROP_REASON_VIF_DOWN },
	{ "bad-ethernet", VROUTER_DROP_REASON_BAD_ETHERNET },
	{ "bad-arp", VROUTER_DROP_REASON_BAD_ARP },
	{ "bad-nd", VROUTER_DROP_REASON_BAD_ND },
	{ "bad-ip", VROUTER_DROP_REASON_BAD_IP },
	{ "bad-l4", VROUTER_DROP_REASON_BAD_L4 },
	{ "fragment", VROUTER_DROP_REASON_FRAGMENT },
	{ "multicast", VROUTER_DROP_REASON_MULTICAST },
	{ "martian", VROUTER_DROP_REASON_MARTIAN },
	{ "spoofed-mac", VROUTER_DROP_REASON_SPOOFED_MAC },
	{ "spoofed-ip", VROUTER_DROP_REASON_SPOOFED_IP },
	{ "protocol", VROUTER_DROP_REASON_PROTOCOL },
	{ "ttl", VROUTER_DROP_REASON_TTL },
	{ "mtu", VROUTER_DROP_REASON_MTU },
	{ "no-route", VROUTER_DROP_REASON_NO_ROUTE },
	{ "blackhole", VROUTER_DROP_REASON_BLACKHOLE },
	{ "vrf-loop", VROUTER_DROP_REASON_VRF_LOOP },
	{ "no-member", VROUTER_DROP_REASON_NO_MEMBER },
	{ "vip-icmp", VROUTER_DROP_REASON_VIP_ICMP },
	{ "sg-egress", VROUTER_DROP_REASON_SG_EGRESS },
	{ "sg-ingress", VROUTER_DROP_REASON_SG_INGRESS },
	{ "flow-table-full", VROUTER_DROP_REASON_FLOW_TABLE_FULL },
	{ "vif-flow-limit", VROUTER_DROP_REASON_VIF_FLOW_LIMIT },
	{ "vif-half-open-limit", VROUTER_DROP_REASON_VIF_HALF_OPEN_LIMIT },
	{ "flow-clash", VROUTER_DROP_REASON_FLOW_CLASH },
	{ "tcp-no-flow", VROUTER_DROP_REASON_TCP_NO_FLOW },
	{ "tcp-state", VROUTER_DROP_REASON_TCP_STATE },
	{ "tcp-rst", VROUTER_DROP_REASON_TCP_RST },
	{ "member-removed", VROUTER_DROP_REASON_MEMBER_REMOVED },
	{ "icmp-no-flow", VROUTER_DROP_REASON_ICMP_NO_FLOW },
	{ "gateway", VROUTER_DROP_REASON_GATEWAY },
	{ "hairpin-loop", VROUTER_DROP_REASON_HAIRPIN_LOOP },
	{ "policy-change", VROUTER_DROP_REASON_POLICY_CHANGE },
	{ "bad-encap", VROUTER_DROP_REASON_BAD_ENCAP },
	{ "unknown-vni", VROUTER_DROP_REASON_UNKNOWN_VNI },
	{ "unknown-peer", VROUTER_DROP_REASON_UNKNOWN_PEER },
	{ "spoofed-peer", VROUTER_DROP_REASON_SPOOFED_PEER },
	{ "tunnel-loop", VROUTER_DROP_REASON_TUNNEL_LOOP },
	{ "tunnel-ecn", VROUTER_DROP_REASON_TUNNEL_ECN },
	{ "underlay", VROUTER_DROP_REASON_UNDERLAY },
	{ "snat-exhausted", VROUTER_DROP_REASON_SNAT_EXHAUSTED },
	{ "no-external-route", VROUTER_DROP_REASON_NO_EXTERNAL_ROUTE },
	{ "fragment-overlap", VROUTER_DROP_REASON_FRAGMENT_OVERLAP },
	{ "fragment-limit", VROUTER_DROP_REASON_FRAGMENT_LIMIT },
	{ "fragment-timeout", VROUTER_DROP_REASON_FRAGMENT_TIMEOUT },
	{ "vip-source", VROUTER_DROP_REASON_VIP_SOURCE },
	{ 0 }
};

const struct vr_name vr_names_trace_stage[] = {
	{ "parse", VROUTER_TRACE_STAGE_PARSE },
	{ "source", VROUTER_TRACE_STAGE_SOURCE },
	{ "flow", VROUTER_TRACE_STAGE_FLOW },
	{ "vip", VROUTER_TRACE_STAGE_VIP },
	{ "member", VROUTER_TRACE_STAGE_MEMBER },
	{ "route", VROUTER_TRACE_STAGE_ROUTE },
	{ "nexthop", VROUTER_TRACE_STAGE_NEXTHOP },
	{ "egress-sg", VROUTER_TRACE_STAGE_EGRESS_SG },
	{ "ingress-sg", VROUTER_TRACE_STAGE_INGRESS_SG },
	{ "verdict", VROUTER_TRACE_STAGE_VERDICT },
	{ 0 }
};

const char *vr_name(const struct vr_name *table, uint32_t value, char buf[VR_NAME_TEXT])
{
	for (; table->name; table++)
		if (table->value == value)
			return table->name;
	snprintf(buf, VR_NAME_TEXT, "%u", value);
	return buf;
}

bool vr_name_value(const struct vr_name *table, const char *name, uint32_t *value)
{
	for (; table->name; table++) {
		if (strcmp(table->name, name))
			continue;
		*value = table->value;
		return true;
	}
	return false;
}
