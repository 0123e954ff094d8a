# SPDX-License-Identifier: GPL-2.0-only
"""What the parts of scale.py share: how figures are taken and printed."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

CHANGES = int(os.environ.get("CHANGES", "100"))
LONG = 3600
HZ = os.sysconf("SC_CLK_TCK")


def result(name, value):
    """Microseconds, KiB or a number."""
    print(f"RESULT {name} {round(value)}", flush=True)


def cpu_us(proc):
    """To the nanosecond where the kernel counts them, else to its tick."""
    try:
        with open(f"/proc/{proc.pid}/schedstat", encoding="ascii") as file:
            ns = int(file.read().split()[0])
        if ns:
            return ns / 1000
    except FileNotFoundError:
        pass
    with open(f"/proc/{proc.pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000000 / HZ


def peak_kib(proc):
    with open(f"/proc/{proc.pid}/status", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("VmHWM:")).split()[1])


class Mean:
    """CPU of processes from here on, by name; for one of the changes made."""

    def __init__(self, **procs):
        self.procs = procs
        self.before = {name: cpu_us(proc) for name, proc in procs.items()}

    def results(self, change):
        for name, proc in self.procs.items():
            result(f"{name}.{change}_cpu", (cpu_us(proc) - self.before[name]) / CHANGES)
