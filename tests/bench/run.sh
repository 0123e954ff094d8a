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
#   BENCH=scale         only what manager and daemon cost in a large cluster, by (b):
#                       SCALE="NODES PODS SERVICES POLICIES"; 6 GiB of memory
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

# No peer: the figures stand for themselves.
scale()
{
	local out=$log/ns.scale.log kdir

	kdir=$("$lib/kernels.sh" uml native) || die "no UML kernel"
	modules=$(modules_for "$kdir") || die "no modules for UML"
	echo "# bench: ns, scale: $1"
	# shellcheck disable=SC2086 # four numbers
	VROUTER_SRC=$src VROUTER_BUILD=$build VROUTER_KO=$modules/vrouter.ko \
		"$lib/run-uml.sh" -k native -c 2 -m "${SCALE_MEM:-6G}" -t 3600 "$here/scale.py" $1 >"$out" 2>&1
	grep -q "^DONE scale" "$out" || { tail -n 20 "$out" >&2; die "ns, scale: failed, see $out"; }
	sed -n 's/^RESULT \([^ ]*\) \(.*\)/ns.scale.\1 \2/p' "$out" | tr -d '\r' >>"$log/results"
}

if [ "$BENCH" = profile ]; then
	profile
	exit
fi
case $BENCH in insn | all) insn "gen fwd vrouter xfwd xvrouter tcp" ;; tcp) insn tcp ;; esac
case $BENCH in ns | all) ns "gen fwd vrouter tcp load" ;; tcp) ns tcp ;; esac
case $BENCH in scale | all) scale "${SCALE:-5000 150000 10000 10000}" ;; esac
python3 "$here/report.py" "$log/results" "$build/bench.json"
