#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# run-uml.sh [OPTIONS] SCRIPT [ARGS...]: run a script in a UML guest whose
# files are the machine's (options: run-common.sh).
set -u

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/run-common.sh disable=SC1091
. "$here/run-common.sh"

run_options "$@"
case $kernel in
*/*) kdir=$kernel ;; # a build folder
*) kdir=$("$here/kernels.sh" uml "${kernel:-debug}") || exit 98 ;;
esac
[ -n "$mem" ] || mem=2G
export VROUTER_KERNEL=um
run_folder

# The first program in the guest: hostfs is the root; an overlay keeps what
# the guest writes in its memory.
# busybox, because a static program starts several times faster in UML.
cat >"$run/init" <<END
#!/bin/busybox sh
b=/bin/busybox
\$b mount -t tmpfs -o mode=755 new /mnt &&
\$b mkdir /mnt/upper /mnt/work /mnt/root &&
\$b mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work new /mnt/root &&
\$b mount -t devtmpfs dev /mnt/root/dev &&
\$b mkdir -p "/mnt/root$run" &&
\$b mount --bind "$run" "/mnt/root$run" &&
exec \$b chroot /mnt/root \$b sh "$here/guest-init.sh" "$run" >/dev/tty1 2>&1
\$b poweroff -f
END
chmod 755 "$run/init"

# /dev/shm is where UML keeps the guest's memory; its control sockets go
# beside the run. The kernel talks to descriptor 1, the script to 3.
umldir=$(mktemp -d "${TMPDIR:-/tmp}/vrouter-uml.XXXXXX")
trap 'rm -rf "$umldir"' EXIT
exec 3>&1

# The allocator's per-CPU stores of free objects keep pointers to those handed
# out, which hides leaks: slab_debug=F does without the stores.
[ "$leaks" = 0 ] || append="slab_debug=F $append"

# A CPU's thread sometimes aborts while the process exits, long after the
# script's status is known; the shell need not tell.
ulimit -c 0
{
# shellcheck disable=SC2086 # the caller's words
TMPDIR=/dev/shm timeout -k 5 "$limit" "$kdir/linux" mem="$mem" ncpus="$cpus" \
	seccomp=on rootfstype=hostfs rootflags=/ rw init="$run/init" \
	uml_dir="$umldir/" umid=guest panic=-1 loglevel=7 \
	con=null con0=null,fd:1 con1=null,fd:3 ssl=null $append \
	</dev/null >"$run/kernel.log" 2>&1
} 2>/dev/null
status=$?
exec 3>&-
run_verdict $status
