#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tcp.sh: part of guest.sh, case "tcp". One TCP connection between pods of two
# nodes, over the kernel's routing and vxlan device and over vrouter, in turns
# in one guest: what 1 000 octets cost, and in how large packets they go.
#
#   kernelc -- kernel1 ==== kernel2 -- kernels     pods, nodes: namespaces
#   vrouterc - vrouter1 === vrouter2 - vrouters
#
#   whole    the wire takes GSO packets as they are (a veth)
#   mtu      the wire takes 1 500 octets: one uplink segments, the other coalesces

TCP_GW=10.1.255.254 TCP_PORT=5201

# tcp_pod NODE POD MAC ADDR
tcp_pod()
{
	ip link add pod netns "$1" type veth peer name eth0 address "$3" netns "$2"
	ip -n "$1" link set pod up
	ip -n "$2" link set lo up
	ip -n "$2" link set eth0 mtu 1450 up
	ip -n "$2" addr add "$4/32" dev eth0
	ip -n "$2" route add $TCP_GW dev eth0
	ip -n "$2" route add default via $TCP_GW
}

tcp_nodes()
{
	local peer=$1 i

	for i in 1 2 c s; do ip netns add "$peer$i"; done
	ip link add u0 netns "${peer}1" type veth peer name u0 netns "${peer}2"
	for i in 1 2; do
		ip -n "$peer$i" link set lo up
		ip -n "$peer$i" link set u0 up
		ip -n "$peer$i" addr add "192.0.2.$i/24" dev u0
	done
	tcp_pod "${peer}1" "${peer}c" "$(mac 0)" 10.2.0.1
	tcp_pod "${peer}2" "${peer}s" "$(mac 1)" 10.1.0.1
}

tcp_setup_kernel()
{
	local i

	tcp_nodes kernel
	export -f vxlan_device
	ip netns exec kernel1 bash -c \
		'vxlan_device 192.0.2.1 192.0.2.2 02:00:00:00:03:01 02:00:00:00:03:02'
	ip netns exec kernel2 bash -c \
		'vxlan_device 192.0.2.2 192.0.2.1 02:00:00:00:03:02 02:00:00:00:03:01'
	for i in 1 2; do ip -n kernel$i addr add $TCP_GW/32 dev pod; done
	ip -n kernel1 route add 10.2.0.1 dev pod
	ip -n kernel1 route add 10.1.0.1 via 10.255.0.1 dev vx onlink
	ip -n kernel2 route add 10.1.0.1 dev pod
	ip -n kernel2 route add 10.2.0.1 via 10.255.0.1 dev vx onlink
}

# tcp_batch REMOTE MAC ADDR OTHER GROUP
tcp_batch()
{
	echo "vrf add id 1 gateway $TCP_GW"
	echo "sg add id 1 rule egress tcp $TCP_PORT"
	echo "sg add id 2 rule ingress tcp $TCP_PORT from 10.2.0.0/24"
	echo "vif add id 900 tunnel vrf 1 vni 1"
	echo "nexthop add id 900 tunnel vxlan remote $1"
	echo "vif add id 1 dev pod vrf 1 mac $2 addr $3 sg $5"
	echo "nexthop add id 1 local vif 1"
	echo "route add vrf 1 $3/32 nexthop 1"
	echo "route add vrf 1 $4/32 nexthop 900"
}

tcp_setup_vrouter()
{
	local batch

	insert_vrouter
	tcp_nodes vrouter
	batch=$(mktemp)
	tcp_batch 192.0.2.2 "$(mac 0)" 10.2.0.1 10.1.0.1 1 >"$batch"
	ip netns exec vrouter1 "$vrctl" -b "$batch" || fail "vrctl -b"
	tcp_batch 192.0.2.1 "$(mac 1)" 10.1.0.1 10.2.0.1 2 >"$batch"
	ip netns exec vrouter2 "$vrctl" -b "$batch" || fail "vrctl -b"
}

# A veth takes large packets as long as it says TSO, and coalesces when the other
# end does not.
tcp_wire()
{
	local i tso=on gro=off

	[ "$2" = whole ] || tso=off gro=on
	for i in 1 2; do ip netns exec "$1$i" ethtool -K u0 tso $tso gro $gro; done
}

tcp_serve()
{
	local i

	ip netns exec "$1s" iperf3 -s -D
	for ((i = 0; i < 100; i++)); do
		[ -z "$(ip netns exec "$1s" ss -Hltn "sport = $TCP_PORT")" ] || return 0
		sleep 0.1
	done
	fail "$1: iperf3 does not listen"
}

# tcp_count NS DEV DIRECTION: octets and packets
tcp_count()
{
	ip netns exec "$1" cat "/sys/class/net/$2/statistics/$3_bytes" \
		"/sys/class/net/$2/statistics/$3_packets" | tr '\n' ' '
}

# Octets of a packet since the counts before.
tcp_mean()
{
	local before after

	read -ra before <<<"$1"
	read -ra after <<<"$2"
	echo $(((after[0] - before[0]) / (after[1] - before[1])))
}

# Nanoseconds for 1 000 octets, as the receiver sees it.
tcp_once()
{
	ip netns exec "$1c" iperf3 -c 10.1.0.1 -n "$OCTETS" -J >/tmp/iperf3.json ||
		fail "$1: iperf3: $(tr -d '\n' </tmp/iperf3.json)"
	python3 -c '
import json
got = json.load(open("/tmp/iperf3.json"))["end"]["sum_received"]
print(int(got["seconds"] * 1e12 / got["bytes"]))'
}

tcp()
{
	local mode peer r one uplink pod
	declare -A best

	tcp_setup_kernel
	tcp_setup_vrouter
	for peer in kernel vrouter; do tcp_serve $peer; done
	for mode in whole mtu; do
		for peer in kernel vrouter; do tcp_wire $peer $mode; done
		for ((r = 0; r < REP; r++)); do
			for peer in kernel vrouter; do
				uplink=$(tcp_count ${peer}1 u0 tx)
				pod=$(tcp_count ${peer}s eth0 rx)
				one=$(tcp_once $peer) || fail "$one"
				uplink=$(tcp_mean "$uplink" "$(tcp_count ${peer}1 u0 tx)")
				pod=$(tcp_mean "$pod" "$(tcp_count ${peer}s eth0 rx)")
				[ "${best[$mode.$peer]:-$one}" -lt "$one" ] && continue
				best[$mode.$peer]=$one
				best[$mode.$peer.uplink]=$uplink
				best[$mode.$peer.pod]=$pod
			done
		done
		for peer in kernel vrouter; do
			result "$mode.$peer.cost" "${best[$mode.$peer]}"
			result "$mode.$peer.uplink" "${best[$mode.$peer.uplink]}"
			result "$mode.$peer.pod" "${best[$mode.$peer.pod]}"
		done
	done
}
