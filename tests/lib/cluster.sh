#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# cluster.sh BUILD: the suites of tests/cluster against a real Kubernetes
# control plane, in one boot of the stock kernel.
#
#   KERNEL=um        in the sanitised UML kernel instead
#   SUITE=name       only tests/cluster/name.*
#   T=glob           only suites whose name matches
#   CLUSTER_LIMIT    seconds for the boot (default 2400)
set -u

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$1
log=$build/log/cluster
# shellcheck source=tests/lib/suites.sh disable=SC1091
. "$here/suites.sh"
rm -rf "$log"
mkdir -p "$log"

case ${KERNEL-} in
'' | 6.1 | stock) kernel=6.1 kind=stock runner=(run-qemu.sh) headers=(headers 6.1) ;;
um) kernel=um kind=um runner=(run-uml.sh -k debug) headers=(uml debug) ;;
*) echo "cluster: kernel $KERNEL? (6.1, um)" >&2; exit 2 ;;
esac

mapfile -t tests < <(suites_of "$top/tests/cluster" "$kind")
if [ ${#tests[@]} = 0 ]; then
	echo "cluster: no suites for kernel $kernel"
elif ! kube=$("$here/kube-build.sh"); then
	echo "not ok 1 - $kernel: Kubernetes" | tee "$log/$kernel-build.log"
elif ! { kdir=$("$here/kernels.sh" "${headers[@]}") &&
	farm=$("$here/kmod.sh" -o "$build" "$kdir"); }; then
	echo "not ok 1 - $kernel: kernel and module" | tee "$log/$kernel-build.log"
else
	echo "# cluster: kernel $kernel: ${#tests[@]} suites"
	export VROUTER_BUILD=$build VROUTER_SRC=$top VROUTER_KO=$farm/vrouter.ko
	export VROUTER_KUBE=$kube VROUTER_PART_NAME=cluster TEST_LIMIT=${TEST_LIMIT:-1500}
	"$here/${runner[0]}" "${runner[@]:1}" -s -t "${CLUSTER_LIMIT:-2400}" \
		-m "${CLUSTER_MEM:-3G}" -o "$log/$kernel" \
		"$here/node-guest.sh" "$kernel" "${tests[@]}" | tee "$log/$kernel.log"
	[ "${PIPESTATUS[0]}" = 0 ] ||
		echo "not ok 9999 - $kernel: the guest went through all suites" >>"$log/$kernel.log"
	sed -n '/Run .* as init process/,$p' "$log/$kernel/kernel.log" \
		>"$log/$kernel-kernel.log"
fi
"$here/totals.py" "$log"
