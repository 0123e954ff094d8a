# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Which suites node.sh and cluster.sh run. Sourced.
#
# FOLDER/suites may list them in order, each with the kinds it is of.

# The tests in a folder for a kernel ("um" or "stock") or another kind, by file name, in
# order; those of no kind are of each kernel. $SUITE and $T narrow: suites_of FOLDER KIND
suites_of()
{
	local folder=$1 kind=$2 name where file

	if [ -e "$folder/suites" ]; then
		grep -vE '^[[:space:]]*(#|$)' "$folder/suites"
	else
		find "$folder" -maxdepth 1 -type f -perm -u+x \
			\( -name '*.sh' -o -name '*.py' \) -printf '%f\n' | sort
	fi 2>/dev/null | while read -r name where; do
		case "$kind: $where " in *" $kind "* | um:"  " | stock:"  ") ;; *) continue ;; esac
		for file in "$folder/${name%.??}".{sh,py}; do
			[ -x "$file" ] || continue
			name=${file##*/}
			[ -z "${SUITE-}" ] || [ "${name%.??}" = "${SUITE%.??}" ] || continue
			# shellcheck disable=SC2053 # a glob
			[ -z "${T-}" ] || [[ ${name%.??} == $T || $name == $T ]] || continue
			echo "$name"
		done
	done
}
