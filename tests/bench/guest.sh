#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# guest.sh CASE MODULES VRCTL: in the guest of run.sh. Sends vgen's packets
# through the node and prints one "RESULT name value" for each figure.
#
#   CASE  gen      build and free packets, nothing else: taken off all others
#         fwd      plain kernel routing: pod 0 to pods 1..N
#         vrouter  vrouter: pod 0 to a service of pods 1..N, groups closed both
#                  ways with a rule that opens, as a network policy does
#         xfwd     between two nodes: kernel routing by a vxlan device on each, no rules
#         xvrouter vrouter's VXLAN between two nodes, groups closed on both ends
#         tcp      one TCP connection between two nodes, both ways in turns: tcp.sh
#         profile  where the instructions of first packets and of established ones
#                  go: samples of perf, which under icount are of instructions
#         load     no packets: time to program and read back a large node
#
# Every veth pair has its far end in a namespace of pods, where vgen's sink is.
#
#   N FLOWS REP STEADY   pods, flow counts, repeats, packets of a measurement
#   OCTETS               of a TCP connection
set -eu

case=$1 modules=$2 vrctl=$3
: "${N:=16}" "${FLOWS:=1 1000 100000}" "${REP:=5}" "${STEADY:=100000}" "${OCTETS:=256M}"

result() { echo "RESULT $*"; }
fail() { echo "FAIL $case: $*"; exit 1; }

declare -A last
vgen()
{
	local line word

	echo "$*" >/proc/vgen || fail "vgen refuses: $*"
	# What arrives late because ksoftirqd got it is waited for outside of
	# the time taken, and told.
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		read -r line </proc/vgen
		for word in $line; do last[${word%%=*}]=${word#*=}; done
		[ "${last[arrived]}" -lt "${last[sent]}" ] || break
		sleep 0.1
	done
}

# With what it needs of the kernel's own modules, where these are not built in.
insert_vrouter()
{
	local needs

	needs=$(modinfo -F depends "$modules/vrouter.ko" | tr ',' ' ')
	# shellcheck disable=SC2086
	[ -z "$needs" ] || modprobe -a $needs
	insmod "$modules/vrouter.ko"
}

mac() { printf '02:00:00:00:01:%02x' "$1"; }

pods()
{
	local i

	echo 0 >/proc/sys/net/ipv4/conf/default/rp_filter
	echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter
	[ ! -e /proc/sys/net/ipv6 ] || echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
	ip netns add pods
	[ ! -e /proc/sys/net/ipv6 ] || ip netns exec pods \
		sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
	for ((i = 0; i <= N; i++)); do
		ip link add "vh$i" up type veth peer name "vp$i" address "$(mac "$i")" netns pods
		ip -n pods link set "vp$i" up
	done
	ip netns exec pods bash -c "
		echo client vp0 >/proc/vgen
		for ((i = 1; i <= $N; i++)); do echo sink vp\$i >/proc/vgen; done"
}

setup_fwd()
{
	local i

	pods
	echo 1 >/proc/sys/net/ipv4/ip_forward
	ip link set lo up
	ip addr add 10.9.9.9/32 dev lo
	for ((i = 1; i <= N; i++)); do
		ip route add "10.1.0.$i/32" dev "vh$i"
		ip neigh add "10.1.0.$i" lladdr "$(mac "$i")" dev "vh$i" nud permanent
	done
	for i in 1 2 3; do
		ip route add "10.2.0.$i/32" dev vh0
		ip neigh add "10.2.0.$i" lladdr "$(mac 0)" dev vh0 nud permanent
	done
	job="dev=vh0 smac=$(mac 0) dmac=$(cat /sys/class/net/vh0/address)"
	job+=" src=10.2.0.1 dst=10.1.0.1 services=$N dport=8080"
}

setup_vrouter()
{
	local i members='' batch

	insert_vrouter
	pods
	batch=$(mktemp)
	{
		echo "limits set flows 2000000 flows-per-vif 2000000 half-open-per-vif 2000000"
		echo "vrf add id 1 gateway 10.1.255.254"
		echo "sg add id 1 rule egress udp 8080"
		echo "sg add id 2 rule ingress udp 8080"
		echo "vif add id 100 dev vh0 vrf 1 mac $(mac 0) addr 10.2.0.1 addr 10.2.0.2" \
			"addr 10.2.0.3 sg 1"
		echo "nexthop add id 100 local vif 100"
		for i in 1 2 3; do echo "route add vrf 1 10.2.0.$i/32 nexthop 100"; done
		for ((i = 1; i <= N; i++)); do
			echo "vif add id $i dev vh$i vrf 1 mac $(mac "$i") addr 10.1.0.$i sg 2"
			echo "nexthop add id $i local vif $i"
			echo "route add vrf 1 10.1.0.$i/32 nexthop $i"
			members+=" member 10.1.0.$i port 8080"
		done
		echo "nexthop add id 1000 ecmp$members"
		echo "vip add vrf 1 10.96.0.1 udp 80 nexthop 1000"
	} >"$batch"
	"$vrctl" -b "$batch" || fail "vrctl -b"
	job="dev=vh0 smac=$(mac 0) dmac=00:00:5e:00:01:00"
	job+=" src=10.2.0.1 dst=10.96.0.1 services=1 dport=80"
}

# --- two nodes: this namespace and "far", with pods 1..N behind it ---

FAR_MAC=02:00:00:00:02:02 NEAR_MAC=02:00:00:00:02:01

far() { ip netns exec far "$@"; }

two_nodes()
{
	local i

	ip link set lo up
	ip netns add far
	for i in default all; do
		far sh -c "echo 0 >/proc/sys/net/ipv4/conf/$i/rp_filter"
	done
	[ ! -e /proc/sys/net/ipv6 ] ||
		far sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
	pods
	for ((i = 1; i <= N; i++)); do
		ip link set "vh$i" netns far
		ip -n far link set "vh$i" up
	done
	ip link add u0 address $NEAR_MAC type veth peer name u1 address $FAR_MAC netns far
	ip link set u0 mtu 1600 up
	ip -n far link set u1 mtu 1600 up
	ip addr add 192.0.2.1/24 dev u0
	ip -n far addr add 192.0.2.2/24 dev u1
	ip neigh add 192.0.2.2 lladdr $FAR_MAC dev u0 nud permanent
	ip -n far neigh add 192.0.2.1 lladdr $NEAR_MAC dev u1 nud permanent
	job="dev=vh0 smac=$(mac 0) src=10.2.0.1 dst=10.1.0.1 services=$N dport=8080"
}

# vxlan LOCAL REMOTE MAC OTHER-MAC: to be run on a node
vxlan_device()
{
	ip link add vx address "$3" type vxlan id 1 dstport 4789 local "$1" nolearning
	ip link set vx up
	ip neigh add 10.255.0.1 lladdr "$4" dev vx nud permanent
	bridge fdb add "$4" dev vx dst "$2"
	echo 1 >/proc/sys/net/ipv4/ip_forward
}

setup_xfwd()
{
	local i

	two_nodes
	vxlan_device 192.0.2.1 192.0.2.2 02:00:00:00:03:01 02:00:00:00:03:02
	export -f vxlan_device
	far bash -c 'vxlan_device 192.0.2.2 192.0.2.1 02:00:00:00:03:02 02:00:00:00:03:01'
	for ((i = 1; i <= N; i++)); do
		ip route add "10.1.0.$i/32" via 10.255.0.1 dev vx onlink
		ip -n far route add "10.1.0.$i/32" dev "vh$i"
		ip -n far neigh add "10.1.0.$i" lladdr "$(mac "$i")" dev "vh$i" nud permanent
	done
	for i in 1 2 3; do
		ip -n far route add "10.2.0.$i/32" via 10.255.0.1 dev vx onlink
		ip route add "10.2.0.$i/32" dev vh0
		ip neigh add "10.2.0.$i" lladdr "$(mac 0)" dev vh0 nud permanent
	done
	job+=" dmac=$(cat /sys/class/net/vh0/address)"
}

node_batch()
{
	echo "limits set flows 2000000 flows-per-vif 2000000 half-open-per-vif 2000000"
	echo "vrf add id 1 gateway 10.1.255.254"
	echo "sg add id 1 rule egress udp 8080"
	echo "sg add id 2 rule ingress udp 8080 from 10.2.0.0/24"
	echo "vif add id 900 tunnel vrf 1 vni 1"
	echo "nexthop add id 900 tunnel vxlan remote $1"
}

setup_xvrouter()
{
	local i batch

	insert_vrouter
	two_nodes
	batch=$(mktemp)
	{
		node_batch 192.0.2.2
		echo "vif add id 100 dev vh0 vrf 1 mac $(mac 0) addr 10.2.0.1 addr 10.2.0.2" \
			"addr 10.2.0.3 sg 1"
		echo "nexthop add id 100 local vif 100"
		for i in 1 2 3; do echo "route add vrf 1 10.2.0.$i/32 nexthop 100"; done
		for ((i = 1; i <= N; i++)); do echo "route add vrf 1 10.1.0.$i/32 nexthop 900"; done
	} >"$batch"
	"$vrctl" -b "$batch" || fail "vrctl -b"
	{
		node_batch 192.0.2.1
		for i in 1 2 3; do echo "route add vrf 1 10.2.0.$i/32 nexthop 900"; done
		for ((i = 1; i <= N; i++)); do
			echo "vif add id $i dev vh$i vrf 1 mac $(mac "$i") addr 10.1.0.$i sg 2"
			echo "nexthop add id $i local vif $i"
			echo "route add vrf 1 10.1.0.$i/32 nexthop $i"
		done
	} >"$batch"
	far "$vrctl" -b "$batch" || fail "vrctl -b"
	job+=" dmac=00:00:5e:00:01:00"
}

# The least of REP runs, in thousandths of a nanosecond for each packet.
least()
{
	local i least=0 one

	for ((i = 0; i < REP; i++)); do
		vgen run "$job" "$@"
		[ "${last[arrived]}" = "${last[sent]}" ] ||
			fail "$*: ${last[arrived]} of ${last[sent]} arrived"
		one=$((last[ns] * 1000 / last[sent]))
		[ "$least" != 0 ] && [ "$least" -le "$one" ] || least=$one
	done
	echo "$least"
}

expect_replies()
{
	[ "${last[replies]}" = "$1" ] || fail "$1 flows: ${last[replies]} replies"
	[ "${last[bad]}" = 0 ] || fail "$1 flows: ${last[bad]} bad checksums"
}

sunreclaim() { awk '/^SUnreclaim:/ { print $2 * 1024 }' /proc/meminfo; }

settle() { sync; sleep 0.3; }

measure()
{
	local f base=0 before n out

	# Warm caches, slabs and the code with flows that nobody measures.
	vgen run "$job" n=1000 flows=1000 base=149000 reflect=1 check=1
	for f in $FLOWS; do
		settle
		before=$(sunreclaim)
		vgen run "$job" n="$f" flows="$f" base="$base"
		[ "${last[arrived]}" = "$f" ] || fail "$f new flows: ${last[arrived]} arrived"
		result "new.$f" $((last[ns] * 1000 / f))
		settle
		result "memory.$f" $((($(sunreclaim) - before) / f))

		# Replies make the flows established; nothing may be lost or bent.
		vgen run "$job" n="$f" flows="$f" base="$base" reflect=1 check=1
		expect_replies "$f"
		n=$(((STEADY + f - 1) / f * f))
		out=$(least n="$n" flows="$f" base="$base") || fail "$out"
		result "steady.$f" "$out"
		out=$(least n="$n" flows="$f" base="$base" reflect=1) || fail "$out"
		result "roundtrip.$f" "$out"
		vgen run "$job" n="$f" flows="$f" base="$base" reflect=1 check=1
		expect_replies "$f"
		base=$((base + f))
	done
}

# Shares of all functions, as percentages of the job's samples.
profile()
{
	local name=$1 data

	shift
	data=$(mktemp)
	echo "PROFILE $name"
	perf record -q -a -e cpu-clock -F 20000 -o "$data" -- \
		bash -c "echo 'run $job $*' >/proc/vgen" >&2 || fail "perf record"
	perf report -i "$data" --stdio -q --comm bash --sort dso,symbol \
		--percent-limit 0.4 2>/dev/null | grep -v '^$' || fail "perf report"
	echo "PROFILE end"
	rm -f "$data"
}

profiles()
{
	vgen run "$job" n=1000 flows=1000 base=149000 reflect=1 check=1
	profile first n=100000 flows=100000
	vgen run "$job" n=100000 flows=100000 reflect=1 check=1
	expect_replies 100000
	profile established n=200000 flows=100000
}

# Seconds since boot, in milliseconds.
now() { awk '{ print int($1 * 1000) }' /proc/uptime; }

timed()
{
	local name=$1 start

	shift
	start=$(now)
	"$@" >/dev/null || fail "$name"
	result "$name" $(($(now) - start))
}

load()
{
	local dir

	dir=$(mktemp -d)
	insert_vrouter
	awk -v vips=10000 -v members=20 'BEGIN {
		print "vrf add id 1"
		for (v = 0; v < vips; v++) {
			printf "nexthop add id %d ecmp", v + 1
			for (m = 0; m < members; m++)
				printf " member 10.%d.%d.%d port 8080", 16 + int(v / 2560),
					int(v / 10) % 256, (v % 10) * members + m + 1
			printf "\nvip add vrf 1 10.96.%d.%d tcp 80 nexthop %d\n",
				int(v / 250), v % 250 + 1, v + 1
		}
	}' >"$dir/vips"
	awk -v rules=10000 'BEGIN {
		printf "sg add id 1 enforce ingress"
		for (r = 0; r < rules; r++)
			printf " rule ingress tcp %d from 10.%d.%d.0/24", 1 + r % 60000,
				int(r / 256) % 256, r % 256
		print ""
	}' >"$dir/rules"
	timed load.vips "$vrctl" -b "$dir/vips"
	timed load.rules "$vrctl" -b "$dir/rules"
	timed dump.nexthops "$vrctl" -j nexthop show
	timed dump.vips "$vrctl" -j vip show
	timed dump.rules "$vrctl" -j sg show
	timed unload rmmod vrouter
}

# shellcheck source=tests/bench/tcp.sh
. "$(dirname "$0")/tcp.sh"

case $case in
tcp)
	tcp
	;;
load)
	load
	;;
gen)
	insmod "$modules/vgen.ko"
	ip link set lo up
	job="dev=lo smac=$(mac 0) dmac=$(mac 1) src=10.2.0.1 dst=10.96.0.1"
	least=0
	for ((i = 0; i < REP; i++)); do
		echo "run $job raw=1 n=$STEADY flows=1000" >/proc/vgen
		read -r line </proc/vgen
		ns=${line%% *}
		one=$((${ns#ns=} * 1000 / STEADY))
		[ "$least" != 0 ] && [ "$least" -le "$one" ] || least=$one
	done
	result gen "$least"
	;;
fwd | vrouter | xfwd | xvrouter)
	insmod "$modules/vgen.ko"
	"setup_$case"
	measure
	;;
profile)
	insmod "$modules/vgen.ko"
	setup_vrouter
	profiles
	;;
*)
	fail "no such case"
	;;
esac
echo "DONE $case"
