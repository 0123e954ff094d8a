#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# node.sh BUILD [LOG]: the scenario tests (executables tests/node/*.sh and *.py), all
# in one boot of each kernel: the sanitised UML kernel and the stock one. Then
# three nodes as guests of their own, on stock kernels (guests.sh).
#
#   KERNEL=um|6.1    only that kernel
#   SUITE=name       only tests/node/name.*; "guests" is the three guests
#   T=glob           only tests whose name matches
#   NODE_LIMIT       seconds for one boot (default 3600)
#   VROUTER_PART     set by "make test": without the suites that are marked "whole"
#
# tests/node/suites lists them in order.
set -u

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$1
log=$build/log/${2:-node}
# shellcheck source=tests/lib/suites.sh disable=SC1091
. "$here/suites.sh"
rm -rf "$log"
mkdir -p "$log"

run_kernel()
{
	local kernel=$1 kind=$2 runner=$3 kdir farm tests leaks=()

	shift 3
	# what is left in memory when all suites are over and the module is gone
	[ "$kind" != um ] || leaks=(-l)
	mapfile -t tests < <(suites_of "$top/tests/node" "$kind"
		[ "$kind" != um ] || [ -n "${VROUTER_PART-}" ] || suites_of "$top/tests/node" whole)
	if [ ${#tests[@]} = 0 ]; then
		echo "node: no tests for kernel $kernel"
		return
	fi
	echo "# node: kernel $kernel: ${#tests[@]} suites"
	if ! { kdir=$("${@}") && farm=$("$here/kmod.sh" -o "$build" "$kdir"); }; then
		echo "not ok 1 - $kernel: kernel and module" | tee "$log/$kernel-build.log"
		return
	fi
	VROUTER_BUILD=$build VROUTER_SRC=$top VROUTER_KO=$farm/vrouter.ko \
		"$here/$runner" -s "${leaks[@]}" -t "${NODE_LIMIT:-3600}" -m 3G -o "$log/$kernel" \
		"$here/node-guest.sh" "$kernel" "${tests[@]}" | tee "$log/$kernel.log"
	[ "${PIPESTATUS[0]}" = 0 ] ||
		echo "not ok 9999 - $kernel: the guest went through all suites" >>"$log/$kernel.log"
	sed -n '/Run .* as init process/,$p' "$log/$kernel/kernel.log" \
		>"$log/$kernel-kernel.log"
}

case ${KERNEL-} in
'' | um) run_kernel um um run-uml.sh "$here/kernels.sh" uml debug ;;
esac
case ${KERNEL-} in
'' | 6.1 | stock) run_kernel 6.1 stock run-qemu.sh "$here/kernels.sh" headers 6.1 ;;
esac
case ${KERNEL-}/${SUITE-}${T-} in
/ | /guests | stock/ | stock/guests)
	"$here/guests.sh" "$build" "$log" ||
		echo "not ok 9999 - guests: all three came to their end" >"$log/guests-end.log"
	;;
esac
"$here/totals.py" "$log"
