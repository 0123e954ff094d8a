#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kernels.sh: kernels to build against and to boot, made on first use and kept
# in a cache outside the tree. Prints one path on standard output.
#
#   headers 6.1|6.12|sid   a KDIR that works with the gcc at hand
#   stock 6.1|6.12         a folder with vmlinuz, release and lib/modules/
#   source sid             the newest kernel's unpacked source
#   uml debug|native       a build folder of a UML kernel: linux, and a KDIR
#   refresh                forget which versions are the newest ones
#
# Nothing of another suite is installed on the machine: its packages are
# unpacked into the cache. Mirrors are the machine's own.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${VROUTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vrouter}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)

# What was said to our make (O=, V=) is not meant for the kernel's.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL O V

say() { echo "kernels: $*" >&2; }
die() { say "$*"; exit 1; }

# Parallel callers of the same thing wait for the first one.
lock()
{
	local fd

	mkdir -p "$cache/lock"
	exec {fd}>"$cache/lock/$1"
	flock -n "$fd" || {
		say "waiting for another run that makes $1"
		flock "$fd"
	}
}

codename() { sed -n 's/^VERSION_CODENAME=//p' /etc/os-release; }

# The first archive that the machine's own apt knows, security ones left out:
# other suites live beside it.
mirror()
{
	# shellcheck disable=SC2016 # apt's own variable
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
		grep -v security | head -n 1
}

# apt on lists of our own. SUITE "own" stands for the machine's sources.
declare -a apt_opts
apt_setup()
{
	local suite=$1 dir uri key=/usr/share/keyrings/debian-archive-keyring.gpg

	dir=$cache/apt/$suite
	mkdir -p "$dir/lists/partial" "$dir/parts" "$dir/archives/partial"
	apt_opts=(-qq -o "Dir::State::Lists=$dir/lists"
		-o "Dir::State::status=/dev/null"
		-o "Dir::Cache::Archives=$dir/archives"
		-o "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false"
		-o "Acquire::Languages=none" -o "Acquire::Retries=3"
		-o "APT::Sandbox::User=root")
	if [ "$suite" != own ]; then
		uri=$(mirror)
		[ -n "$uri" ] || die "no apt source on this machine"
		printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n' \
			"$uri" "$suite" >"$dir/parts/x.sources"
		[ ! -e $key ] ||
			echo "Signed-By: $key" >>"$dir/parts/x.sources"
		apt_opts+=(-o "Dir::Etc::SourceList=/dev/null"
			-o "Dir::Etc::SourceParts=$dir/parts")
	fi
}

apt_update()
{
	say "reading the package lists of $1"
	apt-get "${apt_opts[@]}" update >&2
}

# The first version-bearing dependency of a metapackage, as "package version".
newest()
{
	local meta=$1 pattern=$2

	apt-cache "${apt_opts[@]}" show --no-all-versions "$meta" |
		awk -v p="$pattern" '
			/^Version:/ { v = $2 }
			/^Depends:/ && match($0, p) { d = substr($0, RSTART, RLENGTH) }
			END { if (d == "") exit 1; print d, v }'
}

# Versions are looked up once; "refresh" looks anew.
resolve()
{
	local name=$1 suite=$2 meta=$3 pattern=$4 file

	file=$cache/resolved/$name
	apt_setup "$suite"
	if [ ! -s "$file" ]; then
		apt_update "$suite"
		mkdir -p "$cache/resolved"
		newest "$meta" "$pattern" >"$file.new" ||
			die "no $meta in $suite"
		mv "$file.new" "$file"
	fi
	cat "$file"
}

# fetch SUITE FOLDER PACKAGE...: unpack packages into FOLDER, whole or not at all.
fetch()
{
	local suite=$1 dir=$2 tmp deb

	shift 2
	apt_setup "$suite"
	tmp=$dir.new
	rm -rf "$tmp"
	mkdir -p "$tmp/deb" "$tmp/root"
	say "fetching $*"
	(cd "$tmp/deb" && { apt-get "${apt_opts[@]}" download "$@" >&2 ||
		{ apt_update "$suite" &&
			apt-get "${apt_opts[@]}" download "$@" >&2; }; }) || return 1
	for deb in "$tmp"/deb/*.deb; do
		dpkg-deb -x "$deb" "$tmp/root"
	done
	rm -rf "$dir"
	mv "$tmp/root" "$dir"
	rm -rf "$tmp"
}

own_headers()
{
	local dir

	dir=$(find /usr/src -maxdepth 1 -name 'linux-headers-6.1.*-amd64' \
		2>/dev/null | sort -V | tail -n 1)
	[ -n "$dir" ] || return 1
	echo "$dir"
}

headers_unpacked()
{
	local name=$1 suite=$2 pkg version rel dir kdir

	read -r pkg version < <(resolve "headers-$name" "$suite" \
		linux-headers-amd64 'linux-headers-[0-9][^ ,]*-amd64') ||
		die "no headers of $name"
	rel=${pkg#linux-headers-}
	dir=$cache/headers/$version
	kdir=$dir/usr/src/linux-headers-$rel
	if [ ! -e "$dir/.done" ]; then
		fetch "$suite" "$dir" "$pkg" "linux-headers-${rel%-amd64}-common" \
			"linux-kbuild-${rel%-amd64}" ||
			die "cannot fetch $pkg (try: kernels.sh refresh)"
		# They think they are installed, ask for their own gcc, and
		# would want pahole for the types in vmlinux.
		sed -i "s,/usr/src/,$dir/usr/src/,g" "$kdir/Makefile"
		sed -i -E 's/gcc-[0-9]+/gcc/' "$kdir/.kernelvariables"
		rm -f "$kdir/vmlinux"
		touch "$dir/.done"
	fi
	echo "$kdir"
}

# The newest headers' tools and options need a newer libc and gcc than ours:
# take their .config and exported symbols, and prepare a tree from its source.
headers_prepared()
{
	local debian src dir

	debian=$(headers_unpacked sid sid)
	src=$(source_tree sid)
	dir=$cache/prepared/${src##*/}-gcc$(gcc -dumpversion)
	if [ ! -e "$dir/.done" ]; then
		say "preparing ${src##*/} for module builds (a minute)"
		mkdir -p "$dir"
		cp "$debian/.config" "$dir/.config"
		"$src/scripts/config" --file "$dir/.config" \
			-d DEBUG_INFO_BTF -d RUST -d MODULE_SIG \
			-d SYSTEM_TRUSTED_KEYRING
		{
			make -C "$src" "O=$dir" olddefconfig &&
			make -C "$src" "O=$dir" -j"$(nproc)" modules_prepare
		} </dev/null >"$dir/build.log" 2>&1 || {
			tail -n 30 "$dir/build.log" >&2
			die "cannot prepare the sources: $dir/build.log"
		}
		cp "$debian/Module.symvers" "$dir/"
		touch "$dir/.done"
	fi
	echo "$dir"
}

headers()
{
	case $1 in
	6.1) own_headers || die "no 6.1 headers installed: run deps.sh" ;;
	6.12) lock headers-6.12; headers_unpacked 6.12 "$(codename)-backports" ;;
	sid) lock headers-sid; headers_prepared ;;
	*) die "headers of $1? (6.1, 6.12, sid)" ;;
	esac
}

stock_unpack()
{
	local suite=$1 rel=$2 dir=$3

	fetch "$suite" "$dir" "linux-image-$rel" || return 1
	ln -sfn "boot/vmlinuz-$rel" "$dir/vmlinuz"
	echo "$rel" >"$dir/release"
	[ -d "$dir/lib/modules" ] || ln -sfn usr/lib "$dir/lib"
	depmod -b "$dir" "$rel"
	touch "$dir/.done"
}

# The archive has moved on; so must the headers.
own_upgrade()
{
	apt-get -qq -o DPkg::Lock::Timeout=600 update >&2
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
		-o DPkg::Lock::Timeout=600 --no-install-recommends \
		install linux-headers-amd64 </dev/null >&2
}

# The image whose modules and ABI are those of the headers.
stock()
{
	local kdir rel dir suite=own

	case $1 in
	6.1) ;;
	6.12) suite=$(codename)-backports ;;
	*) die "stock kernel $1? (6.1, 6.12)" ;;
	esac
	lock "stock-$1"
	kdir=$(headers "$1")
	rel=${kdir##*/linux-headers-}
	dir=$cache/stock/$rel
	if [ ! -e "$dir/.done" ] && ! stock_unpack "$suite" "$rel" "$dir"; then
		[ "$1" = 6.1 ] || die "no stock kernel image for $rel (try: kernels.sh refresh)"
		say "no image for $rel any more: upgrading linux-headers-amd64"
		own_upgrade
		kdir=$(own_headers)
		rel=${kdir##*/linux-headers-}
		dir=$cache/stock/$rel
		[ -e "$dir/.done" ] || stock_unpack own "$rel" "$dir" ||
			die "no stock kernel image for $rel"
	fi
	echo "$dir"
}

source_tree()
{
	local pkg version dir key patch

	[ "$1" = sid ] || die "source of $1? (sid)"
	lock source-sid
	read -r pkg version < <(resolve source-sid sid linux-source \
		'linux-source-[0-9][0-9.]*') || die "no linux-source in sid"
	dir=$cache/source/$version
	key=$(cat "$here"/um-*.patch | sha256sum | cut -c1-10)
	if [ ! -e "$dir/.done-$key" ]; then
		fetch sid "$dir.deb" "$pkg" ||
			die "cannot fetch $pkg (try: kernels.sh refresh)"
		say "unpacking $pkg $version"
		rm -rf "$dir"
		mkdir -p "$dir"
		tar -C "$dir" --strip-components=1 -xf \
			"$dir.deb/usr/src/$pkg.tar.xz"
		rm -rf "$dir.deb"
		# They only make UML faster: a kernel that has moved on does
		# without.
		for patch in "$here"/um-*.patch; do
			if patch -d "$dir" -p1 -s --dry-run <"$patch" >&2; then
				patch -d "$dir" -p1 -s --no-backup-if-mismatch <"$patch"
			else
				say "${patch##*/} does not fit $pkg $version: left out"
			fi
		done
		touch "$dir/.done-$key"
	fi
	echo "$dir"
}

# An option that a newer kernel renamed vanishes without a word: say it.
check_config()
{
	local frag=$1 config=$2 line

	while read -r line; do
		case $line in
		*=n | \#* | '') continue ;;
		CONFIG_*) grep -qxF "$line" "$config" ||
			say "warning: $line is not in the final .config" ;;
		esac
	done <"$frag"
}

uml()
{
	local kind=$1 src version frag key dir

	case $kind in
	native) frag=(um-native.config) ;;
	debug) frag=(um-native.config um-debug.config) ;;
	*) die "UML kernel $kind? (debug, native)" ;;
	esac
	src=$(source_tree sid)
	version=${src##*/}
	key=$({ cd "$here" && cat "${frag[@]}" um-*.patch && gcc -dumpfullversion; } |
		sha256sum | cut -c1-10)
	dir=$cache/uml/$kind-$version-$key
	lock "uml-$kind"
	if [ ! -e "$dir/.done" ]; then
		say "building the UML $kind kernel $version (some minutes)"
		mkdir -p "$dir"
		{
			(cd "$here" && cat "${frag[@]}")
			# Module builds of the two kinds are kept apart by it.
			echo "CONFIG_LOCALVERSION=\"-vr-$kind\""
		} >"$dir/fragment"
		{
			make -C "$src" ARCH=um "O=$dir" -s \
				"KCONFIG_ALLCONFIG=$dir/fragment" allnoconfig &&
			make -C "$src" ARCH=um "O=$dir" -j"$(nproc)" all
		} </dev/null >"$dir/build.log" 2>&1 || {
			tail -n 30 "$dir/build.log" >&2
			die "the UML kernel does not build: $dir/build.log"
		}
		check_config "$dir/fragment" "$dir/.config"
		touch "$dir/.done"
		say "UML $kind kernel built"
	fi
	echo "$dir"
}

case ${1-} in
headers) headers "${2-}" ;;
stock) stock "${2-}" ;;
source) source_tree "${2-}" ;;
uml) uml "${2-}" ;;
refresh) rm -rf "$cache/resolved" ;;
*) sed -n '3,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
