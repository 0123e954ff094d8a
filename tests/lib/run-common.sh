# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What run-uml.sh and run-qemu.sh share: options, the folder of a run, and the
# verdict. Sourced.
#
#   -m MEM      memory (default 2G; 1G under QEMU)
#   -c CPUS     CPUs (default 2)
#   -k KERNEL   debug|native (UML), 6.1|6.12 (QEMU)
#   -a APPEND   more kernel command line
#   -t SECONDS  time limit (default 900)
#   -o FOLDER   keep kernel.log, out.log (what the script printed) and dmesg
#               there, and give the guest that folder to write to ($VROUTER_RUN)
#   -l          look for leaked memory at the end (debug kernel, a minute)
#   -s          splats of the kernel are the caller's to judge, not failures
#
# The script runs as root with the caller's environment and working folder; its
# standard output and error are the caller's standard output; its exit status
# is handed through. 99: the kernel complained. 124: time ran out. 98: no boot.

# shellcheck disable=SC2034 # used by those who source this
run_options()
{
	local opt OPTIND=1

	mem='' cpus=2 kernel='' append='' limit=900 keep='' leaks=0 judge=1
	while getopts m:c:k:a:t:o:ls opt; do
		case $opt in
		m) mem=$OPTARG ;;
		c) cpus=$OPTARG ;;
		k) kernel=$OPTARG ;;
		a) append=$OPTARG ;;
		t) limit=$OPTARG ;;
		o) keep=$OPTARG ;;
		l) leaks=1 ;;
		s) judge=0 ;;
		*) exit 2 ;;
		esac
	done
	shift $((OPTIND - 1))
	[ $# -gt 0 ] || { echo "${0##*/}: no script given" >&2; exit 2; }
	command=("$@")
}

# The run's folder, seen in the guest under the same name.
run_folder()
{
	if [ -n "$keep" ]; then
		mkdir -p "$keep"
		run=$(cd "$keep" && pwd -P)
		rm -f "$run"/{status,kmemleak,dmesg,kernel.log,out.log}
	else
		run=$(mktemp -d "${TMPDIR:-/tmp}/vrouter-run.XXXXXX")
	fi
	echo "VROUTER_KMEMLEAK=$leaks" >"$run/options"
	{
		# Of the environment only what a script may want: never what
		# names the machine's own sockets, temporary or run folders.
		export -p | grep -vE '^declare -x (TMPDIR|XDG_[A-Z_]*|DISPLAY|DBUS_[A-Z_]*|SSH_[A-Z_]*|SHLVL|OLDPWD|PWD|PATH|HOME|TERM|MAKEFLAGS|MFLAGS|MAKELEVEL|MAKEOVERRIDES|LD_PRELOAD|_)(=|$)'
		printf 'export VROUTER_RUN=%q\n' "$run"
		printf 'cd %q || exit 98\n' "$PWD"
		printf 'exec'
		printf ' %q' "${command[@]}"
		printf '\n'
	} >"$run/cmd"
}

# Says how the run ended: run_verdict EXIT-STATUS-OF-THE-EMULATOR
run_verdict()
{
	local here status

	here=$(dirname "${BASH_SOURCE[0]}")
	if [ -s "$run/status" ]; then
		status=$(cat "$run/status")
	elif [ "$1" = 124 ] || [ "$1" = 137 ]; then
		echo "${0##*/}: time ran out after $limit s" >&2
		tail -n 40 "$run/kernel.log" >&2
		status=124
	else
		echo "${0##*/}: the guest ended before its script (status $1)" >&2
		tail -n 60 "$run/kernel.log" >&2
		status=98
	fi
	if [ -s "$run/kmemleak" ]; then
		cat "$run/kmemleak"
		echo "[    0.000000] BUG: unreferenced object (kmemleak, above)" \
			>>"$run/kernel.log"
	fi
	if [ "$judge" = 1 ] && ! "$here/totals.py" --splats "$run/kernel.log"; then
		[ "$status" != 0 ] || status=99
	fi
	if [ -z "$keep" ]; then
		rm -rf "$run"
	fi
	exit "$status"
}
