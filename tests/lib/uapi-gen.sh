#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Generates what is made from uapi/vrouter.yaml, with the generator of a kernel
# source tree:
#
#   uapi/linux/vrouter.h    constants for programs and module
#   kmod/nl/nl_gen.[ch]     netlink policies and table of operations
#   kmod/obs/drop_gen.h     list of drop reasons
#
# usage: uapi-gen.sh KERNEL_SOURCE [OUTPUT_FOLDER]
# Without OUTPUT_FOLDER the files of the tree are replaced. The results are
# committed; "make lint" generates into a folder and compares.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
src=${1:?usage: uapi-gen.sh KERNEL_SOURCE [OUTPUT_FOLDER]}
out=${2:-$top}
gen=$src/tools/net/ynl/pyynl/ynl_gen_c.py
python=${PYTHON:-/usr/bin/python3}

[ -f "$gen" ] || { echo "uapi-gen.sh: no $gen; it takes the source of Linux 6.15 or newer" >&2; exit 1; }

# The generator finds the schema and names the spec by their places in a kernel tree.
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/uapi"
: > "$tmp/MAINTAINERS"
cp "$top/uapi/vrouter.yaml" "$tmp/uapi/"
cp "$src"/Documentation/netlink/genetlink-legacy.yaml "$tmp/"

ynl() { # FILE ARG...
	file=$1; shift
	mkdir -p "$(dirname "$out/$file")"
	PYTHONDONTWRITEBYTECODE=1 "$python" "$gen" --spec "$tmp/uapi/vrouter.yaml" "$@" \
		-o "$tmp/$(basename "$file")"
	sed -e 's|tools/net/ynl/ynl-regen.sh|tests/lib/uapi-gen.sh|' \
		-e 's|<uapi/linux/vrouter.h>|<linux/vrouter.h>|' \
		"$tmp/$(basename "$file")" > "$tmp/done"
	cmp -s "$tmp/done" "$out/$file" || cp "$tmp/done" "$out/$file"
}

ynl uapi/linux/vrouter.h --mode uapi --header
ynl kmod/nl/nl_gen.h --mode kernel --header
ynl kmod/nl/nl_gen.c --mode kernel --source

mkdir -p "$out/kmod/obs"
"$python" "$top/tests/lib/drop-gen.py" "$top/uapi/vrouter.yaml" > "$tmp/done"
cmp -s "$tmp/done" "$out/kmod/obs/drop_gen.h" || cp "$tmp/done" "$out/kmod/obs/drop_gen.h"
