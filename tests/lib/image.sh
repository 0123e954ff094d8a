#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# image.sh BUILD: the image that userspace/deploy/kubernetes/Containerfile
# makes of the programs in BUILD. Prints the path of its archive, for "ctr
# images import", kept in a cache outside the tree until a program changes.
#
# There is no registry: what the recipe takes for Debian's image is made of the
# machine's own package sources. That, and what the recipe installs, are made
# once (2 minutes) and kept by buildah; programs are laid on top in seconds.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$(cd "${1:?image.sh: BUILD is missing}" && pwd)
cache=${VROUTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vrouter}
mkdir -p "$cache/image" "$cache/lock"
cache=$(cd "$cache" && pwd)
deploy=userspace/deploy/kubernetes
recipe=$top/$deploy/Containerfile
programs=(contrail-kube-manager vrouterd vrctl contrail-cni)

say() { echo "image: $*" >&2; }
die() { say "$*"; exit 1; }

# vfs: the cache may be on a file system that overlays cannot be laid on.
buildah() { command buildah --root "$cache/image/store" --runroot "$cache/image/run" --storage-driver vfs "$@"; }

# The machine's Debian sources, as one-line entries.
sources()
{
	# shellcheck disable=SC2016 # apt's own variables
	apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' 'Origin: Debian' | grep " bookworm" | sort -u
}

# As slim as the real one, whose apt keeps no packages either; with what the
# machine's apt is told of proxies and dates.
make_base()
{
	local dir=$tmp/base

	say "making $base (a minute, once)"
	mkdir "$dir"
	sources >"$dir/sources.list" || die "no source of Debian 12 on this machine"
	apt-config dump --no-empty | grep -E '^Acquire::(https?::|Check-|Retries)' >"$dir/apt.conf" || :
	printf '%s\n' 'Dir::Cache::pkgcache "";' 'Dir::Cache::srcpkgcache "";' \
		'APT::Keep-Downloaded-Packages "false";' >"$dir/clean.conf"
	printf 'FROM scratch\nADD root.tar /\n' >"$dir/Containerfile"
	# shellcheck disable=SC2016 # the hook's own variable
	mmdebstrap --quiet --variant=apt --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr --aptopt="$dir/apt.conf" \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
		--customize-hook='rm -f "$1"/var/cache/apt/*.bin' \
		--customize-hook="upload $dir/clean.conf /etc/apt/apt.conf.d/clean" \
		bookworm "$dir/root.tar" "$dir/sources.list" &&
		buildah build --isolation chroot --timestamp 0 --label "made-by=$made_by" --tag "$base" "$dir"
}

# The recipe's own context: no more than it copies, at the places it names.
make_image()
{
	local dir=$tmp/context

	mkdir -p "$dir/build" "$dir/$deploy"
	cp "${programs[@]/#/$build/}" "$dir/build/"
	cp "$top/$deploy/vrouter-install" "$dir/$deploy/"
	buildah build --isolation chroot --layers --pull-never --timestamp 0 --file "$recipe" --tag "$image" "$dir"
}

# Each program starts and finds its libraries in it.
check_image()
{
	local name

	name=$(buildah from --pull-never "$image")
	# shellcheck disable=SC2016 # the image's shell's
	buildah run --isolation chroot "$name" -- sh -c 'for p; do
		ldd "$(command -v "$p")" | grep "not found" && exit 1
		"$p" --help >/dev/null || exit
	done' sh "${programs[@]}"
}

# What a step says is told only when it fails.
step()
{
	"$@" >"$tmp/log" 2>&1 </dev/null && return
	tail -n 30 "$tmp/log" >&2
	die "$* failed"
}

base_is_there()
{
	local label='{{index .OCIv1.Config.Labels "made-by"}}'

	[ "$(buildah inspect --type image --format "$label" "$base" 2>/dev/null)" = "$made_by" ]
}

build()
{
	local start=$SECONDS

	"$here/deps.sh" image
	tmp=$(mktemp -d "$cache/image/tmp.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	base_is_there || step make_base
	step make_image
	step check_image
	step buildah push "$image" "docker-archive:$tmp/archive:$image"
	# what was only for this run, and what older programs were in
	step buildah rm --all
	step buildah rmi --prune
	rm -f "$cache"/image/*.tar
	mv "$tmp/archive" "$archive"
	say "$archive: $(du -m "$archive" | cut -f1) MiB, in $((SECONDS - start)) s"
}

base=debian:12-slim
# by the name that the manifests have
image=$(sed -n 's/^ *image: //p' "$top/$deploy/node.yaml" | sort -u)
made_by=$(declare -f make_base sources | sha256sum | cut -c1-10)
archive=$cache/image/vrouter-$({ cd "$build" && sha256sum "${programs[@]}" &&
	cat "$recipe" "$top/$deploy/vrouter-install" && echo "$made_by"; } | sha256sum | cut -c1-10).tar
exec {fd}>"$cache/lock/image"
flock "$fd"
[ -e "$archive" ] || build
echo "$archive"
