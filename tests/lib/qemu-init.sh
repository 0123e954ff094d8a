#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
# The initramfs of run-qemu.sh: reaches the machine's files by 9p, lays a
# memory overlay on them and goes on in guest-init.sh.
b=/bin/busybox

$b mount -t devtmpfs dev /dev
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
echo 'vrouter: init reached' >/dev/console

for word in $($b cat /proc/cmdline); do
	case $word in
	vrprobe) $b poweroff -f ;;
	vrrun=*) run=${word#*=} ;;
	vrmods=*) mods=${word#*=} ;;
	vrlib=*) lib=${word#*=} ;;
	esac
done

for m in /mods/*; do
	$b insmod "$m" || echo "vrouter: cannot load $m" >/dev/console
done

p9=trans=virtio,version=9p2000.L,msize=262144
# shellcheck disable=SC2015 # whichever fails
$b mount -t 9p -o ro,$p9,cache=loose host /host &&
$b mount -t tmpfs -o mode=755 new /new &&
$b mkdir /new/upper /new/work /new/root &&
$b mount -t overlay -o lowerdir=/host,upperdir=/new/upper,workdir=/new/work \
	new /new/root &&
$b mkdir -p "/new/root$run" "/new/root/usr/lib/modules/${mods##*/}" &&
$b mount -t 9p -o $p9,cache=none run "/new/root$run" &&
$b mount --bind "/host$mods" "/new/root/usr/lib/modules/${mods##*/}" &&
$b mount --move /dev /new/root/dev || {
	echo 'vrouter: the machine'"'"'s files are out of reach' >/dev/console
	$b poweroff -f
}
$b umount /proc /sys

# The kernel's own calls of modprobe follow process 1 to its new root only if
# that process goes there itself.
exec $b switch_root -c /dev/hvc0 /new/root $b sh "$lib/guest-init.sh" "$run"
