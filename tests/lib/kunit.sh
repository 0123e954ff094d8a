#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kunit.sh BUILD: the module's KUnit suites in the sanitised UML kernel, then
# the module itself loaded and unloaded; leaks looked for after both.
# SUITE=name or T=glob narrows to suites (KUnit's own filter_glob).
set -u

here=$(cd "$(dirname "$0")" && pwd)
build=$1
log=$build/log/kunit
rm -rf "$log"
mkdir -p "$log"

if [ ! -e "$here/../../kmod/Makefile.objs" ] ||
	[ ! -e "$here/../kunit/Makefile.objs" ]; then
	echo "kunit: tests/kunit/Makefile.objs: nothing there yet"
	exec "$here/totals.py" "$log"
fi

fail()
{
	echo "not ok 1 - $1" | tee "$log/build.log"
	"$here/totals.py" "$log"
	exit 1
}

echo "# kunit: kernel and modules"
kdir=$("$here/kernels.sh" uml debug) || fail "the debug UML kernel"
farm=$("$here/kmod.sh" -o "$build" "$kdir") || fail "vrouter.ko builds for UML"
unit=$("$here/kmod.sh" -k -o "$build" "$kdir") ||
	fail "vrouter_kunit.ko builds for UML"

filter=${T:-${SUITE:+*$SUITE*}}
echo "# kunit: booting the sanitised kernel"
# The kernel's own log is the KTAP; what it complains of is counted with it.
"$here/run-uml.sh" -k debug -l -s -t 900 -o "$log/run" \
	-a "kunit.enable=1 kunit.autorun=1${filter:+ kunit.filter_glob=$filter}" \
	"$here/kunit-guest.sh" "$farm/vrouter.ko" "$unit/vrouter_kunit.ko" |
	tee "$log/guest.log"
[ "${PIPESTATUS[0]}" = 0 ] || echo "not ok 9 - the guest ended well" >>"$log/guest.log"

# Everything from the first program on; test titles may quote no time stamps.
sed -n '/Run .* as init process/,$p' "$log/run/kernel.log" >"$log/kernel.log"
"$here/totals.py" "$log"
