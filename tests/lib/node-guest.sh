#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# node-guest.sh KERNEL TEST...: in a guest, each scenario test in turn, its TAP
# one level down and one result for the whole of it. VROUTER_PART_NAME is the
# folder under tests/ (default: node).
set -u

kernel=$1
shift
part=${VROUTER_PART_NAME:-node}
n=0
echo "TAP version 13"
echo "1..$#"
for t; do
	n=$((n + 1))
	echo "# $part: $kernel: $t ($n of $#)"
	start=$SECONDS
	# A pipe would hide the status, and a child left behind keep it open.
	out=$(mktemp)
	timeout -k 10 "${TEST_LIMIT:-900}" "$VROUTER_SRC/tests/$part/$t" >"$out" 2>&1 &
	test_pid=$!
	tail -n +1 -s 0.2 -f --pid=$test_pid "$out" | sed -u 's/^/    /'
	wait $test_pid
	status=$?
	rm -f "$out"

	# The next test starts where this one did: no module, no namespaces.
	left=
	for ns in $(ip netns list 2>/dev/null | cut -d' ' -f1); do
		left="$left $ns"
		ip netns pids "$ns" 2>/dev/null | xargs -r kill -9 2>/dev/null
		ip netns del "$ns" 2>/dev/null
	done
	[ "$kernel" = host ] || [ ! -d /sys/module/vrouter ] || rmmod vrouter || left="$left vrouter.ko"
	[ -z "$left" ] || echo "    # left behind by $t:$left"

	took="$((SECONDS - start)) s"
	case $status in
	0) echo "ok $n - $kernel $t # $took" ;;
	4) echo "ok $n - $kernel $t # SKIP exit status 4" ;;
	124) echo "not ok $n - $kernel $t: time ran out after $took" ;;
	*) echo "not ok $n - $kernel $t: exit status $status # $took" ;;
	esac
done
