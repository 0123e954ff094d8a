#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kunit-guest.sh VROUTER_KO KUNIT_KO: in the guest of kunit.sh. The suites run
# when their module is inserted and report in the kernel's log.
set -u

echo 8 >/proc/sys/kernel/printk
n=0
step()
{
	local what=$1

	shift
	n=$((n + 1))
	if "$@"; then echo "ok $n - $what"; else echo "not ok $n - $what"; fi
}

dmesg -C
step "vrouter_kunit.ko is inserted" insmod "$2"
echo "# the suites' results:"
dmesg | sed -n 's/^\[[^]]*\] \{0,1\}/# /p' | grep -E '^# +(#|not ok|ok)' | grep -v ' # [a-z]*.speed'
step "vrouter_kunit.ko is removed" rmmod vrouter_kunit
step "vrouter.ko is inserted" insmod "$1"
step "a network namespace comes and goes" unshare -n true
step "vrouter.ko is removed" rmmod vrouter
echo "1..$n"
