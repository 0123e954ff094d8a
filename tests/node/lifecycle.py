#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What comes and goes while packets flow: devices, namespaces, daemons, the module itself."""

import json
import os
import signal
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest.netns import Netns, run
from vrtest.node import (BUILD, SLOW, Node, load_module, namespace_manifest, pod_manifest, policy,
                         service, unload_module, vrctl)
from vrtest.probe import World
from vrtest.tap import Tap, wait_for

tap = Tap("lifecycle")
world = World()
node = Node().start()
PODS = ("server", "client")


def manifests(*extra):
    return [pod_manifest("default", n, {"app": n}, [("echo", 7000, "TCP")]) for n in PODS] + list(extra)


def set_up():
    node.apply("10-namespaces", [namespace_manifest("default")])
    node.apply("20-pods", manifests())
    node.apply("30-services", [service("default", "echo", [(7, 7000, "TCP"), (7, 7000, "UDP")],
                                       {"app": "server"})])
    for name in PODS:
        node.pod("default", name)
    node.sync()
    world.serve(node.pods["default/server"], "tcp", 7000)
    world.serve(node.pods["default/server"], "udp", 7000)


class Traffic:
    """UDP request and reply through the service, as fast as it goes, in a thread.
    lost counts requests without a reply; the socket waits long enough that only a
    dropped packet is lost."""

    def __init__(self):
        self.sent = self.lost = 0
        self.asking, self.stop = True, False
        server, client = node.pods["default/server"], node.pods["default/client"]
        with server.ns:
            self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server.bind(("0.0.0.0", 7001))
        with client.ns:
            self.client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.client.settimeout(1.0 * SLOW)
        self.client.connect((server.v4, 7001))
        self.threads = [threading.Thread(target=t, daemon=True) for t in (self._serve, self._ask)]
        for t in self.threads:
            t.start()

    def _serve(self):
        self.server.settimeout(0.2)
        while not self.stop:
            try:
                data, peer = self.server.recvfrom(2048)
                self.server.sendto(data, peer)
            except OSError:
                pass

    def _ask(self):
        while self.asking:
            self.sent += 1
            want = str(self.sent).encode()
            try:
                self.client.send(want)
                while self.client.recv(2048) != want:
                    pass
            except OSError:
                self.lost += 1

    def progress(self, count=20):
        """Waits until so many more requests were answered."""
        base = self.sent
        wait_for(lambda: self.sent >= base + count, "traffic", 30 * SLOW)

    def end(self):
        """Number of lost requests. The client stops first: its last request is answered."""
        self.asking = False
        self.threads[1].join()
        self.stop = True
        self.threads[0].join()
        self.client.close()
        self.server.close()
        return self.lost


def flows():
    return node.vrctl("flow", "show")


def cni():
    pod = node.pods["default/client"]
    res = pod.result
    good = res["cniVersion"] == "1.0.0" and {i["name"] for i in res["interfaces"]} >= {"eth0"} and \
        sorted(ip["address"].split("/")[1] for ip in res["ips"]) == ["128", "32"] and \
        {r["dst"] for r in res["routes"]} >= {"0.0.0.0/0", "::/0"}
    tap.check(good, "ADD's result has interfaces, both addresses and default routes", res)
    links = json.loads(pod.ns.run(["ip", "-j", "addr", "show", "eth0"]).stdout)[0]
    tap.check({a["local"] for a in links["addr_info"]} >= set(pod.addresses)
              and links["operstate"] == "UP", "the pod's eth0 is up and has them", links)
    check = pod.cni("CHECK", prevResult=res)
    tap.check(check.returncode == 0, "CHECK agrees", check.stdout)
    pod.ns.run(["ip", "addr", "flush", "dev", "eth0"])
    check = pod.cni("CHECK", prevResult=res)
    tap.check(check.returncode != 0 and "code" in check.stdout, "CHECK sees a missing address", check.stdout)
    pod.detach()
    tap.check(not [v for v in node.vrctl("vif", "show") if v.get("label") == "default/client"],
              "DEL detaches")
    again = pod.cni("DEL")
    tap.check(again.returncode == 0, "DEL again succeeds", again.stdout)
    pod.attach()
    tap.equal(world.ask(pod, "tcp", node.vip("default", "echo"), 7), "default/server", "ADD again works")
    res = pod.cni("VERSION")
    tap.check({"1.0.0", "1.1.0"} <= set(json.loads(res.stdout)["supportedVersions"]), "VERSION", res.stdout)
    conf = node.cni_conf()
    with node.ns:
        bad = run([f"{BUILD}/contrail-cni"], check=False, stdin=json.dumps({**conf, "cniVersion": "9.9.9"}),
                  env=dict(os.environ, CNI_COMMAND="ADD", CNI_CONTAINERID="x", CNI_NETNS="/nowhere",
                           CNI_IFNAME="eth0", CNI_PATH="/"))
    tap.check(bad.returncode and json.loads(bad.stdout)["code"] == 1, "an unknown version is error 1", bad.stdout)
    with node.ns:
        bad = run([f"{BUILD}/contrail-cni"], check=False, stdin="{not json",
                  env=dict(os.environ, CNI_COMMAND="ADD", CNI_CONTAINERID="x", CNI_NETNS="/nowhere",
                           CNI_IFNAME="eth0", CNI_PATH="/"))
    tap.check(bad.returncode and json.loads(bad.stdout)["code"] == 6, "garbage is error 6", bad.stdout)


def status():
    pod = node.pods["default/client"]
    res = pod.cni("STATUS", cniVersion="1.1.0")
    tap.check(res.returncode == 0 and not res.stdout, "STATUS: ready", res.stdout)
    node.kill_manager()
    wait_for(lambda: pod.cni("STATUS", cniVersion="1.1.0").returncode, "STATUS to see the manager's end")
    res = pod.cni("STATUS", cniVersion="1.1.0")
    tap.equal(json.loads(res.stdout)["code"], 51, "STATUS without the manager is error 51")
    node.start_manager()
    node.sync()
    res = pod.cni("STATUS", cniVersion="1.1.0")
    tap.check(res.returncode == 0, "STATUS: ready again", res.stdout)
    res = pod.cni("STATUS", cniVersion="1.1.0", socket="/nowhere/cni.sock")
    tap.equal(json.loads(res.stdout)["code"], 50, "STATUS without vrouterd is error 50")


def garbage():
    """What the runtime does not list goes, also when vrouterd was restarted in between."""
    pod = node.pods["default/client"]
    listed = [{"containerID": f"c-{p.namespace}-{p.short}", "ifname": "eth0"}
              for p in node.pods.values() if p is not pod]
    host = pod.result["interfaces"][0]["name"]
    node.kill_daemon()
    node.start_daemon()
    node.sync()
    res = pod.cni("GC", cniVersion="1.1.0")
    tap.check(res.returncode == 0 and host in node.ns.run(["ip", "link"]).stdout,
              "GC without a list removes nothing", res.stdout)
    for word in ("GC", "GC again"):
        res = pod.cni("GC", cniVersion="1.1.0", **{"cni.dev/valid-attachments": listed})
        tap.check(res.returncode == 0, f"{word} succeeds", res.stdout)
    tap.check(host not in node.ns.run(["ip", "link"]).stdout, "the unlisted pod's device is gone")
    labels = {v.get("label") for v in node.vrctl("vif", "show")}
    tap.check("default/client" not in labels and "default/server" in labels,
              "only the unlisted pod is detached", labels)
    pod.attach()
    tap.equal(world.ask(pod, "tcp", node.vip("default", "echo"), 7), "default/server", "ADD works after GC")


def add_waits_for_policy():
    """A pod is attached only with its groups in the kernel."""
    node.apply("40-policies", [policy("default", "lock", {"matchLabels": {"app": "late"}}, [])])
    node.apply("25-late", [pod_manifest("default", "late", {"app": "late"})])
    node.pod("default", "late")
    vif = next(v for v in node.vrctl("vif", "show") if v.get("label") == "default/late")
    tap.check(vif.get("sg"), "after ADD the vif has its security groups", vif)
    node.pods.pop("default/late").delete()
    node.delete("25-late")
    node.delete("40-policies")
    node.sync()


def daemon_restart():
    traffic = Traffic()
    traffic.progress()
    before = node.vrctl("vif", "show"), node.vrctl("nexthop", "show"), node.vrctl("route", "show")
    for sig in (signal.SIGKILL, signal.SIGTERM):
        node.kill_daemon(sig)
        traffic.progress()
        node.start_daemon()
        node.sync()
        traffic.progress()

    def ids(tables):
        return [sorted(str({k: v for k, v in o.items() if k in ("id", "dev", "label", "prefix", "nexthop")})
                       for o in t) for t in tables]
    after = node.vrctl("vif", "show"), node.vrctl("nexthop", "show"), node.vrctl("route", "show")
    tap.check(ids(before)[0] == ids(after)[0] and ids(before)[2] == ids(after)[2],
              "a restarted vrouterd renumbers nothing", (ids(before), ids(after)))
    tap.check(len(flows()) >= 1, "the flow is there still", flows())
    tap.equal(traffic.end(), 0, "vrouterd killed and restarted twice: no packet lost")


def feed_gone():
    traffic = Traffic()
    node.kill_manager()
    traffic.progress()
    tap.equal(world.ask(node.pods["default/client"], "tcp", node.vip("default", "echo"), 7),
              "default/server", "without the manager new flows are set up")
    node.start_manager()
    node.sync()
    traffic.progress()
    tap.equal(traffic.end(), 0, "manager killed and restarted: no packet lost")


def bad_manifest():
    vip = node.vip("default", "echo")
    with open(f"{node.manifests}/30-services.json", "w", encoding="utf-8") as f:
        f.write('{"kind": "Service", "apiVersion": "v1"')
    wait_for(lambda: "30-services.json" in node.logs(), "an error that names the file", 20 * SLOW)
    tap.equal(world.ask(node.pods["default/client"], "tcp", vip, 7), "default/server",
              "a file that no longer parses: the last good state stays")
    bad = service("default", "broken", [(99999, 80, "TCP")], {"app": "server"})
    node.apply("30-services", [service("default", "echo", [(7, 7000, "TCP"), (7, 7000, "UDP")],
                                       {"app": "server"}), bad])
    wait_for(lambda: "99999" in node.logs(), "an error that names the value", 20 * SLOW)
    tap.check("port" in node.logs(), "a bad field is named", node.logs())
    node.apply("30-services", [service("default", "echo", [(7, 7000, "TCP"), (7, 7000, "UDP")],
                                       {"app": "server"})])
    node.sync()


def device_vanishes():
    node.apply("26-gone", [pod_manifest("default", "gone", {"app": "gone"})])
    pod = node.pod("default", "gone")
    world.ask(pod, "tcp", node.vip("default", "echo"), 7)
    pod.ns.delete()
    wait_for(lambda: not [v for v in node.vrctl("vif", "show") if v.get("label") == "default/gone"],
             "the vif of a deleted namespace to go", 30 * SLOW)
    tap.check(True, "a pod's namespace goes away: its vif detaches by itself")
    wait_for(lambda: not [f for f in flows() if pod.v4 in (f["orig"]["src"], f["orig"]["dst"])],
             "its flows to end", 30 * SLOW)
    tap.check(True, "and its flows end")
    del node.pods["default/gone"]
    node.delete("26-gone")
    node.sync()


def namespace_vanishes():
    ns = Netns("doomed")
    ns.run(["ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1"])
    vrctl("vrf", "add", "id", 1, netns=ns)
    vrctl("vif", "add", "id", 1, "dev", "v0", "vrf", 1, "mac", "02:00:00:00:00:01", "addr", "10.0.0.1", netns=ns)
    vrctl("nexthop", "add", "id", 1, "local", "vif", 1, netns=ns)
    vrctl("route", "add", "vrf", 1, "10.0.0.1/32", "nexthop", 1, netns=ns)
    ns.delete()
    other = Netns("doomed")
    tap.equal(vrctl("vif", "show", netns=other) or [], [], "a deleted namespace takes its objects along")
    other.delete()


def moved_device():
    one, two = Netns("move1"), Netns("move2")
    one.run(["ip", "link", "add", "m0", "type", "veth", "peer", "name", "m1"])
    vrctl("vrf", "add", "id", 1, netns=one)
    vrctl("vif", "add", "id", 1, "dev", "m0", "vrf", 1, "mac", "02:00:00:00:00:01", "addr", "10.0.0.1", netns=one)
    one.run(["ip", "link", "set", "m0", "netns", "move2"])
    tap.equal(vrctl("vif", "show", netns=one) or [], [], "a device that moves to another namespace is detached")
    one.delete()
    two.delete()


def rmmod_under_traffic():
    traffic = Traffic()
    traffic.progress()
    node.kill_daemon()
    unload_module()
    tap.check(not os.path.isdir("/sys/module/vrouter"), "rmmod under traffic succeeds")
    base = traffic.lost
    wait_for(lambda: traffic.lost > base, "traffic to stop", 30 * SLOW)
    load_module()
    node.start_daemon()
    node.sync()
    tap.check(world.ask(node.pods["default/client"], "tcp", node.vip("default", "echo"), 7) == "default/server",
              "insmod and vrouterd: everything is back without a CNI call", node.logs())
    base = traffic.sent - traffic.lost
    wait_for(lambda: traffic.sent - traffic.lost > base + 5, "traffic to go on", 30 * SLOW)
    traffic.end()


def load_cycle():
    node.stop()
    for _ in range(5):
        unload_module()
        load_module()
    unload_module()
    tap.check(not os.path.isdir("/sys/module/vrouter"), "the module loads and unloads again and again")


set_up()
tap.run([(f.__name__, f) for f in (cni, status, garbage, add_waits_for_policy, daemon_restart, feed_gone, bad_manifest,
                                   device_vanishes, namespace_vanishes, moved_device, rmmod_under_traffic,
                                   load_cycle)], only=os.environ.get("CASE"))
tap.done()
