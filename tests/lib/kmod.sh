#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kmod.sh [-k] [-n NAME] [-o BUILD] KDIR [MAKE-ARGS...]: build the module
# against KDIR out of the source tree, in BUILD/kmod-<release> (-k: the KUnit
# module, in BUILD/kunit-<release>; -n: another suffix), and print that folder.
#
# Kernels before 6.13 write beside the sources, so they get a copy of them.
# Only what changed is copied, with the time of the copy: the source's own may
# be older than an object that was made while it was edited.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$top/build
what=kmod
name=
while getopts kn:o: opt; do
	case $opt in
	k) what=kunit ;;
	n) name=$OPTARG ;;
	o) build=$OPTARG ;;
	*) sed -n '3,5s/^# //p' "$0" >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
kdir=$(cd "${1:?kmod.sh: KDIR is missing}" && pwd)
shift

if [ ! -e "$top/kmod/Makefile.objs" ]; then
	echo "kmod: kmod/Makefile.objs: nothing there yet" >&2
	exit 3
fi

release=$(sed -n 's/^#define UTS_RELEASE "\(.*\)"/\1/p' \
	"$kdir/include/generated/utsrelease.h")
farm=$build/$what-${name:-$release}
mkdir -p "$farm/tests"
exec 8>"$farm/.lock"
flock 8

keep=(--include='*/' --include='*.c' --include='*.h' --include='Makefile.objs'
	--include=Kbuild --exclude='*')
rsync -rlpc --delete --exclude='*.mod.c' --exclude='/linux/' "${keep[@]}" \
	"$top/kmod" "$farm/"
rsync -rlpc --delete "${keep[@]}" "$top/uapi" "$farm/"
for d in kunit bench; do
	[ ! -d "$top/tests/$d" ] ||
		rsync -rlpc --delete --exclude='*.mod.c' "${keep[@]}" \
			"$top/tests/$d" "$farm/tests/"
done
rsync -rlpc "$top/Kbuild" "$farm/"

# What was said to our make (O=, V=) is not meant for the kernel's.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL O V
args=()
[ "$what" = kmod ] || args+=(VROUTER_KUNIT=1)
grep -q '^CONFIG_UML=y' "$kdir/.config" && args+=(ARCH=um)
make -C "$kdir" --no-print-directory -s -j"$(nproc)" "M=$farm" \
	"${args[@]}" "$@" modules </dev/null >&2
echo "$farm"
