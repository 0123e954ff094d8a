#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kube-images.sh: the images of the pods that a real kubelet starts, from the
# programs of tests/cluster/images, built on first use and kept in a cache
# outside the tree. Prints the path of the archive, for "ctr images import":
# vrouter.test/pause:1, vrouter.test/agent:1 and vrouter.test/dns:1.
#
#   kube-images.sh       make it if need be
#   kube-images.sh -n    only print the path; status 1 when it is not made
#
# The first time takes 2 to 5 minutes on two cores after kube-build.sh.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source=$(cd "$here/../cluster/images" && pwd)
cache=${VROUTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vrouter}

unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL O V T
export GOTOOLCHAIN=local GOWORK=off CGO_ENABLED=0

say() { echo "kube-images: $*" >&2; }

build()
{
	local go tmp=$archive.new program

	go=$("$here/kube-build.sh" -g)
	say "building the images of the pods"
	rm -rf "$tmp"
	mkdir -p "$tmp"
	for program in agent dns; do
		(cd "$source" && "$go" build -mod=readonly -trimpath -ldflags '-s -w' \
			-o "$tmp/$program" "./$program") >"$tmp/log" 2>&1 </dev/null || {
			tail -n 30 "$tmp/log" >&2
			say "$program does not build"
			exit 1
		}
	done
	"$here/kube-images.py" "$tmp/archive" \
		vrouter.test/pause:1="$tmp/agent pause" \
		vrouter.test/agent:1="$tmp/agent serve" \
		vrouter.test/dns:1="$tmp/dns"
	mv "$tmp/archive" "$archive"
	rm -rf "$tmp"
	say "$archive: $(du -m "$archive" | cut -f1) MiB"
}

key=$(cd "$source" && cat go.mod go.sum ./*/*.go "$here/kube-images.py" "$here/kube-images.sh" |
	sha256sum | cut -c1-10)
archive=$cache/kube/images-$key.tar
case ${1-} in
'')
	mkdir -p "$cache/lock" "$cache/kube"
	exec {fd}>"$cache/lock/kube-images"
	flock "$fd"
	[ -e "$archive" ] || build ;;
-n) [ -e "$archive" ] || { echo "$archive"; exit 1; } ;;
*) sed -n '3,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
echo "$archive"
