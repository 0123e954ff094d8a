#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kube-build.sh: the Kubernetes control plane that tests/cluster/kube pins,
# built on first use and kept in a cache outside the tree. Prints the path of
# the folder with etcd, kube-apiserver, kube-controller-manager, kube-scheduler,
# kubelet and kubectl.
#
#   kube-build.sh          make it if need be
#   kube-build.sh -n       only print the folder; status 1 when it is not made
#   kube-build.sh -g       only print the path of a Go that is new enough
#
# The first time takes 10 to 20 minutes on two cores, and 3 GiB of memory; what
# Go keeps of it in its own caches, 5 GiB. Sources and, where the machine's Go is too old, the toolchain come as
# modules through the proxy that "go env GOPROXY" names.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source=$(cd "$here/../cluster/kube" && pwd)
cache=${VROUTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vrouter}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)

# For machines whose own Go is older than go.mod asks for. The sum is that of
# the module's files, as in a go.sum.
toolchain=go1.26.10
toolchain_sum=h1:5VAGHlY8yl8pTPVSNIez3SNMy6fWabs+QMR25f3oMT0=

# What was said to our make is not meant for anybody here.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL O V T
# Neither another toolchain nor a workspace around the tree.
export GOTOOLCHAIN=local GOWORK=off CGO_ENABLED=0

say() { echo "kube-build: $*" >&2; }
die() { say "$*"; exit 1; }

# True when version $1 is not older than $2.
not_older() { [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]; }

# The pinned toolchain, by means of whatever Go is there.
fetch_toolchain()
{
	local any=$1 dir=$cache/go/$toolchain json from

	if [ ! -e "$dir/.done" ]; then
		say "fetching $toolchain"
		json=$(cd "$cache" && "$any" mod download -json \
			"golang.org/toolchain@v0.0.1-$toolchain.linux-amd64") ||
			die "cannot fetch $toolchain: $json"
		grep -qF "\"Sum\": \"$toolchain_sum\"" <<<"$json" ||
			die "$toolchain is not what it was when it was pinned: $json"
		from=$(sed -n 's/.*"Dir": "\(.*\)".*/\1/p' <<<"$json")
		rm -rf "$dir"
		mkdir -p "$dir"
		cp -r --no-preserve=mode "$from/." "$dir/"
		chmod +x "$dir"/bin/* "$dir"/pkg/tool/*/*
		# A module may not hold another one: its own are renamed in it.
		(cd "$dir" && find . -name _go.mod -execdir mv {} go.mod \;)
		touch "$dir/.done"
	fi
	echo "$dir/bin/go"
}

find_go()
{
	local want go

	want=$(awk '$1 == "go" { print $2 }' "$source/go.mod")
	command -v go >/dev/null || "$here/deps.sh" cluster
	go=$(command -v go) || die "no go on this machine: run deps.sh cluster"
	if not_older "$("$go" env GOVERSION | sed 's/^go//; s/ .*//')" "$want"; then
		echo "$go"
	else
		fetch_toolchain "$go"
	fi
}

# What --version and /version tell; a build outside its repository knows nothing.
version_flags()
{
	local major minor p

	IFS=. read -r major minor _ <<<"${version#v}"
	for p in k8s.io/client-go/pkg/version k8s.io/component-base/version; do
		printf -- ' -X %s.gitVersion=%s -X %s.gitMajor=%s -X %s.gitMinor=%s' \
			$p "$version" $p "$major" $p "$minor"
		printf -- ' -X %s.gitTreeState=archive' $p
	done
}

build()
{
	local go tmp=$dir.new program start=$SECONDS

	go=$(find_go)
	say "building Kubernetes $version with $("$go" env GOVERSION) (long, once)"
	rm -rf "$tmp"
	mkdir -p "$tmp"
	(cd "$source" && "$go" build -mod=readonly -trimpath \
		-ldflags "-s -w$(version_flags)" -o "$tmp/kube" .) \
		>"$dir.log" 2>&1 </dev/null || {
		tail -n 30 "$dir.log" >&2
		die "Kubernetes $version does not build: $dir.log"
	}
	for program in etcd kube-apiserver kube-controller-manager \
		kube-scheduler kubectl kubelet; do
		ln -s kube "$tmp/$program"
	done
	for program in kube-apiserver kubelet; do
		[ "$("$tmp/$program" --version)" = "Kubernetes $version" ] ||
			die "$tmp/$program --version is not Kubernetes $version"
	done
	rm -rf "$dir"
	mv "$tmp" "$dir"
	say "Kubernetes $version built in $((SECONDS - start)) s:" \
		"$(du -m "$dir/kube" | cut -f1) MiB"
}

version=$(awk '$1 == "k8s.io/kubernetes" { print $2 }' "$source/go.mod")
key=$({ cd "$source" && cat go.mod go.sum ./*.go; version_flags; } |
	sha256sum | cut -c1-10)
dir=$cache/kube/$version-$key
case ${1-} in
'')
	mkdir -p "$cache/lock" "$cache/kube"
	exec {fd}>"$cache/lock/kube"
	flock -n "$fd" || { say "waiting for another build"; flock "$fd"; }
	[ -d "$dir" ] || build ;;
-g) find_go; exit 0 ;;
-n) [ -d "$dir" ] || { echo "$dir"; exit 1; } ;;
*) sed -n '3,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
echo "$dir"
