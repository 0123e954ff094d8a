/* SPDX-License-Identifier: GPL-2.0-only */
/* Do not edit: made by tests/lib/drop-gen.py from uapi/vrouter.yaml */
#ifndef VR_DROP_GEN_H
#define VR_DROP_GEN_H

/* X(NAME, "name", "explanation"), in order of value from 0 */
#define VR_DROP_REASONS(X) \
	X(NONE, "none", \
	  "not dropped") \
	X(NO_MEMORY, "no-memory", \
	  "no memory for a copy, an answer or a flow") \
	X(VIF_DOWN, "vif-down", \
	  "the outgoing device is down or was detached") \
	X(BAD_ETHERNET, "bad-ethernet", \
	  "frame not for the gateway's MAC, VLAN-tagged, or of a protocol other than ARP, IPv4, IPv6") \
	X(BAD_ARP, "bad-arp", \
	  "malformed ARP, or ARP that is not a request for a neighbour") \
	X(BAD_ND, "bad-nd", \
	  "malformed IPv6 neighbour discovery, or one that a pod may not send") \
	X(BAD_IP, "bad-ip", \
	  "truncated or contradictory IP header, or source routing option") \
	X(BAD_L4, "bad-l4", \
	  "truncated or contradictory TCP, UDP, SCTP or ICMP header") \
	X(FRAGMENT, "fragment", \
	  "malformed IP fragment, or a first one without the whole transport header") \
	X(MULTICAST, "multicast", \
	  "multicast or broadcast destination") \
	X(MARTIAN, "martian", \
	  "source or destination that may not appear on a network") \
	X(SPOOFED_MAC, "spoofed-mac", \
	  "source MAC is not the interface's own") \
	X(SPOOFED_IP, "spoofed-ip", \
	  "source address is neither one of the interface's own nor routed to it") \
	X(PROTOCOL, "protocol", \
	  "transport protocol other than TCP, UDP, SCTP, ICMP and ICMPv6") \
	X(TTL, "ttl", \
	  "TTL or hop limit reached zero") \
	X(MTU, "mtu", \
	  "larger than the outgoing interface's MTU; the sender was told") \
	X(NO_ROUTE, "no-route", \
	  "no route to the destination in the VRF") \
	X(BLACKHOLE, "blackhole", \
	  "a blackhole next hop") \
	X(VRF_LOOP, "vrf-loop", \
	  "too many look-ups in other VRFs") \
	X(NO_MEMBER, "no-member", \
	  "the service has no member; the client got a reset or port unreachable") \
	X(VIP_ICMP, "vip-icmp", \
	  "ICMP to a service address, which answers only on its ports") \
	X(SG_EGRESS, "sg-egress", \
	  "not allowed by the sender's security groups") \
	X(SG_INGRESS, "sg-ingress", \
	  "not allowed by the receiver's security groups") \
	X(FLOW_TABLE_FULL, "flow-table-full", \
	  "the namespace's or the module's limit of flows is reached") \
	X(VIF_FLOW_LIMIT, "vif-flow-limit", \
	  "the interface's limit of flows is reached") \
	X(VIF_HALF_OPEN_LIMIT, "vif-half-open-limit", \
	  "the interface's limit of half-open flows is reached") \
	X(FLOW_CLASH, "flow-clash", \
	  "the reply's tuple belongs to another flow, and no other source port is free") \
	X(TCP_NO_FLOW, "tcp-no-flow", \
	  "TCP packet that opens no connection and belongs to none") \
	X(TCP_STATE, "tcp-state", \
	  "TCP packet that does not fit the connection's state") \
	X(TCP_RST, "tcp-rst", \
	  "RST outside of the window (RFC 5961)") \
	X(MEMBER_REMOVED, "member-removed", \
	  "the service's member is gone and the flow cannot move") \
	X(ICMP_NO_FLOW, "icmp-no-flow", \
	  "ICMP error or echo reply that belongs to no flow") \
	X(GATEWAY, "gateway", \
	  "packet to the gateway's address other than an echo request") \
	X(HAIRPIN_LOOP, "hairpin-loop", \
	  "the packet would leave by the interface it came from without a service in between") \
	X(POLICY_CHANGE, "policy-change", \
	  "the flow is no longer allowed after a change of policy") \
	X(BAD_ENCAP, "bad-encap", \
	  "truncated or contradictory tunnel header, or a packet in it that is none") \
	X(UNKNOWN_VNI, "unknown-vni", \
	  "VNI or label that no interface of type tunnel has") \
	X(UNKNOWN_PEER, "unknown-peer", \
	  "tunnel packet from an address that no tunnel next hop leads to") \
	X(SPOOFED_PEER, "spoofed-peer", \
	  "tunnel packet whose inner source's route does not lead back to the node that sent it") \
	X(TUNNEL_LOOP, "tunnel-loop", \
	  "packet from a tunnel whose route leads to a tunnel again") \
	X(TUNNEL_ECN, "tunnel-ecn", \
	  "tunnel packet marked as having met congestion around one that cannot say so (RFC 6040)") \
	X(UNDERLAY, "underlay", \
	  "no route to the other node, or one that leads back into the virtual network") \
	X(SNAT_EXHAUSTED, "snat-exhausted", \
	  "no port is free to translate the source to, towards this destination") \
	X(NO_EXTERNAL_ROUTE, "no-external-route", \
	  "the node has no route to a destination outside") \
	X(FRAGMENT_OVERLAP, "fragment-overlap", \
	  "IP fragment that overlaps another one of its datagram, or came twice (RFC 5722)") \
	X(FRAGMENT_LIMIT, "fragment-limit", \
	  "the limit of octets or fragments kept until their datagrams are whole is reached") \
	X(FRAGMENT_TIMEOUT, "fragment-timeout", \
	  "IP fragment whose datagram did not become whole in time") \
	X(VIP_SOURCE, "vip-source", \
	  "the service's address does not serve this source (loadBalancerSourceRanges)")

#endif
