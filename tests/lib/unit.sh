#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# unit.sh BUILD ok|"not ok" TEST...: run built cmocka tests, keep their TAP, add
# it up. The second word tells whether all of them were built.
set -u

here=$(cd "$(dirname "$0")" && pwd)
build=$1
built=$2
shift 2
log=$build/log/unit
rm -rf "$log"
mkdir -p "$log"

export CMOCKA_MESSAGE_OUTPUT=TAP
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

[ $# -gt 0 ] || echo "unit: tests/unit: nothing there yet"
[ "$built" = ok ] || echo "not ok 1 - every unit test builds" | tee "$log/build.log"
n=0
for t; do
	[ -x "$t" ] || continue
	n=$((n + 1))
	name=${t##*/}
	echo "# unit: $name ($n of $#)"
	# The closing line counts only where the test's own lines don't: when
	# it crashed, or a sanitiser spoke after the last of them.
	(
		timeout 300 "$t" </dev/null 2>&1 | sed -u 's/^/    /'
		status=${PIPESTATUS[0]}
		[ "$status" = 0 ] && echo "ok $n - $name" ||
			echo "not ok $n - $name (exit status $status)"
	) | tee "$log/$name.log"
done
"$here/totals.py" "$log"
