#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What manager and daemon cost in a large cluster: scale.py PART NODES PODS SERVICES POLICIES.

    native   the manager on this machine, from manifests, and vrouterd beside it without a module
    uml      one node of the cluster in a guest of run.sh, programmed by vrouterd
    api      the manager and a real kube-apiserver on this machine (scale_api.py)

The cluster is synthetic (scale_objects.py). Each function below takes one figure or two of a kind, and prints
"RESULT name value": times in microseconds, memory in KiB; what they mean is in scale_report.py.
"""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from scale_common import CHANGES, LONG, Mean, cpu_us, peak_kib, result
from scale_kernel import Notices
from scale_objects import BURST, Cluster, make
# pylint: disable=wrong-import-order
from vrtest.netns import Netns
from vrtest.node import BUILD, SRC, Node
from vrtest.prom import Metrics
from vrtest.tap import wait_for

NETWORKS = ("10.32.0.0/12,fd00:32::/64", "10.96.0.0/12,fd00:96::/108")
BLOCKS = ("--node-block-size", "26,122")     # as they are on an API server
SLICE, POD = "51-slice-000", "31-pod-000"      # files of what is changed


def says(proc, log, text):
    if proc.poll() is not None:
        raise AssertionError(f"ended with status {proc.returncode}, see {log}")
    with open(log, encoding="utf-8", errors="replace") as file:
        return text in file.read()


def replace(folder, name, obj):
    """One object's file, as an editor writes it."""
    path = f"{folder}/{name}.json"
    with open(path + ".tmp", "w", encoding="ascii") as file:
        json.dump({"apiVersion": "v1", "kind": "List", "items": [obj]}, file)
    os.rename(path + ".tmp", path)


# --- native

class Feed:
    """A client of the manager's socket: what it says, line by line."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.lines = self.sock.makefile("rb", 1 << 20)
        self.came = 0
        while b'"BOOKMARK"' not in self.lines.readline()[:30]:
            pass

    def until(self, kind, name):
        """Its next change; how many lines there were. When it came is in came."""
        for n, line in enumerate(self.lines, 1):
            self.came = time.monotonic()
            obj = json.loads(line)["object"]
            if obj["kind"] == kind and obj["metadata"]["name"] == name:
                return n
        raise AssertionError("the manager closed the stream")


class Native:
    """Manager and daemon as processes of this machine; what they make is in a namespace of its own."""

    def __init__(self, c):
        self.c, self.dir = c, tempfile.mkdtemp(prefix="vr-scale-")
        self.manifests, self.feed = f"{self.dir}/manifests", f"{self.dir}/feed.sock"
        self.ns = Netns(f"scale-{os.getpid()}")
        self.procs = []

    def start(self, program, *args):
        log = f"{self.dir}/{program}.log"
        print("#", program, *args, flush=True)
        with open(log, "w", encoding="utf-8") as out:
            self.procs.append(self.ns.popen([f"{BUILD}/{program}", *args], stdin=subprocess.DEVNULL, stdout=out, stderr=out))
        return self.procs[-1], log

    def close(self):
        for proc in self.procs:
            proc.kill()
            proc.wait()
        self.ns.delete()
        shutil.rmtree(self.dir)


def manager_start(run):
    manager, log = run.start("contrail-kube-manager", "--manifests", run.manifests, "--listen", f"unix:{run.feed}",
                             "--pod-network", NETWORKS[0], "--service-network", NETWORKS[1], *BLOCKS)
    wait_for(lambda: says(manager, log, "serving"), "the manager", LONG, step=0.1)
    result("manager.start_cpu", cpu_us(manager))
    return manager


def manager_endpoint(run, manager, feed):
    """A member goes and comes back: its pool is written."""
    mean, writes = Mean(manager=manager), 0
    for i in range(CHANGES):
        replace(run.manifests, SLICE, run.c.slice(0, down=() if i % 2 else (0,)))
        writes += feed.until("LoadBalancerPool", "svc-0.http")
    mean.results("endpoint")
    result("manager.endpoint_writes", writes / CHANGES)


def manager_label(run, manager, feed):
    """A pod's label that BURST policies select, on and off: its interface is written."""
    mean, writes = Mean(manager=manager), 0
    for i in range(CHANGES):
        replace(run.manifests, POD, run.c.pod(0) if i % 2 else run.c.pod(0, burst="on"))
        writes += feed.until("VirtualMachineInterface", "pod-0")
    mean.results("label")
    result("manager.label_writes", writes / CHANGES)


def daemon_list(run):
    """Without a module nothing is programmed: reading and planning."""
    daemon, log = run.start("vrouterd", "--node", "node-0", "--feed", f"unix:{run.feed}", "--encap", "vxlan", "--external",
                            "--cni-socket", f"{run.dir}/cni.sock", "--state-dir", f"{run.dir}/state")
    wait_for(lambda: says(daemon, log, "in step"), "vrouterd in step", LONG, step=0.1)
    result("daemon.list_cpu", cpu_us(daemon))
    result("daemon.peak", peak_kib(daemon))


def native(c):
    if os.path.isdir("/sys/module/vrouter"):
        raise SystemExit("scale.py native: the module is loaded here; vrouterd would program it")
    run = Native(c)
    try:
        make(c, run.manifests)
        manager = manager_start(run)
        feed = Feed(run.feed)
        manager_endpoint(run, manager, feed)
        manager_label(run, manager, feed)
        daemon_list(run)
        result("manager.peak", peak_kib(manager))
    finally:
        run.close()


# --- uml

def metrics(node):
    conn = http.client.HTTPConnection("127.0.0.1", 10256, timeout=LONG)
    with node.ns:
        conn.connect()
    conn.request("GET", "/metrics")
    return Metrics(conn.getresponse().read().decode())


def is_programmed(node, c):
    """All that it was told of is in the kernel."""
    m = metrics(node)
    return (m.get("vrouter_feed_synced") and m.get("vrouter_programmed") and
            m.get("vrouter_sync_proxy_rules_service_changes_total") >= c.services and
            not m.get("vrouter_sync_proxy_rules_service_changes_pending"))


def groups(node, label):
    return len(next(v for v in node.vrctl("vif", "show") if v.get("label") == label).get("sg", []))


def node_start(node, c):
    node.start_manager()
    wait_for(lambda: says(node.manager, f"{node.dir}/manager.log", "serving"), "the manager", LONG, step=0.2)
    result("manager.start_cpu", cpu_us(node.manager))
    node.start_daemon()
    wait_for(lambda: is_programmed(node, c), "all in the kernel", LONG, step=1)
    result("daemon.start_cpu", cpu_us(node.daemon))


def node_endpoint(node, c):
    """A member goes and comes back: from the line that says so to the kernel that has it."""
    label, feed, notices = f"{c.ns_of(0)}/svc-0", Feed(node.feed), Notices(node.ns, SRC)
    nexthop = next(v["nexthop"] for v in node.vrctl("vip", "show") if v.get("label", "").startswith(label + ":"))
    mean, took = Mean(manager=node.manager, daemon=node.daemon), []
    for i in range(CHANGES):
        replace(node.manifests, SLICE, c.slice(0, down=() if i % 2 else (0,)))
        feed.until("LoadBalancerPool", "svc-0.http")
        took.append(notices.until(nexthop) - feed.came)
    mean.results("endpoint")
    took.sort()
    result("endpoint_to_kernel_median", took[len(took) // 2] * 1e6)
    result("endpoint_to_kernel_p99", took[len(took) * 99 // 100] * 1e6)


def node_label(node, c):
    """A pod's label that BURST policies select, on and off."""
    label = f"{c.ns_of(0)}/pod-0"
    few, mean = groups(node, label), Mean(manager=node.manager, daemon=node.daemon)
    for i in range(CHANGES):
        replace(node.manifests, POD, c.pod(0) if i % 2 else c.pod(0, burst="on"))
        wait_for(lambda want=few + (0 if i % 2 else BURST): groups(node, label) == want, "the groups", 60, step=0)
    mean.results("label")


def uml(c):
    node = Node("node-0", *NETWORKS, addrs=("172.16.0.1", "2001:db8:f::1"), manager_args=BLOCKS,
                args=("--encap", "vxlan", "--healthz", "127.0.0.1:10256"))
    make(c, node.manifests)
    node_start(node, c)
    pod = node.pod(c.ns_of(0), "pod-0")
    node_endpoint(node, c)
    node_label(node, c)
    result("manager.peak", peak_kib(node.manager))
    result("daemon.peak", peak_kib(node.daemon))
    pod.detach()


def main():
    # what is open is closed: processes, a namespace, a folder
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    c = Cluster(*map(int, sys.argv[2:6]))
    if sys.argv[1] == "api":
        # pylint: disable=import-outside-toplevel
        from scale_api import api
        api(c)
    else:
        {"native": native, "uml": uml}[sys.argv[1]](c)
    print("DONE scale")


if __name__ == "__main__":
    main()
