#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# run.sh (make demo): boots the distribution's stock kernel in QEMU and runs
# demo.py in it, on the machine's own files. VROUTER_BUILD, VROUTER_SRC: from make.
set -eu

top=$VROUTER_SRC
lib=$top/tests/lib
echo "=== A compute node in QEMU: the stock kernel, this machine's file system, nothing of it written"
kdir=$("$lib/kernels.sh" headers 6.1)
VROUTER_KO=$("$lib/kmod.sh" -o "$VROUTER_BUILD" "$kdir")/vrouter.ko
export VROUTER_KO
exec "$lib/run-qemu.sh" -k 6.1 -m 2G -t "${DEMO_LIMIT:-600}" -o "$VROUTER_BUILD/log/demo" "$top/tests/demo/demo.py"
