#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# guests.sh BUILD [LOG]: three nodes, each a QEMU guest with a stock kernel: two of one
# version, the third of another. Their network interfaces are on one Ethernet, a
# multicast group that only this run's network namespace has.
set -u

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$1
log=${2:-$build/log/node}
mkdir -p "$log"
kernels=(6.1 6.12 6.1)

if [ -z "${VROUTER_GUESTS_NS-}" ]; then
	VROUTER_GUESTS_NS=1 exec unshare -n "$0" "$@"
fi
ip link set lo up

declare -A ko
for kernel in "${kernels[@]}"; do
	[ -z "${ko[$kernel]-}" ] || continue
	if ! "$here/kernels.sh" stock "$kernel" >/dev/null ||
		! kdir=$("$here/kernels.sh" headers "$kernel") ||
		! farm=$("$here/kmod.sh" -o "$build" "$kdir"); then
		echo "not ok 1 - guests: kernel $kernel and its module" | tee "$log/guests-build.log"
		exit 1
	fi
	ko[$kernel]=$farm/vrouter.ko
done

echo "# node: three guests, kernels ${kernels[*]}"
guest()
{
	local n=$1 kernel=${kernels[$1 - 1]}

	VROUTER_BUILD=$build VROUTER_SRC=$top VROUTER_KO=${ko[$kernel]} \
	QEMU_ARGS="-netdev socket,id=net0,mcast=230.0.0.1:4999,localaddr=127.0.0.1 \
		-device virtio-net-pci,netdev=net0,mac=52:54:00:00:00:0$n" \
		"$here/run-qemu.sh" -s -k "$kernel" -c 1 -m 1G -t "${GUESTS_LIMIT:-600}" \
		-o "$log/guest$n" "$top/tests/node/guests.py" "$n" >"$log/guest$n.log" 2>&1
	echo "$?" >"$log/guest$n.status"
}

for n in 1 2 3; do
	guest $n &
done
wait
bad=0
for n in 1 2 3; do
	cat "$log/guest$n.log"
	status=$(cat "$log/guest$n.status")
	[ "$status" = 0 ] || {
		echo "not ok 9999 - guests: node$n ended with status $status" | tee -a "$log/guest$n.log"
		bad=1
	}
	sed -n '/Run .* as init process/,$p' "$log/guest$n/kernel.log" >"$log/guest$n-kernel.log"
done
exit $bad
