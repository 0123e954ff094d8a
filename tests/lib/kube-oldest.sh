#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kube-oldest.sh: kube-apiserver and kube-controller-manager of the oldest release that
# is supported, 1.20, from Debian's source package, built on first use (4 minutes on two
# cores) and kept in a cache outside the tree. Prints the path of a folder with them, and
# with etcd and kubectl of the release that kube-build.sh makes.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${VROUTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vrouter}
mkdir -p "$cache/kube" "$cache/lock"
cache=$(cd "$cache" && pwd)

# Its Go is older than what the release's own was made with; a library that it has
# looks into the run time's maps, and needs this version of it with any Go since 1.18.
reflect2=github.com/modern-go/reflect2@v1.0.2
reflect2_sum=h1:xBagoLtFs94CBntxluKeaWgTMpvLxC4ur3nMaC9Gz0M=
go119=/usr/lib/go-1.19/bin

unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL O V T

say() { echo "kube-oldest: $*" >&2; }
die() { say "$*"; exit 1; }

# The source package, unpacked into the folder $1, by lists of our own.
fetch()
{
	local to=$1 apt=$cache/apt/sources uri

	# shellcheck disable=SC2016 # apt's own variable
	uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
		grep -v security | head -n 1)
	[ -n "$uri" ] || die "no apt source on this machine"
	mkdir -p "$apt/lists/partial" "$apt/parts" "$apt/archives/partial"
	printf 'Types: deb-src\nURIs: %s\nSuites: bookworm\nComponents: main\nSigned-By: %s\n' "$uri" \
		/usr/share/keyrings/debian-archive-keyring.gpg >"$apt/parts/x.sources"
	local opts=(-qq -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache::Archives=$apt/archives"
		-o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$apt/parts"
		-o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Sandbox::User=root)
	apt-get "${opts[@]}" update >&2
	mkdir -p "$to"
	(cd "$to" && apt-get "${opts[@]}" source --download-only kubernetes >&2 &&
		dpkg-source -x kubernetes_1.20*.dsc kubernetes >&2) || die "no source of Kubernetes 1.20"
	rm -f "$to"/kubernetes_*
}

patch_reflect2()
{
	local vendored=$1/vendor/${reflect2%@*} json from

	json=$(cd "$cache" && GOFLAGS='' GO111MODULE=on "$("$here/kube-build.sh" -g)" mod download -json $reflect2) ||
		die "cannot fetch $reflect2: $json"
	grep -qF "\"Sum\": \"$reflect2_sum\"" <<<"$json" || die "$reflect2 is not what it was when it was pinned"
	from=$(sed -n 's/.*"Dir": "\(.*\)".*/\1/p' <<<"$json")
	rm -rf "$vendored"
	mkdir -p "$vendored"
	cp --no-preserve=mode "$from"/*.go "$from"/*.s "$from"/LICENSE "$vendored/"
	rm -f "$vendored"/*_test.go
}

# As in the release, in its GOPATH; what it is made of is not kept.
build()
{
	local work=$dir.work src=$dir.work/gopath/src/k8s.io/kubernetes start=$SECONDS p=k8s.io/kubernetes/vendor/k8s.io/component-base/version

	"$here/deps.sh" build oldest
	say "building Kubernetes $version (minutes, once)"
	rm -rf "$work"
	fetch "$work/gopath/src/k8s.io"
	patch_reflect2 "$src"
	(cd "$src" && export GOPATH=$work/gopath GOCACHE=$work/cache GO111MODULE=off GOFLAGS='' CGO_ENABLED=0 \
		PATH=$go119:$PATH &&
		make generated_files &&
		go build -trimpath -o "$work/bin/" \
			-ldflags "-s -w -X $p.gitVersion=$version -X $p.gitMajor=1 -X $p.gitMinor=20" \
			./cmd/kube-apiserver ./cmd/kube-controller-manager) >"$dir.log" 2>&1 </dev/null || {
		tail -n 30 "$dir.log" >&2
		die "Kubernetes $version does not build: $dir.log"
	}
	[ "$("$work/bin/kube-apiserver" --version)" = "Kubernetes $version" ] || die "it is not Kubernetes $version"
	rm -rf "$dir"
	mv "$work/bin" "$dir"
	chmod -R u+w "$work" && rm -rf "$work"
	say "Kubernetes $version built in $((SECONDS - start)) s"
}

version=v1.20.2
dir=$cache/kube/$version-$(sha256sum "${BASH_SOURCE[0]}" | cut -c1-10)
newest=$("$here/kube-build.sh")
exec {fd}>"$cache/lock/kube-oldest"
flock "$fd"
[ -d "$dir" ] || build
ln -sfn "$newest/etcd" "$newest/kubectl" "$dir/"
echo "$dir"
