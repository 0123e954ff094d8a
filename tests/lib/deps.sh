#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# deps.sh [GROUP...]: install what building, linting and testing need (default:
# build, lint and run; "cluster" is what make cluster needs beside them, "kubelet"
# what its suites of real pods do, "image" what builds the programs' image, "oldest" what builds the oldest Kubernetes). Does nothing, and asks no mirror, when all of it is there.
set -euo pipefail

build=(build-essential flex bison bc libelf-dev libssl-dev kmod cpio rsync git
	pkg-config libmnl-dev libjansson-dev libyaml-dev libsystemd-dev
	libcurl4-openssl-dev libmicrohttpd-dev zlib1g-dev libcmocka-dev scdoc python3 python3-yaml
	python3-jsonschema linux-headers-amd64 xz-utils perl patch)
lint=(sparse cppcheck clang-tidy shellcheck perl)
run=(qemu-system-x86 busybox-static nginx-light redis-server redis-tools
	dnsmasq-base bind9-dnsutils curl iperf3 iproute2 iputils-ping
	iputils-arping nftables tcpdump socat lksctp-tools ethtool conntrack
	python3-scapy ipvsadm procps util-linux bird2 containernetworking-plugins)
# A newer Go than the distribution's comes by it (kube-build.sh).
cluster=(openssl ca-certificates)
command -v go >/dev/null || cluster+=(golang-go)
# Its Go builds Kubernetes 1.20, and does not take the place of another.
oldest=(golang-1.19-go jq rsync dpkg-dev ca-certificates)
kubelet=(containerd runc containernetworking-plugins)
image=(buildah mmdebstrap)

[ $# -gt 0 ] || set -- build lint run

want=()
for group; do
	case $group in
	build) want+=("${build[@]}") ;;
	lint) want+=("${lint[@]}") ;;
	run) want+=("${run[@]}") ;;
	cluster) want+=("${cluster[@]}") ;;
	oldest) want+=("${oldest[@]}") ;;
	kubelet) want+=("${kubelet[@]}") ;;
	image) want+=("${image[@]}") ;;
	*) echo "deps: unknown group $group (build, lint, run, cluster, kubelet, image, oldest)" >&2; exit 2 ;;
	esac
done

absent()
{
	local p

	for p in "${want[@]}"; do
		# A package of several architectures prints one line each.
		dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null |
			grep -qx installed || echo "$p"
	done
}

mapfile -t missing < <(absent)
[ ${#missing[@]} -gt 0 ] || exit 0
echo "deps: installing ${#missing[@]} packages: ${missing[*]}" >&2

if [ "$(id -u)" != 0 ]; then
	echo "deps: not root; run: apt-get install ${missing[*]}" >&2
	exit 1
fi

# Tests want the programs, not the services: nothing may start (or open a
# port) because it was installed. A policy that is there already stays.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
	trap 'rm -f $policy' EXIT
fi

export DEBIAN_FRONTEND=noninteractive
apt=(apt-get -qq -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3)
"${apt[@]}" update </dev/null >&2
"${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null >&2

mapfile -t missing < <(absent)
if [ ${#missing[@]} -gt 0 ]; then
	echo "deps: still missing: ${missing[*]}" >&2
	exit 1
fi
echo "deps: done" >&2
