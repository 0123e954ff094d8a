#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# run-qemu.sh [OPTIONS] SCRIPT [ARGS...]: run a script on the distribution's
# stock kernel in QEMU, on the machine's own files (options: run-common.sh).
#
#   ACCEL=auto|kvm|tcg|icount
#                        auto tries a boot under KVM once: /dev/kvm can be there
#                        and yet hang a guest
#   QEMU_ARGS            more arguments of QEMU, such as -icount shift=0
set -u

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/run-common.sh disable=SC1091
. "$here/run-common.sh"

run_options "$@"
kernel=${kernel:-6.1}
stock=$("$here/kernels.sh" stock "$kernel") || exit 98
release=$(cat "$stock/release")
[ -n "$mem" ] || mem=2G

# An initramfs with busybox and just the modules that reach the machine's
# files: made anew when this script is newer.
initrd=$stock/initrd
make_initrd()
{
	local dir module n=100

	dir=$(mktemp -d "$stock/initrd.XXXXXX")
	mkdir -p "$dir"/{bin,dev,proc,sys,mods,new,host}
	cp /bin/busybox "$dir/bin/busybox"
	for module in virtio_pci virtio_console 9pnet_virtio 9p overlay virtio_rng; do
		modprobe -d "$stock" -S "$release" --show-depends "$module"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
		while read -r module; do
			n=$((n + 1))
			cp "$module" "$dir/mods/$n-${module##*/}"
		done
	cp "$here/qemu-init.sh" "$dir/init"
	chmod 755 "$dir/init"
	(cd "$dir" && find . | cpio -o -H newc --quiet | gzip -1) >"$initrd.$$"
	mv "$initrd.$$" "$initrd"
	rm -rf "$dir"
}
if [ ! -e "$initrd" ] || [ "$0" -nt "$initrd" ] ||
	[ "$here/qemu-init.sh" -nt "$initrd" ]; then
	make_initrd || exit 98
fi

qemu=(qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot
	-kernel "$stock/vmlinuz" -initrd "$initrd")
line="console=ttyS0 panic=-1 loglevel=7 net.ifnames=0"

# One answer for each boot of this machine.
accel=${ACCEL:-auto}
if [ "$accel" = auto ]; then
	answer=${TMPDIR:-/tmp}/vrouter-accel-$(id -u)-$(cat /proc/sys/kernel/random/boot_id)
	if [ ! -e /dev/kvm ]; then
		accel=tcg
	elif [ -s "$answer" ]; then
		accel=$(cat "$answer")
	else
		accel=tcg
		timeout -k 2 20 "${qemu[@]}" -accel kvm -cpu host -m 512 -smp 2 \
			-serial stdio -append "$line vrprobe" </dev/null 2>&1 |
			grep -q 'vrouter: init reached' && accel=kvm
		echo "$accel" >"$answer"
	fi
fi
case $accel in
kvm) qemu+=(-accel kvm -cpu host) ;;
tcg) qemu+=(-accel 'tcg,thread=multi' -cpu max) ;;
# Time counts instructions (with -c 1). Without ERMS, or one instruction would
# be counted for each octet of a memset.
icount) qemu+=(-accel 'tcg,thread=single' -icount 'shift=0,sleep=off'
	-cpu 'max,-erms,-fsrm') ;;
*) echo "run-qemu: ACCEL=$accel? (auto, kvm, tcg, icount)" >&2; exit 2 ;;
esac

export VROUTER_KERNEL=$kernel
run_folder
# shellcheck disable=SC2086 # arguments, several
timeout -k 5 "$limit" "${qemu[@]}" -m "$mem" -smp "$cpus" \
	-serial "file:$run/kernel.log" \
	-device virtio-rng-pci \
	-device virtio-serial-pci -chardev stdio,id=out,signal=off \
	-device virtconsole,chardev=out \
	-virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap \
	-virtfs "local,path=$run,mount_tag=run,security_model=none,multidevs=remap" \
	-append "$line vrrun=$run vrmods=$stock/lib/modules/$release vrlib=$here $append" \
	${QEMU_ARGS-} </dev/null
run_verdict $?
