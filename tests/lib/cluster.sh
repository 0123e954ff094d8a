#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# cluster.sh BUILD: the suites of tests/cluster against a real Kubernetes
# control plane. Those that need no kernel module run on the machine, in network
# and mount namespaces of their own; the others in one boot of the stock kernel.
#
#   KERNEL=um        only the others, in the sanitised UML kernel instead
#   VROUTER_PART     set by "make test": without the suites that are marked "whole" or "oldest"
#   SUITE=name       only tests/cluster/name.*
#   T=glob           only suites whose name matches
#   CLUSTER_LIMIT    seconds for the boot (default 3600 as a part of make test, else 9000), TEST_LIMIT for a suite
set -u

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$1
log=$build/log/cluster
# shellcheck source=tests/lib/suites.sh disable=SC1091
. "$here/suites.sh"
rm -rf "$log"
mkdir -p "$log"

here_too=y
case ${KERNEL-} in
'' | 6.1 | stock) kernel=6.1 kind=stock runner=(run-qemu.sh) headers=(headers 6.1) ;;
um) kernel=um kind=um runner=(run-uml.sh -k debug) headers=(uml debug) here_too= ;;
*) echo "cluster: kernel $KERNEL? (6.1, um)" >&2; exit 2 ;;
esac

# on_machine NAME SUITE...
on_machine()
{
	local name=$1

	shift
	# shellcheck disable=SC2016 # the inner shell's
	unshare -n -m sh -c 'mkdir -p /run/netns && mount -t tmpfs none /run/netns &&
		ip link set lo up && exec "$@"' sh \
		"$here/node-guest.sh" host "$@" </dev/null 2>&1 | tee "$log/$name.log"
	[ "${PIPESTATUS[0]}" = 0 ] ||
		echo "not ok 9999 - $name: all suites were run" >>"$log/$name.log"
}

run_here()
{
	local tests

	mapfile -t tests < <(suites_of "$top/tests/cluster" host)
	[ ${#tests[@]} != 0 ] || return
	echo "# cluster: on the machine: ${#tests[@]} suites"
	on_machine host "${tests[@]}"
}

# The same suites on the oldest release that is supported.
run_oldest()
{
	local tests oldest

	mapfile -t tests < <(suites_of "$top/tests/cluster" oldest)
	[ ${#tests[@]} != 0 ] || return
	if ! oldest=$("$here/kube-oldest.sh"); then
		echo "not ok 1 - the oldest Kubernetes" | tee "$log/oldest-build.log"
		return
	fi
	echo "# cluster: on the machine, the oldest Kubernetes: ${#tests[@]} suites"
	VROUTER_KUBE=$oldest on_machine oldest "${tests[@]}"
}

# The module as "make install" leaves it, with the lists of all modules that
# depmod makes, which is slow in a guest.
installed()
{
	local kdir=$1 root=$build/installed stock release

	stock=$("$here/kernels.sh" stock "$kernel") || return
	release=$(cat "$stock/release")
	rm -rf "$root"
	make -C "$top" install O="$build" KDIR="$kdir" DESTDIR="$root" >&2 || return
	[ -e "$root/lib/modules/$release/updates/vrouter.ko" ] || return
	cp "$stock/lib/modules/$release"/modules.{order,builtin*} "$root/lib/modules/$release/" &&
		ln -s "$stock/lib/modules/$release/kernel" "$root/lib/modules/$release/kernel" &&
		depmod -b "$root" "$release" >&2 && rm "$root/lib/modules/$release/kernel" || return
	echo "$root/lib/modules/$release"
}

run_kernel()
{
	local tests kdir farm images='' image='' modules='' mem=3G

	mapfile -t tests < <(suites_of "$top/tests/cluster" "$kind"
		[ "$kind" != stock ] || [ -n "${VROUTER_PART-}" ] || suites_of "$top/tests/cluster" whole)
	[ ${#tests[@]} != 0 ] || return
	if [[ " ${tests[*]} " == *" kubelet.py "* || " ${tests[*]} " == *" deploy.py "* ]] &&
		! { "$here/deps.sh" kubelet && images=$("$here/kube-images.sh"); }; then
		echo "not ok 1 - $kernel: runtime and images" | tee "$log/$kernel-build.log"
		return
	fi
	if ! { kdir=$("$here/kernels.sh" "${headers[@]}") &&
		farm=$("$here/kmod.sh" -o "$build" "$kdir"); }; then
		echo "not ok 1 - $kernel: kernel and module" | tee "$log/$kernel-build.log"
		return
	fi
	# Two nodes, each with its images in memory.
	[[ " ${tests[*]} " != *" deploy.py "* ]] || mem=5G
	if [[ " ${tests[*]} " == *" deploy.py "* ]] &&
		! { image=$("$here/image.sh" "$build") && modules=$(installed "$kdir"); }; then
		echo "not ok 1 - $kernel: the image, and the module as it is installed" | tee "$log/$kernel-build.log"
		return
	fi
	echo "# cluster: kernel $kernel: ${#tests[@]} suites"
	VROUTER_KO=$farm/vrouter.ko VROUTER_IMAGES=$images VROUTER_IMAGE=$image VROUTER_MODULES=$modules \
		"$here/${runner[0]}" "${runner[@]:1}" -s -t "${CLUSTER_LIMIT:-$limit}" \
		-m "${CLUSTER_MEM:-$mem}" -o "$log/$kernel" \
		"$here/node-guest.sh" "$kernel" "${tests[@]}" | tee "$log/$kernel.log"
	[ "${PIPESTATUS[0]}" = 0 ] ||
		echo "not ok 9999 - $kernel: the guest went through all suites" >>"$log/$kernel.log"
	sed -n '/Run .* as init process/,$p' "$log/$kernel/kernel.log" \
		>"$log/$kernel-kernel.log"
}

if ! kube=$("$here/kube-build.sh"); then
	echo "not ok 1 - Kubernetes" | tee "$log/kube-build.log"
else
	export VROUTER_BUILD=$build VROUTER_SRC=$top VROUTER_KUBE=$kube VROUTER_PART_NAME=cluster
	export TEST_LIMIT=${TEST_LIMIT:-1800}
	limit=9000
	[ -z "${VROUTER_PART-}" ] || limit=3600
	[ -z "$here_too" ] || run_here
	[ -z "$here_too" ] || [ -n "${VROUTER_PART-}" ] || run_oldest
	run_kernel
fi
"$here/totals.py" "$log"
