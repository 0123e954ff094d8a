#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What manager and daemon cost in a large cluster: scale.py NODES PODS SERVICES POLICIES, in a guest of
run.sh. A synthetic cluster (scale_objects.py) as manifests; one node of it is programmed. Prints "RESULT
name value" for each figure, as guest.sh does: times in microseconds, memory in KiB.
"""

import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest.node import Node
from vrtest.tap import wait_for

from scale_objects import BURST, Cluster, make

CHANGES = int(os.environ.get("CHANGES", "100"))
HZ = os.sysconf("SC_CLK_TCK")


def result(name, value):
    print(f"RESULT {name} {round(value)}", flush=True)


def cpu_us(proc):
    with open(f"/proc/{proc.pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000000 // HZ


def peak_kib(proc):
    with open(f"/proc/{proc.pid}/status", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("VmHWM:")).split()[1])


def replace(node, name, obj):
    """One object's file, as an editor writes it."""
    path = f"{node.manifests}/{name}.json"
    with open(path + ".tmp", "w", encoding="ascii") as file:
        json.dump({"apiVersion": "v1", "kind": "List", "items": [obj]}, file)
    os.rename(path + ".tmp", path)


def is_served(node):
    with open(f"{node.dir}/manager.log", encoding="ascii", errors="replace") as log:
        return any("serving" in line for line in log)


def used(node, what):
    limits = node.vrctl("limits", "show")
    limits = limits[0] if isinstance(limits, list) else limits
    return limits["net"]["used"][what] if "net" in limits else limits["used"][what]


def nexthop_of(node, label):
    return next(v["nexthop"] for v in node.vrctl("vip", "show") if v.get("label", "").startswith(label + ":"))


def members(node, nexthop):
    return {m["addr"] for m in node.vrctl("nexthop", "get", "id", nexthop)["member"]}


def endpoint_changes(node, c):
    """A member goes and comes back, CHANGES times; until it is so in the kernel."""
    label = f"{c.ns_of(0)}/svc-0"
    nexthop, address = nexthop_of(node, label), c.addresses(0)[0]
    manager, daemon, took = cpu_us(node.manager), cpu_us(node.daemon), []
    for i in range(CHANGES):
        start = time.monotonic()
        replace(node, "51-slice-000", c.slice(0, down=() if i % 2 else (0,)))
        wait_for(lambda on=bool(i % 2): (address in members(node, nexthop)) == on, "the member", 60, step=0)
        took.append(time.monotonic() - start)
    result("manager.endpoint_cpu", (cpu_us(node.manager) - manager) / CHANGES)
    result("daemon.endpoint_cpu", (cpu_us(node.daemon) - daemon) / CHANGES)
    took.sort()
    result("endpoint_to_kernel_median", took[len(took) // 2] * 1e6)
    result("endpoint_to_kernel_p99", took[len(took) * 99 // 100] * 1e6)


def label_changes(node, c):
    """A pod's label that BURST policies select, on and off."""
    def groups():
        return len(next(v for v in node.vrctl("vif", "show") if v.get("label") == f"{c.ns_of(0)}/pod-0").get("sg", []))
    few, manager, daemon = groups(), cpu_us(node.manager), cpu_us(node.daemon)
    for i in range(CHANGES):
        replace(node, "31-pod-000", c.pod(0) if i % 2 else c.pod(0, burst="on"))
        wait_for(lambda want=few + (0 if i % 2 else BURST): groups() == want, "the groups", 60, step=0)
    result("manager.label_cpu", (cpu_us(node.manager) - manager) / CHANGES)
    result("daemon.label_cpu", (cpu_us(node.daemon) - daemon) / CHANGES)


def main():
    c = Cluster(*map(int, sys.argv[1:5]))
    node = Node("node-0", service_network="10.96.0.0/12,fd00:96::/108", addrs=("172.16.0.1", "2001:db8:f::1"),
                args=("--encap", "vxlan"))
    make(c, node.manifests)
    node.start_manager()
    wait_for(lambda: is_served(node), "the manager", 3600, step=0.2)
    result("manager.start_cpu", cpu_us(node.manager))
    node.start_daemon()
    wait_for(lambda: used(node, "vips") >= c.services and used(node, "routes") >= 2 * c.pods, "all in the kernel", 3600, step=1)
    result("daemon.start_cpu", cpu_us(node.daemon))
    pod = node.pod(c.ns_of(0), "pod-0")
    endpoint_changes(node, c)
    label_changes(node, c)
    result("manager.peak", peak_kib(node.manager))
    result("daemon.peak", peak_kib(node.daemon))
    pod.detach()
    print("DONE scale")


main()
