#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# run.sh: what a packet costs in vrouter and in plain kernel routing, over the
# same veths, in one run. Prints a table and writes build/bench.json.
#
#   (a) the stock 6.1 kernel under QEMU that counts instructions: exact
#   (b) UML, native: nanoseconds, with what the caches do; the least of many
#
#   BENCH=insn|ns|all   which of them (default: all)
#   BENCH=tcp           only the TCP connection between two nodes, by both
#   BENCH=scale         only what manager and daemon cost in a large cluster:
#                       SCALE_PART="native uml api", SCALE="NODES PODS SERVICES POLICIES"
#                       (see scale.py); at the full size 6 GiB of memory
#   BENCH=profile       instead: which functions a packet's instructions go to, by
#                       (a) and perf (package linux-perf)
#   FLOWS="1 1000 100000"   N=16 pods
set -u

here=$(cd "$(dirname "$0")" && pwd)
src=${VROUTER_SRC:-$(cd "$here/../.." && pwd)}
build=${VROUTER_BUILD:-$src/build}
lib=$src/tests/lib
log=$build/log/bench
export N=${N:-16} FLOWS=${FLOWS:-1 1000 100000}
: "${BENCH:=all}"
rm -rf "$log"
mkdir -p "$log"

die() { echo "bench: $*" >&2; exit 1; }

[ -x "$build/vrctl" ] || die "no $build/vrctl: make programs"
case $BENCH in
insn | ns | tcp | scale | all) ;;
profile) command -v perf >/dev/null || die "no perf: apt-get install linux-perf" ;;
*) die "BENCH=$BENCH? (insn, ns, tcp, scale, all, profile)" ;;
esac

modules_for() { "$lib/kmod.sh" -o "$build" "$1" VROUTER_BENCH=1; }

# One case in a guest of its own; its figures go to the log as "METHOD.CASE.name value".
guest()
{
	local method=$1 case=$2 out=$log/$1.$2.log

	shift 2
	echo "# bench: $method, $case"
	"$@" "$here/guest.sh" "$case" "$modules" "$build/vrctl" >"$out" 2>&1
	if ! grep -q "^DONE $case" "$out"; then
		tail -n 20 "$out" >&2
		die "$method, $case: failed, see $out"
	fi
	sed -n "s/^RESULT \([^ ]*\) \(.*\)/$method.$case.\1 \2/p" "$out" |
		tr -d '\r' >>"$log/results"
}

insn_modules()
{
	modules=$(modules_for "$("$lib/kernels.sh" headers 6.1)")/ || die "no modules for 6.1"
	[ -e "$modules/vgen.ko" ] || ln -sfn tests/bench/vgen.ko "$modules/vgen.ko"
}

profile()
{
	insn_modules
	export ACCEL=icount
	guest insn profile "$lib/run-qemu.sh" -c 1 -m 2G -t 900
	sed -n '/^PROFILE/,/^PROFILE end/p' "$log/insn.profile.log" | tr -d '\r'
}

insn()
{
	insn_modules
	export REP=3 STEADY=20000 OCTETS=64M ACCEL=icount
	for case in $1; do
		guest insn "$case" "$lib/run-qemu.sh" -c 1 -m 2G -t 900
	done
	unset ACCEL
}

ns()
{
	modules=$(modules_for "$("$lib/kernels.sh" uml native)")/ || die "no modules for UML"
	[ -e "$modules/vgen.ko" ] || ln -sfn tests/bench/vgen.ko "$modules/vgen.ko"
	export REP=11 STEADY=100000 OCTETS=256M
	for case in $1; do
		cpus=1
		[ "$case" != load ] || cpus=2
		guest ns "$case" "$lib/run-uml.sh" -k native -c "$cpus" -m 2G -t 900
	done
}

# --- no peers: these figures stand for themselves, beside their goals

# Sizes that a part is run at, when SCALE does not say.
scale_sizes()
{
	case ${SCALE:+given}$1 in
	given*) echo "$SCALE" ;;
	native) printf '%s\n' "100 5000 10000 1000" "5000 150000 10000 10000" ;;
	uml) echo "100 5000 10000 1000" ;;
	api) echo "500 15000 1000 1000" ;;
	esac
}

in_uml()
{
	local kdir modules most status

	kdir=$("$lib/kernels.sh" uml native) || die "no UML kernel"
	modules=$(modules_for "$kdir") || die "no modules for UML"
	# Each run of pages of a guest's process is a mapping of this machine's; at its limit, which is 256 MiB
	# if they lie badly, the process takes one page fault for ever.
	most=$(sysctl -n vm.max_map_count)
	sysctl -qw vm.max_map_count=4194304 || die "scale: no guest of that size without a larger vm.max_map_count"
	VROUTER_KO=$modules/vrouter.ko \
		"$lib/run-uml.sh" -k native -c 2 -m "${SCALE_MEM:-6G}" -t 3600 "$here/scale.py" "$@"
	status=$?
	sysctl -qw vm.max_map_count="$most"
	return $status
}

scale_part()
{
	local part=$1 size=$2 name="scale.$1-${2// /-}" how=
	local out=$log/$name.log

	[ "$part" != uml ] || how=in_uml
	echo "# bench: scale: $part $size"
	# shellcheck disable=SC2086 # four numbers
	VROUTER_SRC=$src VROUTER_BUILD=$build ${how:-"$here/scale.py"} "$part" $size >"$out" 2>&1
	grep -q "^DONE scale" "$out" || { tail -n 20 "$out" >&2; die "$name: failed, see $out"; }
	sed -n "s/^RESULT \([^ ]*\) \(.*\)/$name.\1 \2/p" "$out" | tr -d '\r' >>"$log/results"
}

scale()
{
	local part size parts="native uml"

	# the control plane takes half an hour to build: where it is not, it is left out
	! "$lib/kube-build.sh" -n >/dev/null 2>&1 || parts="$parts api"
	for part in ${SCALE_PART:-$parts}; do
		[[ " native uml api " = *" $part "* ]] || die "SCALE_PART=$part? (native, uml, api)"
		while read -r size; do
			scale_part "$part" "$size" </dev/null
		done < <(scale_sizes "$part")
	done
}

if [ "$BENCH" = profile ]; then
	profile
	exit
fi
case $BENCH in insn | all) insn "gen fwd vrouter xfwd xvrouter tcp" ;; tcp) insn tcp ;; esac
case $BENCH in ns | all) ns "gen fwd vrouter tcp load" ;; tcp) ns tcp ;; esac
case $BENCH in scale | all) scale ;; esac
python3 "$here/report.py" "$log/results" "$build/bench.json"
