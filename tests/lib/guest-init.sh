#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
# Process 1 of a guest, UML or QEMU, after the root file system is there:
# mounts, loopback, then the command that the host left in $1/cmd; its exit
# status goes to $1/status. Runs in an overlay whose upper layer is
# the guest's memory, so nothing but $1 reaches the machine.
run=$1
b=/bin/busybox

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root TERM=dumb

# The terminal that is the host's standard output carries bytes.
$b stty raw -echo <&1

$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t debugfs debug /sys/kernel/debug 2>/dev/null
$b mount -t tracefs trace /sys/kernel/tracing 2>/dev/null
$b mount -t bpf bpf /sys/fs/bpf 2>/dev/null
$b mount -t cgroup2 cgroup /sys/fs/cgroup 2>/dev/null
[ -c /dev/null ] || $b mount -t devtmpfs dev /dev
$b mkdir -p /dev/pts /dev/shm /dev/net
$b mount -t devpts -o ptmxmode=0666 devpts /dev/pts
$b mount -t tmpfs shm /dev/shm
[ -c /dev/net/tun ] || $b mknod /dev/net/tun c 10 200 2>/dev/null
$b ln -sfn /proc/self/fd /dev/fd
$b ln -sfn /proc/self/fd/0 /dev/stdin
$b ln -sfn /proc/self/fd/1 /dev/stdout
$b ln -sfn /proc/self/fd/2 /dev/stderr

# What runs on the machine has no sockets here.
$b mount -t tmpfs run /run
$b mkdir -p /run/netns /run/lock
[ -L /var/run ] || $b mount --bind /run /var/run

$b hostname vrouter-guest
$b ip link set lo up
ulimit -n 65536
ulimit -c 0

# Leaks of the boot itself are not the test's.
leaks=/sys/kernel/debug/kmemleak
[ -e $leaks ] && echo clear >$leaks

/bin/bash "$run/cmd" </dev/null
status=$?

# An object counts as leaked from an age of 5 s on, and from the second scan
# that finds no pointer to it.
if [ -e $leaks ] && $b grep -q '^VROUTER_KMEMLEAK=1' "$run/options"; then
	$b sleep 6
	echo scan >$leaks
	echo scan >$leaks
	$b cat $leaks >"$run/kmemleak"
fi
$b dmesg >"$run/dmesg" 2>/dev/null
echo $status >"$run/status"
$b sync
$b poweroff -f
