#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# node.sh BUILD: the scenario tests (executables tests/node/*.sh and *.py), all
# in one boot of each kernel: the sanitised UML kernel and the stock one. Then
# three nodes as guests of their own, on stock kernels (guests.sh).
#
#   KERNEL=um|6.1    only that kernel
#   SUITE=name       only tests/node/name.*; "guests" is the three guests
#   T=glob           only tests whose name matches
#   NODE_LIMIT       seconds for one boot (default 1500)
#
# tests/node/suites may list them in order, "name [um] [stock]" per line.
set -u

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$1
log=$build/log/node
rm -rf "$log"
mkdir -p "$log"

# The tests for a kernel ("um" or "stock"), by file name, in order.
tests_of()
{
	local kind=$1 name where file

	if [ -e "$top/tests/node/suites" ]; then
		grep -vE '^[[:space:]]*(#|$)' "$top/tests/node/suites"
	else
		find "$top/tests/node" -maxdepth 1 -type f -perm -u+x \
			\( -name '*.sh' -o -name '*.py' \) -printf '%f\n' | sort
	fi 2>/dev/null | while read -r name where; do
		case " $where " in *" $kind "* | "  ") ;; *) continue ;; esac
		for file in "$top/tests/node/${name%.??}".{sh,py}; do
			[ -x "$file" ] || continue
			name=${file##*/}
			[ -z "${SUITE-}" ] || [ "${name%.??}" = "${SUITE%.??}" ] || continue
			# shellcheck disable=SC2053 # a glob
			[ -z "${T-}" ] || [[ ${name%.??} == $T || $name == $T ]] || continue
			echo "$name"
		done
	done
}

run_kernel()
{
	local kernel=$1 kind=$2 runner=$3 kdir farm tests leaks=()

	shift 3
	# what is left in memory when all suites are over and the module is gone
	[ "$kind" != um ] || leaks=(-l)
	mapfile -t tests < <(tests_of "$kind")
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
		"$here/$runner" -s "${leaks[@]}" -t "${NODE_LIMIT:-2400}" -m 3G -o "$log/$kernel" \
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
/ | /guests) "$here/guests.sh" "$build" ;;
esac
"$here/totals.py" "$log"
