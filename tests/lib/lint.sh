#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lint.sh BUILD: static checks, one TAP line each; what a failing one said is
# printed under it. SUITE=name or T=glob narrows to checks of that name.
set -u

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$1
log=$build/log/lint
rm -rf "$log"
mkdir -p "$log"
cd "$top" || exit 1

# C files below the folders that are there, generated ones left out.
sources()
{
	local dir

	for dir; do
		[ ! -d "$dir" ] || find "$dir" -type f -name '*.[ch]' ! -name '*_gen.[ch]'
	done | sort
}

# The style of the kernel. Left out: notes for patches rather than files,
# advice that fits no module for 6.1 too (kzalloc_obj), and the blank line it wants between
# the one-line functions of a compat pair.
style()
{
	local src=$1

	shift
	"$src/scripts/checkpatch.pl" --no-tree --terse --no-summary --show-types \
		--max-line-length=100 \
		--ignore FILE_PATH_CHANGES,SPDX_LICENSE_TAG,LINUX_VERSION_CODE \
		--ignore CONSTANT_COMPARISON,EMBEDDED_FILENAME,EMBEDDED_FUNCTION_NAME \
		--ignore PREFER_DEFINED_ATTRIBUTE_MACRO,COMPLEX_MACRO,MACRO_ARG_REUSE \
		--ignore MACRO_ARG_PRECEDENCE,TRACING_LOGGING,ALLOC_WITH_SIZEOF \
		--ignore TRAILING_SEMICOLON,UNNECESSARY_PARENTHESES "$@" |
		grep -v 'Please use a blank line after function/struct' && return 1
	return 0
}

checkpatch()
{
	local src list status=0

	src=$("$here/kernels.sh" source sid) || return 1
	mapfile -t list < <(sources kmod uapi)
	[ ${#list[@]} = 0 ] || style "$src" --strict -f "${list[@]}" || status=1
	mapfile -t list < <(sources tests/kunit tests/bench)
	[ ${#list[@]} = 0 ] || style "$src" --ignore MSLEEP,MACRO_WITH_FLOW_CONTROL \
		-f "${list[@]}" || status=1
	return $status
}

# W=1 and sparse. -Werror, because an object that is up to date is not built
# again and so would warn only once; sparse looks at all of them each time.
module()
{
	local kdir check=2 status=0 out

	[ -e kmod/Makefile.objs ] || { echo "kmod: nothing there yet"; return 0; }
	kdir=$("$here/kernels.sh" headers "$1") || return 1
	# Debian 12's sparse is older than what the newest kernels take.
	[ "$1" != sid ] || check=0
	out=$(mktemp)
	"$here/kmod.sh" -o "$build" -n "lint-$1" "$kdir" W=1 C=$check \
		CF=-Wsparse-error KCFLAGS=-Werror >"$out" 2>&1 || status=1
	cat "$out"
	# Said of the kernel's own headers, it is not ours to mend.
	grep -E '(kmod|uapi)/[^ ]*: (warning|error):' "$out" && status=1
	rm -f "$out"
	return $status
}

cppcheck_user()
{
	[ -n "$(sources userspace)" ] || return 0
	cppcheck --quiet --std=c11 --enable=warning,portability,performance \
		--inline-suppr --error-exitcode=1 -j"$(nproc)" \
		--suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
		-D_GNU_SOURCE -Iuapi -Iuserspace/lib -Iuserspace/kube userspace 2>&1
}

clang_tidy()
{
	local cflags list

	mapfile -t list < <(sources userspace | grep '\.c$')
	[ ${#list[@]} -gt 0 ] || return 0
	read -ra cflags < <(pkg-config --cflags libmnl jansson yaml-0.1 libsystemd libmicrohttpd)
	# Warnings are errors by .clang-tidy.
	# shellcheck disable=SC2016 # the inner shell's
	printf '%s\n' "${list[@]}" | xargs -P "$(nproc)" -n 4 sh -c \
		'cflags=$1; shift; exec clang-tidy --quiet "$@" -- $cflags 2>/dev/null' sh \
		"-std=gnu11 -D_GNU_SOURCE -DVR_VERSION=\"0\" -Iuapi -Iuserspace/lib -Iuserspace/kube ${cflags[*]}"
}

shell_scripts()
{
	local list

	mapfile -t list < <(git ls-files -co --exclude-standard | while read -r f; do
		[ -f "$f" ] && head -c 64 "$f" | head -n 1 |
			grep -qE '^#!.*[/ ](ba|da)?sh( |$)' && echo "$f"
	done)
	[ ${#list[@]} -gt 0 ] || return 0
	# SC2154: what a sourced file sets.
	shellcheck -x -e SC2154,SC1091 "${list[@]}"
}

python_scripts()
{
	local list

	mapfile -t list < <(git ls-files -co --exclude-standard '*.py')
	[ ${#list[@]} -gt 0 ] || return 0
	/usr/bin/python3 -W error - "${list[@]}" <<'END'
import ast, sys
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as stream:
        ast.parse(stream.read(), path)
END
}

# The generator checks the spec against the kernel's schema as it reads it.
netlink_spec()
{
	local src dir file status=0

	[ -e uapi/vrouter.yaml ] || { echo "uapi/vrouter.yaml: nothing there yet"; return 0; }
	src=$("$here/kernels.sh" source sid) || return 1
	dir=$(mktemp -d)
	"$here/uapi-gen.sh" "$src" "$dir" || status=1
	for file in $(cd "$dir" && find . -type f); do
		diff -u "$file" "$dir/$file" || status=1
	done
	rm -rf "$dir"
	return $status
}

n=0
check()
{
	local name=$1 what=$2 out start=$SECONDS

	shift 2
	[ -z "${SUITE-}" ] || [ "$name" = "$SUITE" ] || return 0
	# shellcheck disable=SC2053 # a glob
	[ -z "${T-}" ] || [[ $name == $T ]] || return 0
	n=$((n + 1))
	out=$log/$name.txt
	if "$@" >"$out" 2>&1; then
		echo "ok $n - $name: $what # $((SECONDS - start)) s"
	else
		sed 's/^/# /' "$out" | head -n 200
		echo "not ok $n - $name: $what # $((SECONDS - start)) s"
	fi | tee -a "$log/lint.log"
}

echo "TAP version 13"
check spec "generated files are those of uapi/vrouter.yaml" netlink_spec
check shellcheck "shell scripts" shell_scripts
check python "Python scripts parse" python_scripts
check checkpatch "kernel style" checkpatch
check module-6.1 "module for 6.1: W=1, sparse" module 6.1
check module-6.12 "module for 6.12: W=1, sparse" module 6.12
check module-newest "module for the newest kernel: W=1" module sid
check cppcheck "user space by cppcheck" cppcheck_user
check clang-tidy "user space by clang-tidy" clang_tidy
"$here/totals.py" "$log"
